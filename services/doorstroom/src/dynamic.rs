//! Any RPC by its name, with JSON: read from the same descriptors that reflection serves.
//!
//! Beside the JSON that protobuf prescribes, a `google.type.Date` may be written, and is shown, as "2026-03-02".

use anyhow::{Context as _, bail};
use prost::Message as _;
use prost::bytes::{Buf as _, BufMut as _};
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, MethodDescriptor, SerializeOptions};
use serde_json::{Map, Value};
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{Body as HttpBody, Bytes, StdError};
use tonic::{Request, Status, Streaming};

/// Every method of the contract.
pub fn methods() -> impl Iterator<Item = MethodDescriptor> {
    proto::CONTRACT.services().flat_map(|service| service.methods().collect::<Vec<_>>())
}

/// The method that a person means by `HousingService/OfferDwelling`, or just `OfferDwelling` where that is enough.
pub fn method(name: &str) -> anyhow::Result<MethodDescriptor> {
    let (service, wanted) = name.rsplit_once('/').unwrap_or(("", name));
    let service = service.trim_start_matches('/');
    let fits = |method: &MethodDescriptor| {
        let parent = method.parent_service();
        method.name() == wanted && (service.is_empty() || service == parent.name() || service == parent.full_name())
    };
    let found: Vec<_> = methods().filter(fits).collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => bail!("there is no RPC {name:?}; `doorstroom call --list` shows all"),
        several => {
            let names: Vec<_> = several.iter().map(|m| format!("{}/{}", m.parent_service().name(), m.name())).collect();
            bail!("{name:?} may be {}", names.join(" or "))
        }
    }
}

/// `housing` for a method of `doorstroom.housing.v1`; `None` for what every service serves.
pub fn service_of(method: &MethodDescriptor) -> Option<String> {
    let package = method.parent_service().package_name().to_owned();
    let name = package.split('.').nth(1)?.to_owned();
    (!["feed", "audit", "rights"].contains(&name.as_str())).then_some(name)
}

/// The purposes that a method allows, from its option in the proto.
pub fn purposes(method: &MethodDescriptor) -> Vec<String> {
    let Some(option) = proto::CONTRACT.get_extension_by_name("doorstroom.audit.v1.purposes") else { return Vec::new() };
    let codes = method.options().get_extension(&option).into_owned();
    codes.as_list().unwrap_or_default().iter().filter_map(|code| code.as_str().map(str::to_owned)).collect()
}

/// A message from JSON as a person writes it.
pub fn read(descriptor: &MessageDescriptor, json: Value) -> anyhow::Result<DynamicMessage> {
    let json = dates_in(descriptor, json);
    DynamicMessage::deserialize(descriptor.clone(), json).with_context(|| format!("this is no {}", descriptor.name()))
}

/// A message as JSON for a person: names as in the proto, zeros left out, dates as text.
pub fn show(message: &DynamicMessage) -> anyhow::Result<Value> {
    let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false);
    let json = message.serialize_with_options(serde_json::value::Serializer, &options)?;
    Ok(dates_out(json))
}

/// Writes "2026-03-02" as year, month and day wherever the field is a date.
fn dates_in(descriptor: &MessageDescriptor, json: Value) -> Value {
    let Value::Object(fields) = json else { return json };
    let known = |name: &str| descriptor.get_field_by_name(name).or_else(|| descriptor.get_field_by_json_name(name));
    let field = |(name, value): (String, Value)| {
        let Some(Kind::Message(inner)) = known(&name).map(|field| field.kind()) else { return (name, value) };
        let one = |value: Value| match (&value, inner.full_name()) {
            (Value::String(text), "google.type.Date") => date_fields(text).unwrap_or(value),
            _ => dates_in(&inner, value),
        };
        let value = match value {
            Value::Array(several) => Value::Array(several.into_iter().map(one).collect()),
            single => one(single),
        };
        (name, value)
    };
    Value::Object(fields.into_iter().map(field).collect())
}

fn date_fields(text: &str) -> Option<Value> {
    let date: kernel::Date = text.parse().ok()?;
    Some(serde_json::json!({ "year": date.year(), "month": date.month(), "day": date.day() }))
}

fn dates_out(json: Value) -> Value {
    match json {
        Value::Array(several) => Value::Array(several.into_iter().map(dates_out).collect()),
        Value::Object(fields) => as_date(&fields).unwrap_or_else(|| {
            Value::Object(fields.into_iter().map(|(name, value)| (name, dates_out(value))).collect())
        }),
        other => other,
    }
}

fn as_date(fields: &Map<String, Value>) -> Option<Value> {
    let part = |name: &str| fields.get(name).and_then(Value::as_i64);
    let (year, month, day) = (part("year")?, part("month")?, part("day")?);
    (fields.len() == 3).then(|| Value::String(format!("{year:04}-{month:02}-{day:02}")))
}

/// Carries messages that are known by descriptor only.
#[derive(Clone, Debug)]
pub struct DynamicCodec(MessageDescriptor);

impl DynamicCodec {
    /// For a method's answers.
    pub fn new(method: &MethodDescriptor) -> Self {
        Self(method.output())
    }
}

impl Codec for DynamicCodec {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        self.clone()
    }

    fn decoder(&mut self) -> Self {
        self.clone()
    }
}

impl Encoder for DynamicCodec {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, item: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item.encode_to_vec());
        Ok(())
    }
}

impl Decoder for DynamicCodec {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        let message = DynamicMessage::decode(self.0.clone(), bytes);
        message.map(Some).map_err(|error| Status::internal(format!("the answer cannot be read: {error}")))
    }
}

/// Makes a call and gives its answers as they come: one, or a stream of them.
pub async fn call<T>(
    to: T,
    method: &MethodDescriptor,
    request: Request<DynamicMessage>,
) -> Result<Streaming<DynamicMessage>, Status>
where
    T: GrpcService<Body>,
    T::Error: Into<StdError>,
    T::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
    <T::ResponseBody as HttpBody>::Error: Into<StdError> + Send,
{
    let mut grpc = tonic::client::Grpc::new(to);
    let away = |error: T::Error| Status::unavailable(format!("nobody answers there: {}", error.into()));
    grpc.ready().await.map_err(away)?;
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let path = http::uri::PathAndQuery::try_from(path).map_err(|error| Status::internal(error.to_string()))?;
    let answer = grpc.server_streaming(request, path, DynamicCodec::new(method)).await?;
    Ok(answer.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_rpc_is_found_by_what_people_call_it() {
        for name in [
            "HousingService/OfferDwelling",
            "doorstroom.housing.v1.HousingService/OfferDwelling",
            "/doorstroom.housing.v1.HousingService/OfferDwelling",
            "OfferDwelling",
        ] {
            let found = method(name).unwrap();
            assert_eq!(found.full_name(), "doorstroom.housing.v1.HousingService.OfferDwelling");
            assert_eq!(service_of(&found).as_deref(), Some("housing"));
        }
        assert!(method("Nothing").is_err());
        assert!(method("GetFigures").unwrap_err().to_string().contains(" or "));
        assert_eq!(service_of(&method("Subscribe").unwrap()), None);
        assert!(methods().all(|method| !purposes(&method).is_empty()));
    }

    #[test]
    fn dates_are_written_as_people_write_them() {
        let input = method("RecordNotification").unwrap().input();
        let json = json!({ "client_id": "c", "received_on": "2026-03-02", "triggers": ["TRIGGER_BREAK_UP"] });
        let message = read(&input, json.clone()).unwrap();
        assert_eq!(show(&message).unwrap(), json);
        let long = json!({ "receivedOn": { "year": 2026, "month": 3, "day": 2 }, "client_id": "c", "triggers": ["TRIGGER_BREAK_UP"] });
        assert_eq!(read(&input, long).unwrap(), message);
        assert!(read(&input, json!({ "received_on": "tomorrow" })).is_err());
        assert!(read(&input, json!({ "no_such_field": 1 })).is_err());
    }
}

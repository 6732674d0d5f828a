//! Messages made from the contract's descriptors, and the way to send them, right or wrong, to whichever RPC.

use crate::chain::{Chain, Facts};
use auth::{Issuer, PURPOSE_HEADER};
use doorstroom::{dynamic, roles};
use futures_util::StreamExt as _;
use kernel::{Actor, ClientId, Role};
use prost::bytes::{Buf as _, BufMut as _, Bytes};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use testkit::rid;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Every RPC of our own.
pub fn methods() -> impl Iterator<Item = MethodDescriptor> {
    dynamic::methods().filter(|method| method.full_name().starts_with("doorstroom."))
}

/// The name of an RPC as the policy table has it: `HousingService/OfferDwelling`.
pub fn rpc(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().name(), method.name())
}

/// The newest id of each sort, by the name of its field, from what the feeds told.
pub fn ids(facts: &Facts) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    for (_, event) in &facts.0 {
        let payload = event.payload.as_ref().unwrap();
        let descriptor = proto::CONTRACT.get_message_by_name(payload.type_url.trim_start_matches('/')).unwrap();
        let message = DynamicMessage::decode(descriptor, payload.value.as_slice()).unwrap();
        for (field, value) in message.fields().filter(|(field, _)| field.name().ends_with("_id")) {
            if let Some(id) = value.as_str().filter(|id| !id.is_empty()) {
                ids.insert(field.name().to_owned(), id.to_owned());
            }
        }
    }
    ids
}

/// Somebody in a role, where that role is usually played; the client is that one.
pub fn actor(role: Role, client_id: &str) -> Actor {
    let client = (role == Role::Client).then(|| ClientId::parse("client_id", client_id).unwrap());
    roles::actor(role, None, None, client).unwrap()
}

/// What the fields of a message are filled with.
#[derive(Clone)]
pub struct Filling {
    /// What a field of that name or full name holds, as text: ids that exist, words and codes of the field.
    pub known: BTreeMap<String, String>,
    /// Any other id.
    pub id: String,
    /// Any other text.
    pub text: String,
    pub date: (i32, i32, i32),
    pub code: i32,
    pub number: i64,
    pub version: i64,
}

impl Default for Filling {
    fn default() -> Self {
        let (id, text) = (rid(), "woord".to_owned());
        Self { known: BTreeMap::new(), id, text, date: (2026, 3, 2), code: 1, number: 1, version: 1 }
    }
}

/// A message of which every field is filled, with one in each list.
pub fn filled(descriptor: &MessageDescriptor, filling: &Filling) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    if descriptor.full_name() == "google.type.Date" {
        let (year, month, day) = filling.date;
        for (name, value) in [("year", year), ("month", month), ("day", day)] {
            message.set_field_by_name(name, Value::I32(value));
        }
        return message;
    }
    for field in descriptor.fields() {
        let value = value(&field, filling);
        message.set_field(&field, if field.is_list() { Value::List(vec![value]) } else { value });
    }
    message
}

fn value(field: &FieldDescriptor, filling: &Filling) -> Value {
    let known = filling.known.get(field.full_name()).or_else(|| filling.known.get(field.name()));
    let number = known.and_then(|known| known.parse().ok()).unwrap_or(filling.number);
    match field.kind() {
        Kind::String if field.name() == "request_id" => Value::String(rid()),
        Kind::String => Value::String(known.cloned().unwrap_or_else(|| text(field.name(), filling))),
        Kind::Bool => Value::Bool(known.is_none_or(|known| known == "true")),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            Value::I32(number.clamp(i32::MIN.into(), i32::MAX.into()) as i32)
        }
        Kind::Int64 if field.name() == "expected_version" => Value::I64(filling.version),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(number),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(number.clamp(0, u32::MAX.into()) as u32),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(number.max(0) as u64),
        Kind::Float => Value::F32(number as f32),
        Kind::Double => Value::F64(number as f64),
        Kind::Bytes => Value::Bytes(filling.text.clone().into_bytes().into()),
        Kind::Enum(_) => Value::EnumNumber(known.and_then(|known| known.parse().ok()).unwrap_or(filling.code)),
        // Of an adult: a child does not open the own file alone (R-REG-21).
        Kind::Message(inner) if field.name() == "birth_date" => {
            Value::Message(filled(&inner, &Filling { date: (1990, 1, 1), ..filling.clone() }))
        }
        Kind::Message(inner) => Value::Message(filled(&inner, filling)),
    }
}

fn text(field: &str, filling: &Filling) -> String {
    match field {
        _ if field.ends_with("_id") => filling.id.clone(),
        "municipality" => "0505".to_owned(),
        // Also a token or cursor that nobody gave out.
        _ => filling.text.clone(),
    }
}

/// The ways in to the services of a chain, for whoever may call.
pub struct Lines {
    channels: BTreeMap<&'static str, Channel>,
    issuer: Arc<Issuer>,
    /// The tokens that were given out: one for each caller.
    tokens: Mutex<HashMap<String, String>>,
}

impl Lines {
    pub fn new(chain: &Chain) -> Self {
        let connect = |url: &str| Endpoint::from_shared(url.to_owned()).unwrap().connect_lazy();
        let channels = chain.endpoints.iter().map(|(name, url)| (*name, connect(url))).collect();
        Self { channels, issuer: chain.issuer.clone(), tokens: Mutex::default() }
    }

    /// A token that the services believe.
    pub fn token(&self, actor: &Actor) -> String {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let token =
            tokens.entry(format!("{actor:?}")).or_insert_with(|| self.issuer.issue(actor, Duration::from_secs(3600)));
        token.clone()
    }

    /// Sends bytes to the service that has the RPC and gives the first of the answer.
    pub async fn send(&self, method: &MethodDescriptor, body: Bytes, token: Option<String>) -> Result<Bytes, Status> {
        let service = dynamic::service_of(method).unwrap_or_else(|| "access".to_owned());
        self.send_to(&service, method, body, token).await
    }

    /// The same to a service by name: what every service serves is asked of each.
    pub async fn send_to(
        &self,
        service: &str,
        method: &MethodDescriptor,
        body: Bytes,
        token: Option<String>,
    ) -> Result<Bytes, Status> {
        let mut request = Request::new(body);
        if let Some(token) = token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        let purpose = dynamic::purposes(method).remove(0);
        request.metadata_mut().insert(PURPOSE_HEADER, purpose.parse().unwrap());
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let mut grpc = tonic::client::Grpc::new(self.channels[service].clone());
        grpc.ready().await.unwrap();
        let answer = grpc.server_streaming(request, path.parse().unwrap(), Raw).await?;
        let mut stream = answer.into_inner();
        match tokio::time::timeout(PATIENCE, stream.next()).await {
            Ok(Some(first)) => first,
            Ok(None) => Ok(Bytes::new()),
            Err(_) => Err(Status::deadline_exceeded(format!("no answer within {PATIENCE:?}"))),
        }
    }
}

/// Bytes as they are.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Raw
    }

    fn decoder(&mut self) -> Self {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

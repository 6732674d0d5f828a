//! Every RPC of the contract, found in its descriptors, with everything that callers get wrong: the answer is a refusal with
//! a reason, or an answer; never a failure, and never yes to nothing.

use crate::chain::{Chain, Facts};
use auth::{Issuer, PURPOSE_HEADER, Policy};
use doorstroom::{dynamic, roles};
use futures_util::StreamExt as _;
use kernel::{Actor, ClientId, Role};
use prost::Message as _;
use prost::bytes::{Buf as _, BufMut as _, Bytes};
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value,
};
use proto::aftercare::v1::SignalKind;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};
use testkit::{Code, Engine, StatusExt as _, rid};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// More than any request may be.
const TOO_LARGE: usize = (1 << 20) + 1024;

/// P8, R-REG-13, R-REG-19: on files of SQLite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rpc_refuses_bad_input_with_a_reason_on_sqlite() {
    every_rpc_refuses_bad_input_with_a_reason(Engine::Sqlite).await;
}

/// P8, R-REG-13, R-REG-19: on PostgreSQL, whose types are stricter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rpc_refuses_bad_input_with_a_reason_on_postgres() {
    every_rpc_refuses_bad_input_with_a_reason(Engine::Postgres).await;
}

async fn every_rpc_refuses_bad_input_with_a_reason(engine: Engine) {
    let Some(chain) = Chain::start(engine).await else {
        eprintln!("passed over: {engine:?} is not installed");
        return;
    };
    let doors = Doors::new(&chain);
    let methods = dynamic::methods().filter(|method| method.full_name().starts_with("doorstroom."));
    let calls =
        methods.flat_map(|method| wrongs(&method).into_iter().map(move |(what, wrong)| (method.clone(), what, wrong)));
    let said = calls.map(|(method, what, wrong)| {
        let doors = &doors;
        async move {
            judge(&wrong, &doors.call(&method, &wrong).await)
                .map_err(|fault| format!("{}, {what}: {fault}", method.full_name()))
        }
    });
    let said: Vec<Result<(), String>> = futures_util::stream::iter(said).buffer_unordered(16).collect().await;
    let (called, faults) = (said.len(), said.into_iter().filter_map(Result::err).collect::<Vec<_>>());
    assert!(called > 1000, "only {called} calls were made");
    assert!(faults.is_empty(), "{} of {called}:\n{}", faults.len(), faults.join("\n"));
    // What was taken in all the same is no poison: everybody who follows a feed gets past it.
    chain.settle().await;
}

/// P3: on files of SQLite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_was_never_there_is_stale_on_sqlite() {
    a_version_that_was_never_there_is_stale(Engine::Sqlite).await;
}

/// P3: on PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_was_never_there_is_stale_on_postgres() {
    a_version_that_was_never_there_is_stale(Engine::Postgres).await;
}

/// Somebody lives through the whole chain; then every call that changes what exists says that it saw another version.
async fn a_version_that_was_never_there_is_stale(engine: Engine) {
    let Some(chain) = Chain::start(engine).await else {
        eprintln!("passed over: {engine:?} is not installed");
        return;
    };
    let (household, _) = chain.housed().await;
    chain.signal(&household.client_id, SignalKind::HelpAsked).await;
    let known = ids(&chain.facts().await);
    let doors = Doors::new(&chain);
    let (mut stale, mut faults) = (0, Vec::new());
    for method in dynamic::methods().filter(|method| method.input().get_field_by_name("expected_version").is_some()) {
        let filling = Filling { known: known.clone(), version: 999, ..Filling::default() };
        let mut reasons = BTreeSet::new();
        for role in roles_of(&method) {
            let body = filled(&method.input(), &filling).encode_to_vec().into();
            let token = testkit::issuer().issue(&actor(role, &household.client_id), Duration::from_secs(60));
            match doors.send(&method, body, Some(token)).await {
                Ok(_) => faults.push(format!("{} as {role}: it was carried out", method.full_name())),
                Err(status) => drop(reasons.insert(testkit::reason(&status))),
            }
        }
        stale += usize::from(reasons.contains("STALE_VERSION"));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(stale >= 50, "only {stale} calls heard that their version is stale");
}

/// The newest id of each sort, by the name of its field, from what the feeds told.
fn ids(facts: &Facts) -> BTreeMap<String, String> {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
    let mut ids = BTreeMap::new();
    for (_, event) in &facts.0 {
        let payload = event.payload.as_ref().unwrap();
        let descriptor = pool.get_message_by_name(payload.type_url.trim_start_matches('/')).unwrap();
        let message = DynamicMessage::decode(descriptor, payload.value.as_slice()).unwrap();
        for (field, value) in message.fields().filter(|(field, _)| field.name().ends_with("_id")) {
            if let Some(id) = value.as_str().filter(|id| !id.is_empty()) {
                ids.insert(field.name().to_owned(), id.to_owned());
            }
        }
    }
    ids
}

fn roles_of(method: &MethodDescriptor) -> BTreeSet<Role> {
    let rpc = format!("{}/{}", method.parent_service().name(), method.name());
    Policy::embedded().rule(&rpc).unwrap_or_else(|| panic!("{rpc} stands in no policy")).roles()
}

/// Somebody in a role, where that role is usually played; the client is that one.
fn actor(role: Role, client_id: &str) -> Actor {
    let client = (role == Role::Client).then(|| ClientId::parse("client_id", client_id).unwrap());
    roles::actor(role, None, None, client).unwrap()
}

/// What is wrong with a call.
struct Wrong {
    token: Token,
    body: Bytes,
    wanted: Wanted,
}

/// With which token it comes.
#[derive(Clone, Copy)]
enum Token {
    Valid,
    None,
    Expired,
    Forged,
    Nonsense,
}

/// What may be said to it.
enum Wanted {
    /// This refusal.
    Refusal(Code),
    /// Any refusal.
    AnyRefusal,
    /// An answer, or any refusal.
    Anything,
}

fn wrongs(method: &MethodDescriptor) -> Vec<(String, Wrong)> {
    let input = method.input();
    let changes_something = input.get_field_by_name("request_id").is_some();
    let empty = DynamicMessage::new(input.clone()).encode_to_vec();
    let or_answer = |changes: bool| if changes { Wanted::AnyRefusal } else { Wanted::Anything };
    let valid = |body: Vec<u8>, wanted| Wrong { token: Token::Valid, body: body.into(), wanted };
    let mut wrongs = vec![
        ("empty".to_owned(), valid(empty.clone(), or_answer(changes_something))),
        ("garbage".to_owned(), valid(vec![0xff; 24], Wanted::Refusal(Code::InvalidArgument))),
        ("cut short".to_owned(), valid(vec![0x0a, 0x7f, 0x41], Wanted::Refusal(Code::InvalidArgument))),
        ("oversized".to_owned(), valid(oversized(), Wanted::Refusal(Code::ResourceExhausted))),
    ];
    for (what, token) in [
        ("no token", Token::None),
        ("expired", Token::Expired),
        ("forged", Token::Forged),
        ("nonsense", Token::Nonsense),
    ] {
        let body = filled(&input, &Filling::default()).encode_to_vec();
        wrongs.push((
            what.to_owned(),
            Wrong { token, body: body.into(), wanted: Wanted::Refusal(Code::Unauthenticated) },
        ));
    }
    let plausible = Filling::default();
    let long = "x".repeat(100_000);
    let fillings = [
        ("unknown ids", Filling { id: rid(), ..Filling::default() }),
        ("ids that are none", Filling { id: "no such id".to_owned(), ..Filling::default() }),
        ("year 1", Filling { date: (1, 1, 1), ..Filling::default() }),
        ("year 9999", Filling { date: (9999, 12, 31), ..Filling::default() }),
        ("no such day", Filling { date: (2026, 2, 30), ..Filling::default() }),
        ("a day below nothing", Filling { date: (-1, -1, i32::MIN), ..Filling::default() }),
        ("unknown codes", Filling { code: 4242, ..Filling::default() }),
        ("codes below nothing", Filling { code: -1, ..Filling::default() }),
        ("no codes", Filling { code: 0, ..Filling::default() }),
        ("the greatest numbers", Filling { number: i64::MAX, version: i64::MAX, ..Filling::default() }),
        ("the smallest numbers", Filling { number: i64::MIN, version: i64::MIN, ..Filling::default() }),
        ("long texts", Filling { text: long, ..Filling::default() }),
        ("control characters", Filling { text: "\u{0}\u{1}'; drop table client; --".to_owned(), ..Filling::default() }),
        ("no texts", Filling { text: String::new(), ..Filling::default() }),
    ];
    for (what, filling) in fillings {
        wrongs.push((what.to_owned(), valid(filled(&input, &filling).encode_to_vec(), Wanted::Anything)));
    }
    wrongs.push(("plausible".to_owned(), valid(filled(&input, &plausible).encode_to_vec(), Wanted::Anything)));
    wrongs
}

/// A field that no message has, longer than a message may be.
fn oversized() -> Vec<u8> {
    let mut body = Vec::new();
    prost::encoding::encode_key(15_000, prost::encoding::WireType::LengthDelimited, &mut body);
    prost::encoding::encode_varint(TOO_LARGE as u64, &mut body);
    body.resize(body.len() + TOO_LARGE, b'x');
    body
}

/// What the fields of a message are filled with.
struct Filling {
    /// Ids that exist, by the name of their field.
    known: BTreeMap<String, String>,
    id: String,
    text: String,
    date: (i32, i32, i32),
    code: i32,
    number: i64,
    version: i64,
}

impl Default for Filling {
    fn default() -> Self {
        let (id, text) = (rid(), "woord".to_owned());
        Self { known: BTreeMap::new(), id, text, date: (2026, 3, 2), code: 1, number: 1, version: 1 }
    }
}

fn filled(descriptor: &MessageDescriptor, filling: &Filling) -> DynamicMessage {
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
    match field.kind() {
        Kind::String if field.name() == "request_id" => Value::String(rid()),
        Kind::String if field.name().ends_with("_id") => {
            Value::String(filling.known.get(field.name()).unwrap_or(&filling.id).clone())
        }
        Kind::String if field.name() == "municipality" => Value::String("0505".to_owned()),
        // A token or cursor that nobody gave out.
        Kind::String => Value::String(filling.text.clone()),
        Kind::Bool => Value::Bool(true),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            Value::I32(filling.number.clamp(i32::MIN.into(), i32::MAX.into()) as i32)
        }
        Kind::Int64 if field.name() == "expected_version" => Value::I64(filling.version),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(filling.number),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(filling.number.clamp(0, u32::MAX.into()) as u32),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(filling.number.max(0) as u64),
        Kind::Float => Value::F32(filling.number as f32),
        Kind::Double => Value::F64(filling.number as f64),
        Kind::Bytes => Value::Bytes(filling.text.clone().into_bytes().into()),
        Kind::Enum(_) => Value::EnumNumber(filling.code),
        Kind::Message(inner) => Value::Message(filled(&inner, filling)),
    }
}

/// Whether what was said is what may be said.
fn judge(wrong: &Wrong, said: &Result<Bytes, Status>) -> Result<(), String> {
    let status = match (said, &wrong.wanted) {
        (Ok(_), Wanted::Anything) => return Ok(()),
        (Ok(_), _) => return Err("it was carried out".to_owned()),
        (Err(status), _) => status,
    };
    let details = status.get_error_details();
    let Some(info) = details.error_info() else {
        return Err(format!("{:?} without a reason: {}", status.code(), status.message()));
    };
    if info.domain != "doorstroom" || info.reason.is_empty() {
        return Err(format!("{info:?}"));
    }
    if details.localized_message().is_none_or(|message| message.message.is_empty()) {
        return Err(format!("{} says nothing in Dutch", info.reason));
    }
    match wrong.wanted {
        _ if matches!(status.code(), Code::Internal | Code::Unknown | Code::Unavailable) => {
            Err(format!("{:?} {}", status.code(), info.reason))
        }
        Wanted::Refusal(code) if status.code() != code => {
            Err(format!("{:?} {}, not {code:?}", status.code(), info.reason))
        }
        _ => Ok(()),
    }
}

/// The ways in, for whoever may call.
struct Doors {
    channels: BTreeMap<&'static str, Channel>,
    issuer: std::sync::Arc<Issuer>,
    forger: Issuer,
}

impl Doors {
    fn new(chain: &Chain) -> Self {
        let services = chain.services.as_ref().expect("they run here");
        let connect = |url: String| Endpoint::from_shared(url).unwrap().connect_lazy();
        let channels = services.endpoints().into_iter().map(|(name, url)| (name, connect(url))).collect();
        Self { channels, issuer: testkit::issuer(), forger: Issuer::development().unwrap() }
    }

    async fn call(&self, method: &MethodDescriptor, wrong: &Wrong) -> Result<Bytes, Status> {
        self.send(method, wrong.body.clone(), self.token(method, wrong.token)).await
    }

    /// Sends bytes and gives the first of the answer.
    async fn send(&self, method: &MethodDescriptor, body: Bytes, token: Option<String>) -> Result<Bytes, Status> {
        let service = dynamic::service_of(method).unwrap_or_else(|| "access".to_owned());
        let mut request = Request::new(body);
        if let Some(token) = token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        let purpose = dynamic::purposes(method).remove(0);
        request.metadata_mut().insert(PURPOSE_HEADER, purpose.parse().unwrap());
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let mut grpc = tonic::client::Grpc::new(self.channels[service.as_str()].clone());
        grpc.ready().await.unwrap();
        let answer = grpc.server_streaming(request, path.parse().unwrap(), Raw).await?;
        let mut stream = answer.into_inner();
        match tokio::time::timeout(Duration::from_secs(20), stream.next()).await {
            Ok(Some(first)) => first,
            Ok(None) => Ok(Bytes::new()),
            Err(_) => Err(Status::deadline_exceeded("no answer within 20 s")),
        }
    }

    fn token(&self, method: &MethodDescriptor, token: Token) -> Option<String> {
        let first = *roles_of(method).iter().next().expect("somebody may call it");
        let actor = actor(first, &rid());
        let hour = Duration::from_secs(3600);
        match token {
            Token::Valid => Some(self.issuer.issue(&actor, hour)),
            Token::None => None,
            Token::Expired => Some(self.issuer.issue_at(&actor, hour, SystemTime::now() - 3 * hour)),
            Token::Forged => Some(self.forger.issue(&actor, hour)),
            Token::Nonsense => Some("e30.e30.e30".to_owned()),
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

use super::*;
use crate::testing::{Signer, World, jwks};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// Fast enough for a test, slow enough to be seen.
const PACE: Pace = Pace {
    again: Duration::from_millis(300),
    fresh: Duration::from_secs(3600),
    kept: Duration::from_secs(3600),
    patience: Duration::from_millis(400),
};

/// How an issuer answers.
#[derive(Clone)]
enum Answer {
    Set(String),
    Status(&'static str),
    Redirect,
    /// Says how long it is, and is too long.
    Large,
    /// Goes on for ever, in chunks.
    Endless,
    /// Says nothing.
    Silent,
    /// One byte now and then.
    Trickle,
    HangUp,
}

/// An issuer on this machine that serves its key set, and counts how often it was asked.
struct Server {
    port: u16,
    answer: Arc<std::sync::Mutex<Answer>>,
    asked: Arc<AtomicUsize>,
}

impl Server {
    async fn start(answer: Answer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, answer: Arc::new(answer.into()), asked: Arc::default() };
        let (answer, asked) = (server.answer.clone(), server.asked.clone());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                asked.fetch_add(1, Ordering::SeqCst);
                let (answer, tls) = (answer.lock().unwrap().clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, answer).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, answer).await,
                            Err(_) => Ok(()),
                        },
                    }
                });
            }
        });
        server
    }

    fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn keys(&self, pace: Pace) -> Keys {
        let url = format!("http://127.0.0.1:{}/keys?v=1", self.port);
        Keys::remote(Source::new(&url).unwrap(), pace)
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: Answer) -> std::io::Result<()> {
    let mut request = vec![0; 4096];
    let read = stream.read(&mut request).await?;
    let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
    assert!(request.starts_with("get /keys?v=1 http/1.1\r\n") && request.contains("host: "), "{request}");
    let head = |status: &str, more: &str| format!("HTTP/1.1 {status}\r\n{more}\r\n");
    match answer {
        Answer::Set(set) => {
            let head = head("200 OK", &format!("content-length: {}\r\n", set.len()));
            stream.write_all(format!("{head}{set}").as_bytes()).await?;
        }
        Answer::Status(status) => stream.write_all(head(status, "content-length: 0\r\n").as_bytes()).await?,
        Answer::Redirect => {
            let location = "location: https://forger.example/keys\r\ncontent-length: 0\r\n";
            stream.write_all(head("302 Found", location).as_bytes()).await?;
        }
        Answer::Large => {
            stream.write_all(head("200 OK", "content-length: 100000000\r\n").as_bytes()).await?;
            while stream.write_all(&[b' '; 65536]).await.is_ok() {}
        }
        Answer::Endless => {
            stream.write_all(head("200 OK", "transfer-encoding: chunked\r\n").as_bytes()).await?;
            let chunk = format!("10000\r\n{}\r\n", " ".repeat(65536));
            while stream.write_all(chunk.as_bytes()).await.is_ok() {}
        }
        Answer::Silent => tokio::time::sleep(Duration::from_secs(60)).await,
        Answer::Trickle => {
            stream.write_all(head("200 OK", "content-length: 1000\r\n").as_bytes()).await?;
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Answer::HangUp => {}
    }
    Ok(())
}

fn signer(kid: &str) -> Signer {
    Signer::new(Algorithm::EdDsa, kid, true)
}

fn set(signers: &[&Signer]) -> Answer {
    Answer::Set(jwks(&signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>()))
}

async fn knows(keys: &Keys, kid: &str) -> bool {
    matches!(keys.find(kid, Algorithm::EdDsa).await, Found::Key(_))
}

#[tokio::test]
async fn a_key_that_turns_up_is_fetched_and_one_that_is_taken_out_stops_working() {
    let (first, second) = (signer("first"), signer("second"));
    let server = Server::start(set(&[&first]), None).await;
    let keys = server.keys(PACE);
    assert!(knows(&keys, "first").await, "fetched at the first call");
    server.answers(set(&[&second]));
    tokio::time::sleep(PACE.again).await;
    assert!(knows(&keys, "second").await);
    assert!(!matches!(keys.look("first", Algorithm::EdDsa), Found::Key(_)));
    assert_eq!(server.asked(), 2);

    // Also when nobody asks for it.
    server.answers(set(&[&first]));
    let keys = server.keys(Pace { fresh: Duration::from_millis(100), ..PACE });
    let seen = async {
        while !matches!(keys.look("second", Algorithm::EdDsa), Found::Key(_)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            server.answers(set(&[&second]));
        }
    };
    tokio::select! {
        () = keys.keep() => panic!("it keeps on"),
        seen = tokio::time::timeout(Duration::from_secs(5), seen) => seen.unwrap(),
    }
}

#[tokio::test]
async fn a_storm_of_unknown_kids_is_one_fetch_now_and_then() {
    let known = signer("known");
    let server = Server::start(set(&[&known]), None).await;
    let keys = Arc::new(server.keys(PACE));
    let started = Instant::now();
    while started.elapsed() < PACE.again * 3 {
        let storm: Vec<_> = (0..50)
            .map(|n| {
                let keys = keys.clone();
                tokio::spawn(async move { knows(&keys, &format!("made-up-{n}")).await })
            })
            .collect();
        for one in storm {
            assert!(!one.await.unwrap());
        }
        assert!(knows(&keys, "known").await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!((2..=5).contains(&server.asked()), "{}", server.asked());
}

#[tokio::test]
async fn whoever_hangs_up_does_not_make_us_fetch_more_often() {
    let server = Server::start(Answer::Silent, None).await;
    let keys = server.keys(Pace { again: Duration::from_secs(60), ..PACE });
    for _ in 0..20 {
        let _ = tokio::time::timeout(Duration::from_millis(20), keys.find("k", Algorithm::EdDsa)).await;
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn the_last_good_keys_survive_whatever_the_issuer_does_instead() {
    let good = signer("good");
    let server = Server::start(set(&[&good]), None).await;
    let keys = server.keys(Pace { again: Duration::ZERO, ..PACE });
    assert!(knows(&keys, "good").await);
    let many: Vec<Value> = (0..65).map(|n| signer(&n.to_string()).jwk()).collect();
    let twice = jwks(&[good.jwk(), signer("good").jwk()]);
    for (name, answer) in [
        ("away", Answer::Status("503 Service Unavailable")),
        ("gone", Answer::Status("404 Not Found")),
        ("no content", Answer::Status("204 No Content")),
        ("redirect", Answer::Redirect),
        ("large", Answer::Large),
        ("endless", Answer::Endless),
        ("silent", Answer::Silent),
        ("a trickle", Answer::Trickle),
        ("hangs up", Answer::HangUp),
        ("no JSON", Answer::Set("<html>".to_owned())),
        ("no keys", Answer::Set(r#"{"keys":[]}"#.to_owned())),
        ("too many keys", Answer::Set(jwks(&many))),
        ("a kid twice", Answer::Set(twice)),
        ("a member twice", Answer::Set(format!(r#"{{"keys":[],"keys":[{}]}}"#, good.jwk()))),
        ("one byte too large", Answer::Set(jwks(&[good.jwk()]) + &" ".repeat(MOST_BYTES))),
    ] {
        server.answers(answer);
        let before = (server.asked(), Instant::now());
        assert!(!knows(&keys, "another").await, "{name}");
        assert!(before.1.elapsed() < PACE.patience * 3, "{name}: {:?}", before.1.elapsed());
        assert!(server.asked() > before.0, "{name}: it was asked");
        assert!(matches!(keys.look("good", Algorithm::EdDsa), Found::Key(_)), "{name}");
    }
    server.answers(set(&[&good, &signer("another")]));
    assert!(knows(&keys, "another").await, "and then it is back");
}

#[tokio::test]
async fn the_last_good_keys_do_not_survive_for_ever() {
    let server = Server::start(set(&[&signer("good")]), None).await;
    let keys = server.keys(Pace { kept: Duration::from_millis(200), ..PACE });
    assert!(knows(&keys, "good").await);
    server.answers(Answer::HangUp);
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert!(!matches!(keys.look("good", Algorithm::EdDsa), Found::Key(_)));
}

#[tokio::test]
async fn an_issuer_that_nobody_answers_for_refuses_nothing_but_its_own_tokens() {
    let url = "http://127.0.0.1:1/keys";
    let keys = Keys::remote(Source::new(url).unwrap(), PACE);
    assert!(!knows(&keys, "any").await);
    assert!(matches!(keys.look("any", Algorithm::EdDsa), Found::Nothing));
}

#[tokio::test]
async fn over_https_only_who_has_the_certificate_is_believed() {
    let certificate = CertificateDer::from(include_bytes!("../../tests/keys/localhost.der").to_vec());
    let key = PrivateKeyDer::try_from(include_bytes!("../../tests/keys/localhost-key.der").to_vec()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let server = Server::start(set(&[&signer("good")]), Some(TlsAcceptor::from(Arc::new(config)))).await;

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(include_bytes!("../../tests/keys/authority.der").to_vec())).unwrap();
    let url = |host: &str| format!("https://{host}:{}/keys?v=1", server.port);
    let trusting = |host: &str, roots| Keys::remote(Source::trusting(&url(host), roots).unwrap(), PACE);
    assert!(knows(&trusting("localhost", roots.clone()), "good").await);
    assert!(knows(&trusting("127.0.0.1", roots.clone()), "good").await);
    assert!(!knows(&trusting("127.0.0.2", roots), "good").await, "another name than in the certificate");
    assert!(!knows(&trusting("localhost", RootCertStore::empty()), "good").await, "an authority that nobody trusts");
}

#[test]
fn keys_come_over_https_or_from_this_machine() {
    for url in ["http://127.0.0.1/k", "http://localhost:8080/k", "http://[::1]:80/k"] {
        assert!(Source::new(url).is_ok(), "{url}");
    }
    for url in [
        "http://id.example.nl/k",
        "http://10.0.0.1/k",
        "http://localhost.example.nl/k",
        "http://127.0.0.1.example.nl/k",
        "ftp://id.example.nl/k",
        "file:///etc/passwd",
        "/etc/passwd",
        "id.example.nl/k",
        "https://",
        "http://user:secret@127.0.0.1/k",
        "",
    ] {
        assert!(Source::new(url).is_err(), "{url}");
    }
}

#[test]
fn only_keys_that_fit_an_algorithm_are_taken() {
    for algorithm in Algorithm::ALL {
        let good = Signer::new(algorithm, "k", true).jwk();
        let read = |jwk: &Value| KeySet::read(jwks(std::slice::from_ref(jwk)).as_bytes());
        assert!(read(&good).is_ok());
        let mut named = good.clone();
        named["alg"] = json!(algorithm.as_str());
        named["key_ops"] = json!(["verify"]);
        assert!(read(&named).is_ok());
        for (member, value) in [
            ("kid", json!("")),
            ("kid", json!(7)),
            ("kid", json!("k".repeat(201))),
            ("kty", json!("oct")),
            ("kty", json!(null)),
            ("crv", json!("P-384")),
            ("crv", json!("secp256k1")),
            ("crv", json!("X25519")),
            ("use", json!("enc")),
            ("use", json!(null)),
            ("key_ops", json!(["sign"])),
            ("key_ops", json!("verify")),
            ("alg", json!("HS256")),
            ("alg", json!("PS256")),
            ("alg", json!("none")),
            ("alg", json!(null)),
            ("d", json!("AA")),
            ("k", json!("AA")),
        ] {
            let mut wrong = good.clone();
            wrong[member] = value.clone();
            let error = read(&wrong).expect_err(&format!("{algorithm:?} {member} {value}"));
            assert!(error.contains("key 1: "), "{error}");
        }
        for member in ["x", "y", "n", "e"].into_iter().filter(|member| good.get(member).is_some()) {
            for value in [json!(null), json!(""), json!("AQ"), json!("AQAB="), json!("A".repeat(2000))] {
                let mut wrong = good.clone();
                wrong[member] = value.clone();
                assert!(read(&wrong).is_err(), "{algorithm:?} {member} {value}");
            }
        }
    }
    for set in ["{", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[null]}"#] {
        assert!(Keys::from_jwks(set).is_err(), "{set}");
    }
    assert!(Keys::from_file("/nowhere/keys.json").unwrap_err().to_string().contains("/nowhere/keys.json"));
}

#[test]
fn an_rsa_key_has_2048_bits_or_more() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let of = |first: u8, bytes: usize| {
        let n = [&[first], vec![0xc5; bytes - 1].as_slice()].concat();
        let jwk = json!({ "kty": "RSA", "kid": "k", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode(n) });
        KeySet::read(jwks(&[jwk]).as_bytes()).map(|_| ())
    };
    assert_eq!(of(0x80, 256), Ok(()));
    assert_eq!(of(0x80, 512), Ok(()));
    assert!(of(0x7f, 256).unwrap_err().contains("less than 2048 bits"), "2047 bits");
    assert!(of(0, 256).unwrap_err().contains("less than 2048 bits"), "a leading zero is no bit");
    assert!(of(0xff, 128).unwrap_err().contains("less than 2048 bits"));
    assert!(of(0xff, 1024).unwrap_err().contains("more than 4096 bits"));
}

/// A service starts while an issuer is away, and takes its tokens as soon as it is back.
#[tokio::test]
async fn an_issuer_may_come_later_than_the_service() {
    let world = World::new(Algorithm::EdDsa);
    let member = &world.members[0];
    let server = Server::start(Answer::HangUp, None).await;
    let keys = server.keys(Pace { again: Duration::from_millis(50), ..PACE });
    assert!(!knows(&keys, &member.signer.kid).await);
    server.answers(set(&[&member.signer]));
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(knows(&keys, &member.signer.kid).await);
}

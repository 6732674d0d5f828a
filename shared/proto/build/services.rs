//! The clients and servers of the contract's services: the same to use as those of tonic's own generator, made of the same
//! parts, but below their typed methods a message is bytes. So the road of a call is compiled once (`src/road.rs`), and not
//! again for each of the contract's RPCs in every crate that makes or answers it.

use prost_build::{Method, Service, ServiceGenerator};
use std::fmt::Write as _;

/// Writes one module with the client and one with the server for each service.
pub struct Roads;

impl ServiceGenerator for Roads {
    fn generate(&mut self, service: Service, code: &mut String) {
        write(&service, code).expect("a string takes what is written");
    }
}

fn write(service: &Service, code: &mut String) -> std::fmt::Result {
    let (name, module) = (&service.name, snake(&service.name));
    let full_name = format!("{}.{}", service.package, service.proto_name);
    let mut comments = String::new();
    service.comments.append_with_indent(1, &mut comments);

    let (mut asks, mut answers, mut arms) = (String::new(), String::new(), String::new());
    for method in &service.methods {
        assert!(!method.client_streaming, "{}: nothing of the contract streams towards a service", method.proto_name);
        let path = format!("/{full_name}/{}", method.proto_name);
        ask(method, &path, &mut asks)?;
        answer(method, &mut answers)?;
        arm(name, method, &path, &mut arms)?;
    }
    write!(
        code,
        r#"
/// Calls {name}.
pub mod {module}_client {{
    #![allow(clippy::wildcard_imports)]
    use crate::road::client::*;

{comments}    #[derive(Clone, Debug)]
    pub struct {name}Client<T>(Grpc<T>);

    impl<T: Line> {name}Client<T> {{
        /// Calls over this line.
        pub fn new(line: T) -> Self {{ Self(Grpc::new(line)) }}
{asks}    }}

    impl<T, F: Interceptor> {name}Client<InterceptedService<T, F>> where InterceptedService<T, F>: Line {{
        /// Calls over this line, each after the interceptor has seen to it.
        pub fn with_interceptor(line: T, interceptor: F) -> Self {{ Self::new(InterceptedService::new(line, interceptor)) }}
    }}
}}

/// Answers for {name}.
pub mod {module}_server {{
    #![allow(clippy::wildcard_imports)]
    use crate::road::server::*;

    /// The service's name in the contract.
    pub const SERVICE_NAME: &str = "{full_name}";

{comments}    #[async_trait]
    pub trait {name}: Send + Sync + 'static {{
{answers}    }}

    /// Brings calls to the methods of a [`{name}`].
    #[derive(Debug)]
    pub struct {name}Server<S> {{
        service: Arc<S>,
        limit: Option<usize>,
    }}

    impl<S> {name}Server<S> {{
        /// A server that answers with this.
        pub fn new(service: S) -> Self {{ Self {{ service: Arc::new(service), limit: None }} }}

        /// Takes no larger message than this, in bytes.
        #[must_use]
        pub fn max_decoding_message_size(self, limit: usize) -> Self {{ Self {{ limit: Some(limit), ..self }} }}
    }}

    impl<S> Clone for {name}Server<S> {{
        fn clone(&self) -> Self {{ Self {{ service: self.service.clone(), limit: self.limit }} }}
    }}

    impl<S> NamedService for {name}Server<S> {{
        const NAME: &'static str = SERVICE_NAME;
    }}

    impl<S: {name}> Service<http::Request<Body>> for {name}Server<S> {{
        type Response = http::Response<Body>;
        type Error = Infallible;
        type Future = BoxFuture<http::Response<Body>, Infallible>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {{ Poll::Ready(Ok(())) }}

        fn call(&mut self, request: http::Request<Body>) -> Self::Future {{
            let service = self.service.clone();
            match request.uri().path() {{
{arms}                _ => unimplemented(),
            }}
        }}
    }}
}}
"#
    )
}

/// The method of the client.
fn ask(method: &Method, path: &str, code: &mut String) -> std::fmt::Result {
    let Method { name, .. } = method;
    let (input, output) = types(method);
    let (answer, road) = match method.server_streaming {
        true => (format!("Streaming<{output}>"), "ask_for_stream"),
        false => (output, "ask"),
    };
    code.push('\n');
    method.comments.append_with_indent(2, code);
    writeln!(
        code,
        "        pub async fn {name}(&mut self, request: impl IntoRequest<{input}>) -> Result<Response<{answer}>, Status> {{ {road}(&mut self.0, request.into_request(), \"{path}\").await }}"
    )
}

/// The method of the trait.
fn answer(method: &Method, code: &mut String) -> std::fmt::Result {
    let Method { name, proto_name, .. } = method;
    let (input, mut output) = types(method);
    code.push('\n');
    if method.server_streaming {
        writeln!(code, "        /// What `{name}` answers with.")?;
        writeln!(code, "        type {proto_name}Stream: Stream<Item = Result<{output}, Status>> + Send + 'static;")?;
        output = format!("Self::{proto_name}Stream");
    }
    method.comments.append_with_indent(2, code);
    writeln!(code, "        async fn {name}(&self, request: Request<{input}>) -> Result<Response<{output}>, Status>;")
}

/// How a call reaches it.
fn arm(service: &str, method: &Method, path: &str, code: &mut String) -> std::fmt::Result {
    let Method { name, .. } = method;
    let (road, back) = match method.server_streaming {
        true => ("stream", "streamed"),
        false => ("unary", "answered"),
    };
    writeln!(
        code,
        "                \"{path}\" => {road}(self.limit, request, move |bytes| {{ let service = service.clone(); Box::pin(async move {{ {back}({service}::{name}(&*service, read(bytes)?).await) }}) }}),"
    )
}

/// What goes in and out, as seen from the module of a client or a server.
fn types(method: &Method) -> (String, String) {
    let seen = |of: &str| if of.starts_with("::") { of.to_owned() } else { format!("super::{of}") };
    (seen(&method.input_type), seen(&method.output_type))
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (i, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && i > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

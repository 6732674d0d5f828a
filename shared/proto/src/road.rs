//! The road of every call of the contract, below the typed methods that `build/services.rs` writes: a message is bytes here.

use prost::Message;
use prost::bytes::{Buf as _, BufMut as _, Bytes};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Request, Status};

/// Passes messages on as they are.
#[derive(Clone, Copy, Debug, Default)]
struct AsBytes;

impl Codec for AsBytes {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for AsBytes {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(message);
        Ok(())
    }
}

impl Decoder for AsBytes {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

fn decoded<M: Message + Default>(bytes: Bytes) -> Result<M, Status> {
    M::decode(bytes).map_err(|error| Status::internal(error.to_string()))
}

fn encoded<M: Message>(message: M) -> Bytes {
    message.encode_to_vec().into()
}

/// What clients are made of.
pub(crate) mod client {
    use super::*;
    use std::pin::Pin;
    pub use std::result::Result;
    pub use tonic::client::Grpc;
    use tonic::client::GrpcService;
    use tonic::codegen::http::uri::PathAndQuery;
    use tonic::codegen::{Body as HttpBody, StdError};
    pub use tonic::service::Interceptor;
    pub use tonic::service::interceptor::InterceptedService;
    pub use tonic::{IntoRequest, Response, Status, Streaming};
    use tonic_prost::ProstCodec;

    /// What calls go over: a channel, or one with something on it.
    pub trait Line:
        GrpcService<
            tonic::body::Body,
            Future: Send,
            Error: Into<StdError>,
            ResponseBody: HttpBody<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
        > + Send
    {
    }

    impl<T> Line for T
    where
        T: GrpcService<tonic::body::Body> + Send,
        T::Future: Send,
        T::Error: Into<StdError>,
        T::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
        <T::ResponseBody as HttpBody>::Error: Into<StdError> + Send,
    {
    }

    /// Asks something that has one answer.
    pub async fn ask<T: Line, Q: Message, A: Message + Default>(
        line: &mut Grpc<T>,
        request: Request<Q>,
        path: &'static str,
    ) -> Result<Response<A>, Status> {
        let (metadata, bytes, extensions) = sent(line, request.map(encoded), path).await?.into_parts();
        Ok(Response::from_parts(metadata, decoded(bytes)?, extensions))
    }

    fn sent<'a, T: Line>(
        line: &'a mut Grpc<T>,
        request: Request<Bytes>,
        path: &'static str,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, Status>> + Send + 'a>> {
        Box::pin(async move {
            ready(line).await?;
            line.unary(request, PathAndQuery::from_static(path), AsBytes).await
        })
    }

    /// Asks something whose answer goes on.
    pub async fn ask_for_stream<T: Line, Q, A>(
        line: &mut Grpc<T>,
        request: Request<Q>,
        path: &'static str,
    ) -> Result<Response<Streaming<A>>, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        ready(line).await?;
        line.server_streaming(request, PathAndQuery::from_static(path), ProstCodec::default()).await
    }

    async fn ready<T: Line>(line: &mut Grpc<T>) -> Result<(), Status> {
        line.ready().await.map_err(|error| Status::unknown(format!("Service was not ready: {}", error.into())))
    }
}

/// What servers are made of.
pub(crate) mod server {
    use super::*;
    pub use std::convert::Infallible;
    use std::pin::Pin;
    pub use std::result::Result;
    pub use std::sync::Arc;
    pub use std::task::{Context, Poll};
    pub use tonic::body::Body;
    use tonic::codegen::BoxStream;
    pub use tonic::codegen::tokio_stream::Stream;
    use tonic::codegen::tokio_stream::StreamExt as _;
    pub use tonic::codegen::{BoxFuture, Service, async_trait, http};
    pub use tonic::server::NamedService;
    use tonic::server::{Grpc, ServerStreamingService, UnaryService};
    pub use tonic::{Request, Response, Status};

    /// What a method answers: a message, or several.
    type Answer<R> = BoxFuture<Response<R>, Status>;

    /// A method of a service, without its types.
    struct Method<R>(Box<dyn FnMut(Request<Bytes>) -> Answer<R> + Send>);

    /// What a method answers, one after another.
    pub struct Messages(BoxStream<Bytes>);

    impl Stream for Messages {
        type Item = Result<Bytes, Status>;

        fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.0.as_mut().poll_next(context)
        }
    }

    impl UnaryService<Bytes> for Method<Bytes> {
        type Response = Bytes;
        type Future = Answer<Bytes>;

        fn call(&mut self, request: Request<Bytes>) -> Self::Future {
            (self.0)(request)
        }
    }

    impl ServerStreamingService<Bytes> for Method<Messages> {
        type Response = Bytes;
        type ResponseStream = Messages;
        type Future = Answer<Messages>;

        fn call(&mut self, request: Request<Bytes>) -> Self::Future {
            (self.0)(request)
        }
    }

    /// Answers a call by a method that has one answer.
    pub fn unary(
        limit: Option<usize>,
        request: http::Request<Body>,
        method: impl FnMut(Request<Bytes>) -> Answer<Bytes> + Send + 'static,
    ) -> BoxFuture<http::Response<Body>, Infallible> {
        let method = Method(Box::new(method));
        Box::pin(async move { Ok(grpc(limit).unary(method, request).await) })
    }

    /// Answers a call by a method whose answer goes on.
    pub fn stream(
        limit: Option<usize>,
        request: http::Request<Body>,
        method: impl FnMut(Request<Bytes>) -> Answer<Messages> + Send + 'static,
    ) -> BoxFuture<http::Response<Body>, Infallible> {
        let method = Method(Box::new(method));
        Box::pin(async move { Ok(grpc(limit).server_streaming(method, request).await) })
    }

    fn grpc(limit: Option<usize>) -> Grpc<AsBytes> {
        Grpc::new(AsBytes).apply_max_message_size_config(limit, None)
    }

    /// What a method is asked.
    pub fn read<M: Message + Default>(request: Request<Bytes>) -> Result<Request<M>, Status> {
        let (metadata, extensions, bytes) = request.into_parts();
        Ok(Request::from_parts(metadata, extensions, decoded(bytes)?))
    }

    /// What it answers.
    pub fn answered<M: Message>(answer: Result<Response<M>, Status>) -> Result<Response<Bytes>, Status> {
        answer.map(|answer| answer.map(encoded))
    }

    /// The stream that it answers with.
    pub fn streamed<M: Message, S>(answer: Result<Response<S>, Status>) -> Result<Response<Messages>, Status>
    where
        S: Stream<Item = Result<M, Status>> + Send + 'static,
    {
        answer.map(|answer| answer.map(|stream| Messages(Box::pin(stream.map(|message| message.map(encoded))))))
    }

    /// The answer to a call of an RPC that there is not.
    pub fn unimplemented() -> BoxFuture<http::Response<Body>, Infallible> {
        Box::pin(async { Ok(Status::unimplemented("").into_http()) })
    }
}

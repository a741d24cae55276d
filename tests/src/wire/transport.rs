use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt as _};
use http::{HeaderValue, Response, header};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::stream::ResettableStream;
use super::{Answer, Delivery, Request};

/// Answers requests with sealed answers.
pub type Handler = Arc<dyn Fn(Request) -> BoxFuture<'static, Answer> + Send + Sync>;

type Outgoing = StreamBody<BoxStream<'static, io::Result<Frame<Bytes>>>>;

/// Serves one handler on one local address until it is dropped.
pub struct Transport {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Transport {
    /// Serves `handler` on an open listener.
    ///
    /// # Errors
    ///
    /// Fails when the listener has no local address.
    pub fn serve(listener: TcpListener, handler: Handler) -> io::Result<Self> {
        Self::spawn(listener, None, handler)
    }

    /// Serves `handler` on an open listener over TLS.
    ///
    /// # Errors
    ///
    /// Fails when the listener has no local address.
    pub fn serve_tls(listener: TcpListener, config: Arc<ServerConfig>, handler: Handler) -> io::Result<Self> {
        Self::spawn(listener, Some(TlsAcceptor::from(config)), handler)
    }

    fn spawn(listener: TcpListener, tls: Option<TlsAcceptor>, handler: Handler) -> io::Result<Self> {
        let address = listener.local_addr()?;
        Ok(Self {
            address,
            task: tokio::spawn(accept(listener, tls, handler)),
        })
    }

    /// Returns the address that is served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, handler: Handler) {
    // Connections end with this task, since dropping the set aborts them.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(serve_connection(stream, tls.clone(), Arc::clone(&handler)));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, tls: Option<TlsAcceptor>, handler: Handler) {
    stream.set_nodelay(true).ok();
    let reset = Arc::new(AtomicBool::new(false));
    let stream = ResettableStream::new(stream, Arc::clone(&reset));
    let Some(tls) = tls else {
        return serve_stream(stream, None, handler, reset).await;
    };
    // Whoever does not get through the handshake has been told so by it.
    if let Ok(stream) = tls.accept(stream).await {
        let certificates = stream.get_ref().1.peer_certificates();
        let certificate = certificates.and_then(|chain| chain.first());
        let certificate = certificate.map(|der| Bytes::copy_from_slice(der));
        serve_stream(stream, certificate, handler, reset).await;
    }
}

async fn serve_stream<S>(stream: S, certificate: Option<Bytes>, handler: Handler, reset: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |incoming| {
        exchange(
            incoming,
            certificate.clone(),
            Arc::clone(&handler),
            Arc::clone(&reset),
        )
    });
    // The date is the handler's to tell, since only the handler knows which clock its system goes by.
    let mut server = http1::Builder::new();
    server.auto_date_header(false);
    // A connection that ends with an error was broken by the caller or on purpose.
    server.serve_connection(TokioIo::new(stream), service).await.ok();
}

async fn exchange(
    incoming: hyper::Request<Incoming>,
    certificate: Option<Bytes>,
    handler: Handler,
    reset: Arc<AtomicBool>,
) -> io::Result<Response<Outgoing>> {
    let request = read(incoming, certificate).await?;
    let answer = handler(request).await;
    if answer.delivery == Delivery::Reset {
        reset.store(true, Ordering::SeqCst);
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    Ok(respond(answer))
}

async fn read(incoming: hyper::Request<Incoming>, certificate: Option<Bytes>) -> io::Result<Request> {
    let (parts, body) = incoming.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().map(str::to_owned);
    Ok(Request {
        method: parts.method,
        path,
        query,
        headers: parts.headers,
        body,
        certificate,
    })
}

fn respond(answer: Answer) -> Response<Outgoing> {
    let body = answer.body.to_plain();
    let mut headers = answer.headers;
    if let Some(length) = declared_length(&answer.delivery, &body, answer.status) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    let mut response = Response::new(StreamBody::new(outgoing(body, answer.delivery)));
    *response.status_mut() = answer.status;
    *response.headers_mut() = headers;
    response
}

fn declared_length(delivery: &Delivery, body: &Bytes, status: http::StatusCode) -> Option<usize> {
    let bodiless = status == http::StatusCode::NO_CONTENT || status == http::StatusCode::NOT_MODIFIED;
    match delivery {
        _ if bodiless => None,
        Delivery::Padded(_) => None,
        Delivery::Truncated => Some(body.len() / 2),
        Delivery::TooShort => Some(body.len() + 512),
        _ => Some(body.len()),
    }
}

fn outgoing(body: Bytes, delivery: Delivery) -> BoxStream<'static, io::Result<Frame<Bytes>>> {
    let half = body.slice(..body.len() / 2);
    match delivery {
        Delivery::Truncated => once(half).boxed(),
        Delivery::TooShort => once(body).chain(broken()).boxed(),
        Delivery::Stalled => once(half).chain(stream::pending()).boxed(),
        Delivery::Dripped(pause) => drip(body, pause),
        Delivery::Padded(length) => once(body).chain(padding(length)).boxed(),
        Delivery::Whole | Delivery::Reset => once(body).boxed(),
    }
}

fn once(bytes: Bytes) -> BoxStream<'static, io::Result<Frame<Bytes>>> {
    if bytes.is_empty() {
        return stream::empty().boxed();
    }
    stream::iter([Ok(Frame::data(bytes))]).boxed()
}

fn broken() -> BoxStream<'static, io::Result<Frame<Bytes>>> {
    stream::iter([Err(io::ErrorKind::ConnectionAborted.into())]).boxed()
}

fn drip(body: Bytes, pause: std::time::Duration) -> BoxStream<'static, io::Result<Frame<Bytes>>> {
    stream::iter(0..body.len())
        .then(move |at| {
            let byte = body.slice(at..=at);
            async move {
                tokio::time::sleep(pause).await;
                Ok(Frame::data(byte))
            }
        })
        .boxed()
}

fn padding(length: u64) -> BoxStream<'static, io::Result<Frame<Bytes>>> {
    const CHUNK: usize = 64 * 1024;
    let chunk = Bytes::from(vec![b' '; CHUNK]);
    let chunks = usize::try_from(length).unwrap_or(usize::MAX) / CHUNK + 1;
    stream::iter(std::iter::repeat_n(chunk, chunks))
        .map(|chunk| Ok(Frame::data(chunk)))
        .boxed()
}

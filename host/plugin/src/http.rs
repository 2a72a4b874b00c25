//! Outgoing HTTP for guests, through a client of the host: granted origins, checked addresses, bounded answers.
//!
//! The host resolves the name itself, refuses addresses a name must not lead to ([`address`]) and connects to the very
//! address it checked. Redirects are answers like any other: the guest may follow one, through the same checks. Every
//! request has a connection of its own, so none rides on a connection made under another grant.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::ServiceExt;
use url::Url;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::grant::Origin;

pub(crate) mod address;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of an answer's head.
const HEAD: usize = 64 << 10;

/// Fields of an answer's head.
const FIELDS: usize = 100;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Dial = tower::util::BoxCloneSyncService<http::Uri, TokioIo<TcpStream>, BoxError>;

/// Origins one instance may send to, and the connector that reaches nothing else.
pub(crate) struct Egress {
    origins: Arc<[Origin]>,
    connector: HttpsConnector<Dial>,
}

/// The HTTP of one call.
pub(crate) struct Outgoing {
    egress: Option<Arc<Egress>>,
    deadline: Instant,
    /// Bytes of one answer's body.
    limit: u64,
}

/// Why a connection was not made; carried through the TLS connector.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("the address is not one that was granted")]
    Origin,
    #[error("the name leads to no address")]
    NoAddress,
    #[error("the name leads to an address plugins may not reach")]
    Address,
    #[error("the connection was not made in time")]
    Late,
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.origins.iter().map(Origin::to_string)).finish()
    }
}

impl Egress {
    pub(crate) fn new(origins: Vec<Origin>) -> Egress {
        let origins: Arc<[Origin]> = origins.into();
        let granted = origins.clone();
        let dial = tower::service_fn(move |uri: http::Uri| {
            let granted = granted.clone();
            async move { dial(&granted, &uri).await.map(TokioIo::new) }
        });
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tower::util::BoxCloneSyncService::new(dial));
        Egress { origins, connector }
    }

    pub(crate) fn origins(&self) -> &[Origin] {
        &self.origins
    }
}

/// A connection to a checked address of a granted origin.
async fn dial(granted: &[Origin], uri: &http::Uri) -> Result<TcpStream, BoxError> {
    let origin = granted_origin(granted, uri).ok_or(Refused::Origin)?;
    let all: Vec<SocketAddr> = match &origin.host {
        url::Host::Domain(name) => tokio::net::lookup_host((name.as_str(), origin.port)).await.map_err(|_| Refused::NoAddress)?.collect(),
        url::Host::Ipv4(address) => vec![SocketAddr::from((*address, origin.port))],
        url::Host::Ipv6(address) => vec![SocketAddr::from((*address, origin.port))],
    };
    if all.is_empty() {
        return Err(Refused::NoAddress.into());
    }
    let good: Vec<SocketAddr> = all.into_iter().filter(|address| address::permitted(&origin.host, address.ip())).collect();
    if good.is_empty() {
        return Err(Refused::Address.into());
    }
    let stream = TcpStream::connect(&good[..]).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The granted origin a request goes to; none when it goes elsewhere or names a user.
fn granted_origin<'a>(granted: &'a [Origin], uri: &http::Uri) -> Option<&'a Origin> {
    let url = Url::parse(&uri.to_string()).ok()?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let origin = Origin::of(&url)?;
    granted.iter().find(|granted| **granted == origin)
}

impl Outgoing {
    pub(crate) fn new(egress: Option<Arc<Egress>>, deadline: Instant, limit: u64) -> Outgoing {
        Outgoing { egress, deadline, limit }
    }
}

type Sent = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let (egress, deadline, limit) = (self.egress.clone(), self.deadline, self.limit);
        Box::new(async move {
            let egress = egress.ok_or(Error::HttpRequestDenied)?;
            if granted_origin(&egress.origins, request.uri()).is_none() {
                return Err(Error::HttpRequestDenied);
            }
            let connect_by =
                by(deadline, Some(options.and_then(|options| options.connect_timeout).unwrap_or(CONNECT_TIMEOUT).min(CONNECT_TIMEOUT)));
            let first_byte_by = by(deadline, options.and_then(|options| options.first_byte_timeout));
            send(egress.connector.clone(), request, connect_by, first_byte_by, limit).await
        })
    }
}

/// The sooner of the call's end and a wait from now.
fn by(deadline: Instant, wait: Option<Duration>) -> tokio::time::Instant {
    wait.and_then(|wait| Instant::now().checked_add(wait)).map_or(deadline, |until| until.min(deadline)).into()
}

async fn send(
    connector: HttpsConnector<Dial>,
    mut request: http::Request<WasiBody>,
    connect_by: tokio::time::Instant,
    first_byte_by: tokio::time::Instant,
    limit: u64,
) -> Result<Sent, Error> {
    let connecting = connect(connector, request.uri().clone());
    let stream =
        tokio::time::timeout_at(connect_by, connecting).await.unwrap_or_else(|_| Err(Refused::Late.into())).map_err(connect_error)?;
    let (mut sender, connection) = http1::Builder::new().max_buf_size(HEAD).max_headers(FIELDS).handshake(stream).await?;
    // The connection is driven beside the request; it ends with the answer's body, or with the call.
    let driver = wasmtime_wasi::runtime::spawn(async move { connection.await.map_err(Error::from) });

    // A request line names the path only; the origin is in the connection and the Host field.
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| http::uri::PathAndQuery::from_static("/"));
    *request.uri_mut() = http::Uri::from(path);
    let response =
        tokio::time::timeout_at(first_byte_by, sender.send_request(request)).await.map_err(|_| Error::ConnectionReadTimeout)??;
    let response = response.map(|body| {
        let limit_bytes = usize::try_from(limit).unwrap_or(usize::MAX);
        Limited::new(body, limit_bytes).map_err(move |error| body_error(error, limit)).boxed_unsync()
    });
    let driven: BoxFuture<'static, Result<(), Error>> = Box::pin(async move {
        // Kept while the connection lives: dropping the sender would end it.
        let _sender = sender;
        driver.await
    });
    Ok((response, Box::new(driven)))
}

/// Boxed here, because the compiler cannot see through the connector's own error type that the whole can be sent.
fn connect(connector: HttpsConnector<Dial>, uri: http::Uri) -> BoxFuture<'static, Result<MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>> {
    Box::pin(connector.oneshot(uri))
}

fn connect_error(error: BoxError) -> Error {
    let error = match error.downcast::<Refused>() {
        Ok(refused) => {
            return match *refused {
                Refused::Origin => Error::HttpRequestDenied,
                Refused::NoAddress => Error::DestinationNotFound,
                Refused::Address => Error::DestinationIpProhibited,
                Refused::Late => Error::ConnectionTimeout,
            };
        }
        Err(error) => error,
    };
    match error.downcast::<std::io::Error>() {
        // The TLS layer wraps its own errors in I/O errors.
        Ok(error) if error.get_ref().is_some() => Error::Tls(*error),
        Ok(error) => Error::Connect(*error),
        Err(error) => Error::InternalError(Some(error.to_string())),
    }
}

fn body_error(error: BoxError, limit: u64) -> Error {
    if error.is::<LengthLimitError>() {
        return Error::HttpResponseBodySize(Some(limit));
    }
    match error.downcast::<hyper::Error>() {
        Ok(error) => Error::Hyper(*error),
        Err(error) => Error::InternalError(Some(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A receiver that answers every connection with `answer`, and tells what it was sent.
    async fn receiver(answer: Vec<u8>) -> (u16, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let port = listener.local_addr().expect("address").port();
        let told = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("connection");
            let mut seen = vec![0; 4096];
            let read = stream.read(&mut seen).await.expect("request");
            stream.write_all(&answer).await.expect("answer");
            String::from_utf8_lossy(&seen[..read]).into_owned()
        });
        (port, told)
    }

    async fn fetch(granted: &str, asked: &str, limit: u64) -> Result<(u16, usize), Error> {
        let egress = Egress::new(vec![Origin::parse(granted).expect("origin")]);
        let mut outgoing = Outgoing::new(Some(Arc::new(egress)), Instant::now() + Duration::from_secs(5), limit);
        let empty = http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync();
        let request = http::Request::builder().uri(asked).header("host", "x").body(empty).expect("request");
        let (response, driver) = std::pin::Pin::from(outgoing.send_request(request, None, Box::new(async { Ok(()) }))).await?;
        let driver = tokio::spawn(std::pin::Pin::from(driver));
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        driver.abort();
        Ok((status, body.len()))
    }

    #[tokio::test]
    async fn a_granted_origin_is_reached_and_a_redirect_is_only_an_answer() {
        let (port, told) =
            receiver(b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 2\r\n\r\nhi".to_vec()).await;
        let origin = format!("http://127.0.0.1:{port}");
        let (status, length) = fetch(&origin, &format!("{origin}/a?b=c"), 1_000).await.expect("answer");
        assert_eq!((status, length), (302, 2));
        assert!(told.await.expect("seen").starts_with("GET /a?b=c HTTP/1.1\r\n"));
    }

    #[tokio::test]
    async fn an_answer_above_the_limit_is_cut_off() {
        let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n".to_vec();
        answer.extend([b'x'; 5000]);
        let (port, _told) = receiver(answer).await;
        let origin = format!("http://127.0.0.1:{port}");
        let error = fetch(&origin, &origin, 1_000).await.expect_err("too large");
        assert!(matches!(error, Error::HttpResponseBodySize(Some(1_000))), "{error:?}");
    }

    #[tokio::test]
    async fn other_origins_and_closed_ports_are_refused() {
        let closed = TcpListener::bind("127.0.0.1:0").await.expect("port").local_addr().expect("address").port();
        let origin = format!("http://127.0.0.1:{closed}");
        assert!(matches!(fetch(&origin, &origin, 9).await, Err(Error::Connect(_))));
        for asked in ["http://127.0.0.1:1/", "http://localhost/", "http://127.0.0.1@evil.example/"] {
            assert!(matches!(fetch(&origin, asked, 9).await, Err(Error::HttpRequestDenied)), "{asked}");
        }
        let mut denied = Outgoing::new(None, Instant::now(), 9);
        let empty = http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync();
        let request = http::Request::builder().uri("http://127.0.0.1/").body(empty).expect("request");
        let answer = std::pin::Pin::from(denied.send_request(request, None, Box::new(async { Ok(()) }))).await;
        assert!(matches!(answer, Err(Error::HttpRequestDenied)));
    }
}

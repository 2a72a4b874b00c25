//! Outgoing HTTP for guests, through a client of the host: granted origins, checked addresses, bounded answers.
//!
//! The host resolves the name itself, once, refuses addresses a name must not lead to ([`address`]) and connects to the very
//! address it checked. Redirects are answers like any other, never followed by the host: the guest may follow one, through
//! the same checks. Every request has a connection of its own, so none rides on a connection made under another grant. What
//! was refused is kept with the line that would grant it, for the error the operator reads.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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

use crate::grant::{HttpGrant, Origin};

pub(crate) mod address;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of an answer's head.
const HEAD: usize = 64 << 10;

/// Fields of an answer's head.
const FIELDS: usize = 100;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;
type Dial = tower::util::BoxCloneSyncService<http::Uri, TokioIo<TcpStream>, BoxError>;

/// Finds the addresses of a name.
type Lookup = Arc<dyn Fn(String, u16) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// Where one instance may send to, and the connector that reaches nothing else.
pub(crate) struct Egress {
    grants: Arc<[(HttpGrant, AtomicU64)]>,
    connector: HttpsConnector<Dial>,
}

/// The HTTP of one call.
pub(crate) struct Outgoing {
    egress: Option<Arc<Egress>>,
    deadline: Instant,
    /// Bytes of one answer's body.
    limit: u64,
    /// The last request that was refused; made when there is a request.
    refusal: Option<Arc<Mutex<Option<Refusal>>>>,
}

/// A request that was refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    /// The request, and what is wrong with it.
    pub(crate) what: String,
    /// What would have to be granted.
    pub(crate) grant: String,
}

/// Why a connection was not made; carried through the TLS connector.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("the address is not one that was granted")]
    Origin,
    #[error("the name leads to no address")]
    NoAddress,
    #[error("the name leads to {0}, an address plugins may not reach")]
    Address(IpAddr),
    #[error("the connection was not made in time")]
    Late,
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.grants().map(HttpGrant::to_string)).finish()
    }
}

impl Egress {
    pub(crate) fn new(grants: Vec<HttpGrant>) -> Egress {
        Egress::looking_up(grants, Arc::new(|name, port| Box::pin(resolve(name, port))))
    }

    fn looking_up(grants: Vec<HttpGrant>, lookup: Lookup) -> Egress {
        let grants: Arc<[(HttpGrant, AtomicU64)]> = grants.into_iter().map(|grant| (grant, AtomicU64::new(0))).collect();
        let granted = grants.clone();
        let dial = tower::service_fn(move |uri: http::Uri| {
            let (granted, lookup) = (granted.clone(), lookup.clone());
            async move {
                let origin = origin_of(&uri).filter(|origin| granted.iter().any(|(grant, _)| grant.reaches(origin)));
                dial(&origin.ok_or(Refused::Origin)?, &lookup).await.map(TokioIo::new)
            }
        });
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tower::util::BoxCloneSyncService::new(dial));
        Egress { grants, connector }
    }

    pub(crate) fn grants(&self) -> impl Iterator<Item = &HttpGrant> {
        self.grants.iter().map(|(grant, _)| grant)
    }

    /// Every grant and the requests sent under it.
    pub(crate) fn uses(&self) -> impl Iterator<Item = (&HttpGrant, u64)> {
        self.grants.iter().map(|(grant, used)| (grant, used.load(Ordering::Relaxed)))
    }

    /// Counts a request under the grant that permits it. False when none does.
    fn admit(&self, method: &http::Method, origin: &Origin) -> bool {
        let Some((_, used)) = self.grants.iter().find(|(grant, _)| grant.permits(method, origin)) else { return false };
        used.fetch_add(1, Ordering::Relaxed);
        true
    }
}

/// All addresses of a name, by the system's resolver.
async fn resolve(name: String, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((name, port)).await?.collect())
}

/// A connection to a checked address of an origin. The name is looked up once: what is checked is what is connected to.
async fn dial(origin: &Origin, lookup: &Lookup) -> Result<TcpStream, BoxError> {
    let all: Vec<SocketAddr> = match &origin.host {
        url::Host::Domain(name) => lookup(name.clone(), origin.port).await.map_err(|_| Refused::NoAddress)?,
        url::Host::Ipv4(address) => vec![SocketAddr::from((*address, origin.port))],
        url::Host::Ipv6(address) => vec![SocketAddr::from((*address, origin.port))],
    };
    let first = all.first().ok_or(Refused::NoAddress)?.ip();
    let good: Vec<SocketAddr> = all.into_iter().filter(|address| address::permitted(&origin.host, address.ip())).collect();
    if good.is_empty() {
        return Err(Refused::Address(first).into());
    }
    let stream = TcpStream::connect(&good[..]).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The origin a request goes to; none when it names a user, which nobody means.
fn origin_of(uri: &http::Uri) -> Option<Origin> {
    let url = Url::parse(&uri.to_string()).ok()?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    Origin::of(&url)
}

impl Outgoing {
    pub(crate) fn new(egress: Option<Arc<Egress>>, deadline: Instant, limit: u64) -> Outgoing {
        Outgoing { egress, deadline, limit, refusal: None }
    }

    /// The last request that was refused for want of a grant.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.refusal.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a name that leads to a private address would need: a grant of the address.
fn private(origin: &Origin, address: IpAddr) -> Refusal {
    let what = format!("the request to {origin}: the name leads to {address}, which must be granted by its address");
    let host = match address {
        IpAddr::V4(address) => url::Host::Ipv4(address),
        IpAddr::V6(address) => url::Host::Ipv6(address),
    };
    Refusal { what, grant: Origin { host, ..origin.clone() }.to_string() }
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
        let refusal = self.refusal.get_or_insert_default().clone();
        Box::new(async move {
            let refuse = |refused: Refusal| *refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
            let origin = origin_of(request.uri()).ok_or(Error::HttpRequestDenied)?;
            let Some(egress) = egress.filter(|egress| egress.admit(request.method(), &origin)) else {
                refuse(Refusal { what: format!("{} to {origin}", request.method()), grant: origin.to_string() });
                return Err(Error::HttpRequestDenied);
            };
            let connect_by =
                by(deadline, Some(options.and_then(|options| options.connect_timeout).unwrap_or(CONNECT_TIMEOUT).min(CONNECT_TIMEOUT)));
            let first_byte_by = by(deadline, options.and_then(|options| options.first_byte_timeout));
            let connecting = connect(egress.connector.clone(), request.uri().clone());
            let connected = tokio::time::timeout_at(connect_by, connecting).await.unwrap_or_else(|_| Err(Refused::Late.into()));
            let stream = connected.map_err(|error| {
                if let Some(Refused::Address(address)) = error.downcast_ref::<Refused>() {
                    refuse(private(&origin, *address));
                }
                connect_error(error)
            })?;
            send(stream, request, first_byte_by, limit).await
        })
    }
}

/// The sooner of the call's end and a wait from now.
fn by(deadline: Instant, wait: Option<Duration>) -> tokio::time::Instant {
    wait.and_then(|wait| Instant::now().checked_add(wait)).map_or(deadline, |until| until.min(deadline)).into()
}

async fn send(
    stream: Stream,
    mut request: http::Request<WasiBody>,
    first_byte_by: tokio::time::Instant,
    limit: u64,
) -> Result<Sent, Error> {
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
fn connect(connector: HttpsConnector<Dial>, uri: http::Uri) -> BoxFuture<'static, Result<Stream, BoxError>> {
    Box::pin(connector.oneshot(uri))
}

fn connect_error(error: BoxError) -> Error {
    let error = match error.downcast::<Refused>() {
        Ok(refused) => {
            return match *refused {
                Refused::Origin => Error::HttpRequestDenied,
                Refused::NoAddress => Error::DestinationNotFound,
                Refused::Address(_) => Error::DestinationIpProhibited,
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
        let egress = Egress::new(vec![HttpGrant::parse(granted).expect("grant")]);
        fetch_through(egress, asked, limit).await.0
    }

    /// The answer's status and length; what was refused.
    async fn fetch_through(egress: Egress, asked: &str, limit: u64) -> (Result<(u16, usize), Error>, Option<Refusal>) {
        let mut outgoing = Outgoing::new(Some(Arc::new(egress)), Instant::now() + Duration::from_secs(5), limit);
        let empty = http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync();
        let request = http::Request::builder().uri(asked).header("host", "x").body(empty).expect("request");
        let sent = std::pin::Pin::from(outgoing.send_request(request, None, Box::new(async { Ok(()) }))).await;
        let refusal = outgoing.refusal();
        let answer = async {
            let (response, driver) = sent?;
            let driver = tokio::spawn(std::pin::Pin::from(driver));
            let status = response.status().as_u16();
            let body = response.into_body().collect().await?.to_bytes();
            driver.abort();
            Ok((status, body.len()))
        };
        (answer.await, refusal)
    }

    /// A resolver that says something else each time it is asked, as one does who means to rebind a name.
    fn rebinding(answers: &[&str]) -> (Lookup, Arc<AtomicU64>) {
        let asked = Arc::new(AtomicU64::new(0));
        let (count, answers): (_, Vec<IpAddr>) = (asked.clone(), answers.iter().map(|address| address.parse().expect("address")).collect());
        let lookup: Lookup = Arc::new(move |_, port| {
            let turn = count.fetch_add(1, Ordering::Relaxed) as usize;
            let address = SocketAddr::from((answers[turn.min(answers.len() - 1)], port));
            Box::pin(async move { Ok(vec![address]) })
        });
        (lookup, asked)
    }

    #[tokio::test]
    async fn a_name_is_looked_up_once_and_never_leads_inside() {
        let (port, _told) = receiver(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
        let name = format!("http://rebind.example.com:{port}");
        let grant = || vec![HttpGrant::parse("http://*.example.com").expect("grant"), HttpGrant::parse(&name).expect("grant")];
        // 192.0.2.1 is for documentation: not public either. What is checked first must be what is connected to.
        for answers in [&["127.0.0.1"][..], &["169.254.169.254", "93.184.216.34"], &["10.0.0.7", "127.0.0.1"], &["::ffff:127.0.0.1"]] {
            let (lookup, asked) = rebinding(answers);
            let (answer, refusal) = fetch_through(Egress::looking_up(grant(), lookup), &name, 9).await;
            assert!(matches!(answer, Err(Error::DestinationIpProhibited)), "{answers:?}: {answer:?}");
            assert_eq!(asked.load(Ordering::Relaxed), 1, "{answers:?}");
            let refusal = refusal.expect("told");
            assert!(refusal.what.contains("the name leads to") && refusal.grant.starts_with("http://"), "{refusal:?}");
        }
        // Granted by its address, the same receiver is reached, and nobody is asked for a name.
        let (lookup, asked) = rebinding(&["127.0.0.1"]);
        let address = format!("http://127.0.0.1:{port}");
        let (answer, refusal) =
            fetch_through(Egress::looking_up(vec![HttpGrant::parse(&address).expect("grant")], lookup), &address, 9).await;
        assert_eq!((answer.expect("reached"), refusal, asked.load(Ordering::Relaxed)), ((200, 0), None, 0));
    }

    #[tokio::test]
    async fn a_refusal_says_what_to_grant_and_a_grant_counts_its_use() {
        let (port, _told) = receiver(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
        let origin = format!("http://127.0.0.1:{port}");
        let only_post = Egress::new(vec![HttpGrant::parse(&format!("POST {origin}")).expect("grant")]);
        let (answer, refusal) = fetch_through(only_post, &origin, 9).await;
        assert!(matches!(answer, Err(Error::HttpRequestDenied)), "{answer:?}");
        assert_eq!(refusal, Some(Refusal { what: format!("GET to {origin}"), grant: origin.clone() }));

        let egress = Egress::new(vec![HttpGrant::parse(&format!("GET {origin}")).expect("grant")]);
        let grants = egress.grants.clone();
        assert_eq!(fetch_through(egress, &origin, 9).await.0.expect("granted").0, 200);
        assert_eq!(grants[0].1.load(Ordering::Relaxed), 1);
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

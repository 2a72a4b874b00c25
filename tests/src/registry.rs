//! A small OCI registry on loopback, for tests of those who push and pull: what is put is kept in memory and checked against its
//! digest. It may want a name and password, or a token of its own token service; a blob may lie behind a redirect.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// How the registry wants to know who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// It does not.
    Open,
    /// `desk` and `s3cret`, with every request.
    Basic,
    /// A token, which its service gives to `desk` and `s3cret`.
    Token,
}

/// A registry that listens until it is dropped.
#[derive(Debug)]
pub struct Registry {
    /// Its address.
    pub address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    _runtime: Runtime,
}

#[derive(Debug, Default)]
struct Kept {
    /// By repository and digest.
    blobs: BTreeMap<String, Bytes>,
    /// By repository and tag or digest.
    manifests: BTreeMap<String, Bytes>,
    requests: Vec<String>,
}

/// What `desk` and `s3cret` are in a header.
const BASIC: &str = "Basic ZGVzazpzM2NyZXQ=";

/// The token service's only token.
const BEARER: &str = "Bearer for-the-desk";

impl Registry {
    /// Starts one.
    ///
    /// # Panics
    /// When it cannot listen.
    pub fn start(door: Door) -> Registry {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads");
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = kept.clone();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                let service = service_fn(move |request| {
                    let shared = shared.clone();
                    async move { Ok::<_, Infallible>(answer(&shared, door, address, request).await) }
                });
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Registry { address, kept, _runtime: runtime }
    }

    /// Requests so far, as `METHOD path`.
    ///
    /// # Panics
    /// When a request panicked.
    pub fn requests(&self) -> Vec<String> {
        self.kept.lock().expect("no request panicked").requests.clone()
    }

    /// Changes one byte of every blob.
    ///
    /// # Panics
    /// When a request panicked.
    pub fn damage(&self) {
        for blob in self.kept.lock().expect("no request panicked").blobs.values_mut() {
            let mut bytes = blob.to_vec();
            *bytes.last_mut().expect("a blob has bytes") ^= 1;
            *blob = bytes.into();
        }
    }
}

fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    with(status, &[], Bytes::new())
}

fn with(status: StatusCode, headers: &[(&str, &str)], body: Bytes) -> Response<Full<Bytes>> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Full::new(body)).expect("a good response")
}

async fn answer(kept: &Mutex<Kept>, door: Door, address: SocketAddr, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let path = head.uri.path().to_owned();
    let query = head.uri.query().unwrap_or_default().to_owned();
    let shown = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut kept = kept.lock().expect("no request panicked");
    kept.requests.push(format!("{} {path}", head.method));
    if path == "/token" {
        return match shown == BASIC && query.contains("service=tests") && query.contains("scope=repository") {
            true => with(StatusCode::OK, &[], Bytes::from_static(br#"{"token":"for-the-desk"}"#)),
            false => plain(StatusCode::UNAUTHORIZED),
        };
    }
    if let Some(digest) = path.strip_prefix("/storage/") {
        // Storage is another service: it must not be told who asks.
        let found = kept.blobs.values().find(|blob| digest_of(blob) == digest).filter(|_| shown.is_empty());
        return found.map_or_else(|| plain(StatusCode::NOT_FOUND), |blob| with(StatusCode::OK, &[], blob.clone()));
    }
    let challenge = match door {
        Door::Open => None,
        Door::Basic => (shown != BASIC).then(|| "Basic realm=\"tests\"".to_owned()),
        Door::Token => (shown != BEARER).then(|| format!("Bearer realm=\"http://{address}/token\",service=\"tests\"")),
    };
    if let Some(challenge) = challenge {
        return with(StatusCode::UNAUTHORIZED, &[("www-authenticate", challenge.as_str())], Bytes::new());
    }
    route(&mut kept, address.port(), &head.method, &path, &query, body)
}

fn route(kept: &mut Kept, port: u16, method: &Method, path: &str, query: &str, body: Bytes) -> Response<Full<Bytes>> {
    let Some(rest) = path.strip_prefix("/v2/") else { return plain(StatusCode::NOT_FOUND) };
    if let Some(repository) = rest.strip_suffix("/blobs/uploads/").filter(|_| method == Method::POST) {
        let place = format!("/v2/{repository}/blobs/uploads/one?state=begun");
        return with(StatusCode::ACCEPTED, &[("location", place.as_str())], Bytes::new());
    }
    if let Some(repository) = rest.strip_suffix("/blobs/uploads/one").filter(|_| method == Method::PUT) {
        let wanted = query.split('&').find_map(|pair| pair.strip_prefix("digest=")).unwrap_or_default().replace("%3A", ":");
        if digest_of(&body) != wanted || !query.contains("state=begun") {
            return plain(StatusCode::BAD_REQUEST);
        }
        kept.blobs.insert(format!("{repository}@{wanted}"), body);
        return plain(StatusCode::CREATED);
    }
    if let Some((repository, digest)) = rest.split_once("/blobs/") {
        return match (kept.blobs.get(&format!("{repository}@{digest}")), method) {
            (Some(_), &Method::HEAD) => plain(StatusCode::OK),
            (Some(blob), &Method::GET) => {
                let place = format!("http://localhost:{port}/storage/{}", digest_of(blob));
                with(StatusCode::TEMPORARY_REDIRECT, &[("location", place.as_str())], Bytes::new())
            }
            _ => plain(StatusCode::NOT_FOUND),
        };
    }
    let Some((repository, reference)) = rest.split_once("/manifests/") else { return plain(StatusCode::NOT_FOUND) };
    match *method {
        Method::PUT => {
            for name in [reference.to_owned(), digest_of(&body)] {
                kept.manifests.insert(format!("{repository}@{name}"), body.clone());
            }
            plain(StatusCode::CREATED)
        }
        _ => match kept.manifests.get(&format!("{repository}@{reference}")) {
            Some(manifest) => with(StatusCode::OK, &[], manifest.clone()),
            None => plain(StatusCode::NOT_FOUND),
        },
    }
}

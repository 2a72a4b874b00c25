//! A small HTTP client over hyper that blocks, keeps connections, and remembers every answer as text and JSON.

use std::sync::OnceLock;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::runtime::Runtime;

/// Longest wait for one answer: more than any limit of the host.
const PATIENCE: Duration = Duration::from_secs(90);

/// A connection to one host, with or without its token.
#[derive(Debug, Clone)]
pub struct Client {
    url: String,
    token: Option<String>,
    inner: legacy::Client<HttpConnector, Full<Bytes>>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The question, for messages.
    pub asked: String,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Vec<u8>,
}

/// The threads the client works on; requests block their caller.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().expect("a test may start a thread")
    })
}

impl Client {
    /// A client of the host at `url` (without a path).
    pub fn new(url: &str, token: Option<&str>) -> Client {
        let inner = legacy::Client::builder(TokioExecutor::new()).build_http();
        Client { url: url.trim_end_matches('/').to_owned(), token: token.map(str::to_owned), inner }
    }

    /// The same host with another token, or none.
    pub fn with_token(&self, token: Option<&str>) -> Client {
        Client { token: token.map(str::to_owned), ..self.clone() }
    }

    /// GET.
    pub fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new())
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], Vec::new())
    }

    /// POST with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &[(CONTENT_TYPE, "application/json")], body.to_string().into_bytes())
    }

    /// POST with a JSON body under an idempotency key.
    pub fn post_once(&self, path: &str, key: &str, body: &Value) -> Answer {
        let headers = [(CONTENT_TYPE, "application/json"), (HeaderName::from_static("idempotency-key"), key)];
        self.send(Method::POST, path, &headers, body.to_string().into_bytes())
    }

    /// POST with bytes of a media type.
    pub fn post_bytes(&self, path: &str, media_type: &str, bytes: Vec<u8>) -> Answer {
        self.send(Method::POST, path, &[(CONTENT_TYPE, media_type)], bytes)
    }

    /// Any request.
    ///
    /// # Panics
    /// When no answer comes.
    #[track_caller]
    pub fn send(&self, method: Method, path: &str, headers: &[(HeaderName, &str)], body: Vec<u8>) -> Answer {
        let asked = format!("{method} {path}");
        self.try_send(method, path, headers, body).unwrap_or_else(|error| panic!("{asked}: no answer: {error}"))
    }

    /// Any request, to a host that may die or be dead.
    pub fn try_send(&self, method: Method, path: &str, headers: &[(HeaderName, &str)], body: Vec<u8>) -> Result<Answer, String> {
        let asked = format!("{method} {path}");
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
        let inner = self.inner.clone();
        let exchange = async move {
            let response = inner.request(request).await.map_err(|error| explain(&error))?;
            let (parts, body) = response.into_parts();
            let bytes = body.collect().await.map_err(|error| explain(&error))?.to_bytes().to_vec();
            Ok(Answer { asked, status: parts.status, headers: parts.headers, bytes })
        };
        let patient = async { tokio::time::timeout(PATIENCE, exchange).await };
        runtime().block_on(patient).unwrap_or_else(|_| Err(format!("not within {PATIENCE:?}")))
    }
}

/// An error with its causes.
fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.bytes) {
            Ok(value) => value,
            Err(error) => panic!("{}: {} is no JSON: {error}: {}", self.asked, self.status, self.text()),
        }
    }

    /// The JSON of an answer with exactly this status.
    ///
    /// # Panics
    /// When the status is another.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}: {}", self.asked, self.text());
        if self.bytes.is_empty() { Value::Null } else { self.json() }
    }

    /// The JSON of an answer with a status of success.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{}: {} {}", self.asked, self.status, self.text());
        if self.bytes.is_empty() { Value::Null } else { self.json() }
    }

    /// The problem document of an answer that must be one: status, media type, code, and every part in its detail.
    ///
    /// # Panics
    /// When anything differs.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str, parts: &[&str]) -> Value {
        let shown = self.text();
        assert_eq!(self.status.as_u16(), status, "{}: {shown}", self.asked);
        assert_eq!(self.headers.get(CONTENT_TYPE).map(|value| value.as_bytes()), Some(&b"application/problem+json"[..]), "{shown}");
        let document = self.json();
        assert_eq!(document["code"], code, "{}: {shown}", self.asked);
        assert_eq!(document["status"], status, "{}: {shown}", self.asked);
        assert!(document["instance"].is_string(), "{}: no request id in {shown}", self.asked);
        let detail = document["detail"].as_str().unwrap_or_default();
        for part in parts {
            assert!(detail.contains(part), "{}: `{part}` is not in: {detail}", self.asked);
        }
        document
    }

    /// The same, which also names the field.
    #[track_caller]
    pub fn invalid(&self, field: &str, parts: &[&str]) -> Value {
        let document = self.problem(422, "invalid", parts);
        assert_eq!(document["field"], field, "{}: {document}", self.asked);
        document
    }
}

//! The other side of the API: one small HTTP client for the command line and the demo.
//!
//! Plain HTTP only: the host has no TLS yet, so neither needs its client. Answers are read whole, within a bound.

use std::time::Duration;

use bellwether_domain::Error;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::auth::Token;
use crate::problem::ProblemDocument;
use crate::router::API;

/// Most bytes of an answer: artifacts of large models included.
const ANSWER_BYTES_MAX: usize = 4 << 30;

/// Longest wait for an answer; hosts end their own requests sooner.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(600);

/// Talks to one host.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    token: Option<Token>,
    http: legacy::Client<HttpConnector, Full<Bytes>>,
}

/// An answer: the value, and the bytes it came in.
#[derive(Debug, Clone)]
pub struct Reply<T> {
    /// As sent.
    pub raw: Bytes,
    /// As understood.
    pub value: T,
}

/// Why there is no good answer.
#[derive(Debug)]
pub enum CallError {
    /// Nobody listens there.
    NoHost(String),
    /// The host said no.
    Refused(Box<ProblemDocument>),
    /// Something between us went wrong, or the answer is not a host's.
    Broken(String),
}

/// A body to send.
enum Payload<'a> {
    None,
    Json(Vec<u8>),
    Csv(&'a [u8]),
}

impl Client {
    /// A client of the host at `url`, for example `http://127.0.0.1:8005`. Errors: `Invalid` for anything but plain HTTP.
    pub fn new(url: &str, token: Option<Token>) -> bellwether_domain::Result<Client> {
        let wrong = |why: &str| Error::invalid("url", format!("`{url}` {why}; write it as http://127.0.0.1:8005"));
        let uri: Uri = url.parse().map_err(|_| wrong("is not a URL"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(wrong("asks for TLS, which hosts do not speak yet")),
            _ => return Err(wrong("does not begin with http://")),
        }
        if uri.authority().is_none() {
            return Err(wrong("names no host"));
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(5)));
        let http = legacy::Client::builder(TokioExecutor::new()).build(connector);
        Ok(Client { base: url.trim_end_matches('/').to_owned(), token, http })
    }

    /// Where the host is.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// GET below `/mlops/api`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Reply<T>, CallError> {
        understood(self.send(Method::GET, path, Payload::None, None).await?)
    }

    /// GET of a file.
    pub async fn download(&self, path: &str) -> Result<Bytes, CallError> {
        self.send(Method::GET, path, Payload::None, None).await
    }

    /// POST of a JSON body.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<Reply<T>, CallError> {
        self.post_once(path, body, None).await
    }

    /// POST of a JSON body with an idempotency key.
    pub async fn post_once<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        key: Option<&str>,
    ) -> Result<Reply<T>, CallError> {
        let json =
            serde_json::to_vec(body).map_err(|error| CallError::Broken(format!("the request cannot be written as JSON: {error}")))?;
        understood(self.send(Method::POST, path, Payload::Json(json), key).await?)
    }

    /// PUT of a JSON body.
    pub async fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<Reply<T>, CallError> {
        let json =
            serde_json::to_vec(body).map_err(|error| CallError::Broken(format!("the request cannot be written as JSON: {error}")))?;
        understood(self.send(Method::PUT, path, Payload::Json(json), None).await?)
    }

    /// POST without a body.
    pub async fn post_empty<T: DeserializeOwned>(&self, path: &str) -> Result<Reply<T>, CallError> {
        understood(self.send(Method::POST, path, Payload::None, None).await?)
    }

    /// POST of CSV bytes.
    pub async fn post_csv<T: DeserializeOwned>(&self, path: &str, csv: &[u8]) -> Result<Reply<T>, CallError> {
        understood(self.send(Method::POST, path, Payload::Csv(csv), None).await?)
    }

    async fn send(&self, method: Method, path: &str, payload: Payload<'_>, key: Option<&str>) -> Result<Bytes, CallError> {
        let url = format!("{}{API}{path}", self.base);
        let mut request = Request::builder().method(method).uri(&url);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.text()));
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let (content_type, body) = match payload {
            Payload::None => (None, Bytes::new()),
            Payload::Json(json) => (Some("application/json"), Bytes::from(json)),
            Payload::Csv(csv) => (Some("text/csv"), Bytes::copy_from_slice(csv)),
        };
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let request = request.body(Full::new(body)).map_err(|error| CallError::Broken(format!("`{url}` cannot be asked for: {error}")))?;
        let answered = tokio::time::timeout(ANSWER_TIMEOUT, self.http.request(request)).await;
        let response = match answered {
            Err(_) => return Err(CallError::Broken(format!("{url} did not answer within {} s", ANSWER_TIMEOUT.as_secs()))),
            Ok(Err(error)) if error.is_connect() => return Err(CallError::NoHost(self.base.clone())),
            Ok(Err(error)) => return Err(CallError::Broken(format!("{url} broke off: {}", causes(&error)))),
            Ok(Ok(response)) => response,
        };
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| CallError::Broken(format!("the answer of {url} broke off: {error}")))?.to_bytes();
        if status.is_success() {
            return Ok(body);
        }
        Err(match serde_json::from_slice(&body) {
            Ok(problem) => CallError::Refused(Box::new(problem)),
            Err(_) => CallError::Broken(format!("{url} answered {status}, but not as a Bellwether host does")),
        })
    }
}

/// A value as one part of a query.
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// A query from the pairs that have a value.
pub fn query(pairs: &[(&str, Option<String>)]) -> String {
    let given: Vec<String> =
        pairs.iter().filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}={}", encode(value)))).collect();
    if given.is_empty() { String::new() } else { format!("?{}", given.join("&")) }
}

fn understood<T: DeserializeOwned>(raw: Bytes) -> Result<Reply<T>, CallError> {
    let value = serde_json::from_slice(&raw).map_err(|error| {
        CallError::Broken(format!("the host's answer is not understood ({error}); are host and command of one version?"))
    })?;
    Ok(Reply { raw, value })
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded() {
        let pairs = [("symbol", Some("BTC/USDT".to_owned())), ("limit", None), ("interval", Some("1h".to_owned()))];
        assert_eq!(query(&pairs), "?symbol=BTC%2FUSDT&interval=1h");
        assert_eq!(query(&[("limit", None)]), "");
    }

    #[test]
    fn only_plain_http_is_taken() {
        for (url, expected) in
            [("https://h", "asks for TLS"), ("h:1", "does not begin with"), ("ftp://h", "does not begin"), ("", "is not a URL")]
        {
            let error = Client::new(url, None).unwrap_err().to_string();
            assert!(error.contains(expected), "{url}: {error}");
        }
        assert_eq!(Client::new("http://127.0.0.1:1/", None).unwrap().url(), "http://127.0.0.1:1");
    }
}

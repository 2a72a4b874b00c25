//! Outgoing HTTP for alert handlers, over `wasi:http`.
//!
//! The host sends the request with its own client and only to origins the operator granted (`wants.http`). Failures come
//! back as the [`Error`] the host's retry understands: [`Error::Transient`] for what another try may cure (no
//! connection, a time-out, 408, 425, 429 and every 5xx), something else for what it cannot (a refused origin, any other status).
//! Redirects are not followed: they could lead to an origin nobody granted.
//!
//! Natively requests go to the responder `testing::respond_with` sets.
mod failure;
mod url;
#[cfg(target_family = "wasm")]
mod wire;

use std::time::Duration;

use serde::Serialize;

use crate::{Error, Result};

pub use failure::{Failure, FailureKind};
use url::Url;

/// Most bytes read of an answer; the rest is left unread.
pub const ANSWER_LIMIT: usize = 1 << 20;

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `GET`, `POST`, ...
    pub method: String,
    /// `https://host[:port]/path?query`.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Most time to connect, to the first byte and between bytes, each. The host's limit on the whole call stands above.
    pub timeout: Duration,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Names, in lower case, and values that are text.
    pub headers: Vec<(String, String)>,
    /// At most [`ANSWER_LIMIT`] bytes of the body.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The first header of a name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The response itself when its status is 2xx, else the error for it.
    pub fn success(self) -> Result<Response> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let start: String = self.text().chars().take(200).collect();
        let message = format!("the receiver answered {}: {}", self.status, start.trim());
        Err(match self.status {
            408 | 425 | 429 | 500..=599 => Error::transient(message),
            status => Error::other(format!("http-{status}"), message),
        })
    }
}

/// Sends a request and returns the answer whatever its status. Errors: [`Error::InvalidConfig`] for a bad URL or header
/// and for an origin that was not granted, [`Error::Transient`] where another try may succeed.
pub fn send(request: &Request) -> Result<Response> {
    let url = Url::parse(&request.url)?;
    if let Some((name, _)) = request.headers.iter().find(|(name, value)| !well_formed(name, value)) {
        return Err(Error::invalid_config(format!("`{}` is not a header that can be sent", name.escape_debug())));
    }
    let answer = exchange(request, &url);
    answer.map_err(|failure| failure.into_error(&url.origin()))
}

/// Posts a JSON document and returns the answer when its status is 2xx. `content-type` is set unless `headers` has one.
pub fn post_json(url: &str, headers: &[(&str, &str)], body: &impl Serialize, timeout: Duration) -> Result<Response> {
    let body = serde_json::to_vec(body).map_err(|error| Error::internal(format!("the body is no JSON: {error}")))?;
    let mut headers: Vec<(String, String)> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    send(&Request { method: "POST".to_owned(), url: url.to_owned(), headers, body, timeout })?.success()
}

/// A header name is a token and its value has no control character: a line break would start another header.
fn well_formed(name: &str, value: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(token) && value.bytes().all(|byte| byte == b'\t' || (byte >= 0x20 && byte != 0x7F))
}

#[cfg(target_family = "wasm")]
use wire::exchange;

#[cfg(not(target_family = "wasm"))]
fn exchange(request: &Request, _url: &Url) -> std::result::Result<Response, Failure> {
    crate::testing::answer(request)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Failure, FailureKind, Response, post_json};
    use crate::{Error, testing};

    #[test]
    fn failures_are_sorted_by_whether_another_try_helps() {
        let check = |answer: Result<u16, Failure>, expected: &str| {
            let answer = answer.map(|status| Response { status, headers: Vec::new(), body: b"busy".to_vec() });
            testing::respond_with(move |_| answer.clone());
            let found = match post_json("https://example.com/hook", &[], &1, Duration::from_secs(1)) {
                Ok(response) => format!("ok {}", response.status),
                Err(Error::Transient(message)) => format!("transient {message}"),
                Err(Error::InvalidConfig(message)) => format!("config {message}"),
                Err(Error::Other((code, message))) => format!("{code} {message}"),
                Err(other) => format!("{other:?}"),
            };
            assert!(found.starts_with(expected), "{found}");
        };
        check(Ok(204), "ok 204");
        check(Ok(503), "transient the receiver answered 503: busy");
        check(Ok(429), "transient");
        check(Ok(408), "transient");
        check(Ok(404), "http-404");
        check(Ok(301), "http-301");
        check(Err(Failure::new(FailureKind::Unreachable, "connection refused")), "transient https://example.com: connection refused");
        check(Err(Failure::new(FailureKind::Refused, "not granted")), "config");
        check(Err(Failure::new(FailureKind::Broken, "certificate expired")), "http-failed");
    }

    #[test]
    fn headers_cannot_smuggle_lines() {
        testing::respond_with(|_| Ok(Response { status: 200, headers: Vec::new(), body: Vec::new() }));
        let post = |name: &str, value: &str| post_json("https://example.com", &[(name, value)], &1, Duration::from_secs(1));
        assert!(post("x-a", "b").is_ok());
        assert!(matches!(post("x-a", "b\r\nx-c: d"), Err(Error::InvalidConfig(_))));
        assert!(matches!(post("x a", "b"), Err(Error::InvalidConfig(_))));
    }
}

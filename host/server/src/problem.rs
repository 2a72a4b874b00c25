//! Errors on the wire: RFC 9457 problem documents, and the one match from error kinds to HTTP statuses.
//!
//! What is sent and what is logged differ: the text of `Internal` never leaves. A handler returns a [`Problem`]; the
//! request-id middleware (`http::trace`) adds the `instance` and does the logging, so that each error is logged once.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bellwether_domain::Error;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Seconds after which an overloaded host may be asked again.
const RETRY_AFTER_SECONDS: u64 = 1;

/// What went wrong, as a problem document of RFC 9457 (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProblemDocument {
    /// `urn:bellwether:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong and how to mend it, for a person.
    pub detail: String,
    /// Stable, for machines: `not_found`, `already_exists`, `invalid`, `malformed`, `unauthorized`, `forbidden`, `conflict`,
    /// `too_large`, `overloaded`, `timeout`, `plugin_failed`, `unavailable`, `method_not_allowed`, `unsupported_media_type`, `internal`.
    pub code: String,
    /// The field, column, row or setting that is wrong, as the caller wrote it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// Id of the request, also in the header `x-request-id` and in the host's log.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instance: Option<String>,
}

/// An error answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    pub(crate) field: Option<String>,
    /// What is logged and not sent.
    pub(crate) hidden: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        Problem { status, code, detail: detail.into(), field: None, hidden: None }
    }

    pub(crate) fn unauthorized(detail: &str) -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    pub(crate) fn too_large(limit: u64) -> Problem {
        let size = bellwether_plugin::size::ByteSize(limit);
        let detail = format!("the body is larger than the limit of {size} ({limit} bytes); send less, or raise server.body_limit");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    /// The document, with the id of its request.
    pub(crate) fn document(&self, instance: Option<String>) -> ProblemDocument {
        ProblemDocument {
            kind: format!("urn:bellwether:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            code: self.code.to_owned(),
            field: self.field.clone(),
            instance,
        }
    }

    /// The response, with the id of its request.
    pub(crate) fn response(&self, instance: Option<String>) -> Response {
        let body = serde_json::to_vec(&self.document(instance)).expect("texts and a number are always JSON");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"bellwether\""));
        }
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.response(None);
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let code = error.code();
        let text = error.to_string();
        let status = match &error {
            Error::NotFound { .. } => StatusCode::NOT_FOUND,
            Error::AlreadyExists { .. } | Error::Conflict(_) => StatusCode::CONFLICT,
            Error::Invalid { field, why } => {
                let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, format!("{field}: {why}"));
                return Problem { field: Some(field.clone()), ..problem };
            }
            Error::Forbidden(_) => StatusCode::FORBIDDEN,
            Error::Overloaded(_) => StatusCode::TOO_MANY_REQUESTS,
            Error::Timeout(_) => StatusCode::GATEWAY_TIMEOUT,
            Error::Plugin { .. } => StatusCode::BAD_GATEWAY,
            Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Error::Internal(_) => {
                let problem =
                    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, code, "the host failed; its log says why, under the id in `instance`");
                return Problem { hidden: Some(text), ..problem };
            }
        };
        Problem::new(status, code, text)
    }
}

/// The answer to a path that is no route.
pub(crate) async fn no_route(uri: http::Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", format!("there is no path `{}` here; /openapi.json lists the paths", uri.path()))
}

/// The answer to a method that a route does not have.
pub(crate) async fn no_method(method: http::Method, uri: http::Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("`{}` does not take {method}; /openapi.json lists what it takes", uri.path()),
    )
}

/// Keeps the `allow` header of an answer whose body is replaced by a problem document.
pub(crate) fn keep_allow(from: &Response, to: &mut Response) {
    if let Some(allow) = from.headers().get(ALLOW) {
        to.headers_mut().insert(ALLOW, allow.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_domain::error::PluginFault;

    #[test]
    fn every_kind_has_its_status() {
        let check = |error: Error, status: u16, code: &str| {
            let problem = Problem::from(error);
            assert_eq!((problem.status.as_u16(), problem.code), (status, code));
        };
        check(Error::not_found("model", "x"), 404, "not_found");
        check(Error::AlreadyExists { what: "model", id: "x".into() }, 409, "already_exists");
        check(Error::invalid("limit", "is 0"), 422, "invalid");
        check(Error::Forbidden("no".into()), 403, "forbidden");
        check(Error::Conflict("rejected".into()), 409, "conflict");
        check(Error::Overloaded("queue".into()), 429, "overloaded");
        check(Error::Timeout("slow".into()), 504, "timeout");
        let fault = PluginFault::TimedOut(5);
        check(Error::Plugin { plugin: "ks".into(), function: "test".into(), fault }, 502, "plugin_failed");
        check(Error::Unavailable("disk full".into()), 503, "unavailable");
        check(Error::Internal("secret path".into()), 500, "internal");
    }

    #[test]
    fn internal_text_stays_inside_and_fields_go_out() {
        let inside = Problem::from(Error::Internal("secret path".into()));
        assert!(!serde_json::to_string(&inside.document(None)).unwrap().contains("secret"));
        assert_eq!(inside.hidden.as_deref(), Some("secret path"));
        let wrong = Problem::from(Error::invalid("limit", "is 0; it must be 1 to 1000")).document(Some("r1".into()));
        assert_eq!((wrong.field.as_deref(), wrong.instance.as_deref()), (Some("limit"), Some("r1")));
        assert_eq!(wrong.detail, "limit: is 0; it must be 1 to 1000");
    }

    #[test]
    fn headers_follow_the_status() {
        let overloaded = Problem::from(Error::Overloaded("queue".into())).into_response();
        assert_eq!(overloaded.headers()[RETRY_AFTER], "1");
        let unauthorized = Problem::unauthorized("no token").into_response();
        assert_eq!(unauthorized.headers()[WWW_AUTHENTICATE], "Bearer realm=\"bellwether\"");
        assert_eq!(unauthorized.headers()[CONTENT_TYPE], "application/problem+json");
    }
}

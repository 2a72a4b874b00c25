//! Around every request: an id, a span, a time limit, a net for panics, and the one place where an error answer is logged.

use std::any::Any;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bellwether_domain::Error;
use http::{HeaderMap, HeaderName, HeaderValue};
use rand::Rng;
use tracing::Instrument;

use crate::app::AppState;
use crate::problem::{self, Problem};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest request id taken from a caller.
const REQUEST_ID_LENGTH_MAX: usize = 64;

/// Gives the request an id (the caller's own, if it is a sane one), a span around its work, and its problem an `instance`.
pub(crate) async fn follow(request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let span = tracing::info_span!("request", request.id = %id, request.method = %request.method(), request.path = request.uri().path());
    let began = Instant::now();
    async move {
        let mut response = next.run(request).await;
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            log(&problem);
            let mut with_id = problem.response(Some(id.clone()));
            problem::keep_allow(&response, &mut with_id);
            response = with_id;
        }
        tracing::debug!(
            request.status = response.status().as_u16(),
            duration_ms = began.elapsed().as_secs_f64() * 1000.0,
            "a request was answered"
        );
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }
    .instrument(span)
    .await
}

/// Ends a request that takes longer than the limit; what it had acknowledged to itself stays.
pub(crate) async fn limit_time(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let limit = app.request_timeout;
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::from(Error::Timeout(format!(
            "the request took longer than {} s; ask for less, or raise server.request_timeout",
            limit.as_secs_f64()
        )))
        .into_response(),
    }
}

/// A handler panicked: the caller gets a problem document, the log gets the text.
pub(crate) fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response {
    let text = payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without a text".to_owned());
    Problem::from(Error::Internal(format!("a handler panicked: {text}"))).into_response()
}

fn log(problem: &Problem) {
    let (code, detail) = (problem.code, problem.detail.as_str());
    match &problem.hidden {
        Some(cause) => tracing::error!(problem.code = code, "{cause}"),
        None if problem.status.is_server_error() => tracing::warn!(problem.code = code, "{detail}"),
        None => tracing::debug!(problem.code = code, "{detail}"),
    }
}

fn request_id(headers: &HeaderMap) -> String {
    let sane = |text: &&str| {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        !text.is_empty() && text.len() <= REQUEST_ID_LENGTH_MAX && text.chars().all(allowed)
    };
    match headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(sane) {
        Some(given) => given.to_owned(),
        None => format!("{:032x}", rand::rng().random::<u128>()),
    }
}

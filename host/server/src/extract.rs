//! What handlers take from a request. Every refusal is a problem that names the field; nothing is read beyond the limit.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use bellwether_domain::Error;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::app::AppState;
use crate::explain;
use crate::problem::Problem;

/// How long a body over the limit is still read, so that its sender gets to read the answer.
const LINGER: Duration = Duration::from_secs(2);

/// Longest idempotency key.
const KEY_LENGTH_MAX: usize = 255;

/// A JSON body.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

/// A JSON body that may be absent.
#[derive(Debug)]
pub(crate) struct OptionalJson<T>(pub(crate) T);

/// The query string. Unknown parameters are refused.
#[derive(Debug)]
pub(crate) struct QueryOf<T>(pub(crate) T);

/// The query string of a route that takes none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParameters {}

/// The header `idempotency-key`.
#[derive(Debug)]
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        if !is_json(&parts.headers) {
            return Err(unsupported("application/json"));
        }
        parse(&collect(&parts.headers, body, app.body_limit).await?).map(JsonBody)
    }
}

impl<T: DeserializeOwned + Default> FromRequest<AppState> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = collect(&parts.headers, body, app.body_limit).await?;
        match bytes.is_empty() {
            true => Ok(OptionalJson(T::default())),
            false if is_json(&parts.headers) => parse(&bytes).map(OptionalJson),
            false => Err(unsupported("application/json")),
        }
    }
}

impl<T: DeserializeOwned> FromRequestParts<AppState> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(QueryOf(query)),
            Err(rejection) => Err(explain::rejected(&rejection.body_text()).into()),
        }
    }
}

impl FromRequestParts<AppState> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(IdempotencyKey(None)) };
        let key = value.to_str().ok().map(str::trim).filter(|key| !key.is_empty() && key.len() <= KEY_LENGTH_MAX);
        match key {
            Some(key) => Ok(IdempotencyKey(Some(key.to_owned()))),
            None => {
                let why = format!("must have 1 to {KEY_LENGTH_MAX} visible ASCII characters");
                Err(Error::invalid("idempotency-key", why).into())
            }
        }
    }
}

/// JSON bytes as a value.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // serde would take the fields of an object from an array in their order, which nobody means.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Error::invalid("body", "is an array; it must be an object").into());
    }
    match Json::<T>::from_bytes(bytes) {
        Ok(Json(value)) => Ok(value),
        Err(rejection) if rejection.status() == StatusCode::UNPROCESSABLE_ENTITY => Err(explain::rejected(&rejection.body_text()).into()),
        Err(rejection) => {
            let text = rejection.body_text();
            let detail = text.rsplit_once("JSON: ").map_or(text.as_str(), |(_, detail)| detail);
            Err(Problem::malformed(format!("the body is not JSON: {detail}")))
        }
    }
}

/// A whole body, at most `limit` bytes of it.
pub(crate) async fn collect(headers: &HeaderMap, mut body: Body, limit: u64) -> Result<Vec<u8>, Problem> {
    let declared: Option<u64> = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    if declared.is_some_and(|length| length > limit) {
        linger(body, limit).await;
        return Err(Problem::too_large(limit));
    }
    let mut bytes = Vec::with_capacity(declared.unwrap_or(0).min(1 << 20) as usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::malformed(format!("the body ended early: {error}")))?;
        if let Ok(data) = frame.into_data() {
            if (bytes.len() + data.len()) as u64 > limit {
                linger(body, limit).await;
                return Err(Problem::too_large(limit));
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}

/// The media type of a body, without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The answer to a body of another media type.
pub(crate) fn unsupported(wanted: &str) -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        format!("the body must be {wanted}; set the header `content-type`"),
    )
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = media_type(headers);
    media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

/// Reads on without keeping anything: a connection closed on a sender in mid-sentence would lose the answer.
async fn linger(mut body: Body, most: u64) {
    let mut read = 0;
    let rest = async {
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, |data| data.len() as u64);
            if read > most {
                break;
            }
        }
    };
    // Whether it ended or the time did makes no difference to the answer.
    drop(tokio::time::timeout(LINGER, rest).await);
}

//! One exchange over `wasi:http`.
use std::time::Duration;

use super::url::Url;
use super::{ANSWER_LIMIT, Failure, FailureKind, Request, Response};
use crate::bindings::http::wasi::http::outgoing_handler::handle;
use crate::bindings::http::wasi::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use crate::bindings::http::wasi::io::streams::StreamError;

/// What `blocking-write-and-flush` takes at most.
const WRITE: usize = 4096;

/// Sends and waits for the answer.
pub(super) fn exchange(request: &Request, url: &Url) -> Result<Response, Failure> {
    let outgoing = compose(request, url)?;
    let body = outgoing.body().map_err(|()| broken("the request has no body to write"))?;
    let waiting = handle(outgoing, Some(options(request.timeout))).map_err(|code| failed(&code))?;
    // A request that is refused, or answered early, closes its body: what became of it says the answer, not the writing.
    let written = write(body, &request.body);
    waiting.subscribe().block();
    let answer = waiting.get().ok_or_else(|| broken("no answer though it was announced"))?;
    match answer.map_err(|()| broken("the answer was taken twice"))? {
        Ok(answer) => {
            if let Err(failure) = written {
                crate::log::debug(&format!("answered before the whole request was sent: {}", failure.message));
            }
            read(&answer)
        }
        Err(code) => Err(failed(&code)),
    }
}

fn compose(request: &Request, url: &Url) -> Result<OutgoingRequest, Failure> {
    let fields = Fields::new();
    for (name, value) in &request.headers {
        fields.append(name, value.as_bytes()).map_err(|error| refused(format!("header `{name}`: {error}")))?;
    }
    // With its length known a body is sent whole, not in chunks, which some receivers do not take.
    if !request.body.is_empty() && !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
        let length = request.body.len().to_string();
        fields.append("content-length", length.as_bytes()).map_err(|error| refused(format!("the length of the body: {error}")))?;
    }
    let outgoing = OutgoingRequest::new(fields);
    let method = match request.method.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        other => Method::Other(other.to_owned()),
    };
    let scheme = if url.secure { Scheme::Https } else { Scheme::Http };
    outgoing.set_method(&method).map_err(|()| refused(format!("`{}` is not a method", request.method)))?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| refused("the scheme".to_owned()))?;
    outgoing.set_authority(Some(&url.authority)).map_err(|()| refused(format!("`{}` is not an authority", url.authority)))?;
    outgoing.set_path_with_query(Some(&url.path)).map_err(|()| refused(format!("`{}` is not a path", url.path)))?;
    Ok(outgoing)
}

/// Time-outs are wishes: a host that does not take one bounds the call by itself.
fn options(timeout: Duration) -> RequestOptions {
    let nanoseconds = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
    let options = RequestOptions::new();
    let wishes = [
        options.set_connect_timeout(Some(nanoseconds)),
        options.set_first_byte_timeout(Some(nanoseconds)),
        options.set_between_bytes_timeout(Some(nanoseconds)),
    ];
    if wishes.iter().any(Result::is_err) {
        crate::log::debug("the host takes no time-outs for requests");
    }
    options
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), Failure> {
    {
        let stream = body.write().map_err(|()| broken("the body was taken twice"))?;
        for part in bytes.chunks(WRITE) {
            stream.blocking_write_and_flush(part).map_err(|error| unreachable(format!("sending the body: {error}")))?;
        }
        // The stream is a child of the body and must be gone before the body is finished.
    }
    OutgoingBody::finish(body, None).map_err(|code| failed(&code))
}

fn read(answer: &IncomingResponse) -> Result<Response, Failure> {
    let status = answer.status();
    let headers = answer.headers().entries();
    let headers =
        headers.into_iter().filter_map(|(name, value)| Some((name.to_ascii_lowercase(), String::from_utf8(value).ok()?))).collect();
    let incoming = answer.consume().map_err(|()| broken("the answer's body was taken twice"))?;
    let stream = incoming.stream().map_err(|()| broken("the answer's body was taken twice"))?;
    let mut body = Vec::new();
    while body.len() < ANSWER_LIMIT {
        match stream.blocking_read((ANSWER_LIMIT - body.len()).min(1 << 16) as u64) {
            Ok(part) => body.extend(part),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(unreachable(format!("reading the answer: {}", error.to_debug_string())));
            }
        }
    }
    Ok(Response { status, headers, body })
}

fn failed(code: &ErrorCode) -> Failure {
    let kind = match code {
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTerminated
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::HttpResponseIncomplete
        | ErrorCode::HttpResponseTimeout
        | ErrorCode::InternalError(_) => FailureKind::Unreachable,
        ErrorCode::DestinationIpProhibited | ErrorCode::DestinationIpUnroutable | ErrorCode::HttpRequestDenied => FailureKind::Refused,
        // The rest say how a message or a certificate is wrong: sending it again changes nothing.
        _ => FailureKind::Broken,
    };
    Failure::new(kind, code.to_string())
}

fn unreachable(message: String) -> Failure {
    Failure::new(FailureKind::Unreachable, message)
}

fn refused(message: String) -> Failure {
    Failure::new(FailureKind::Refused, message)
}

fn broken(message: &str) -> Failure {
    Failure::new(FailureKind::Broken, message)
}

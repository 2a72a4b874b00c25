//! A receiver on loopback that an alert handler's case may reach: it answers as the case says and keeps what it was sent.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) use super::format::Answer;

/// Largest body kept, in bytes.
const BODY: usize = 16 << 20;

/// Most requests kept.
const KEPT: usize = 1_000;

/// Listens until it is dropped.
#[derive(Debug)]
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    answer: Mutex<Answer>,
    requests: Mutex<Vec<Value>>,
}

impl Receiver {
    /// Listens on a free port.
    pub(crate) async fn start() -> std::io::Result<Receiver> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        Ok(Receiver { address, shared: shared.clone(), serving: tokio::spawn(serve(listener, shared)) })
    }

    /// What a plugin must be granted to reach it.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How it answers from now on.
    pub(crate) fn answer_with(&self, answer: &Answer) {
        *self.shared.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer.clone();
    }

    /// What it was sent, as `{method, path, headers, body}`; a body that is JSON is there as such.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with the set they are in, which ends with this task.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        let service = service_fn(move |request| {
            let shared = shared.clone();
            async move { Ok::<_, Infallible>(receive(&shared, request).await) }
        });
        connections.spawn(async move {
            if let Err(error) = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!("a case's connection ended: {error}");
            }
        });
    }
}

async fn receive(shared: &Shared, request: hyper::Request<Incoming>) -> hyper::Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY).collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned()));
    let headers: Map<String, Value> = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), Value::String(String::from_utf8_lossy(value.as_bytes()).into_owned())))
        .collect();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    {
        let mut requests = shared.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() < KEPT {
            requests.push(json!({"method": head.method.as_str(), "path": path, "headers": headers, "body": body}));
        }
    }
    let answer = shared.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut builder = hyper::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        builder = builder.header(name, value);
    }
    // Status and headers were checked when the case was read.
    builder.body(Full::new(Bytes::from(answer.body_text()))).unwrap_or_default()
}

//! A receiver of alerts on a free local port: what a desk's chat or pager would be.

use axum::Router;
use axum::routing::post;
use bellwether_domain::Result;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::ServerConfig;
use crate::listen;

/// Alerts kept until the demo looks.
const KEPT: usize = 64;

/// Listens for alerts.
#[derive(Debug)]
pub(crate) struct Receiver {
    address: std::net::SocketAddr,
    received: tokio::sync::Mutex<mpsc::Receiver<Value>>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// Listens on a free port of the loopback address.
    pub(crate) async fn start() -> Result<Receiver> {
        let listener = listen::bind(([127, 0, 0, 1], 0).into()).await?;
        let address = listener.local_addr().map_err(bellwether_domain::Error::internal)?;
        let (sender, received) = mpsc::channel(KEPT);
        let router = Router::new().route(
            "/alerts",
            post(move |axum::Json(alert): axum::Json<Value>| async move {
                match sender.try_send(alert) {
                    Ok(()) => http::StatusCode::NO_CONTENT,
                    Err(_) => http::StatusCode::SERVICE_UNAVAILABLE,
                }
            }),
        );
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let serving = tokio::spawn(async move { listen::serve(listener, router, &ServerConfig::default(), stopped).await });
        Ok(Receiver { address, received: tokio::sync::Mutex::new(received), stop, serving })
    }

    /// What a plugin must be granted to reach it.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where alerts are posted to.
    pub(crate) fn url(&self) -> String {
        format!("{}/alerts", self.origin())
    }

    /// The next alert; none when nothing comes any more.
    pub(crate) async fn next(&self) -> Option<Value> {
        self.received.lock().await.recv().await
    }

    /// Stops listening.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.serving.await {
            tracing::warn!(%error, "the receiver ended badly");
        }
    }
}

//! The accept loop: bounded connections, bounded heads, a graceful end.
//!
//! HTTP/1 only: telling HTTP/2 apart without TLS means reading the first bytes before any time limit of hyper's begins, so
//! that a connection which sends nothing would stay for ever.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bellwether_domain::{Error, Result};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::ServerConfig;

/// Pause after a failed accept (the process is out of file descriptors, say), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Takes an address. Errors: `Unavailable` naming it, with what to do.
pub async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let fix = match error.kind() {
            ErrorKind::AddrInUse => {
                "another program (perhaps another bellwether) listens there; stop it, or choose another port with --bind or server.bind"
            }
            ErrorKind::PermissionDenied => "ports below 1024 need special rights; choose another with --bind or server.bind",
            ErrorKind::AddrNotAvailable => "this machine does not have that address; choose one it has with --bind or server.bind",
            _ => "choose another address with --bind or server.bind",
        };
        Error::Unavailable(format!("cannot listen on {address}: {error}; {fix}"))
    })
}

/// Serves until `stop`: then takes no more connections, lets requests under way finish within the grace period, and returns.
pub async fn serve(listener: TcpListener, router: Router, config: &ServerConfig, stop: CancellationToken) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(config.header_timeout.0).max_buf_size(HEAD_BYTES_MAX);
    let permits = Arc::new(Semaphore::new(config.max_connections));
    let (graceful, tasks) = (GracefulShutdown::new(), TaskTracker::new());
    loop {
        // A connection over the bound waits in the kernel's queue, unaccepted.
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            permit = permits.clone().acquire_owned() => permit.expect("the semaphore is never closed"),
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = connection(&builder, stream, router.clone(), &graceful);
        tasks.spawn(async move {
            connection.await;
            drop(permit);
        });
    }
    drop(listener);
    tasks.close();
    let finished = async {
        graceful.shutdown().await;
        tasks.wait().await;
    };
    if tokio::time::timeout(config.shutdown_grace.0, finished).await.is_err() {
        tracing::warn!("requests were still under way after {}; they are cut off", config.shutdown_grace);
    }
}

fn connection(
    builder: &http1::Builder,
    stream: TcpStream,
    router: Router,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + use<> {
    // Answers are small and complete: waiting to fill a packet only adds latency.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps Nagle's delay");
    }
    let served = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let watched = graceful.watch(served);
    async move {
        if let Err(error) = watched.await {
            tracing::debug!(error = %error, "a connection ended early");
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::AsyncReadExt;
    use tokio::sync::Notify;

    use super::*;
    use crate::client::{CallError, Client};

    #[tokio::test]
    async fn an_address_in_use_is_named_with_the_fix() {
        let first = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = first.local_addr().unwrap();
        let error = bind(address).await.unwrap_err();
        assert_eq!(error.code(), "unavailable");
        assert!(error.to_string().contains(&address.to_string()) && error.to_string().contains("--bind"), "{error}");
    }

    #[tokio::test]
    async fn a_connection_that_sends_nothing_is_closed() {
        let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = ServerConfig { header_timeout: "50ms".parse().unwrap(), ..ServerConfig::default() };
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let serving = tokio::spawn(async move { serve(listener, Router::new(), &config, stopping).await });
        let mut silent = TcpStream::connect(address).await.unwrap();
        let mut answer = Vec::new();
        // Returns when the host closes the connection; the outer limit only keeps a broken host from hanging the test.
        let closed = tokio::time::timeout(Duration::from_secs(20), silent.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "the connection stays open");
        stop.cancel();
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn a_stop_lets_requests_finish_and_takes_no_more() {
        let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (seen, gate) = (begun.clone(), release.clone());
        let wait = get(move || async move {
            seen.notify_one();
            gate.notified().await;
            axum::Json(7)
        });
        let router = Router::new().route("/mlops/api/wait", wait);
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let serving = tokio::spawn(async move { serve(listener, router, &ServerConfig::default(), stopping).await });
        let client = Client::new(&url, None).unwrap();
        let asked = tokio::spawn({
            let client = client.clone();
            async move { client.get::<u32>("/wait").await }
        });
        begun.notified().await;
        stop.cancel();
        release.notify_one();
        assert_eq!(asked.await.unwrap().unwrap().value, 7);
        serving.await.unwrap();
        assert!(matches!(client.get::<u32>("/wait").await, Err(CallError::NoHost(_))));
    }
}

//! A host tied to a listener: started in one call, stopped in one call. `serve` and `demo` are two ways to use it.

use std::net::SocketAddr;
use std::path::Path;

use bellwether_domain::{Error, Result};
use bellwether_engine::{Clock, Host};
use bellwether_plugin::Bundled;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::{App, AppState};
use crate::auth::{self, KeptToken};
use crate::config::Settings;
use crate::{listen, router};

/// A host that answers over HTTP.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What requests must carry.
    pub token: KeptToken,
    /// The host.
    pub host: Host,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Running {
    /// Takes the address, opens the host, makes the token if there is none, serves.
    /// Errors: `Unavailable` for an address or folder in use; those of `Host::open`.
    pub async fn start(settings: &Settings, bundled: &[Bundled]) -> Result<Running> {
        // The address first: a host that cannot be reached need not take up its jobs.
        let listener = listen::bind(settings.server.bind).await?;
        Running::start_on(listener, settings, bundled).await
    }

    /// The same on an address that is taken already.
    pub async fn start_on(listener: TcpListener, settings: &Settings, bundled: &[Bundled]) -> Result<Running> {
        let address = listener.local_addr().map_err(Error::internal)?;
        let host = Host::open(settings.host.clone(), Clock::system(), bundled).await?;
        let token = match auth::keep(&settings.token_file()) {
            Ok(token) => token,
            Err(error) => {
                host.close().await?;
                return Err(error);
            }
        };
        let app = AppState::new(App {
            host: host.clone(),
            token: token.token.clone(),
            body_limit: settings.server.body_limit.0,
            request_timeout: settings.server.request_timeout.0,
        });
        let stop = CancellationToken::new();
        let (server, stopped) = (settings.server.clone(), stop.clone());
        let router = router(app);
        let serving = tokio::spawn(async move { listen::serve(listener, router, &server, stopped).await });
        Ok(Running { address, token, host, stop, serving })
    }

    /// Takes no more connections, lets requests under way finish, then closes the host.
    pub async fn stop(self) -> Result<()> {
        self.stop.cancel();
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the server ended badly");
        }
        self.host.close().await
    }
}

/// The plugins inside this binary.
pub fn bundled() -> Vec<Bundled> {
    bellwether_bundle::PLUGINS.iter().map(|(manifest, component)| Bundled { manifest, component }).collect()
}

/// The program that trains: this one, by another command.
pub fn worker(program: &Path) -> Vec<String> {
    vec![program.to_string_lossy().into_owned(), "train-worker".to_owned()]
}

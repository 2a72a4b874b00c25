//! What every handler is given: the host, the token, the bounds on requests.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use bellwether_engine::Host;

use crate::auth::Token;

/// The state behind the router.
#[derive(Debug)]
pub struct App {
    /// The host that does the work.
    pub host: Host,
    /// What a request must carry.
    pub token: Token,
    /// Most bytes of a body.
    pub body_limit: u64,
    /// Longest time from a request's head to its answer.
    pub request_timeout: Duration,
}

/// The state as handlers take it.
#[derive(Debug, Clone)]
pub struct AppState(Arc<App>);

impl AppState {
    /// Shares an [`App`].
    pub fn new(app: App) -> AppState {
        AppState(Arc::new(app))
    }
}

impl Deref for AppState {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}

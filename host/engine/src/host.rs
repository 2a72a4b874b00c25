//! The one value that owns everything: stores, plugins, clock, background work. Built from one `Config`.

use std::sync::Arc;

use bellwether_domain::Result;
use bellwether_plugin::{Bundled, PluginHost};

use crate::{Clock, Config};

/// A running host. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Host {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {}

impl Host {
    /// Locks the data folder, opens the stores, loads the plugins, takes up jobs, rollouts and deliveries that were under
    /// way, and starts background work. Errors: see `DataFolder::open`, `Records::open`, `PluginHost::open`, `Config::check`.
    pub async fn open(config: Config, clock: Clock, bundled: &[Bundled]) -> Result<Host> {
        let _ = (config, clock, bundled, &Inner {});
        todo!()
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        todo!()
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        todo!()
    }

    /// The plugins.
    pub fn plugins(&self) -> &PluginHost {
        let _ = &self.inner;
        todo!()
    }

    /// `Ok` when predictions can be answered and jobs taken; `Unavailable` with the reason when not (disk nearly full, closing).
    pub async fn ready(&self) -> Result<()> {
        todo!()
    }

    /// Stops: takes no more work, kills training children (their jobs go back to the queue), lets deliveries and
    /// predictions under way finish, writes what is pending.
    pub async fn close(&self) -> Result<()> {
        todo!()
    }
}

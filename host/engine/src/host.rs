//! The one value that owns everything: stores, plugins, clock, background work. Built from one `Config`.

use std::sync::Arc;
use std::time::Duration;

use bellwether_domain::{Error, Result};
use bellwether_plugin::{Bundled, PluginHost, PluginsConfig};
use bellwether_store::{BarStore, Blobs, DataFolder, PredictionLog, Records};

use crate::records::PluginWord;
use crate::serving::Serving;
use crate::tasks::Tasks;
use crate::training::Board;
use crate::{Clock, Config};

/// Below this many free bytes no new work is taken.
const FREE_BYTES_MIN: u64 = 64 << 20;

/// How long `close` waits for work under way.
const GRACE: Duration = Duration::from_secs(10);

/// A running host. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Host {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) folder: DataFolder,
    pub(crate) records: Records,
    pub(crate) blobs: Blobs,
    pub(crate) bars: BarStore,
    pub(crate) predictions: PredictionLog,
    pub(crate) plugins: PluginHost,
    pub(crate) tasks: Tasks,
    pub(crate) board: Board,
    pub(crate) serving: Serving,
    /// Held from the end of a rollout's record to the swap of the table, and while another begins: who begins one sees both or neither.
    pub(crate) rollout_turn: tokio::sync::Mutex<()>,
    /// Held while what is said of a plugin is tried and kept.
    pub(crate) plugin_turn: tokio::sync::Mutex<()>,
}

impl Host {
    /// Locks the data folder, opens the stores, loads the plugins, takes up jobs, rollouts and deliveries that were under
    /// way, and starts background work. Errors: see `DataFolder::open`, `Records::open`, `PluginHost::open`, `Config::check`.
    pub async fn open(config: Config, clock: Clock, bundled: &[Bundled]) -> Result<Host> {
        config.check()?;
        let folder = DataFolder::open(&config.data.folder)?;
        let path = folder.path().to_owned();
        let (records_path, predictions_path) = (path.join("records"), path.join("predictions"));
        let (records, predictions) =
            tokio::try_join!(Records::open(&records_path), PredictionLog::open(&predictions_path, config.data.prediction_log_bytes),)?;
        let plugins = PluginsConfig {
            cache: path.join("plugin-cache"),
            now_ms: Some(crate::clock::system_ms),
            said: PluginWord::all(&records).await?,
            ..config.plugins.clone()
        };
        let plugins = PluginHost::open(plugins, bundled).await?;
        let inner = Inner {
            blobs: Blobs::folder(&path.join("blobs"))?,
            bars: BarStore::open(&path.join("bars"))?,
            board: Board::default(),
            serving: Serving::new(&config.serving),
            tasks: Tasks::default(),
            rollout_turn: tokio::sync::Mutex::default(),
            plugin_turn: tokio::sync::Mutex::default(),
            config,
            clock,
            folder,
            records,
            predictions,
            plugins,
        };
        let host = Host { inner: Arc::new(inner) };
        host.check_names()?;
        host.load_endpoints().await?;
        host.resume_training().await?;
        host.resume_rollouts().await?;
        host.resume_deliveries().await?;
        Ok(host)
    }

    /// Settings that name plugins name ones that exist.
    fn check_names(&self) -> Result<()> {
        let config = self.config();
        for test in &config.monitoring.drift_tests {
            self.or_switched_off(test, self.plugins().drift_test(test).map(drop))?;
        }
        let strategy = &config.deployment.default_strategy;
        self.or_switched_off(strategy, self.plugins().strategy(strategy).map(drop))
    }

    /// What was switched off while a host ran is no reason not to start: it could never be switched on again.
    fn or_switched_off(&self, name: &str, found: Result<()>) -> Result<()> {
        match found {
            Err(Error::Unavailable(why)) if self.plugins().said(name).is_ok_and(|said| said.enabled == Some(false)) => {
                tracing::warn!(plugin.name = name, "the settings name it, but {why}");
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The plugins.
    pub fn plugins(&self) -> &PluginHost {
        &self.inner.plugins
    }

    /// `Ok` when predictions can be answered and jobs taken; `Unavailable` with the reason when not (disk nearly full, closing).
    #[expect(clippy::unused_async, reason = "a record store on another machine will be asked here")]
    pub async fn ready(&self) -> Result<()> {
        if self.inner.tasks.is_stopping() {
            return Err(Error::Unavailable("the host is stopping".to_owned()));
        }
        let free = self.inner.folder.free_bytes()?;
        if free < FREE_BYTES_MIN {
            let folder = self.inner.folder.path().display();
            return Err(Error::Unavailable(format!("the disk of {folder} has {free} bytes left; at least {FREE_BYTES_MIN} are needed")));
        }
        Ok(())
    }

    /// Stops: takes no more work, kills training children (their jobs go back to the queue), lets deliveries and
    /// predictions under way finish, writes what is pending.
    pub async fn close(&self) -> Result<()> {
        if !self.inner.tasks.stop(GRACE).await {
            tracing::warn!("some background work did not end within {GRACE:?}");
        }
        self.inner.plugins.close().await;
        self.inner.records.close().await
    }
}

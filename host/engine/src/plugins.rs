//! Plugins while the host runs: switched, configured, looked at again. What is said of an instance is kept, and stands above
//! the settings' file after a restart too.

use std::sync::Arc;

use bellwether_domain::time::Timestamp;
use bellwether_domain::{Error, Result};
use bellwether_plugin::{PluginInfo, Said};
use bellwether_store::{Transaction, Versioned};
use serde_json::{Map, Value};

use crate::Host;
use crate::host::Inner;
use crate::records::PluginWord;

/// The configuration of one plugin instance, by layer.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginConfig {
    /// The instance's name.
    pub name: String,
    /// In force: the layers one over the other, defaults of the schema under them.
    pub config: Value,
    /// What the plugin's manifest says.
    pub manifest: Value,
    /// What the settings' file says.
    pub file: Value,
    /// What was set while a host ran; it stands above the others.
    pub set: Map<String, Value>,
    /// Counts up with every change of what was set; 0 when nothing ever was.
    pub version: u64,
    /// When it was set.
    pub changed_at: Option<Timestamp>,
}

impl Host {
    /// Puts an instance in service or takes it out of it, from now on. Errors: `NotFound` with the near match.
    pub async fn enable_plugin(&self, name: &str, enabled: bool) -> Result<PluginInfo> {
        self.say_of_plugin(name, None, move |said| said.enabled = Some(enabled)).await
    }

    /// The configuration of an instance. Errors: `NotFound` with the near match.
    pub async fn plugin_config(&self, name: &str) -> Result<PluginConfig> {
        let info = self.plugins().inspect(name)?;
        let [manifest, file, _] = self.plugins().config_layers(name)?;
        let kept = self.inner.word_of(&info.name).await?;
        let (version, changed_at) = kept.map_or((0, None), |kept| (kept.version, Some(kept.value.changed_at)));
        let set = self.plugins().said(name)?.config;
        Ok(PluginConfig { name: info.name, config: info.config, manifest, file, set, version, changed_at })
    }

    /// Sets what stands above manifest and file, in place of what was set before. `version` is the one that was read, if the
    /// change is to be refused when another came first. Errors: `NotFound`; `Invalid` with field `config.<path>`; `Conflict`.
    pub async fn set_plugin_config(&self, name: &str, config: Map<String, Value>, version: Option<u64>) -> Result<PluginConfig> {
        self.say_of_plugin(name, version, move |said| said.config = config).await?;
        self.plugin_config(name).await
    }

    /// A task of its own, so that a caller who goes away leaves what is said and what is kept the same.
    async fn say_of_plugin(&self, name: &str, version: Option<u64>, change: impl FnOnce(&mut Said) + Send + 'static) -> Result<PluginInfo> {
        let (inner, name) = (self.inner.clone(), name.to_owned());
        let saying = tokio::spawn(async move { say(&inner, &name, version, change).await });
        saying.await.map_err(Error::internal)?
    }
}

impl Inner {
    async fn word_of(&self, name: &str) -> Result<Option<Versioned<PluginWord>>> {
        self.records.of::<PluginWord>().get(&PluginWord::key_of(name)).await
    }
}

async fn say(inner: &Arc<Inner>, name: &str, version: Option<u64>, change: impl FnOnce(&mut Said)) -> Result<PluginInfo> {
    let _turn = inner.plugin_turn.lock().await;
    let name = inner.plugins.inspect(name)?.name;
    let kept = inner.word_of(&name).await?;
    let now = kept.as_ref().map_or(0, |kept| kept.version);
    if let Some(read) = version.filter(|read| *read != now) {
        return Err(Error::Conflict(format!("what is set of plugin `{name}` has version {now}, not {read}: read it again")));
    }
    let before = inner.plugins.said(&name)?;
    let mut said = kept.as_ref().map_or_else(|| before.clone(), |kept| kept.value.said.clone());
    change(&mut said);
    // First tried, then kept: what does not fit is not there after a restart either.
    let info = inner.plugins.say(&name, said.clone()).await?;
    let word = PluginWord { name: name.clone(), said, changed_at: inner.clock.now() };
    let mut transaction = Transaction::new();
    let written = match kept {
        Some(kept) => transaction.update(kept.version, &word),
        None => transaction.insert(&word),
    };
    let committed = match written {
        Ok(()) => inner.records.commit(transaction).await,
        Err(error) => Err(error),
    };
    if let Err(error) = committed {
        inner.plugins.say(&name, before).await?;
        return Err(error);
    }
    tracing::info!(plugin.name = name, plugin.enabled = ?word.said.enabled, "what is said of the plugin was changed");
    Ok(info)
}

//! `bellwether plugin check`: loads one plugin folder the way a host would and tries it on hostile input.

use std::path::Path;

use bellwether_domain::Result;
use serde::Serialize;

use crate::PluginsConfig;

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What was tried.
    pub what: String,
    /// It held.
    pub passed: bool,
    /// What happened.
    pub detail: String,
}

/// Checks the plugin in `folder` (a `plugin.toml` and its component): manifest, component, contract version, exports,
/// imports against wants, `describe`, schema, determinism, and per kind a few calls on ordinary and hostile input.
pub async fn check(folder: &Path, config: &PluginsConfig) -> Result<Vec<Finding>> {
    let _ = (folder, config);
    todo!()
}

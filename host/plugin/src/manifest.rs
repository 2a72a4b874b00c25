//! `plugin.toml`, written by a plugin's author: what it is, what it wants, what it needs.

use std::path::Path;

use bellwether_domain::Result;
use serde::{Deserialize, Serialize};

use crate::size::{ByteSize, Span};

/// Which of the plugin worlds a component implements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A model type.
    Model,
    /// A two-sample drift test.
    DriftTest,
    /// A streaming drift detector.
    DriftDetector,
    /// An alert handler.
    AlertHandler,
    /// A deployment strategy.
    DeploymentStrategy,
}

/// A manifest. Unknown keys are errors with a suggestion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name, also what `describe` answers: lower-case letters, digits and `-`.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// The kind.
    pub kind: Kind,
    /// The component's file, beside the manifest.
    pub component: String,
    /// Version of the contract it was built against, `0.1.0`.
    pub contract: String,
    /// SPDX licence.
    pub licence: String,
    /// One sentence.
    #[serde(default)]
    pub summary: String,
    /// Configuration unless the operator says otherwise.
    #[serde(default)]
    pub config: toml::Table,
    /// Capabilities it wants; nothing here is granted by itself.
    #[serde(default)]
    pub wants: Wants,
    /// Limits it wishes for; the operator's ceiling stands above.
    #[serde(default)]
    pub limits: WantedLimits,
}

/// Capabilities a plugin asks for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wants {
    /// Outgoing HTTP: origins (`https://hooks.example.com`), or `configured` for those the operator will name.
    pub http: Vec<String>,
    /// Secrets, by name.
    pub secrets: Vec<String>,
    /// The time.
    pub clock: bool,
}

/// Limits a plugin wishes for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WantedLimits {
    /// Linear memory.
    pub memory: Option<ByteSize>,
    /// Time per call.
    pub call_timeout: Option<Span>,
    /// Bytes an answer may have.
    pub output: Option<ByteSize>,
    /// Calls at once.
    pub concurrency: Option<u32>,
}

impl Manifest {
    /// Reads a manifest's text. Errors name the key, with the near match for an unknown one.
    pub fn parse(text: &str) -> Result<Manifest> {
        let _ = text;
        todo!()
    }

    /// Reads `plugin.toml` in a plugin's folder.
    pub fn read(folder: &Path) -> Result<Manifest> {
        let _ = folder;
        todo!()
    }
}

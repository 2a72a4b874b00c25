//! What the operator says of plugins: the `[plugins]` part of `bellwether.toml`.
#![expect(unpredictable_function_pointer_comparisons, reason = "equality is for tests; a clock taken for another one is harmless there")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::size::{ByteSize, Span};

/// Everything the operator says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginsConfig {
    /// Folders whose sub-folders with a `plugin.toml` are loaded.
    pub folders: Vec<PathBuf>,
    /// Packed plugins: files, and references to registries pinned by digest (`registry.example.com/desk/mmd@sha256:…`).
    pub packed: Vec<String>,
    /// What is done with plugins of folders that none of `trust` signed.
    pub signatures: Signatures,
    /// Whose signatures are believed.
    pub trust: Vec<Trusted>,
    /// How often the folders are looked at for new, changed and vanished plugins; `0s` never.
    pub watch: Span,
    /// What no plugin exceeds.
    pub ceiling: Ceiling,
    /// Named instances, and grants, limits and configuration for plugins of that name.
    pub instance: Vec<Instance>,
    /// What was said of instances while a host ran, by name; it stands above `instance`. Not a setting of the file.
    #[serde(skip)]
    pub said: BTreeMap<String, Said>,
    /// Load only these instances (a training worker needs one); all when empty. Not a setting of the file.
    #[serde(skip)]
    pub only: Vec<String>,
    /// Folder of compiled components. Not a setting of the file.
    #[serde(skip)]
    pub cache: PathBuf,
    /// The time in milliseconds since 1970-01-01T00:00:00Z, for plugins granted `clock`. Not a setting of the file.
    #[serde(skip)]
    pub now_ms: Option<fn() -> i64>,
    /// What `env:NAME` of a granted secret is looked up in. Not a setting of the file.
    #[serde(skip)]
    pub environment: BTreeMap<String, String>,
}

/// What is done with plugins nobody trusted signed. Those inside the binary need no signature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signatures {
    /// Nothing.
    #[default]
    Off,
    /// They are loaded, and it is told as their problem.
    Warn,
    /// They are refused.
    Require,
}

/// Someone whose signatures are believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trusted {
    /// Who it is.
    pub name: String,
    /// The public key, as `bellwether plugin keygen` prints it.
    pub key: String,
}

/// What no plugin exceeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ceiling {
    /// Linear memory of one call.
    pub memory: ByteSize,
    /// Time of one call.
    pub call_timeout: Span,
    /// Time of one `fit` of a guest model.
    pub fit_timeout: Span,
    /// Bytes of one answer, and of what one host call carries.
    pub output: ByteSize,
    /// Calls of one plugin at once.
    pub concurrency: u32,
    /// Calls of all plugins at once.
    pub instances: u32,
    /// Calls of one plugin that wait; more are refused.
    pub queue: u32,
    /// Log lines per plugin and second.
    pub log_lines: u32,
    /// Calls of host functions that one call may make; a fit may make as many more as it has more time.
    pub host_calls: u64,
    /// Elements of all tables of one call together.
    pub table_elements: u32,
    /// Size of a component file.
    pub component: ByteSize,
    /// Time to compile one component.
    pub compile_timeout: Span,
    /// Faults in a row after which a plugin is paused (doubling from 1 s to 5 min).
    pub faults: u32,
}

impl Default for PluginsConfig {
    fn default() -> Self {
        PluginsConfig {
            folders: Vec::new(),
            packed: Vec::new(),
            signatures: Signatures::Off,
            trust: Vec::new(),
            watch: Span(Duration::from_secs(1)),
            ceiling: Ceiling::default(),
            instance: Vec::new(),
            said: BTreeMap::new(),
            only: Vec::new(),
            cache: PathBuf::new(),
            now_ms: None,
            environment: BTreeMap::new(),
        }
    }
}

impl Default for Ceiling {
    fn default() -> Self {
        Ceiling {
            memory: ByteSize(256 << 20),
            call_timeout: Span(Duration::from_secs(10)),
            fit_timeout: Span(Duration::from_secs(3600)),
            output: ByteSize(64 << 20),
            concurrency: 4,
            instances: 32,
            queue: 64,
            log_lines: 100,
            host_calls: 10_000_000,
            // Python's and JavaScript's runtimes need about 30 000.
            table_elements: 200_000,
            component: ByteSize(64 << 20),
            compile_timeout: Span(Duration::from_secs(120)),
            faults: 5,
        }
    }
}

/// One named instance of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// Its name; equal to the plugin's it changes the plugin itself.
    pub name: String,
    /// The plugin; the instance's own name when absent.
    #[serde(default)]
    pub plugin: Option<String>,
    /// False takes it out of service.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What it may do: manifest ∩ this; default nothing.
    #[serde(default)]
    pub grant: Grant,
    /// Its configuration, laid over the manifest's.
    #[serde(default)]
    pub config: toml::Table,
    /// Its limits, below the ceiling.
    #[serde(default)]
    pub limits: crate::manifest::WantedLimits,
    /// SHA-256 the component must have, in hex; another digest is refused.
    #[serde(default)]
    pub digest: Option<String>,
}

fn yes() -> bool {
    true
}

/// What was said of an instance while a host ran. It stands above the file's word until it is said otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Said {
    /// In service or not; the file's word when absent.
    pub enabled: Option<bool>,
    /// Configuration laid over the file's.
    pub config: serde_json::Map<String, serde_json::Value>,
}

/// What the operator grants.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grant {
    /// Where it may send HTTP: `https://hooks.example.com`, `https://*.example.com:8443` (every name below), `POST https://…`
    /// (that method alone), `http://127.0.0.1:9000`. Private and loopback addresses only when named as such.
    pub http: Vec<String>,
    /// Secrets by name, each from `env:NAME` or `file:/path`.
    pub secrets: BTreeMap<String, String>,
    /// The time.
    pub clock: bool,
}

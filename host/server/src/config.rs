//! Settings: flags over environment over `bellwether.toml` over defaults; every problem reported at once.
//!
//! The only module of the house that reads the process environment. It hands plain typed values down: nothing below knows
//! where a setting came from. Each setting keeps its origin for `config show`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bellwether_domain::{Error, Result};
use bellwether_engine::Config;
use bellwether_plugin::size::{ByteSize, Span};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub mod environment;
mod layers;
pub mod show;

pub use environment::Environment;
pub use layers::{Flag, Loaded, Origin, load};

/// The documented file with every default; a test holds it equal to [`Settings::default`].
pub const DEFAULT_FILE: &str = include_str!("../bellwether.default.toml");

/// The file read when it lies in the working folder and no other is named.
pub const FILE_NAME: &str = "bellwether.toml";

/// Every setting of the process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// Those of the host.
    pub host: Config,
    /// Those of the HTTP server.
    pub server: ServerConfig,
    /// Those of the log.
    pub log: LogConfig,
}

/// The HTTP server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Address and port to listen on.
    pub bind: SocketAddr,
    /// Most bytes of a request's body.
    pub body_limit: ByteSize,
    /// Longest time from a request's head to its answer.
    pub request_timeout: Span,
    /// Longest time a connection may take to send a request's head.
    pub header_timeout: Span,
    /// Connections at once; more wait.
    pub max_connections: usize,
    /// How long requests under way may take to finish when the host stops.
    pub shutdown_grace: Span,
    /// File of the bearer token; `token` in the data folder when absent.
    pub token_file: Option<PathBuf>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        ServerConfig {
            bind: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8005),
            body_limit: ByteSize(64 << 20),
            request_timeout: Span(Duration::from_secs(60)),
            header_timeout: Span(Duration::from_secs(10)),
            max_connections: 1024,
            shutdown_grace: Span(Duration::from_secs(10)),
            token_file: None,
        }
    }
}

/// The log, on standard error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,bellwether_engine=debug`.
    pub level: String,
    /// Lines of text, or JSON.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig { level: "info".to_owned(), format: LogFormat::Text }
    }
}

impl Settings {
    /// Where the bearer token is kept.
    pub fn token_file(&self) -> PathBuf {
        self.server.token_file.clone().unwrap_or_else(|| self.host.data.folder.join("token"))
    }

    /// Sections by name, absent values as null.
    pub(crate) fn to_json(&self) -> Value {
        let mut sections = serde_json::to_value(&self.host).expect("settings are plain data");
        sections["server"] = serde_json::to_value(&self.server).expect("settings are plain data");
        sections["log"] = serde_json::to_value(&self.log).expect("settings are plain data");
        sections
    }

    /// The reverse of [`Settings::to_json`]; absent sections and keys have their defaults.
    fn from_json(mut sections: Value) -> std::result::Result<Settings, serde_json::Error> {
        let mut take = |name: &str| sections.as_object_mut().and_then(|all| all.remove(name));
        let server = take("server").map(serde_json::from_value).transpose()?.unwrap_or_default();
        let log = take("log").map(serde_json::from_value).transpose()?.unwrap_or_default();
        Ok(Settings { host: serde_json::from_value(sections)?, server, log })
    }

    /// What cannot be said by types alone, one line each.
    fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = match self.host.check() {
            Ok(()) => Vec::new(),
            Err(Error::Invalid { why, .. }) => why.lines().map(str::to_owned).collect(),
            Err(other) => vec![other.to_string()],
        };
        let mut want = |good: bool, text: &str| {
            if !good {
                problems.push(text.to_owned());
            }
        };
        let server = &self.server;
        want(server.max_connections >= 1, "server.max_connections must be at least 1");
        want(server.body_limit.0 >= 1024, "server.body_limit must be at least 1 KiB");
        want(!server.request_timeout.0.is_zero(), "server.request_timeout must be above 0");
        want(!server.header_timeout.0.is_zero(), "server.header_timeout must be above 0");
        let filter = tracing_subscriber::EnvFilter::try_new(&self.log.level);
        want(filter.is_ok(), "log.level must be error, warn, info, debug, trace, or a filter such as info,bellwether_engine=debug");
        problems
    }
}

/// The file to read: the one named, or [`FILE_NAME`] in the working folder if it is there.
pub fn file_to_read(named: Option<&Path>) -> Option<PathBuf> {
    match named {
        Some(path) => Some(path.to_owned()),
        None => Some(PathBuf::from(FILE_NAME)).filter(|path| path.exists()),
    }
}

/// Settings from a text alone, for tests and embedders.
pub fn from_text(text: &str) -> Result<Settings> {
    layers::load_text(Some((Path::new(FILE_NAME), text)), &BTreeMap::new(), &[]).map(|loaded| loaded.settings)
}

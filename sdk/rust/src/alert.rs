//! Alert handlers: carry alerts to where people see them.
use crate::Result;
use crate::bindings::alert_handler::exports::bellwether::alert::handler;
use crate::plugin::{Plugin, enter, read_config};

pub use handler::{Alert, Phase, Severity};

/// A handler of alerts.
pub trait AlertHandler: Plugin {
    /// Delivers one alert. The host tries again later, with the same `idempotency_key`, on [`Error::Transient`](crate::Error)
    /// only; [`http`](crate::http) maps its failures so.
    fn handle(alert: &Alert, config: &Self::Config) -> Result<()>;
}

impl<T: AlertHandler> handler::Guest for T {
    fn handle(alert: Alert, config: String) -> Result<()> {
        enter();
        <T as AlertHandler>::handle(&alert, &read_config::<T>(&config)?)
    }
}

impl Severity {
    /// The word for it: `info`, `warning` or `critical`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

impl Phase {
    /// The word for it: `firing` or `resolved`.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Firing => "firing",
            Phase::Resolved => "resolved",
        }
    }
}

//! Calls of the `alert-handler` world.

use std::sync::Arc;

use bellwether_domain::alert::{Alert, AlertPhase, Severity};
use bellwether_domain::error::PluginFault;
use bellwether_domain::{Error, Result};
use serde_json::Value;

use crate::bindings::handler::HandlingPre;
use crate::bindings::handler::exports::bellwether::alert::handler as wit;
use crate::call::{Unit, answered};
use crate::load::Pre;
use crate::state::State;

/// An alert handler with its own configuration and grants.
#[derive(Debug)]
pub struct AlertHandler {
    unit: Arc<Unit>,
    pre: Pre<HandlingPre<State>>,
    config: String,
}

impl AlertHandler {
    pub(crate) fn new(unit: Arc<Unit>, pre: HandlingPre<State>, config: &Value) -> AlertHandler {
        AlertHandler { unit, pre: Pre(pre), config: config.to_string() }
    }

    /// The instance's name.
    pub fn name(&self) -> &str {
        self.unit.name()
    }

    /// Delivers one alert. An error for which [`is_transient`] holds is worth another try with the same key.
    /// A pending alert is not delivered: `Conflict`.
    pub async fn handle(&self, alert: &Alert, idempotency_key: &str) -> Result<()> {
        let (pre, config, alert) = (self.pre.0.clone(), self.config.clone(), to_guest(alert, idempotency_key)?);
        self.unit
            .call(self.unit.ordinary("handle"), move |store| {
                Box::pin(async move {
                    let world = pre.instantiate_async(&mut *store).await?;
                    Ok(world.bellwether_alert_handler().call_handle(&mut *store, &alert, &config).await?.map_err(answered))
                })
            })
            .await
    }
}

/// True for failures that may pass: the guest said `transient`, a time-out, an overload.
pub fn is_transient(error: &Error) -> bool {
    match error {
        Error::Overloaded(_) | Error::Timeout(_) => true,
        Error::Plugin { fault: PluginFault::Answered(code, _), .. } => code == "transient",
        Error::Plugin { fault, .. } => matches!(fault, PluginFault::TimedOut(_) | PluginFault::Paused(_)),
        _ => false,
    }
}

fn to_guest(alert: &Alert, idempotency_key: &str) -> Result<wit::Alert> {
    let phase = match alert.phase {
        AlertPhase::Firing => wit::Phase::Firing,
        AlertPhase::Resolved => wit::Phase::Resolved,
        AlertPhase::Pending => {
            return Err(Error::Conflict(format!("alert `{}` is pending; only firing and resolved ones are delivered", alert.id)));
        }
    };
    Ok(wit::Alert {
        idempotency_key: idempotency_key.to_owned(),
        id: alert.id.clone(),
        condition: alert.condition.clone(),
        severity: match alert.severity {
            Severity::Info => wit::Severity::Info,
            Severity::Warning => wit::Severity::Warning,
            Severity::Critical => wit::Severity::Critical,
        },
        phase,
        summary: alert.summary.clone(),
        model_id: alert.model_id.clone(),
        symbol: alert.symbol.clone(),
        started_at_ms: alert.started_at.0,
        labels: alert.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        detail: if alert.detail.is_object() { alert.detail.to_string() } else { serde_json::json!({ "value": alert.detail }).to_string() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_that_may_pass_are_transient() {
        let plugin = |fault| Error::Plugin { plugin: "webhook".to_owned(), function: "handle".to_owned(), fault };
        let answer = |code: &str| PluginFault::Answered(code.to_owned(), String::new());
        for (error, expected) in [
            (plugin(answer("transient")), true),
            (plugin(PluginFault::TimedOut(5)), true),
            (plugin(PluginFault::Paused(5)), true),
            (Error::Overloaded(String::new()), true),
            (plugin(answer("invalid-config")), false),
            (plugin(PluginFault::Trapped(String::new())), false),
            (Error::Unavailable(String::new()), false),
        ] {
            assert_eq!(is_transient(&error), expected, "{error:?}");
        }
    }
}

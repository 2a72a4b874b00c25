//! `{{name}}`: posts each alert as one line of text, `{"text": "[warning] data-drift BTC/USDT firing: ..."}`.
//!
//! The host sends requests only to origins the operator granted. Failures that may pass (no connection, a time-out, 408,
//! 425, 429, 5xx) become `transient`, which the host tries again with the same idempotency key.
use std::time::Duration;

use bellwether_sdk::alert::Alert;
use bellwether_sdk::serde_json::json;
use bellwether_sdk::{AlertHandler, Plugin, Result, http};
use serde::Deserialize;

/// What the operator may set. `url` has no default: the operator gives it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    url: String,
    timeout_seconds: u64,
}

/// The plugin.
pub struct {{Pascal}};

impl Plugin for {{Pascal}} {
    const NAME: &'static str = "{{name}}";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Posts each alert as one line of text.";
    const CONFIG_SCHEMA: &'static str = include_str!("../config.schema.json");
    type Config = Config;
}

impl AlertHandler for {{Pascal}} {
    fn handle(alert: &Alert, config: &Config) -> Result<()> {
        // A receiver drops repeats of one delivery by this key.
        let headers = [("idempotency-key", alert.idempotency_key.as_str())];
        let timeout = Duration::from_secs(config.timeout_seconds);
        http::post_json(
            &config.url,
            &headers,
            &json!({"text": line(alert)}),
            timeout,
        )?;
        Ok(())
    }
}

bellwether_sdk::register!(alert_handler: {{Pascal}});

fn line(alert: &Alert) -> String {
    let about = alert
        .symbol
        .as_deref()
        .or(alert.model_id.as_deref())
        .map(|name| format!("{name} "));
    let (severity, phase) = (alert.severity.as_str(), alert.phase.as_str());
    let about = about.unwrap_or_default();
    format!(
        "[{severity}] {} {about}{phase}: {}",
        alert.condition, alert.summary
    )
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use bellwether_sdk::alert::{Alert, Phase, Severity};
    use bellwether_sdk::http::{Request, Response};
    use bellwether_sdk::serde_json::{self, Value, json};
    use bellwether_sdk::{AlertHandler, Error, Result, testing};

    use super::{{Pascal}};

    /// Handles an alert with a receiver that answers this status; the result and what was sent.
    fn deliver(status: u16) -> (Result<()>, Request) {
        let sent = Rc::new(RefCell::new(None));
        let seen = Rc::clone(&sent);
        testing::respond_with(move |request| {
            seen.replace(Some(request.clone()));
            Ok(Response {
                status,
                headers: Vec::new(),
                body: Vec::new(),
            })
        });
        let alert = Alert {
            idempotency_key: "alert-1:1".to_owned(),
            id: "alert-1".to_owned(),
            condition: "data-drift".to_owned(),
            severity: Severity::Warning,
            phase: Phase::Firing,
            summary: "rsi(14) has drifted".to_owned(),
            model_id: None,
            symbol: Some("BTC/USDT".to_owned()),
            started_at_ms: 0,
            labels: Vec::new(),
            detail: "{}".to_owned(),
        };
        let given = json!({"url": "https://chat.example.com/hook"});
        let config = testing::config::<{{Pascal}}>(&given).unwrap();
        let result = {{Pascal}}::handle(&alert, &config);
        (result, sent.take().unwrap())
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<{{Pascal}}>(&json!({"url": "https://chat.example.com"}));
    }

    #[test]
    fn an_alert_becomes_a_line() {
        let (result, request) = deliver(200);
        result.unwrap();
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(
            body["text"],
            "[warning] data-drift BTC/USDT firing: rsi(14) has drifted"
        );
        assert!(
            request
                .headers
                .contains(&("idempotency-key".to_owned(), "alert-1:1".to_owned()))
        );
    }

    #[test]
    fn a_busy_receiver_is_tried_again() {
        assert!(matches!(deliver(503).0, Err(Error::Transient(_))));
        assert!(!matches!(deliver(404).0, Err(Error::Transient(_)) | Ok(())));
    }
}

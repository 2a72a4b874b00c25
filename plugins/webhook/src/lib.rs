//! The alert handler `webhook`: posts each alert as a JSON document.
//!
//! The receiver gets the idempotency key twice, as a header and in the body, and may drop repeats by it. An answer of 2xx is
//! a delivery; the SDK's mapping decides which failures the host tries again.
mod document;

use std::collections::BTreeMap;
use std::time::Duration;

use bellwether_sdk::alert::Alert;
use bellwether_sdk::{AlertHandler, Error, Plugin, Result, http, secrets};
use serde::Deserialize;

use document::Document;

/// Headers the handler sets itself.
const OWN: &[&str] = &["content-type", "idempotency-key", "authorization"];

/// The configuration; the schema states its ranges and defaults.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    url: String,
    headers: BTreeMap<String, String>,
    secret: String,
    timeout_seconds: u64,
}

/// The plugin.
pub struct Webhook;

impl Plugin for Webhook {
    const NAME: &'static str = "webhook";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Posts each alert as a JSON document to a URL.";
    const CONFIG_SCHEMA: &'static str = include_str!("../config.schema.json");
    type Config = Config;

    fn check(config: &Config) -> Result<()> {
        match config.headers.keys().find(|name| OWN.contains(&name.to_ascii_lowercase().as_str())) {
            Some(name) if name.eq_ignore_ascii_case("authorization") => {
                Err(Error::invalid_config("`headers` must not hold a token: map the secret `webhook-token` and set `secret`"))
            }
            Some(name) => Err(Error::invalid_config(format!("`headers` must not set `{name}`: the handler does"))),
            None => Ok(()),
        }
    }
}

impl AlertHandler for Webhook {
    fn handle(alert: &Alert, config: &Config) -> Result<()> {
        let mut headers: Vec<(&str, &str)> = config.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        headers.push(("idempotency-key", &alert.idempotency_key));
        let token = if config.secret.is_empty() { None } else { Some(bearer(&config.secret)?) };
        if let Some(token) = &token {
            headers.push(("authorization", token));
        }
        http::post_json(&config.url, &headers, &Document::of(alert), Duration::from_secs(config.timeout_seconds))?;
        Ok(())
    }
}

bellwether_sdk::register!(alert_handler: Webhook);

fn bearer(name: &str) -> Result<String> {
    let secret = secrets::get(name)
        .ok_or_else(|| Error::invalid_config(format!("the secret `{name}` is not mapped to this plugin, or is not set")))?;
    Ok(format!("Bearer {}", secret.trim()))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use bellwether_sdk::alert::{Alert, Phase, Severity};
    use bellwether_sdk::http::{Request, Response};
    use bellwether_sdk::serde_json::{self, Value, json};
    use bellwether_sdk::{AlertHandler, Error, Result, testing};

    use super::Webhook;

    pub(crate) fn alert() -> Alert {
        Alert {
            idempotency_key: "drift-7:firing:1".to_owned(),
            id: "drift-7".to_owned(),
            condition: "data-drift".to_owned(),
            severity: Severity::Warning,
            phase: Phase::Firing,
            summary: "rsi(14) has drifted".to_owned(),
            model_id: Some("lstm_BTC_20241205_120000".to_owned()),
            symbol: None,
            started_at_ms: 1_733_400_000_123,
            labels: vec![("feature".to_owned(), "rsi(14)".to_owned())],
            detail: r#"{"score": 0.2}"#.to_owned(),
        }
    }

    /// Handles the alert with a receiver of this status; the result and what was sent.
    fn deliver(config: &Value, status: u16) -> (Result<()>, Option<Request>) {
        let sent = Rc::new(RefCell::new(None));
        let seen = Rc::clone(&sent);
        testing::respond_with(move |request| {
            seen.replace(Some(request.clone()));
            Ok(Response { status, headers: Vec::new(), body: Vec::new() })
        });
        let result = testing::config::<Webhook>(config).and_then(|config| Webhook::handle(&alert(), &config));
        let request = sent.take();
        (result, request)
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<Webhook>(&json!({"url": "https://example.com"}));
    }

    #[test]
    fn an_alert_becomes_a_document() {
        testing::set_secret("webhook-token", "s3cret\n");
        let config = json!({"url": "https://example.com/hook", "headers": {"x-team": "desk"}, "secret": "webhook-token"});
        let (result, request) = deliver(&config, 202);
        result.unwrap();
        let request = request.unwrap();
        assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "https://example.com/hook"));
        let header = |name: &str| request.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
        assert_eq!(header("idempotency-key"), Some("drift-7:firing:1"));
        assert_eq!(header("authorization"), Some("Bearer s3cret"));
        assert_eq!(header("content-type"), Some("application/json"));
        assert_eq!(header("x-team"), Some("desk"));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(
            body,
            json!({
                "idempotency_key": "drift-7:firing:1",
                "id": "drift-7",
                "condition": "data-drift",
                "severity": "warning",
                "phase": "firing",
                "summary": "rsi(14) has drifted",
                "model_id": "lstm_BTC_20241205_120000",
                "symbol": null,
                "started_at": "2024-12-05T12:00:00.123Z",
                "labels": {"feature": "rsi(14)"},
                "detail": {"score": 0.2},
            })
        );
    }

    #[test]
    fn failures_are_the_hosts_to_retry_or_not() {
        let config = json!({"url": "https://example.com/hook"});
        assert!(matches!(deliver(&config, 503).0, Err(Error::Transient(_))));
        assert!(matches!(deliver(&config, 410).0, Err(Error::Other((code, _))) if code == "http-410"));
    }

    #[test]
    fn mistakes_of_the_operator_are_named() {
        let check = |config: &Value, expected: &str| {
            let (result, request) = deliver(config, 200);
            let error = result.unwrap_err();
            assert!(matches!(error, Error::InvalidConfig(_)) && error.message().contains(expected), "{error:?}");
            assert!(request.is_none());
        };
        check(&json!({"url": "example.com"}), "must begin with https://");
        check(&json!({"url": "https://example.com", "headers": {"Authorization": "Bearer x"}}), "map the secret");
        check(&json!({"url": "https://example.com", "secret": "another"}), "is not mapped");
        check(&json!({}), "url");
    }
}

//! Trials of alert handlers, which need somewhere to deliver to: a receiver on this machine, granted for the check alone.
//!
//! A handler's configuration rarely has defaults for all of it. Where the operator gives none, that of the plugin's first case
//! that expects a delivery is taken, so that the check tries what its author means to work.

use std::path::Path;

use bellwether_domain::error::PluginFault;
use bellwether_domain::{Error, Result};
use serde_json::{Value, json};

use super::finding::{Findings, Topic};
use super::input;
use crate::AlertHandler;
use crate::cases::receiver::{Answer, Receiver};

/// The configuration of the first case, by name, that expects no error.
pub(super) fn configuration(folder: &Path, origin: &str) -> Option<Value> {
    let mut files: Vec<_> = std::fs::read_dir(folder.join("cases")).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files.iter().find_map(|file| {
        let text = std::fs::read_to_string(file).ok()?.replace("{{receiver}}", origin);
        let case: Value = serde_json::from_str(&text).ok()?;
        let delivers = case["expect"].get("error").is_none() && case.get("secrets").is_none();
        case.get("config").filter(|config| delivers && config.is_object()).cloned()
    })
}

/// With the operator's own configuration and grants: where they lead to a receiver, one is really told.
pub(super) async fn told(findings: &mut Findings, handler: &AlertHandler) {
    let mut hostile = |what: &str, outcome| findings.hostile(Topic::HostileInput, what, outcome);
    hostile("handle: an alert", handler.handle(&input::alert(10), "plugin-check-1").await);
    hostile("handle: an empty summary", handler.handle(&input::alert(0), "").await);
    let outcome = handler.handle(&input::alert(200_000), "plugin-check-2").await;
    findings.hostile(Topic::Limits, "handle: a summary of 200 000 letters", outcome);
}

/// With a receiver that can be made to misbehave.
pub(super) async fn received(findings: &mut Findings, handler: &AlertHandler, receiver: &Receiver) {
    let alert = input::alert(10);
    let first = handler.handle(&alert, "plugin-check-1").await;
    if findings.ordinary(Topic::Answers, "handle: a receiver that takes it", first).is_none() {
        return;
    }
    let once = receiver.requests();
    let detail = format!("requests: {}", once.len());
    findings.add(Topic::Answers, "handle: something is sent", !once.is_empty(), detail);
    let second = handler.handle(&alert, "plugin-check-1").await.map(|()| receiver.requests().split_off(once.len()));
    findings.same("handle: the same request for the same alert", &once, second);
    told(findings, handler).await;

    for status in [503, 429] {
        receiver.answer_with(&Answer::status(status));
        let what = format!("handle: a receiver that answers {status} is tried again");
        let outcome = handler.handle(&alert, "plugin-check-3").await;
        let passed = matches!(&outcome, Err(Error::Plugin { fault: PluginFault::Answered(code, _), .. }) if code == "transient");
        findings.add(Topic::HostileInput, what, passed, shown(&outcome));
    }
    receiver.answer_with(&Answer::status(404));
    let outcome = handler.handle(&alert, "plugin-check-4").await;
    let passed = matches!(&outcome, Err(Error::Plugin { fault: PluginFault::Answered(..), .. }));
    findings.add(Topic::HostileInput, "handle: a receiver that answers 404 is no delivery", passed, shown(&outcome));
    receiver.answer_with(&Answer::redirect("http://169.254.169.254/latest/meta-data/"));
    let outcome = handler.handle(&alert, "plugin-check-5").await;
    findings.hostile(Topic::HostileInput, "handle: a receiver that sends it on to a private address", outcome);
    receiver.answer_with(&Answer::with_body(json!("x".repeat(3 << 20))));
    let outcome = handler.handle(&alert, "plugin-check-6").await;
    findings.hostile(Topic::Limits, "handle: an answer of three million letters", outcome);
}

fn shown(outcome: &Result<()>) -> String {
    outcome.as_ref().err().map_or_else(|| "answered as if it were delivered".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_case_that_delivers_lends_its_configuration() {
        let folder = tempfile::tempdir().expect("folder");
        assert_eq!(configuration(folder.path(), "http://127.0.0.1:1"), None);
        std::fs::create_dir(folder.path().join("cases")).expect("folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join("cases").join(name), text).expect("written");
        write("a.json", r#"{"config": {"url": "x"}, "expect": {"error": "transient"}}"#);
        write("b.json", "no JSON");
        write("c.json", r#"{"config": {"url": "{{receiver}}/hook"}, "expect": {}}"#);
        write("d.json", r#"{"config": {"url": "y"}, "expect": {}}"#);
        assert_eq!(configuration(folder.path(), "http://127.0.0.1:1"), Some(json!({"url": "http://127.0.0.1:1/hook"})));
    }
}

//! What was tried, under which topic, and whether it held.

use bellwether_domain::error::PluginFault;
use bellwether_domain::{Error, Result};
use serde::Serialize;

/// What a finding is about; the order is that of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// Manifest, file, exports, imports.
    Component,
    /// What it says of itself, and its configuration.
    Description,
    /// Answers to ordinary input.
    Answers,
    /// The same arguments give the same answer.
    Purity,
    /// Input that breaks arithmetic.
    HostileInput,
    /// States and baselines that are not its own.
    ForeignState,
    /// Much input, within its limits.
    Limits,
    /// No answer depends on what comes later.
    LookAhead,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub topic: Topic,
    /// What was tried.
    pub what: String,
    /// It held.
    pub passed: bool,
    /// What happened.
    pub detail: String,
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl std::fmt::Display for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Topic::Component => "component",
            Topic::Description => "description and configuration",
            Topic::Answers => "ordinary input",
            Topic::Purity => "purity",
            Topic::HostileInput => "hostile input",
            Topic::ForeignState => "foreign states",
            Topic::Limits => "much input, within the limits",
            Topic::LookAhead => "no look-ahead",
        })
    }
}

impl Findings {
    /// The findings by topic, within one in the order they were made.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.0.sort_by_key(|finding| finding.topic);
        self.0
    }

    pub(super) fn add(&mut self, topic: Topic, what: impl Into<String>, passed: bool, detail: impl Into<String>) {
        self.0.push(Finding { topic, what: what.into(), passed, detail: detail.into() });
    }

    /// Ordinary input: only an answer passes.
    pub(super) fn ordinary<T>(&mut self, topic: Topic, what: &str, outcome: Result<T>) -> Option<T> {
        match outcome {
            Ok(answer) => {
                self.add(topic, what, true, "answered");
                Some(answer)
            }
            Err(error) => {
                self.add(topic, what, false, error.to_string());
                None
            }
        }
    }

    /// Anything else: an answer passes, and so does an error of the contract.
    pub(super) fn hostile<T>(&mut self, topic: Topic, what: &str, outcome: Result<T>) {
        match outcome {
            Ok(_) => self.add(topic, what, true, "answered"),
            Err(Error::Plugin { fault: PluginFault::Answered(code, message), .. }) => {
                self.add(topic, what, true, format!("declined ({code}): {message}"));
            }
            Err(error) => self.add(topic, what, false, error.to_string()),
        }
    }

    /// Two calls with the same arguments, in two instances.
    pub(super) fn same<T: PartialEq>(&mut self, what: &str, first: &T, second: Result<T>) {
        match second {
            Ok(second) if second == *first => self.add(Topic::Purity, what, true, "the same answer from two instances"),
            Ok(_) => self.add(Topic::Purity, what, false, "two instances gave different answers to the same arguments"),
            Err(error) => self.add(Topic::Purity, what, false, error.to_string()),
        }
    }

    /// Two calls with the same arguments, in one instance: whether their answers were the same.
    pub(super) fn again(&mut self, what: &str, outcome: Result<bool>) {
        let what = format!("{what}: twice in one instance");
        match outcome {
            Ok(true) => self.add(Topic::Purity, what, true, "the same answer"),
            Ok(false) => {
                self.add(Topic::Purity, what, false, "the second call was answered otherwise: something is remembered between calls")
            }
            Err(error) => self.add(Topic::Purity, what, false, error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_come_by_topic_in_the_order_made() {
        let mut findings = Findings::default();
        findings.hostile(Topic::HostileInput, "a", Ok(()));
        findings.same("b", &1, Ok(2));
        findings.hostile(Topic::HostileInput, "c", Err::<(), _>(Error::internal("broken")));
        findings.ordinary(Topic::Answers, "d", Ok(()));
        findings.again("e", Ok(true));
        let found: Vec<(String, bool)> = findings.finish().into_iter().map(|finding| (finding.what, finding.passed)).collect();
        let named = |what: &str, passed| (what.to_owned(), passed);
        assert_eq!(
            found,
            [named("d", true), named("b", false), named("e: twice in one instance", true), named("a", true), named("c", false)]
        );
    }
}

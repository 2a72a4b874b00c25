//! The thread of the demo: numbered steps with their times, lines, and expectations that are kept or not.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cli::output::{self, BAD, DIM, GOOD, say, styled};

/// One step that is over or under way.
#[derive(Debug)]
struct Step {
    title: &'static str,
    began: Instant,
    took: Option<Duration>,
}

/// What was told so far.
#[derive(Debug)]
pub(crate) struct Story {
    told: bool,
    began: Instant,
    steps: Vec<Step>,
    expectations: Vec<(String, bool)>,
    facts: Value,
}

impl Story {
    /// Begins; tells nothing when only the summary is wanted.
    pub(crate) fn begin(told: bool) -> Story {
        Story { told, began: Instant::now(), steps: Vec::new(), expectations: Vec::new(), facts: json!({}) }
    }

    /// True when people listen.
    pub(crate) fn is_told(&self) -> bool {
        self.told
    }

    /// Ends the step before and begins another.
    pub(crate) fn step(&mut self, title: &'static str) {
        self.close();
        self.steps.push(Step { title, began: Instant::now(), took: None });
        if self.told {
            say!("\n{} {}", styled(GOOD, format!("{:>2}", self.steps.len())), styled(anstyle::Style::new().bold(), title));
        }
    }

    /// Says something.
    pub(crate) fn line(&self, text: impl std::fmt::Display) {
        if self.told {
            say!("   {text}");
        }
    }

    /// Says several lines.
    pub(crate) fn lines(&self, text: &str) {
        text.lines().for_each(|line| self.line(line));
    }

    /// Notes whether something holds, and says so.
    pub(crate) fn expect(&mut self, holds: bool, what: impl Into<String>) {
        let what = what.into();
        let (style, mark) = if holds { (GOOD, "✓") } else { (BAD, "✗ this was expected:") };
        self.line(format!("{} {what}", styled(style, mark)));
        self.expectations.push((what, holds));
    }

    /// Keeps something for the summary.
    pub(crate) fn fact(&mut self, name: &str, value: Value) {
        self.facts[name] = value;
    }

    /// What did not hold.
    pub(crate) fn failed(&self) -> Vec<String> {
        self.expectations.iter().filter(|(_, holds)| !holds).map(|(what, _)| what.clone()).collect()
    }

    /// Since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The time each step took.
    pub(crate) fn timings(&self) {
        let parts: Vec<String> = self
            .steps
            .iter()
            .enumerate()
            .map(|(place, step)| format!("{} {}", place + 1, output::span(step.took.unwrap_or_else(|| step.began.elapsed()))))
            .collect();
        say!("\n{DIM}time per step: {}{DIM:#}", parts.join(" · "));
    }

    /// Everything for machines.
    pub(crate) fn summary(&self) -> Value {
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|step| json!({"title": step.title, "seconds": step.took.unwrap_or_else(|| step.began.elapsed()).as_secs_f64()}))
            .collect();
        let expectations: Vec<Value> = self.expectations.iter().map(|(what, holds)| json!({"expected": what, "holds": holds})).collect();
        let mut summary = json!({
            "ok": self.expectations.iter().all(|(_, holds)| *holds),
            "seconds": self.elapsed().as_secs_f64(),
            "steps": steps,
            "expectations": expectations,
        });
        if let (Some(summary), Some(facts)) = (summary.as_object_mut(), self.facts.as_object()) {
            summary.extend(facts.clone());
        }
        summary
    }

    fn close(&mut self) {
        if let Some(step) = self.steps.last_mut() {
            step.took.get_or_insert(step.began.elapsed());
        }
    }
}

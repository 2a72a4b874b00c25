//! `bellwether plugin test`: a plugin's cases, a line each.

use std::path::Path;

use bellwether_plugin::cases::{self, Difference, Outcome};

use super::settings;
use crate::cli::output::{self, BAD, DIM, GOOD, say, styled};
use crate::cli::{Context, Failure};

/// Longest value shown of a difference, in letters.
const SHOWN: usize = 120;

pub(super) async fn perform(folder: &Path, context: &Context) -> Result<(), Failure> {
    let outcomes = cases::run(folder, &settings(context)?).await?;
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    if context.json() {
        output::json(&outcomes)?;
    } else {
        show(&outcomes);
    }
    match failed {
        0 => Ok(()),
        _ => Err(Failure::Failed(format!("{failed} of {} cases failed", outcomes.len()))),
    }
}

fn show(outcomes: &[Outcome]) {
    let width = outcomes.iter().map(|outcome| outcome.name.chars().count()).max().unwrap_or(0);
    for outcome in outcomes {
        let (style, mark) = if outcome.passed { (GOOD, "✓") } else { (BAD, "✗") };
        let time = styled(DIM, format!("{:.1} ms", outcome.milliseconds));
        say!("{} {:<width$}  {time}", styled(style, mark), outcome.name);
        if let Some(problem) = &outcome.problem {
            say!("    {problem}");
        }
        for difference in &outcome.differences {
            say!("    {}", line(difference));
        }
    }
    let passed = outcomes.iter().filter(|outcome| outcome.passed).count();
    say!("{passed} of {} cases passed", outcomes.len());
}

fn line(difference: &Difference) -> String {
    let shown = |value: &serde_json::Value| {
        let text = value.to_string();
        if text.chars().count() <= SHOWN { text } else { text.chars().take(SHOWN).chain(['…']).collect() }
    };
    let relative = difference.relative.map(|relative| format!(" (relative difference {relative:.2e})")).unwrap_or_default();
    format!("{}: expected {}, found {}{relative}", difference.at, shown(&difference.expected), shown(&difference.found))
}

//! `bellwether plugin check`: what a plugin was tried on, by topic.

use std::path::Path;

use bellwether_plugin::check::{Finding, check};

use super::settings;
use crate::cli::output::{self, BAD, DIM, GOOD, NAME, say, styled};
use crate::cli::{Context, Failure};

pub(super) async fn perform(folder: &Path, context: &Context) -> Result<(), Failure> {
    let findings = check(folder, &settings(context)?).await?;
    let failed = findings.iter().filter(|finding| !finding.passed).count();
    if context.json() {
        output::json(&findings)?;
    } else {
        show(&findings, failed);
    }
    match failed {
        0 => Ok(()),
        _ => Err(Failure::Failed(format!("{failed} of {} checks failed", findings.len()))),
    }
}

fn show(findings: &[Finding], failed: usize) {
    let mut topic = None;
    for finding in findings {
        if topic != Some(finding.topic) {
            topic = Some(finding.topic);
            say!("{}", styled(NAME, finding.topic));
        }
        let (style, mark) = if finding.passed { (GOOD, "✓") } else { (BAD, "✗") };
        say!("  {} {}  {}", styled(style, mark), finding.what, styled(DIM, &finding.detail));
    }
    say!("{} checks passed, {failed} failed", findings.len() - failed);
}

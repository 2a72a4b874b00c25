//! `bellwether version`: of this program, and of the host if one answers.

use clap::Args;
use serde_json::json;

use super::output::{self, DIM, say, styled};
use super::{Context, Failure};
use crate::wire::system::Version;

const EXAMPLES: &str = "\
Examples:
  bellwether version
  bellwether version --json";

/// Print the version of this program and of the host, if one answers
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VersionArgs {}

pub(crate) async fn perform(_: VersionArgs, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    // No host is no failure here: the program's own version is the answer.
    let host = client.get::<Version>("/version").await.ok().map(|reply| reply.value);
    if context.json() {
        let text = json!({"name": "bellwether", "version": crate::VERSION, "host": host});
        return output::raw(text.to_string().as_bytes());
    }
    say!("bellwether {}", crate::VERSION);
    match host {
        Some(host) => say!("{}", styled(DIM, format!("host {} at {}", host.version, client.url()))),
        None => say!("{}", styled(DIM, format!("no host answers at {}, or not with this token", client.url()))),
    }
    Ok(())
}

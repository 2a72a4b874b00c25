//! `bellwether plugin test`: a folder of cases, each an input and what must come out, run on the built component in the real
//! host.
//!
//! A case is a file `cases/*.json`. Which members it has depends on the plugin's kind ([`format`]); `expect` needs to hold only
//! for the members it names, numbers within a relative `tolerance`. `{"error": "invalid-input"}` expects an error of the
//! contract; a configuration its schema refuses counts as `invalid-config`. Cases see the manifest's configuration and
//! their own, never the operator's, so that they say the same everywhere.

use std::path::Path;
use std::time::Instant;

use bellwether_domain::error::PluginFault;
use bellwether_domain::{Error, Result};
use serde::Serialize;
use serde_json::{Value, json};

use crate::config::PluginsConfig;
use crate::workpiece::Workpiece;

mod compare;
mod format;
mod play;
pub(crate) mod receiver;

pub use compare::Difference;

/// Most cases of one plugin.
const CASES: usize = 10_000;

/// Largest case, in bytes.
const CASE: u64 = 64 << 20;

/// What one case came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Its file's name without `.json`.
    pub name: String,
    /// All it expects holds.
    pub passed: bool,
    /// Time of its calls.
    pub milliseconds: f64,
    /// Why it could not be run, or an error nobody expected.
    pub problem: Option<String>,
    /// What was otherwise than expected.
    pub differences: Vec<Difference>,
}

/// Runs the cases of the plugin in `folder`. Errors: the plugin cannot be loaded, there is no case, or `config` is wrong;
/// whatever is wrong with one case is its outcome.
pub async fn run(folder: &Path, config: &PluginsConfig) -> Result<Vec<Outcome>> {
    let files = files(&folder.join("cases"))?;
    let plugin = Workpiece::load(folder, config).await?;
    let mut outcomes = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let begun = Instant::now();
        let outcome = match read(&file) {
            Ok(text) => one(&plugin, &text).await,
            Err(why) => Err(why),
        };
        let milliseconds = begun.elapsed().as_secs_f64() * 1e3;
        outcomes.push(match outcome {
            Ok(differences) => Outcome { name, passed: differences.is_empty(), milliseconds, problem: None, differences },
            Err(why) => Outcome { name, passed: false, milliseconds, problem: Some(why), differences: Vec::new() },
        });
    }
    plugin.core.close().await;
    Ok(outcomes)
}

fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let wrong = |why: String| Error::invalid(folder.display().to_string(), why);
    let entries = std::fs::read_dir(folder)
        .map_err(|error| wrong(format!("cannot be read: {error}; cases are files in it, as in cases/empty.json")))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| wrong(format!("cannot be read: {error}")))?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            files.push(path);
        }
    }
    if files.is_empty() || files.len() > CASES {
        return Err(wrong(format!("holds {} cases; 1 to {CASES} files that end in .json are run", files.len())));
    }
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("it cannot be read: {error}");
    let size = std::fs::metadata(file).map_err(unreadable)?.len();
    if size > CASE {
        return Err(format!("it has {size} bytes; at most {CASE} are read"));
    }
    std::fs::read_to_string(file).map_err(unreadable)
}

/// Runs one case; the differences, or why it could not be run.
async fn one(plugin: &Workpiece, text: &str) -> Result<Vec<Difference>, String> {
    let receiver = receiver::Receiver::start().await.map_err(|error| format!("no local receiver can be started: {error}"))?;
    let case = format::Case::read(plugin.manifest.kind, &text.replace("{{receiver}}", &receiver.origin()))?;
    let answered = match plugin.settings(&case.config) {
        Ok(settings) => play::play(plugin, &settings, &case.given, &receiver).await,
        Err(error) => Err(Error::Plugin {
            plugin: plugin.manifest.name.clone(),
            function: "configure".to_owned(),
            fault: PluginFault::Answered("invalid-config".to_owned(), error.to_string()),
        }),
    };
    let mut found = match answered {
        Ok(found) => found,
        Err(Error::Plugin { fault: PluginFault::Answered(code, message), .. }) if case.expect.get("error").is_some() => {
            json!({"error": code, "message": message})
        }
        Err(error) => return Err(error.to_string()),
    };
    if plugin.manifest.kind == crate::Kind::AlertHandler {
        found["requests"] = Value::Array(receiver.requests());
    }
    Ok(compare::differences(&case.expect, &found, case.tolerance))
}

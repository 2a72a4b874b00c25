//! `bellwether plugin inspect`: one plugin, loaded by a host or lying in a folder.

use std::path::{Path, PathBuf};

use bellwether_plugin::inspect::{Inspection, inspect};
use serde_json::Value;

use super::settings;
use crate::cli::output::{self, BAD, DIM, GOOD, NAME, NOTE, or_dash, say, styled};
use crate::cli::{Context, Failure};
use crate::wire::plugins::Plugin;

/// The path that was meant, if it was one: a folder with a manifest, a component's file, or what can be no name.
pub(super) fn path(text: &str) -> Result<Option<PathBuf>, Failure> {
    let path = PathBuf::from(text);
    let file = path.extension().is_some_and(|ending| ending == "wasm");
    if path.join("plugin.toml").is_file() || (file && path.is_file()) {
        return Ok(Some(path));
    }
    let looks_like_one = file || text.contains(std::path::MAIN_SEPARATOR) || text.starts_with('.');
    if looks_like_one {
        return Err(Failure::Usage(format!("{text} is neither a folder with a plugin.toml nor a component's file")));
    }
    Ok(None)
}

pub(super) async fn of_path(path: &Path, context: &Context) -> Result<(), Failure> {
    let inspection = inspect(path, &settings(context)?).await?;
    if context.json() {
        output::json(&inspection)?;
    } else {
        show(&inspection);
    }
    match inspection.problem {
        None => Ok(()),
        Some(_) => Err(Failure::Failed("a host would refuse it".to_owned())),
    }
}

fn show(plugin: &Inspection) {
    output::pairs(&[
        ("plugin", format!("{} {} {}", styled(NAME, &plugin.name), plugin.version, styled(DIM, &plugin.summary))),
        ("kind", plugin.kind.map_or_else(|| "–".to_owned(), |kind| kind.to_string())),
        ("problem", plugin.problem.as_ref().map_or_else(|| "–".to_owned(), |why| styled(BAD, why))),
        ("notice", or_dash(plugin.notice.as_deref())),
        ("licence", or_dash(Some(plugin.licence.as_str()).filter(|licence| !licence.is_empty()))),
        ("contract", plugin.contract.clone()),
        ("component", plugin.component.clone()),
        ("size", format!("{} bytes", plugin.size_bytes)),
        ("digest", format!("sha256 {}", plugin.digest)),
        ("imports", list(&plugin.imports)),
        ("exports", list(&plugin.exports)),
        ("wants", list(&plugin.wants)),
        ("limits", plugin.limits.to_string()),
    ]);
    schema(&plugin.config_schema);
}

pub(super) fn show_loaded(plugin: &Plugin) {
    let style = match plugin.state.as_str() {
        "active" => GOOD,
        "refused" => BAD,
        _ => NOTE,
    };
    output::pairs(&[
        ("plugin", format!("{} {} {}", styled(NAME, &plugin.name), plugin.version, styled(DIM, &plugin.summary))),
        ("kind", plugin.kind.to_string()),
        ("state", styled(style, &plugin.state)),
        ("problem", or_dash(plugin.problem.as_deref())),
        ("source", plugin.source.clone()),
        ("licence", plugin.licence.clone()),
        ("contract", plugin.contract.clone()),
        ("component", format!("{} bytes, sha256 {}", plugin.size_bytes, plugin.digest)),
        ("imports", list(&plugin.imports)),
        ("exports", list(&plugin.exports)),
        ("granted", plugin.granted.to_string()),
        ("withheld", list(&plugin.withheld)),
        ("limits", plugin.limits.to_string()),
        ("config", plugin.config.to_string()),
        ("calls", format!("{}, faults {}", plugin.calls, plugin.faults)),
    ]);
    schema(&plugin.config_schema);
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "–".to_owned() } else { items.join(" ") }
}

fn schema(document: &Value) {
    if !document.is_null() {
        let schema = serde_json::to_string_pretty(document).unwrap_or_default();
        say!("{}\n{schema}", styled(DIM, "configuration schema"));
    }
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn names_and_paths_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("mine");
        std::fs::create_dir(&own).unwrap();
        assert!(path(own.to_str().unwrap()).is_err(), "a folder without a manifest is no plugin");
        std::fs::write(own.join("plugin.toml"), "").unwrap();
        assert_eq!(path(own.to_str().unwrap()).unwrap(), Some(own));
        assert_eq!(path("lstm").unwrap(), None);
        assert!(path("gone.wasm").is_err() && path("./gone").is_err());
    }
}

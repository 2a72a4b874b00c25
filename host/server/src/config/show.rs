//! The merged settings for people: TOML that could be pasted into a file, the origin behind each value, secrets hidden.

use serde_json::Value;

use super::layers::{Loaded, Origin, at, leaves};

/// What stands for a secret.
const HIDDEN: &str = "***";

/// The settings as a tree without secrets.
pub fn tree(loaded: &Loaded) -> Value {
    let mut tree = loaded.settings.to_json();
    hide("", &mut tree);
    tree
}

/// The settings as text, one per line with its origin.
pub fn text(loaded: &Loaded) -> String {
    let tree = tree(loaded);
    let mut out = String::new();
    let mut section = String::new();
    // Settings of a section before those of its sub-sections, or they would be read as part of those.
    let mut paths = leaves(&tree);
    paths.sort_by_key(|path| {
        let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
        (section.to_owned(), key.to_owned())
    });
    for path in paths {
        let (parent, key) = path.rsplit_once('.').unwrap_or(("", &path));
        if parent != section {
            out.push_str(&format!("{}[{parent}]\n", if section.is_empty() { "" } else { "\n" }));
            section = parent.to_owned();
        }
        let origin = loaded.origins.get(&path).unwrap_or(&Origin::Default);
        let line = match at(&tree, &path) {
            None | Some(Value::Null) => format!("# {key} is not set"),
            Some(value) => format!("{key} = {}", toml_text(value)),
        };
        out.push_str(&format!("{line:<48} # {origin}\n"));
    }
    out
}

/// A value as TOML; what is null has no place in TOML and is left out.
fn toml_text(value: &Value) -> String {
    fn as_toml(value: &Value) -> Option<toml::Value> {
        Some(match value {
            Value::Null => return None,
            Value::Bool(truth) => toml::Value::Boolean(*truth),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => toml::Value::Integer(whole),
                None => toml::Value::Float(number.as_f64()?),
            },
            Value::String(text) => toml::Value::String(text.clone()),
            Value::Array(items) => toml::Value::Array(items.iter().filter_map(as_toml).collect()),
            Value::Object(map) => toml::Value::Table(map.iter().filter_map(|(key, value)| Some((key.clone(), as_toml(value)?))).collect()),
        })
    }
    as_toml(value).map(|value| value.to_string()).unwrap_or_default()
}

/// Hides what should not be read over a shoulder: secrets given in place of a reference, and the paths of URLs in plugin
/// configurations, which are often the whole secret of a web hook.
fn hide(key: &str, value: &mut Value) {
    match value {
        Value::Object(map) => map.iter_mut().for_each(|(name, value)| {
            let inherited = if key == "secrets" { "secrets" } else { name };
            hide(inherited, value);
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| hide(key, item)),
        Value::String(text) => {
            let secret = ["secret", "token", "password", "api_key"].iter().any(|word| key.to_lowercase().contains(word));
            let reference = text.starts_with("env:") || text.starts_with("file:") || key == "token_file";
            if secret && !reference {
                HIDDEN.clone_into(text);
            } else if let Some((scheme, rest)) = text.split_once("://") {
                let host = rest.split('/').next().unwrap_or_default();
                let host = host.rsplit('@').next().unwrap_or_default();
                if rest.trim_end_matches('/') != host {
                    *text = format!("{scheme}://{host}/{HIDDEN}");
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::layers::load_text;

    #[test]
    fn secrets_are_hidden_and_origins_shown() {
        let file = "
            [server]
            bind = '127.0.0.1:9000'
            [[plugins.instance]]
            name = 'webhook'
            grant = { http = ['https://hooks.example.com'], secrets = { plain = 'hunter2', good = 'env:HOOK' } }
            config = { url = 'https://user:pw@hooks.example.com/T0/B1/xyz', api_token = 'abc' }
        ";
        let loaded = load_text(Some((Path::new("bellwether.toml"), file)), &Default::default(), &[]).unwrap();
        let text = text(&loaded);
        for absent in ["hunter2", "xyz", "pw", "abc"] {
            assert!(!text.contains(absent), "{absent} is in\n{text}");
        }
        for present in ["env:HOOK", "https://hooks.example.com/***", "# file bellwether.toml", "# min_r2_score is not set", "# default"] {
            assert!(text.contains(present), "{present} is not in\n{text}");
        }
        let pasted = load_text(Some((Path::new("again.toml"), &text)), &Default::default(), &[]).unwrap();
        assert_eq!(pasted.settings.server, loaded.settings.server);
    }
}

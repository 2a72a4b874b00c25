//! `bellwether plugin enable`, `disable`, `reload`, `config`, `grants`, `metrics`: plugins of a running host, by their operator.

use bellwether_domain::Error;
use clap::Subcommand;
use serde_json::{Map, Value};

use super::output::{self, BAD, DIM, GOOD, NAME, or_dash, say, styled};
use super::{Context, Failure};
use crate::client::encode;
use crate::wire::plugins::{Plugin, PluginConfig, PluginError, PluginGrants, PluginMetrics, PluginReload, PluginReloads, SetPluginConfig};

/// What an operator does to a plugin.
#[derive(Debug, Subcommand)]
pub(crate) enum OperateCommand {
    /// Put a plugin in service, through restarts
    Enable {
        /// Its name
        name: String,
    },
    /// Take a plugin out of service, through restarts
    Disable {
        /// Its name
        name: String,
    },
    /// Look at a plugin's folder again, or at all of them, and take up what is new there
    Reload {
        /// Its name; without one, all are looked at
        name: Option<String>,
    },
    /// Show a plugin's configuration, or set parts of it
    Config {
        /// Its name
        name: String,
        /// A setting, as in threshold=0.1 or url='"https://example.com"'; a value that is no JSON is taken as text
        #[arg(long, value_name = "SETTING=VALUE")]
        set: Vec<String>,
        /// A setting to set no longer
        #[arg(long, value_name = "SETTING")]
        unset: Vec<String>,
    },
    /// Show what a plugin asks for, may do and has done of it
    Grants {
        /// Its name
        name: String,
    },
    /// Show what a plugin's calls came to, and its last errors
    Metrics {
        /// Its name
        name: String,
    },
}

pub(crate) async fn perform(command: OperateCommand, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let path = |name: &str, what: &str| format!("/plugins/{}/{what}", encode(name));
    match command {
        OperateCommand::Enable { name } => context.show(&client.post_empty::<Plugin>(&path(&name, "enable")).await?, show),
        OperateCommand::Disable { name } => context.show(&client.post_empty::<Plugin>(&path(&name, "disable")).await?, show),
        OperateCommand::Reload { name } => {
            let refused = |reload: &PluginReload| matches!(reload.outcome.as_str(), "kept" | "refused");
            let any_refused = match name {
                Some(name) => {
                    let reply = client.post_empty::<PluginReload>(&path(&name, "reload")).await?;
                    context.show(&reply, show_reload)?;
                    refused(&reply.value)
                }
                None => {
                    let reply = client.post_empty::<PluginReloads>("/plugins/reload").await?;
                    context.show(&reply, |reloads| {
                        reloads.changed.iter().for_each(show_reload);
                        if reloads.changed.is_empty() {
                            say!("every plugin is as it was");
                        }
                    })?;
                    reply.value.changed.iter().any(refused)
                }
            };
            if any_refused { Err(Failure::Failed("the new component was refused".to_owned())) } else { Ok(()) }
        }
        OperateCommand::Config { name, set, unset } => {
            let path = path(&name, "config");
            let read = client.get::<PluginConfig>(&path).await?;
            if set.is_empty() && unset.is_empty() {
                return context.show(&read, show_config);
            }
            let request = SetPluginConfig { config: changed(read.value.set, &set, &unset)?, version: Some(read.value.version) };
            context.show(&client.put::<PluginConfig>(&path, &request).await?, show_config)
        }
        OperateCommand::Grants { name } => context.show(&client.get::<PluginGrants>(&path(&name, "grants")).await?, show_grants),
        OperateCommand::Metrics { name } => context.show(&client.get::<PluginMetrics>(&path(&name, "metrics")).await?, show_metrics),
    }
}

/// What was set, with changes. A dotted name leads into objects.
fn changed(mut config: Map<String, Value>, set: &[String], unset: &[String]) -> Result<Map<String, Value>, Failure> {
    for text in set {
        let (name, value) =
            text.split_once('=').ok_or_else(|| Failure::Usage(format!("--set {text}: write it as SETTING=VALUE, as in threshold=0.1")))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        let (place, last) = place_of(&mut config, name.trim())?;
        place.insert(last, value);
    }
    for name in unset {
        let (place, last) = place_of(&mut config, name.trim())?;
        if place.remove(&last).is_none() {
            return Err(Failure::from(Error::invalid("--unset", format!("`{name}` was not set over REST; see `plugin config`"))));
        }
    }
    Ok(config)
}

/// The object a dotted name lies in, made if need be, and the name's last part.
fn place_of<'a>(config: &'a mut Map<String, Value>, name: &str) -> Result<(&'a mut Map<String, Value>, String), Failure> {
    let mut parts: Vec<&str> = name.split('.').collect();
    let last = parts.pop().filter(|last| !last.is_empty()).ok_or_else(|| Failure::Usage(format!("`{name}` is no name of a setting")))?;
    let mut place = config;
    for part in parts {
        let below = place.entry(part).or_insert_with(|| Value::Object(Map::new()));
        place = below.as_object_mut().ok_or_else(|| Failure::Usage(format!("`{name}`: `{part}` is not an object")))?;
    }
    Ok((place, last.to_owned()))
}

fn show(plugin: &Plugin) {
    let style = if plugin.state == "active" { GOOD } else { BAD };
    output::pairs(&[
        ("plugin", format!("{} {}", styled(NAME, &plugin.name), plugin.version)),
        ("state", styled(style, &plugin.state)),
        ("problem", or_dash(plugin.problem.as_deref())),
        ("component", plugin.digest.clone()),
    ]);
}

fn show_reload(reload: &PluginReload) {
    say!("{}", reload.outcome);
    show(&reload.plugin);
}

fn show_config(config: &PluginConfig) {
    let changed = config.changed_at.map_or_else(|| "never".to_owned(), |time| time.to_string());
    output::pairs(&[
        ("in force", config.config.to_string()),
        ("manifest", config.manifest.to_string()),
        ("file", config.file.to_string()),
        ("set", Value::Object(config.set.clone()).to_string()),
        ("changed", format!("{changed}, version {}", config.version)),
    ]);
}

fn show_grants(grants: &PluginGrants) {
    let list = |items: &[String]| if items.is_empty() { "–".to_owned() } else { items.join(", ") };
    output::pairs(&[("asked", list(&grants.asked)), ("withheld", list(&grants.withheld))]);
    let rows = grants.granted.iter().map(|grant| vec![grant.kind.clone(), grant.grant.clone(), grant.used.to_string()]);
    say!("{}", output::table(&["granted", "what", "used"], &[2], rows));
    show_errors("refused", &grants.refused);
}

fn show_metrics(metrics: &PluginMetrics) {
    let milliseconds = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("≤ {}", output::number(value)));
    let rows = metrics.calls.iter().map(|calls| {
        vec![
            calls.function.clone(),
            calls.outcome.clone(),
            calls.count.to_string(),
            output::number(calls.seconds),
            milliseconds(calls.p50_ms),
            milliseconds(calls.p99_ms),
        ]
    });
    say!("{}", output::table(&["function", "outcome", "calls", "seconds", "half, ms", "99 %, ms"], &[2, 3, 4, 5], rows));
    say!("{}", styled(DIM, format!("{} under way, {} wait", metrics.running, metrics.waiting)));
    show_errors("last errors", &metrics.errors);
}

fn show_errors(title: &str, errors: &[PluginError]) {
    for (place, error) in errors.iter().enumerate() {
        if place == 0 {
            say!("{}", styled(DIM, title));
        }
        say!("{}  {} {}  {}", error.at, error.function, styled(BAD, &error.outcome), error.message);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_laid_into_what_was_set() {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let check = |before: Value, set: &[&str], unset: &[&str], expected: Result<Value, &str>| {
            let before = before.as_object().expect("an object").clone();
            match (changed(before, &owned(set), &owned(unset)), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(Value::Object(found), expected),
                (Err(failure), Err(part)) => assert!(format!("{failure:?}").contains(part), "{failure:?}"),
                (found, _) => panic!("{found:?}"),
            }
        };
        check(json!({}), &["a=0.1", "b=x", "c=\"0.1\""], &[], Ok(json!({"a": 0.1, "b": "x", "c": "0.1"})));
        check(json!({"a": 1, "b": 2}), &["a=3"], &["b"], Ok(json!({"a": 3})));
        check(json!({"headers": {"x": "1"}}), &["headers.y=2"], &["headers.x"], Ok(json!({"headers": {"y": 2}})));
        check(json!({"a": 1}), &["a.b=2"], &[], Err("is not an object"));
        check(json!({}), &["a"], &[], Err("SETTING=VALUE"));
        check(json!({}), &["=1"], &[], Err("no name of a setting"));
        check(json!({}), &[], &["a"], Err("was not set"));
    }
}

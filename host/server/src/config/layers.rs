//! Layers of settings laid over each other, each value tried by itself so that all problems come out together.
//!
//! Everything is a JSON tree here: the defaults with absent values as null are the catalogue of what there is, and one
//! value is checked by deserializing a tree that holds only it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use bellwether_domain::{Error, Result, suggest};
use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::environment::{DOCUMENTED, Environment, OF_THE_COMMAND_LINE, PREFIX, WITHOUT_EFFECT, prefixed_name};
use super::{FILE_NAME, Settings};
use crate::explain;

/// Where a setting's value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "origin", content = "name")]
pub enum Origin {
    /// Nobody said otherwise.
    Default,
    /// The file.
    File(String),
    /// A variable.
    Environment(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(name) => write!(f, "file {name}"),
            Origin::Environment(name) => write!(f, "environment {name}"),
            Origin::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A setting given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The flag as written, for the origin.
    pub name: String,
    /// The setting, as in `server.bind`.
    pub path: String,
    /// Its value as text.
    pub value: String,
}

/// Settings and how they came about.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Origin of every setting that is not at its default, by path.
    pub origins: BTreeMap<String, Origin>,
    /// Things worth saying that are no error.
    pub notes: Vec<String>,
    /// The file that was read.
    pub file: Option<PathBuf>,
}

/// Reads all layers. Errors: `Invalid` with field `config`, one line per problem.
pub fn load(file: Option<&Path>, environment: &Environment, flags: &[Flag]) -> Result<Loaded> {
    let text = match file {
        None => None,
        Some(path) => Some(
            std::fs::read_to_string(path)
                .map_err(|error| Error::invalid("config", format!("the file {} cannot be read: {error}", path.display())))?,
        ),
    };
    load_text(file.zip(text.as_deref()), environment, flags)
}

pub(crate) fn load_text(file: Option<(&Path, &str)>, environment: &Environment, flags: &[Flag]) -> Result<Loaded> {
    let mut layers = Layers::new();
    if let Some((path, text)) = file {
        layers.add_file(path, text);
    }
    layers.add_environment(environment);
    for flag in flags {
        layers.add_text(&flag.path, &flag.value, Origin::Flag(flag.name.clone()));
    }
    layers.finish(file.map(|(path, _)| path.to_owned()))
}

struct Layers {
    /// The defaults: what there is, and of which type.
    catalogue: Value,
    merged: Value,
    origins: BTreeMap<String, Origin>,
    problems: Vec<String>,
    notes: Vec<String>,
}

impl Layers {
    fn new() -> Layers {
        let catalogue = Settings::default().to_json();
        Layers { merged: catalogue.clone(), catalogue, origins: BTreeMap::new(), problems: Vec::new(), notes: Vec::new() }
    }

    fn add_file(&mut self, path: &Path, text: &str) {
        let name = path.file_name().map_or(FILE_NAME.to_owned(), |name| name.to_string_lossy().into_owned());
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => return self.problems.push(format!("{name}: {}", error.to_string().trim_end())),
        };
        for (section, value) in table {
            let known = self.catalogue.as_object().expect("sections are an object");
            if !known.contains_key(&section) {
                let near = suggest::nearest(&section, known.keys().map(String::as_str)).unwrap_or_default();
                self.problems.push(format!("{name}: there is no section `{section}`; {near}"));
            } else if let toml::Value::Table(table) = value {
                self.add_table(&name, &section, table);
            } else {
                self.problems.push(format!("{name}: `{section}` must be a section, written [{section}]"));
            }
        }
    }

    fn add_table(&mut self, file: &str, path: &str, table: toml::Table) {
        for (key, value) in table {
            let path = format!("{path}.{key}");
            let nested = at(&self.catalogue, &path).is_some_and(Value::is_object);
            match (value, nested) {
                (toml::Value::Table(table), true) => self.add_table(file, &path, table),
                (value, _) => match json(&value) {
                    Ok(value) => self.add_value(&path, value, Origin::File(file.to_owned())),
                    Err(why) => self.problems.push(format!("{path}: {why} ({})", Origin::File(file.to_owned()))),
                },
            }
        }
    }

    fn add_environment(&mut self, environment: &Environment) {
        let given = |name: &str| environment.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
        let paths = leaves(&self.catalogue);
        for (name, path) in DOCUMENTED.map(|(name, path)| (name.to_owned(), path.to_owned())) {
            if let Some(value) = given(&name) {
                self.add_text(&path, value, Origin::Environment(name));
            }
        }
        for path in &paths {
            let name = prefixed_name(path);
            if let Some(value) = given(&name) {
                self.add_text(path, value, Origin::Environment(name));
            }
        }
        self.notes
            .extend(WITHOUT_EFFECT.iter().filter(|name| given(name).is_some()).map(|name| format!("{name} has no effect in this version")));
        let known: Vec<String> = paths.iter().map(|path| prefixed_name(path)).collect();
        for name in environment.keys().filter(|name| name.starts_with(PREFIX)) {
            if !known.contains(name) && !OF_THE_COMMAND_LINE.contains(&name.as_str()) {
                let near = suggest::nearest(name, known.iter().map(String::as_str)).filter(|near| near.starts_with("did"));
                self.notes.push(
                    format!("{name} is no setting and has no effect; {}", near.unwrap_or_default()).trim_end_matches("; ").to_owned(),
                );
            }
        }
    }

    /// A value written as text, of whatever type the setting has.
    fn add_text(&mut self, path: &str, text: &str, origin: Origin) {
        let Some(default) = at(&self.catalogue, path) else {
            let known = leaves(&self.catalogue);
            let near = suggest::nearest(path, known.iter().map(String::as_str)).filter(|near| near.starts_with("did"));
            let near = near.unwrap_or_else(|| "`bellwether config show` lists the settings".to_owned());
            return self.problems.push(format!("{path}: there is no such setting; {near} ({origin})"));
        };
        let mut readings = readings(text, default);
        let last = readings.pop().unwrap_or(Value::Null);
        let value = readings.into_iter().find(|value| try_one(path, value).is_ok()).unwrap_or(last);
        self.add_value(path, value, origin);
    }

    fn add_value(&mut self, path: &str, value: Value, origin: Origin) {
        // Elements of an array are tried one by one: each may have its own problem.
        let parts: Vec<(String, Value)> = match &value {
            Value::Array(items) if items.iter().any(Value::is_object) => {
                items.iter().enumerate().map(|(place, item)| (format!("{path}[{place}]"), Value::Array(vec![item.clone()]))).collect()
            }
            _ => vec![(path.to_owned(), value.clone())],
        };
        let before = self.problems.len();
        for (shown, part) in parts {
            if let Err(message) = try_one(path, &part) {
                self.problems.push(format!("{} ({origin})", explain::invalid(&shown, &message)));
            }
        }
        if self.problems.len() == before {
            put(&mut self.merged, path, value);
            self.origins.insert(path.to_owned(), origin);
        }
    }

    fn finish(self, file: Option<PathBuf>) -> Result<Loaded> {
        let mut problems = self.problems;
        let settings = match Settings::from_json(self.merged) {
            Ok(settings) => settings,
            Err(error) => {
                problems.push(error.to_string());
                Settings::default()
            }
        };
        problems.extend(settings.problems());
        match problems.is_empty() {
            true => Ok(Loaded { settings, origins: self.origins, notes: self.notes, file }),
            false => Err(Error::invalid("config", format!("{} problem(s)\n  {}", problems.len(), problems.join("\n  ")))),
        }
    }
}

/// Paths of all settings, in the order of the sections.
pub(crate) fn leaves(tree: &Value) -> Vec<String> {
    fn walk(prefix: &str, value: &Value, into: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                    walk(&path, value, into);
                }
            }
            _ => into.push(prefix.to_owned()),
        }
    }
    let mut paths = Vec::new();
    walk("", tree, &mut paths);
    paths
}

/// The value at a path.
pub(crate) fn at<'a>(tree: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(tree, |value, key| value.get(key))
}

fn put(tree: &mut Value, path: &str, value: Value) {
    match path.split_once('.') {
        None => tree[path] = value,
        Some((key, rest)) => put(&mut tree[key], rest, value),
    }
}

/// Reads a tree that holds only this value.
fn try_one(path: &str, value: &Value) -> std::result::Result<(), String> {
    let tree = path.rsplit('.').fold(value.clone(), |inner, key| Value::Object(Map::from_iter([(key.to_owned(), inner)])));
    Settings::from_json(tree).map(|_| ()).map_err(|error| error.to_string())
}

/// What a text may mean for a setting whose default is `default`; the last one stands when none fits.
fn readings(text: &str, default: &Value) -> Vec<Value> {
    let number = || {
        let whole = text.parse::<i64>().ok().map(Value::from);
        whole.or_else(|| text.parse().ok().and_then(Number::from_f64).map(Value::Number))
    };
    let as_text = Value::String(text.to_owned());
    match default {
        Value::Number(_) | Value::Null => number().into_iter().chain([as_text]).collect(),
        Value::Bool(_) => vec![text.parse().map_or(as_text, Value::Bool)],
        Value::Array(_) | Value::Object(_) => match serde_json::from_str(text) {
            Ok(value) => vec![value],
            Err(_) => vec![text.split(',').map(|part| Value::String(part.trim().to_owned())).collect()],
        },
        Value::String(_) => vec![as_text],
    }
}

/// TOML as JSON; numbers that JSON does not have are refused rather than lost.
fn json(value: &toml::Value) -> std::result::Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => {
            Number::from_f64(*number).map(Value::Number).ok_or_else(|| format!("is {number}; it must be a finite number"))?
        }
        toml::Value::Boolean(truth) => Value::Bool(*truth),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => Value::Array(items.iter().map(json).collect::<std::result::Result<_, _>>()?),
        toml::Value::Table(table) => {
            let pairs = table.iter().map(|(key, value)| json(value).map(|value| (key.clone(), value)));
            Value::Object(pairs.collect::<std::result::Result<_, _>>()?)
        }
    })
}

#[cfg(test)]
mod tests;

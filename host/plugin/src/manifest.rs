//! `plugin.toml`, written by a plugin's author: what it is, what it wants, what it needs.

use std::path::{Component, Path};

use bellwether_domain::{Error, Result, suggest};
use serde::{Deserialize, Serialize};

use crate::size::{ByteSize, Span};

/// Which of the plugin worlds a component implements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A model type.
    Model,
    /// A two-sample drift test.
    DriftTest,
    /// A streaming drift detector.
    DriftDetector,
    /// An alert handler.
    AlertHandler,
    /// A deployment strategy.
    DeploymentStrategy,
}

/// A manifest. Unknown keys are errors with a suggestion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name, also what `describe` answers: lower-case letters, digits and `-`.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// The kind.
    pub kind: Kind,
    /// The component's file, beside the manifest.
    pub component: String,
    /// Version of the contract it was built against, `0.1.0`.
    pub contract: String,
    /// SPDX licence.
    pub licence: String,
    /// One sentence.
    #[serde(default)]
    pub summary: String,
    /// Configuration unless the operator says otherwise.
    #[serde(default)]
    pub config: toml::Table,
    /// Capabilities it wants; nothing here is granted by itself.
    #[serde(default)]
    pub wants: Wants,
    /// Limits it wishes for; the operator's ceiling stands above.
    #[serde(default)]
    pub limits: WantedLimits,
    /// How `bellwether plugin build` makes the component. A host that loads the plugin does not look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
}

/// How the component is made: a command and what it leaves, or a language the tool builds by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Build {
    /// Run by `sh -c` in the plugin's folder.
    pub command: Option<String>,
    /// What the command leaves, a path in the folder: a component, or a core module of which one is made.
    pub module: Option<String>,
    /// Where a core module imports `wasi_snapshot_preview1`: a module, binary or text, that answers those imports.
    pub adapter: Option<String>,
    /// Instead of all of the above.
    pub language: Option<Language>,
}

/// Languages built without a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// A cargo project.
    Rust,
}

/// Capabilities a plugin asks for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wants {
    /// Outgoing HTTP: as in a grant (`https://hooks.example.com`, `https://*.example.com`, `POST https://…`), or `configured`
    /// for what the operator will name.
    pub http: Vec<String>,
    /// Secrets, by name.
    pub secrets: Vec<String>,
    /// The time.
    pub clock: bool,
}

/// Limits a plugin wishes for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WantedLimits {
    /// Linear memory.
    pub memory: Option<ByteSize>,
    /// Time per call.
    pub call_timeout: Option<Span>,
    /// Bytes an answer may have.
    pub output: Option<ByteSize>,
    /// Calls at once.
    pub concurrency: Option<u32>,
    /// Calls that wait.
    pub queue: Option<u32>,
    /// Log lines a second.
    pub log_lines: Option<u32>,
    /// Calls of host functions in one call.
    pub host_calls: Option<u64>,
}

/// Longest manifest, in bytes.
const MANIFEST: u64 = 64 << 10;

impl Kind {
    /// The kind as written in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Model => "model",
            Kind::DriftTest => "drift-test",
            Kind::DriftDetector => "drift-detector",
            Kind::AlertHandler => "alert-handler",
            Kind::DeploymentStrategy => "deployment-strategy",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Manifest {
    /// Reads a manifest's text. Errors name the key, with the near match for an unknown one.
    pub fn parse(text: &str) -> Result<Manifest> {
        let manifest: Manifest = toml::from_str(text).map_err(|error| explain(text, &error))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Reads `plugin.toml` in a plugin's folder.
    pub fn read(folder: &Path) -> Result<Manifest> {
        let path = folder.join("plugin.toml");
        let unreadable = |error: std::io::Error| Error::invalid("plugin.toml", format!("{} cannot be read: {error}", path.display()));
        if std::fs::metadata(&path).map_err(unreadable)?.len() > MANIFEST {
            return Err(Error::invalid("plugin.toml", format!("{} is larger than {MANIFEST} bytes", path.display())));
        }
        Manifest::parse(&std::fs::read_to_string(&path).map_err(unreadable)?)
    }

    fn check(&self) -> Result<()> {
        let wrong = |key: &str, why: String| Err(Error::invalid(format!("plugin.toml: {key}"), why));
        if !is_plugin_name(&self.name) {
            return wrong(
                "name",
                format!("`{}` is not a name; use 1 to 64 lower-case letters, digits and `-`, beginning with a letter", self.name),
            );
        }
        if version(&self.version).is_none() {
            return wrong("version", format!("`{}` is not a semantic version; write it as 1.4.2", self.version));
        }
        if version(&self.contract).is_none() {
            return wrong(
                "contract",
                format!("`{}` is not a version of the contract; write it as {}", self.contract, crate::contract::VERSION),
            );
        }
        let file = Path::new(&self.component);
        if self.component.is_empty() || file.file_name() != Some(file.as_os_str()) {
            return wrong("component", format!("`{}` must be the name of a file beside the manifest, without a folder", self.component));
        }
        if self.licence.trim().is_empty() {
            return wrong("licence", "is empty; give an SPDX identifier, as in Apache-2.0".to_owned());
        }
        for origin in self.wants.http.iter().filter(|want| *want != crate::grant::CONFIGURED) {
            if let Err(why) = crate::grant::HttpGrant::parse(origin) {
                return wrong("wants.http", format!("{why}; or `{}` for those the operator names", crate::grant::CONFIGURED));
            }
        }
        self.build.as_ref().map_or(Ok(()), Build::check)
    }
}

impl Build {
    fn check(&self) -> Result<()> {
        let wrong = |key: &str, why: &str| Err(Error::invalid(format!("plugin.toml: build.{key}"), why));
        let paths = [("module", &self.module), ("adapter", &self.adapter)];
        for (key, path) in paths.into_iter().filter_map(|(key, path)| Some((key, path.as_ref()?))) {
            if path.is_empty() || !Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
                return wrong(key, &format!("`{path}` must be a path within the plugin's folder, as in build/plugin.wasm"));
            }
        }
        match (&self.language, &self.command, &self.module) {
            (Some(_), None, None) if self.adapter.is_none() => Ok(()),
            (Some(_), ..) => wrong("language", "stands alone: leave out command, module and adapter, or the language"),
            (None, Some(command), Some(_)) if !command.trim().is_empty() => Ok(()),
            (None, _, Some(_)) => wrong("command", "is missing; give the command that makes the module, or `language = \"rust\"` alone"),
            (None, _, None) => wrong("module", "is missing; give the path of what the command leaves, or `language = \"rust\"` alone"),
        }
    }
}

/// 1 to 64 lower-case letters, digits and `-`, beginning with a letter.
pub fn is_plugin_name(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.len() <= 64
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
}

/// Major, minor and patch of a semantic version; what follows `-` or `+` is read over.
pub(crate) fn version(text: &str) -> Option<[u64; 3]> {
    let core = text.split(['-', '+']).next()?;
    let mut parts = core.split('.').map(|part| {
        let digits = !part.is_empty() && part.chars().all(|letter| letter.is_ascii_digit());
        if digits { part.parse::<u64>().ok() } else { None }
    });
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}

/// What is wrong with a text, in words for its author.
fn explain(text: &str, error: &toml::de::Error) -> Error {
    let message = error.message();
    if let Some(rest) = message.strip_prefix("unknown field `")
        && let Some((key, known)) = rest.split_once('`')
    {
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let near = suggest::nearest(key, known).unwrap_or_else(|| "there are none here".to_owned());
        return Error::invalid(format!("plugin.toml: {key}"), format!("is not a key of a manifest; {near}"));
    }
    if let Some(key) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return Error::invalid(format!("plugin.toml: {key}"), "is missing");
    }
    let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count().max(1));
    let place = line.map(|line| format!(" (line {line})")).unwrap_or_default();
    Error::invalid("plugin.toml", format!("{message}{place}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        name = "ks"
        version = "0.1.0"
        kind = "drift-test"
        component = "ks.wasm"
        contract = "0.1.0"
        licence = "Apache-2.0"
        [config]
        alpha = 0.05
        [limits]
        memory = "64 MiB"
        call_timeout = "2s"
    "#;

    #[test]
    fn a_good_manifest_is_read() {
        let manifest = Manifest::parse(GOOD).expect("good");
        assert_eq!((manifest.kind, manifest.limits.memory), (Kind::DriftTest, Some(ByteSize(64 << 20))));
        assert_eq!(manifest.config["alpha"].as_float(), Some(0.05));
        assert_eq!(manifest.wants, Wants::default());
    }

    #[test]
    fn errors_name_the_key_and_the_fix() {
        let check = |from: &str, to: &str, expected: &str| {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD);
            let error = Manifest::parse(&text).expect_err(to).to_string();
            assert!(error.contains(expected), "{to}: {error}");
        };
        check("kind =", "knid =", "plugin.toml: knid: is not a key of a manifest; did you mean `kind`?");
        check("memory =", "memroy =", "plugin.toml: memroy: is not a key of a manifest; did you mean `memory`?");
        check("licence = \"Apache-2.0\"", "", "plugin.toml: licence: is missing");
        check("\"drift-test\"", "\"drift\"", "drift-test");
        check("\"ks\"", "\"KS test\"", "plugin.toml: name:");
        check("version = \"0.1.0\"\n        kind", "version = \"1\"\n        kind", "plugin.toml: version:");
        check("contract = \"0.1.0\"", "contract = \"0.1\"", "plugin.toml: contract:");
        check("ks.wasm", "../ks.wasm", "plugin.toml: component:");
        check("64 MiB", "64 MB", "write it as 64 MiB");
        check("[config]", "[wants]\nhttp = [\"hooks\"]\n[config]", "plugin.toml: wants.http:");
        check("name = \"ks\"", "name = ks", "line 2");
    }

    #[test]
    fn how_it_is_built_is_a_command_or_a_language() {
        let check = |build: &str, expected: Result<(), &str>| match (Manifest::parse(&format!("{GOOD}[build]\n{build}")), expected) {
            (Ok(manifest), Ok(())) => assert!(manifest.build.is_some()),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{build}: {error}"),
            (found, _) => panic!("{build}: {found:?}"),
        };
        let command = "command = \"sh build.sh\"\n";
        check("language = \"rust\"", Ok(()));
        check(&format!("{command}module = \"build/a.wasm\"\nadapter = \"./build/a.wat\""), Ok(()));
        check("language = \"ruts\"", Err("rust"));
        check("langauge = \"rust\"", Err("plugin.toml: langauge: is not a key of a manifest; did you mean `language`?"));
        check(&format!("{command}language = \"rust\""), Err("plugin.toml: build.language: stands alone"));
        check(command, Err("plugin.toml: build.module: is missing"));
        check("module = \"a.wasm\"", Err("plugin.toml: build.command: is missing"));
        check("", Err("plugin.toml: build.module: is missing"));
        check(&format!("{command}module = \"../a.wasm\""), Err("plugin.toml: build.module: `../a.wasm` must be a path within"));
        check(&format!("{command}module = \"/srv/a.wasm\""), Err("plugin.toml: build.module:"));
        check(&format!("{command}module = \"a.wasm\"\nadapter = \"b/../../a.wat\""), Err("plugin.toml: build.adapter:"));
    }

    #[test]
    fn versions_are_three_numbers() {
        assert_eq!(version("1.20.3-rc.1+x"), Some([1, 20, 3]));
        for text in ["1", "1.2", "1.2.3.4", "a.b.c", "1..2", "", "-1.2.3", "+1.2.3"] {
            assert_eq!(version(text), None, "{text}");
        }
    }
}

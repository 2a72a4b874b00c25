//! Plugins in other languages than the host's: the five examples, and a new one of every kind in every language, built from
//! source by one command, their cases run, and all in service in one host.
//!
//! An example is built in a copy that lies beside the SDK and the contract as in the repository; a new plugin has nothing but
//! what the binary wrote. Tools come from PyPI and npm into a folder that later runs find again; where they cannot be had, what
//! needs them is left out with the reason, and the rest is tried.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bellwether_tests::{Home, Running, binary, repository, sample};
use serde_json::json;

use crate::shared::{id, ingest, promoted, train};

/// (example, kind).
const EXAMPLES: [(&str, &str); 5] = [
    ("mmd", "drift-test"),
    ("theta", "model"),
    ("chat-alert", "alert-handler"),
    ("page-hinkley", "drift-detector"),
    ("time-window", "deployment-strategy"),
];

/// Languages beside Rust, whose new plugins `author` tries, and the kinds each has a template of.
const LANGUAGES: [&str; 4] = ["c", "go", "typescript", "python"];
const KINDS: [&str; 5] = ["alert-handler", "deployment-strategy", "drift-detector", "drift-test", "model"];

/// One desk at a time: they share the tools and what they keep.
static ALONE: Mutex<()> = Mutex::new(());

/// A folder that looks like the repository to an example.
struct Desk {
    folder: tempfile::TempDir,
    /// What is kept from run to run: tools, compiled dependencies.
    kept: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Desk {
    fn new() -> Desk {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        for name in ["sdk", "wit"] {
            std::os::unix::fs::symlink(repository().join(name), folder.path().join(name)).unwrap();
        }
        let kept = binary().ancestors().nth(2).unwrap().join("languages");
        fs_err::create_dir_all(&kept).unwrap();
        Desk { folder, kept, _alone: alone }
    }

    fn examples(&self) -> PathBuf {
        self.folder.path().join("examples")
    }

    fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).env("NO_COLOR", "1").env("CARGO_TARGET_DIR", &self.kept);
        command.env("BELLWETHER_TOOLS", self.kept.join("tools")).env("XDG_CACHE_HOME", self.kept.join("cache"));
        command
    }

    /// Copies, builds and tries an example; false, with the reason printed, where its tools cannot be had.
    fn make(&self, name: &str) -> bool {
        let folder = self.examples().join(name);
        copy(&repository().join("examples").join(name), &folder);
        if folder.join("Cargo.toml").is_file() {
            // A symbolic link would hide the SDK's workspace from cargo.
            let manifest = fs_err::read_to_string(folder.join("Cargo.toml")).unwrap();
            let sdk = repository().join("sdk/rust").display().to_string();
            fs_err::write(folder.join("Cargo.toml"), manifest.replace("../../sdk/rust", &sdk)).unwrap();
        } else {
            if !self.has_tools(name, &folder) {
                return false;
            }
        }
        self.plugin(name, &folder, &["build"]);
        self.plugin(name, &folder, &["test"]);
        true
    }

    /// Writes a new plugin into an empty folder, builds, tries and checks it; false where its tools cannot be had.
    fn begin(&self, language: &str, kind: &str) -> bool {
        let (name, begun) = (format!("{language}-{kind}"), self.begun());
        fs_err::create_dir_all(&begun).unwrap();
        self.plugin(&name, &begun, &["new", &name, "--kind", kind, "--lang", language]);
        let folder = begun.join(&name);
        if folder.join("setup.sh").is_file() && !self.has_tools(&name, &folder) {
            fs_err::remove_dir_all(&folder).unwrap();
            return false;
        }
        for verb in ["build", "test", "check"] {
            self.plugin(&name, &folder, &[verb]);
        }
        true
    }

    fn begun(&self) -> PathBuf {
        self.folder.path().join("begun")
    }

    fn has_tools(&self, name: &str, folder: &Path) -> bool {
        let set_up = self.command(Path::new("sh"), folder).arg("setup.sh").output().unwrap();
        if !set_up.status.success() {
            println!("{name} was left out, its tools cannot be had: {}", text(&set_up));
        }
        set_up.status.success()
    }

    #[track_caller]
    fn plugin(&self, name: &str, folder: &Path, arguments: &[&str]) {
        let done = self.command(&binary(), folder).arg("plugin").args(arguments).output().unwrap();
        assert!(done.status.success(), "{name}: plugin {arguments:?}: {}", text(&done));
    }

    /// A host that has loaded the plugins of a folder.
    fn host(&self, plugins: &Path, more: &str) -> (Home, Running) {
        let home = Home::new(&format!("[plugins]\nfolders = [{:?}]\n{more}", plugins.display().to_string()));
        // `plugin test` has compiled them for this machine; Python's alone would take a good part of a start's time.
        let cache = home.data().join("plugin-cache");
        copy(&self.kept.join("cache/bellwether/components"), &cache);
        fs_err::set_permissions(&cache, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let host = home.start();
        (home, host)
    }
}

/// The operator's word for a handler: it serves where it is granted an address; nothing is delivered here.
fn delivering(name: &str, config: &str) -> String {
    format!("[[plugins.instance]]\nname = \"{name}\"\n{config}\ngrant = {{ http = [\"http://127.0.0.1:9\"] }}\n")
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let made = name.starts_with('.') || ["target", "build", "node_modules", "__pycache__"].contains(&name.as_str());
        if path.is_dir() && !made {
            copy(&path, &to.join(&name));
        } else if path.is_file() && !name.ends_with(".wasm") {
            fs_err::copy(&path, to.join(&name)).unwrap();
        }
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn plugins_of_five_languages_are_built_and_serve_in_one_host() {
    let desk = Desk::new();
    let made: Vec<(&str, &str)> = EXAMPLES.into_iter().filter(|(name, _)| desk.make(name)).collect();
    let has = |wanted: &str| made.iter().any(|(name, _)| *name == wanted);
    let mut settings = "[training]\nmin_data_points = 500\n".to_owned();
    if has("chat-alert") {
        settings += &delivering("chat-alert", "config = { url = \"http://127.0.0.1:9/hook\" }");
    }
    let (_home, host) = desk.host(&desk.examples(), &settings);
    for (name, kind) in &made {
        let plugin = host.client.get(&format!("/mlops/api/plugins/{name}")).expect(200);
        assert_eq!((&plugin["state"], &plugin["kind"]), (&json!("active"), &json!(kind)), "{plugin}");
    }
    ingest(&host.client, "EURUSD", sample::eurusd()).expect(200);
    let model_type = if has("theta") { "theta" } else { "har" };
    let request = json!({
        "model_type": model_type, "symbol": "EURUSD", "target": {"kind": "realized-volatility", "horizon": 24},
        "gates": {"min_skill": null, "max_mse_vs_champion": null},
    });
    let model = id(&train(&host, &request), "model_id");

    let always = json!([{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "until": "24:00"}]);
    let (strategy, config) = match has("time-window") {
        true => ("time-window", json!({"windows": always, "shares": [], "least_requests": 0})),
        false => ("blue-green", json!({})),
    };
    let request = json!({"model_id": model, "deployment_strategy": strategy, "endpoint": "eurusd", "config": config});
    let deployment = id(&host.client.post("/mlops/api/models/deploy", &request).expect(202), "deployment_id");
    promoted(&host, &deployment);
    let answer = host.client.post("/mlops/api/predict", &json!({"endpoint": "eurusd", "latest": true})).expect(200);
    assert!(answer["predictions"][0]["prediction"].as_f64().is_some_and(f64::is_finite), "{answer}");
}

#[test]
fn a_new_plugin_of_every_kind_in_every_language_serves() {
    let desk = Desk::new();
    let all = LANGUAGES.into_iter().flat_map(|language| KINDS.map(|kind| (language, kind)));
    let made: Vec<(&str, &str)> = all.filter(|(language, kind)| desk.begin(language, kind)).collect();
    if made.is_empty() {
        return println!("no language's tools can be had: nothing was tried");
    }
    let handlers = made.iter().filter(|(_, kind)| *kind == "alert-handler");
    let settings: String =
        handlers.map(|(language, kind)| delivering(&format!("{language}-{kind}"), "config = { url = \"http://127.0.0.1:9\" }")).collect();
    let (_home, host) = desk.host(&desk.begun(), &settings);
    for (language, kind) in made {
        let plugin = host.client.get(&format!("/mlops/api/plugins/{language}-{kind}")).expect(200);
        assert_eq!((&plugin["state"], &plugin["kind"]), (&json!("active"), &json!(kind)), "{plugin}");
    }
}

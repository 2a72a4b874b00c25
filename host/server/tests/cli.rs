//! The binary as a user meets it without a host: exit codes, hints, settings.

use std::process::{Command, Output, Stdio};

/// Runs the binary in an empty folder with only these variables.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    Command::new(env!("CARGO_BIN_EXE_bellwether"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

fn check(arguments: &[&str], environment: &[(&str, &str)], code: i32, expected: &[&str]) {
    let output = run(arguments, environment);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    for part in expected {
        assert!(text.contains(part), "{arguments:?}: `{part}` is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "{arguments:?}: colours without a terminal");
}

/// An address where nobody listens: taken from the system and given back.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("its address"))
}

#[test]
fn without_a_host_commands_say_how_to_start_one() {
    let url = nowhere();
    for command in [["models", "list"], ["plugin", "list"], ["data", "list"], ["deployments", "endpoints"]] {
        let arguments = ["--url", &url, command[0], command[1]];
        check(&arguments, &[], 3, &["no host answers at", &url, "bellwether serve"]);
    }
    check(&["jobs", "list"], &[("BELLWETHER_URL", &url)], 3, &[&url]);
    check(&["version"], &[("BELLWETHER_URL", &url)], 0, &["bellwether 0.", "no host answers"]);
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    check(&["trian"], &[], 2, &["train"]);
    check(&["train", "lstm", "--symbol", "X", "--target", "retrun"], &[], 2, &["did you mean `return`?"]);
    check(&["--url", "https://h", "data", "list"], &[], 2, &["TLS"]);
    check(&["--token", "short", "data", "list"], &[], 2, &["token: must have at least 16"]);
    check(&["--token-file", "none", "data", "list"], &[], 2, &["there is no token file none"]);
    check(&["models", "download"], &[], 2, &["MODEL_ID"]);
    check(&["train-worker"], &[], 2, &["writes an order"]);
}

#[test]
fn settings_are_checked_and_shown_with_their_origin() {
    check(&["config", "check"], &[], 0, &["the settings are good"]);
    check(&["config", "check"], &[("SLACK_WEBHOOK_URL", "https://x")], 0, &["SLACK_WEBHOOK_URL has no effect in this version"]);
    let wrong = [("MIN_MODEL_ACCURACY", "high"), ("MAX_CONCURRENT_TRAINING_JOBS", "0")];
    check(&["config", "check"], &wrong, 2, &["gates.min_model_accuracy: is the text", "training.max_concurrent_jobs must be at least 1"]);
    check(&["--config", "none.toml", "config", "check"], &[], 2, &["none.toml cannot be read"]);
    check(&["config", "show", "--bind", "127.0.0.1:1"], &[], 0, &["bind = \"127.0.0.1:1\"", "# flag --bind", "# default"]);
    let shown = run(&["config", "show", "--json"], &[("DRIFT_THRESHOLD", "0.2")]);
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown["settings"]["monitoring"]["drift_threshold"], 0.2);
    assert_eq!(shown["origins"]["monitoring.drift_threshold"], "environment DRIFT_THRESHOLD");
    let defaults = run(&["config", "default"], &[]);
    assert_eq!(String::from_utf8_lossy(&defaults.stdout).trim_end(), bellwether_server::config::DEFAULT_FILE.trim_end());
}

#[test]
fn an_address_or_a_folder_in_use_ends_the_start_with_the_fix() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    check(&["serve", "--bind", &address], &[], 1, &["cannot listen on", &address, "--bind"]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("something"), "").unwrap();
    let data = folder.path().to_str().unwrap();
    check(&["demo", "--data", data], &[], 2, &["is not empty"]);
}

//! The command line: help, settings, exit codes, and what it says when no host runs.

use std::process::Output;

use bellwether_tests::{Home, sample};
use serde_json::Value;

use crate::shared::shared;

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a command that must end with this code; returns what it printed on both streams.
#[track_caller]
fn run(home: &Home, arguments: &[&str], code: i32) -> String {
    let output = home.command(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output));
    text(&output)
}

/// Runs a command with `--json`; returns what it printed on standard output.
#[track_caller]
fn json(home: &Home, arguments: &[&str]) -> Value {
    let output = home.command(arguments).arg("--json").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", text(&output)))
}

/// A folder whose commands talk to the shared host.
fn client_home() -> Home {
    let shared = shared();
    Home::default().with("BELLWETHER_URL", &shared.host.url).with("BELLWETHER_TOKEN", &shared.host.token)
}

#[test]
fn help_names_every_command() {
    let help = run(&Home::default(), &["--help"], 0);
    for command in ["serve", "demo", "train", "models", "deploy", "predict", "drift", "data", "plugin", "config", "version"] {
        assert!(help.contains(command), "`{command}` is not in: {help}");
    }
    assert!(!help.contains("train-worker"), "the worker is nobody's command: {help}");
}

#[test]
fn a_wrong_command_gets_the_near_one() {
    let error = run(&Home::default(), &["sevre"], 2);
    assert!(error.contains("serve"), "{error}");
}

#[test]
fn good_settings_pass() {
    run(&Home::new("[training]\nmax_concurrent_jobs = 2\n"), &["config", "check"], 0);
    run(&Home::default(), &["config", "check"], 0);
}

#[test]
fn all_problems_of_settings_are_reported_together() {
    let home =
        Home::new("[training]\nmax_concurent_jobs = 2\nqueue = 0\n[server]\nbind = \"nowhere\"\n").with("MIN_MODEL_ACCURACY", "high");
    let error = run(&home, &["config", "check"], 2);
    for part in ["max_concurrent_jobs", "training.queue", "server.bind", "MIN_MODEL_ACCURACY"] {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
    let refused = home.try_start().map(|_| ()).expect_err("no host runs on wrong settings");
    assert_eq!(refused.status.code(), Some(2), "{}", refused.output);
}

#[test]
fn settings_are_shown_with_their_origin() {
    let home = Home::new("[training]\nqueue = 5\n").with("MAX_CONCURRENT_TRAINING_JOBS", "1");
    let shown = run(&home, &["config", "show"], 0);
    for part in ["queue", "bellwether.toml", "MAX_CONCURRENT_TRAINING_JOBS", "default"] {
        assert!(shown.contains(part), "`{part}` is not in: {shown}");
    }
}

#[test]
fn the_version_is_a_version() {
    let version = json(&Home::default(), &["version"]);
    assert!(version.to_string().contains(env!("CARGO_PKG_VERSION")), "{version}");
    assert!(run(&Home::default(), &["--version"], 0).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn without_a_host_it_says_how_to_start_one() {
    // A port that was free a moment ago: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let home = Home::default().with("BELLWETHER_URL", &format!("http://127.0.0.1:{port}"));
    for command in [&["models", "list"][..], &["data", "list"], &["jobs", "list"], &["dashboard"]] {
        let error = run(&home, command, 3);
        assert!(error.contains("no host answers") && error.contains("bellwether serve"), "{error}");
    }
}

#[test]
fn plugins_are_listed_by_the_host() {
    let home = client_home();
    let table = run(&home, &["plugin", "list"], 0);
    for name in ["lstm", "har", "ks", "webhook", "blue-green"] {
        assert!(table.contains(name), "`{name}` is not in: {table}");
    }
    assert!(run(&home, &["plugin", "inspect", "lstm"], 0).contains("lstm_units"));
    assert!(json(&home, &["plugin", "list"]).to_string().contains("blue-green"));
}

#[test]
fn models_are_listed_shown_and_asked() {
    let (home, host) = (client_home(), shared());
    assert!(run(&home, &["models", "list"], 0).contains(&host.har));
    assert!(json(&home, &["models", "list"]).to_string().contains(&host.lstm));
    assert!(run(&home, &["predict", "--endpoint", "EURUSD", "--latest"], 0).contains(&host.har));
    let error = run(&home, &["predict", "--endpoint", "EURUDS", "--latest"], 1);
    assert!(error.contains("did you mean `EURUSD`?"), "{error}");
    let error = run(&Home::default().with("BELLWETHER_URL", &host.host.url), &["models", "list"], 1);
    assert!(error.contains("--token"), "{error}");
}

#[test]
fn a_file_of_bars_is_imported_and_described() {
    let home = client_home();
    fs_err::write(home.path().join("bars.csv"), sample::swinging(50)).unwrap();
    run(&home, &["data", "import", "bars.csv", "--symbol", "CLI/CSV", "--interval", "1h"], 0);
    assert!(run(&home, &["data", "list"], 0).contains("CLI/CSV"));
    assert!(run(&home, &["data", "describe", "--symbol", "CLI/CSV", "--interval", "1h"], 0).contains("50"));
    fs_err::write(home.path().join("bad.csv"), format!("{}x,1,1,1,1,1\n", sample::HEADER)).unwrap();
    let error = run(&home, &["data", "import", "bad.csv", "--symbol", "CLI/BAD", "--interval", "1h"], 1);
    assert!(error.contains("row 1, column timestamp"), "{error}");
    run(&home, &["data", "import", "none.csv", "--symbol", "CLI/BAD", "--interval", "1h"], 1);
}

#[test]
fn a_host_stops_when_asked() {
    let home = Home::default();
    let host = home.start();
    let token = host.token.clone();
    assert!(host.printed().contains(&token), "the token is shown at the first start");
    let (status, output) = host.stop();
    assert!(status.success(), "{output}");
    let again = home.start();
    assert_eq!(again.token, token);
    assert!(!again.printed().contains(&token), "and only then");
}

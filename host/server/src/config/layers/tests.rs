//! Precedence, problems and near matches of the layers.

use super::*;
use crate::config::DEFAULT_FILE;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn flag(path: &str, value: &str) -> Flag {
    Flag { name: "--set".to_owned(), path: path.to_owned(), value: value.to_owned() }
}

fn loaded(file: &str, pairs: &[(&str, &str)], flags: &[Flag]) -> Result<Loaded> {
    load_text(Some((Path::new("folder/bellwether.toml"), file)), &environment(pairs), flags)
}

#[test]
fn flags_beat_the_environment_which_beats_the_file_which_beats_the_defaults() {
    let file = "[training]\nmax_concurrent_jobs = 4\nqueue = 5\nattempts = 6\n";
    let all = loaded(
        file,
        &[("MAX_CONCURRENT_TRAINING_JOBS", "7"), ("BELLWETHER_TRAINING_QUEUE", "8"), ("DRIFT_THRESHOLD", "0.1")],
        &[flag("training.queue", "9")],
    )
    .unwrap();
    let training = &all.settings.host.training;
    assert_eq!((training.max_concurrent_jobs, training.queue, training.attempts, training.min_data_points), (7, 9, 6, 1000));
    assert_eq!(all.settings.host.monitoring.drift_threshold, Some(0.1));
    assert_eq!(all.origins["training.max_concurrent_jobs"].to_string(), "environment MAX_CONCURRENT_TRAINING_JOBS");
    assert_eq!(all.origins["training.queue"].to_string(), "flag --set");
    assert_eq!(all.origins["training.attempts"].to_string(), "file bellwether.toml");
    assert!(!all.origins.contains_key("training.min_data_points"));
}

#[test]
fn every_documented_variable_sets_what_it_says() {
    let values = ["/models", "2", "1.5", "500", "0.6", "1000", "0.5", "0.1", "canary", "30"];
    let pairs: Vec<(&str, &str)> = DOCUMENTED.iter().zip(values).map(|((name, _), value)| (*name, value)).collect();
    let all = loaded("", &pairs, &[]).unwrap();
    let tree = all.settings.to_json();
    for ((name, path), value) in DOCUMENTED.iter().zip(values) {
        assert_eq!(all.origins[*path], Origin::Environment((*name).to_owned()));
        let shown = at(&tree, path).unwrap();
        let same = shown.as_str() == Some(value) || shown.as_f64() == value.parse().ok();
        assert!(same, "{name}: {shown} is not {value}");
    }
}

#[test]
fn all_problems_come_together_with_near_matches() {
    let file = "
        [trainning]
        [training]
        max_jobs = 3
        queue = 'many'
        attempts = 0
        [server]
        body_limit = '64 MB'
        bind = 'localhost'
        [plugins.ceiling]
        memry = '1 MiB'
        [[plugins.instance]]
        name = 'webhook'
        grants = {}
        [monitoring]
        drift_threshold = nan
    ";
    let error = loaded(file, &[("MIN_MODEL_ACCURACY", "high")], &[flag("server.bidn", "x")]).unwrap_err().to_string();
    for expected in [
        "no section `trainning`; did you mean `training`?",
        "training.max_jobs: is not known here",
        "training.queue: is the text \"many\"; it must be a whole number, 0 or more (file bellwether.toml)",
        "training.attempts must be at least 1",
        "server.body_limit: `64 MB` is not a size; write it as 64 MiB",
        "server.bind: ",
        "plugins.ceiling.memry: is not known here; did you mean `memory`?",
        "plugins.instance[0].grants: is not known here; did you mean `grant`?",
        "monitoring.drift_threshold: is NaN; it must be a finite number",
        "gates.min_model_accuracy: is the text \"high\"; it must be a number (environment MIN_MODEL_ACCURACY)",
        "server.bidn: there is no such setting; did you mean `server.bind`? (flag --set)",
    ] {
        assert!(error.contains(expected), "{expected}\nis not in\n{error}");
    }
}

#[test]
fn variables_without_effect_and_unknown_ones_are_noted() {
    let pairs = [
        ("SLACK_WEBHOOK_URL", "https://hooks.example.com/x"),
        ("BELLWETHER_SERVER_BNID", "x"),
        ("BELLWETHER_URL", "http://h"),
        ("BELLWETHER_TOOLS", "/opt"),
    ];
    let notes = loaded("", &pairs, &[]).unwrap().notes;
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert_eq!(notes[0], "SLACK_WEBHOOK_URL has no effect in this version");
    assert!(notes[1].contains("did you mean `BELLWETHER_SERVER_BIND`?"), "{}", notes[1]);
}

#[test]
fn the_default_file_says_the_defaults_and_names_every_setting() {
    let all = loaded(DEFAULT_FILE, &[], &[]).unwrap();
    assert_eq!(all.settings, Settings::default());
    for path in leaves(&Settings::default().to_json()) {
        let key = path.rsplit('.').next().unwrap();
        let set = all.origins.contains_key(&path);
        let commented = DEFAULT_FILE.lines().any(|line| line.starts_with(&format!("# {key} = ")) || line == format!("# [[{path}]]"));
        assert!(set || commented, "bellwether.default.toml does not name {path}");
    }
}

#[test]
fn a_broken_file_names_the_line() {
    let error = loaded("[training\n", &[], &[]).unwrap_err().to_string();
    assert!(error.contains("bellwether.toml: TOML parse error at line 1"), "{error}");
}

//! The plugin host over a small guest of its own: what is refused, what is bounded, and that a fault stays where it was.

use std::path::Path;
use std::time::{Duration, Instant};

use bellwether_domain::Error;
use bellwether_domain::error::PluginFault;
use bellwether_plugin::size::{ByteSize, Span};
use bellwether_plugin::{Bundled, Ceiling, DriftDetector, Instance, PluginHost, PluginsConfig, check};
use serde_json::{Value, json};

mod guest;

fn config(ceiling: Ceiling) -> PluginsConfig {
    PluginsConfig { ceiling, ..PluginsConfig::default() }
}

fn install(root: &Path, name: &str, manifest: &str, component: &[u8]) {
    let folder = root.join(name);
    std::fs::create_dir(&folder).expect("folder");
    std::fs::write(folder.join("plugin.toml"), manifest).expect("manifest");
    std::fs::write(folder.join(format!("{name}.wasm")), component).expect("component");
}

/// The host with the guest built in, under a ceiling.
async fn host(ceiling: Ceiling) -> PluginHost {
    let bundled = Bundled { manifest: guest::manifest("probe").leak(), component: guest::component("probe").leak() };
    PluginHost::open(config(ceiling), &[bundled]).await.expect("open")
}

async fn start(detector: &DriftDetector, mode: &str) -> Result<Vec<u8>, Error> {
    detector.start(&json!({ "mode": mode })).await
}

fn fault(outcome: Result<Vec<u8>, Error>) -> PluginFault {
    match outcome.expect_err("a fault") {
        Error::Plugin { plugin, fault, .. } => {
            assert_eq!(plugin, "probe");
            fault
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_plugin_is_listed_configured_and_called() {
    let host = host(Ceiling::default()).await;
    let info = host.inspect("probe").expect("there");
    assert_eq!((info.state.as_str(), info.source.as_str(), info.version.as_str()), ("active", "built-in", "0.1.0"));
    assert_eq!((info.summary.as_str(), &info.config), ("Does what its mode says.", &json!({"mode": "ok"})));
    assert!(info.exports.contains(&"bellwether:drift/detector@0.1.0".to_owned()), "{:?}", info.exports);
    assert_eq!(host.stamp("probe").expect("stamp").digest, info.digest);

    let settings = host.configure("probe", &Value::Null).expect("defaults");
    let detector = host.drift_detector("probe").expect("detector");
    assert_eq!(detector.start(&settings).await.expect("state").len(), 4);
    let (state, events) = detector.update(b"state", &[1.0, 2.0], &settings).await.expect("advance");
    assert_eq!((state.as_slice(), events.len()), (&b"state"[..], 0));
    assert_eq!(host.inspect("probe").expect("there").calls, 2);

    let shown = |error: Error| error.to_string();
    assert!(shown(host.inspect("prob").expect_err("absent")).contains("did you mean `probe`?"));
    assert!(shown(host.strategy("probe").expect_err("another kind")).contains("deployment strategy `probe` does not exist"));
    assert!(shown(host.configure("probe", &json!({"mod": 1})).expect_err("unknown")).contains("config.mod: is not a setting"));
}

#[tokio::test]
async fn each_fault_is_named_with_its_limit_and_spoils_nothing() {
    let ceiling = Ceiling {
        memory: ByteSize(16 << 20),
        output: ByteSize(1 << 20),
        call_timeout: Span(Duration::from_millis(200)),
        faults: 1_000,
        ..Ceiling::default()
    };
    let host = host(ceiling).await;
    let detector = host.drift_detector("probe").expect("detector");
    let update = |mode: &str| {
        let settings = json!({ "mode": mode });
        let detector = detector.clone();
        async move { detector.update(b"s", &[1.0], &settings).await.map(|(state, _)| state) }
    };
    assert!(matches!(fault(start(&detector, "trap").await), PluginFault::Trapped(why) if why.contains("unreachable")));
    assert_eq!(fault(start(&detector, "loop").await), PluginFault::TimedOut(200));
    assert_eq!(fault(start(&detector, "memory").await), PluginFault::OutOfMemory(16 << 20));
    assert_eq!(fault(start(&detector, "big").await), PluginFault::TooLarge(1 << 20));
    assert_eq!(fault(start(&detector, "error").await), PluginFault::Answered("transient".to_owned(), "probe".to_owned()));
    assert!(matches!(fault(update("nan").await), PluginFault::BadAnswer(why) if why.contains("`statistic` is NaN")));
    assert!(matches!(fault(update("past").await), PluginFault::BadAnswer(why) if why.contains("value 1000")));
    assert_eq!(start(&detector, "ok").await.expect("unharmed").len(), 4);
    let info = host.inspect("probe").expect("there");
    assert_eq!((info.calls, info.faults, info.state.as_str()), (8, 6, "active"));
}

#[tokio::test]
async fn faults_in_a_row_pause_a_plugin_and_answers_do_not() {
    let host = host(Ceiling { faults: 2, ..Ceiling::default() }).await;
    let detector = host.drift_detector("probe").expect("detector");
    for mode in ["trap", "error", "trap", "error", "trap", "trap"] {
        assert!(!matches!(fault(start(&detector, mode).await), PluginFault::Paused(_)), "{mode}");
    }
    assert_eq!(fault(start(&detector, "ok").await), PluginFault::Paused(1));
    let info = host.inspect("probe").expect("there");
    assert_eq!((info.state.as_str(), info.faults), ("paused", 4));
    assert!(info.problem.expect("problem").contains("2 times in a row"));
}

#[tokio::test]
async fn calls_above_the_bounds_wait_or_are_refused() {
    let ceiling = Ceiling { concurrency: 1, queue: 1, call_timeout: Span(Duration::from_millis(150)), faults: 1_000, ..Ceiling::default() };
    let host = host(ceiling).await;
    let detector = host.drift_detector("probe").expect("detector");
    let (running, waiting, refused) = tokio::join!(start(&detector, "loop"), start(&detector, "ok"), start(&detector, "ok"));
    assert_eq!(fault(running), PluginFault::TimedOut(150));
    let refused = refused.expect_err("no place").to_string();
    assert!(refused.contains("`probe`") && refused.contains("1 calls run at once and 1 more wait"), "{refused}");
    // The one that waited began with what was left of its time, or ran out of it: both are in the contract.
    assert!(matches!(waiting, Ok(_) | Err(Error::Overloaded(_) | Error::Plugin { fault: PluginFault::TimedOut(150), .. })), "{waiting:?}");
    start(&detector, "ok").await.expect("places are given back");
}

/// Of a function that has been quick the first turn is taken on the caller's thread, which here is the only one.
#[tokio::test]
async fn a_call_that_is_not_as_quick_as_those_before_leaves_the_callers_thread() {
    let ceiling = Ceiling { call_timeout: Span(Duration::from_millis(300)), faults: 1_000, ..Ceiling::default() };
    let host = host(ceiling).await;
    let detector = host.drift_detector("probe").expect("detector");
    for mode in ["ok", "trap", "loop"] {
        for _ in 0..100 {
            start(&detector, "ok").await.expect("quick");
        }
        let (call, mut turns) = (start(&detector, mode), 0_u32);
        tokio::pin!(call);
        let outcome = loop {
            tokio::select! {
                biased;
                outcome = &mut call => break outcome,
                () = tokio::task::yield_now() => turns += 1,
            }
        };
        match mode {
            "loop" => assert_eq!((fault(outcome), turns > 100), (PluginFault::TimedOut(300), true), "{turns} turns while it went on"),
            "trap" => assert!(matches!(fault(outcome), PluginFault::Trapped(_))),
            _ => assert_eq!(outcome.expect("state").len(), 4),
        }
    }
    start(&detector, "ok").await.expect("unharmed");
}

#[tokio::test]
async fn a_dropped_call_gives_its_place_back_at_once() {
    let ceiling = Ceiling { concurrency: 1, instances: 1, call_timeout: Span(Duration::from_secs(60)), ..Ceiling::default() };
    let host = host(ceiling).await;
    let detector = host.drift_detector("probe").expect("detector");
    let began = Instant::now();
    tokio::time::timeout(Duration::from_millis(50), start(&detector, "loop")).await.expect_err("it loops");
    start(&detector, "ok").await.expect("the place is free");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(host.inspect("probe").expect("there").faults, 0, "a cancelled call is no fault");
}

#[tokio::test]
async fn a_closed_host_takes_no_calls() {
    let host = host(Ceiling::default()).await;
    let detector = host.drift_detector("probe").expect("detector");
    host.close().await;
    assert!(matches!(start(&detector, "ok").await, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn what_is_no_plugin_is_refused_with_the_reason_and_stops_nothing() {
    let root = tempfile::tempdir().expect("folder");
    let good = guest::component("good");
    let module = wat::parse_str("(module)").expect("module");
    let empty = wat::parse_str("(component)").expect("component");
    install(root.path(), "good", &guest::manifest("good"), &good);
    let wrong: [(&str, String, &[u8], &str); 9] = [
        ("text", guest::manifest("text"), b"hello", "it is not WebAssembly"),
        ("module", guest::manifest("module"), &module, "a core WebAssembly module, not a component"),
        ("cut", guest::manifest("cut"), &good[..good.len() / 2], "damaged or truncated"),
        ("empty", guest::manifest("empty"), &empty, "does not export `bellwether:types/plugin@0.1.0`"),
        ("kind", guest::manifest("kind").replace("drift-detector", "drift-test"), &good, "its exports are those of kind `drift-detector`"),
        (
            "newer",
            guest::manifest("newer").replace("contract = \"0.1.0\"", "contract = \"0.9.0\""),
            &good,
            "built against 0.9.0 of the contract; this host speaks 0.2.0 and 0.1.0",
        ),
        ("other", guest::manifest("other"), &good, "its `describe` says name `good`, its manifest `other`"),
        (
            "key",
            guest::manifest("key").replace("licence", "license"),
            &good,
            "plugin.toml: license: is not a key of a manifest; did you mean `licence`?",
        ),
        ("lost", guest::manifest("lost").replace("lost.wasm", "gone.wasm"), &good, "gone.wasm cannot be read"),
    ];
    for (name, manifest, component, _) in &wrong {
        install(root.path(), name, manifest, component);
    }
    let config = PluginsConfig { folders: vec![root.path().to_owned()], ..PluginsConfig::default() };
    let host = PluginHost::open(config, &[]).await.expect("nothing of this stops the host");
    for (name, _, _, expected) in &wrong {
        let info = host.inspect(name).expect("listed");
        let problem = info.problem.expect("a problem");
        assert_eq!(info.state, "refused", "{name}");
        assert!(problem.contains(expected), "{name}: {problem}");
    }
    assert_eq!((host.list().len(), host.inspect("good").expect("there").state.as_str()), (10, "active"));
    assert!(matches!(host.drift_detector("cut"), Err(Error::Unavailable(why)) if why.contains("was refused")));
}

#[tokio::test]
async fn instances_share_a_component_and_differ_in_settings() {
    let instance = |text: &str| toml::from_str::<Instance>(text).expect("instance");
    let open = async |instances: Vec<Instance>| {
        let bundled = Bundled { manifest: guest::manifest("probe").leak(), component: guest::component("probe").leak() };
        PluginHost::open(PluginsConfig { instance: instances, ..PluginsConfig::default() }, &[bundled]).await
    };
    let host = open(vec![
        instance("name = \"second_probe\"\nplugin = \"probe\"\nconfig = { mode = \"error\" }\nlimits = { memory = \"8 MiB\" }"),
        instance("name = \"probe\"\nenabled = false"),
        instance(&format!("name = \"pinned\"\nplugin = \"probe\"\ndigest = \"{}\"", "0".repeat(64))),
    ])
    .await
    .expect("open");
    let second = host.inspect("second-probe").expect("`-` and `_` are one");
    assert_eq!((second.plugin.as_str(), second.limits["memory"].as_str()), ("probe", Some("8 MiB")));
    assert_eq!(host.configure("second_probe", &Value::Null).expect("settings"), json!({"mode": "error"}));
    assert!(matches!(host.drift_detector("probe"), Err(Error::Unavailable(why)) if why.contains("enabled = false")));
    assert!(host.inspect("pinned").expect("there").problem.expect("problem").contains("the operator pinned"));

    for (text, expected) in [
        ("name = \"probe\"\nconfig = { mode = \"okk\" }", "plugins.instance.probe.config.mode"),
        ("name = \"probe\"\ngrant = { clock = true }", "plugins.instance.probe.grant.clock"),
        ("name = \"probe\"\ndigest = \"abc\"", "plugins.instance.probe.digest"),
        ("name = \"x\"\nplugin = \"porbe\"", "did you mean `probe`?"),
    ] {
        let error = open(vec![instance(text)]).await.expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[tokio::test]
async fn compiled_components_are_kept() {
    let root = tempfile::tempdir().expect("folder");
    let cache = root.path().join("cache");
    let open = async || {
        let bundled = Bundled { manifest: guest::manifest("probe").leak(), component: guest::component("probe").leak() };
        let host = PluginHost::open(PluginsConfig { cache: cache.clone(), ..PluginsConfig::default() }, &[bundled]).await.expect("open");
        assert_eq!(host.inspect("probe").expect("there").state, "active");
    };
    open().await;
    let entries = || std::fs::read_dir(&cache).expect("cache").map(|entry| entry.expect("entry").path()).collect::<Vec<_>>();
    let written = |path: &Path| std::fs::metadata(path).expect("entry").modified().expect("time");
    let [path] = &entries()[..] else { panic!("one entry") };
    let first = written(path);
    open().await;
    assert_eq!((entries().len(), written(path)), (1, first), "the second start compiled nothing");
    std::fs::write(path, b"bellwether-cwasm and then garbage").expect("damage");
    open().await;
    assert_ne!(written(path), first, "a damaged entry is compiled anew");
}

#[tokio::test]
async fn a_plugin_is_checked_like_a_host_would() {
    let root = tempfile::tempdir().expect("folder");
    install(root.path(), "probe", &guest::manifest("probe"), &guest::component("probe"));
    let folder = root.path().join("probe");
    let findings = check::check(&folder, &PluginsConfig::default()).await.expect("findings");
    let failed: Vec<_> = findings.iter().filter(|finding| !finding.passed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    for what in ["manifest", "component", "describe says the same every time", "start: pure", "update: split in two gives the same events"]
    {
        assert!(findings.iter().any(|finding| finding.what == what), "{what}");
    }

    let manifest = format!("{}[config]\nmode = \"trap\"\n[wants]\nclock = true\n", guest::manifest("probe"));
    std::fs::write(folder.join("plugin.toml"), manifest).expect("manifest");
    let findings = check::check(&folder, &PluginsConfig::default()).await.expect("findings");
    let failed: Vec<&str> = findings.iter().filter(|finding| !finding.passed).map(|finding| finding.what.as_str()).collect();
    assert_eq!(failed, ["wants.clock agrees with the imports", "start"]);
}

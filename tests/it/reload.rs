//! Plugins that change while they are called: taken up beside the calls under way, refused without harm, rolled back when
//! they fail at first, watched in their folders, switched and configured for good.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bellwether_domain::Error;
use bellwether_plugin::size::Span;
use bellwether_plugin::{Ceiling, Instance, PluginHost, PluginInfo, PluginsConfig, Reloaded, Said};
use bellwether_tests::{Home, Running, eventually};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::refusals::{MANIFEST, Variation, strategy, view};

/// Longest wait for what happens by itself, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(30);

/// A host with one folder of plugins.
struct Stage {
    runtime: Runtime,
    host: PluginHost,
    folder: PathBuf,
    _root: TempDir,
}

/// The strategy `tried` in a version that `next` varies.
fn version(version: &str, next: &str) -> Vec<u8> {
    strategy(&Variation { version, next, ..Variation::default() })
}

fn manifest(version: &str) -> String {
    MANIFEST.replace("1.0.0", version)
}

fn put(folder: &Path, manifest: &str, component: &[u8]) {
    fs_err::create_dir_all(folder).unwrap();
    fs_err::write(folder.join("tried.wasm"), component).unwrap();
    fs_err::write(folder.join("plugin.toml"), manifest).unwrap();
}

fn stage(config: PluginsConfig) -> Stage {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("plugins").join("tried");
    put(&folder, MANIFEST, &version("1.0.0", ""));
    let config = PluginsConfig { folders: vec![root.path().join("plugins")], cache: root.path().join("cache"), ..config };
    let runtime = Runtime::new().unwrap();
    let host = runtime.block_on(PluginHost::open(config, &[])).unwrap();
    Stage { runtime, host, folder, _root: root }
}

/// One that is looked at only when it is asked for.
fn unwatched() -> PluginsConfig {
    PluginsConfig { watch: Span(Duration::ZERO), ceiling: Ceiling { faults: 3, ..Ceiling::default() }, ..PluginsConfig::default() }
}

impl Stage {
    fn put(&self, version: &str, component: &[u8]) {
        put(&self.folder, &manifest(version), component);
    }

    fn reload(&self) -> (Reloaded, PluginInfo) {
        self.runtime.block_on(self.host.reload("tried")).unwrap()
    }

    /// The version that answers.
    fn next(&self) -> Result<String, Error> {
        self.runtime.block_on(next(&self.host))
    }

    fn info(&self) -> PluginInfo {
        self.host.inspect("tried").unwrap()
    }
}

async fn next(host: &PluginHost) -> Result<String, Error> {
    let strategy = host.strategy("tried")?;
    Ok(strategy.next(&view(), &json!({})).await?.reason)
}

#[test]
fn a_new_component_is_taken_up_under_load_and_no_call_is_dropped() {
    let stage = stage(PluginsConfig { ceiling: Ceiling { concurrency: 4, ..Ceiling::default() }, ..unwatched() });
    let (done, answered) = (Arc::new(AtomicBool::new(false)), Arc::new([AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)]));
    let started = Instant::now();
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (host, done, answered) = (stage.host.clone(), done.clone(), answered.clone());
            stage.runtime.spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    let reason = next(&host).await.expect("a call was dropped");
                    let place = ["1.0.0", "2.0.0", "3.0.0"].iter().position(|version| *version == reason).expect("a known version");
                    answered[place].fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let count = |place: usize| answered[place].load(Ordering::Relaxed);
    eventually("the first version answers", PATIENCE, || (count(0) > 700).then_some(()));
    for (place, new) in [(1, "2.0.0"), (2, "3.0.0")] {
        stage.put(new, &version(new, ""));
        let (outcome, info) = stage.reload();
        assert_eq!((outcome, info.version.as_str(), info.problem), (Reloaded::TakenUp, new, None));
        eventually("the next version answers", PATIENCE, || (count(place) > 700).then_some(()));
    }
    done.store(true, Ordering::Relaxed);
    for caller in callers {
        stage.runtime.block_on(caller).unwrap();
    }
    let calls: u64 = (0..3).map(count).sum();
    println!("{calls} calls, {:.0} a second, through two reloads", calls as f64 / started.elapsed().as_secs_f64());
    let info = stage.info();
    assert_eq!((info.calls, info.faults), (calls, 0), "an instance keeps its counts");
    assert_eq!(stage.host.counters().reloaded, 2);
    assert_eq!(stage.reload().0, Reloaded::Unchanged);
}

#[test]
fn a_call_under_way_ends_on_the_component_it_began_with() {
    let stage =
        stage(PluginsConfig { ceiling: Ceiling { call_timeout: Span(Duration::from_secs(60)), ..Ceiling::default() }, ..unwatched() });
    // Counts down for a good while.
    let slow = "(local $left i64) (local.set $left (i64.const 400000000))
        (loop $more (br_if $more (i64.ne (i64.const 0) (local.tee $left (i64.sub (local.get $left) (i64.const 1))))))";
    let slow =
        strategy(&Variation { version: "1.5.0", extra: &format!("(func $slow {slow})"), next: "(call $slow)", ..Variation::default() });
    stage.put("1.5.0", &slow);
    assert_eq!(stage.reload().0, Reloaded::TakenUp);
    let host = stage.host.clone();
    let under_way = stage.runtime.spawn(async move { next(&host).await });
    eventually("the call runs", PATIENCE, || (stage.host.metrics("tried").unwrap().running == 1).then_some(()));
    stage.put("2.0.0", &version("2.0.0", ""));
    assert_eq!(stage.reload().0, Reloaded::TakenUp);
    assert_eq!(stage.next().unwrap(), "2.0.0", "who calls now gets the new one");
    assert!(!under_way.is_finished(), "the old call was meant to outlast the reload");
    assert_eq!(stage.runtime.block_on(under_way).unwrap().unwrap(), "1.5.0");
}

#[test]
fn what_is_refused_changes_nothing_but_what_is_said() {
    let stage = stage(unwatched());
    let kept = |what: &str, part: &str| {
        let (outcome, info) = stage.reload();
        assert_eq!((outcome, info.state.as_str(), info.version.as_str()), (Reloaded::Kept, "active", "1.0.0"), "{what}: {info:?}");
        let problem = info.problem.unwrap_or_default();
        assert!(problem.starts_with("kept 1.0.0: the new one was refused because ") && problem.contains(part), "{what}: {problem}");
        assert_eq!(stage.next().unwrap(), "1.0.0", "{what}");
    };
    let good = version("2.0.0", "");
    stage.put("2.0.0", &good[..good.len() / 2]);
    kept("half a component", "damaged or truncated");
    stage.put("2.0.0", b"MZ");
    kept("no component", "not WebAssembly");
    put(&stage.folder, &manifest("2.0.0").replace("kind =", "knid ="), &good);
    kept("a manifest that cannot be read", "did you mean `kind`?");
    stage.put("2.0.1", &good);
    kept("another version than its manifest says", "must be the same");
    let spin = Variation { version: "2.0.0", describe: "(loop (br 0))", ..Variation::default() };
    stage.put("2.0.0", &strategy(&spin));
    kept("an endless describe", "longer than its limit");
    put(&stage.folder, &format!("{}[wants]\nhttp = [\"nonsense\"]\n", manifest("2.0.0")), &good);
    kept("a manifest that wants nonsense", "wants.http");
    stage.put("1.0.0", &version("1.0.0", ""));
    let (outcome, info) = stage.reload();
    assert_eq!((outcome, info.problem), (Reloaded::Unchanged, None), "as it was: nothing is left to say");
    stage.put("2.0.0", &good);
    let (outcome, info) = stage.reload();
    assert_eq!((outcome, info.version.as_str(), info.problem), (Reloaded::TakenUp, "2.0.0", None));
    assert_eq!(stage.next().unwrap(), "2.0.0");
}

#[test]
fn a_component_that_fails_at_first_gives_way_to_the_one_before() {
    let stage = stage(unwatched());
    assert_eq!(stage.next().unwrap(), "1.0.0");
    stage.put("2.0.0", &version("2.0.0", "unreachable"));
    assert_eq!(stage.reload().0, Reloaded::TakenUp, "nothing shows before it is called");
    for _ in 0..3 {
        stage.next().expect_err("a trap");
    }
    for _ in 0..5 {
        assert_eq!(stage.next().unwrap(), "1.0.0", "no pause: the one before serves");
    }
    let info = stage.info();
    assert_eq!((info.state.as_str(), info.version.as_str(), info.faults), ("active", "1.0.0", 3));
    let problem = info.problem.unwrap();
    assert!(problem.starts_with("rolled back to 1.0.0: 2.0.0 (") && problem.contains("3 times in a row"), "{problem}");
    assert_eq!(stage.host.stamp("tried").unwrap().version, "1.0.0");
    let errors = stage.host.metrics("tried").unwrap().errors;
    assert!(errors.len() == 3 && errors[0].message.contains("unreachable"), "{errors:?}");

    // Switched off and on it is still the good one; asked for again the bad one is tried again.
    let word = |enabled| Said { enabled: Some(enabled), config: Map::new() };
    assert_eq!(stage.runtime.block_on(stage.host.say("tried", word(false))).unwrap().version, "1.0.0");
    stage.runtime.block_on(stage.host.say("tried", word(true))).unwrap();
    assert_eq!(stage.next().unwrap(), "1.0.0");
    stage.put("3.0.0", &version("3.0.0", ""));
    let (outcome, info) = stage.reload();
    assert_eq!((outcome, info.version.as_str(), info.problem), (Reloaded::TakenUp, "3.0.0", None));
    for _ in 0..101 {
        assert_eq!(stage.next().unwrap(), "3.0.0");
    }
}

#[test]
fn a_roll_back_goes_one_component_back_and_no_further() {
    let stage = stage(unwatched());
    stage.put("2.0.0", &version("2.0.0", ""));
    stage.reload();
    for _ in 0..101 {
        assert_eq!(stage.next().unwrap(), "2.0.0");
    }
    stage.put("3.0.0", &version("3.0.0", "unreachable"));
    stage.reload();
    for _ in 0..3 {
        stage.next().expect_err("a trap");
    }
    assert_eq!(stage.next().unwrap(), "2.0.0", "back to the one that had stood its calls, and no further");
}

#[test]
fn folders_are_watched() {
    let stage = stage(PluginsConfig { watch: Span(Duration::from_millis(20)), ..PluginsConfig::default() });
    assert_eq!(stage.next().unwrap(), "1.0.0");
    stage.put("2.0.0", &version("2.0.0", ""));
    eventually("the change is taken up", PATIENCE, || (stage.info().version == "2.0.0").then_some(()));
    assert_eq!(stage.next().unwrap(), "2.0.0");

    let second = stage.folder.with_file_name("second");
    let named = strategy(&Variation { name: "other", ..Variation::default() });
    put(&second, &MANIFEST.replace("\"tried\"", "\"other\""), &named);
    let other = eventually("the new plugin is there", PATIENCE, || stage.host.inspect("other").ok());
    assert_eq!(other.state, "active", "{other:?}");

    fs_err::remove_dir_all(&stage.folder).unwrap();
    eventually("the plugin is gone", PATIENCE, || (stage.info().state == "removed").then_some(()));
    let error = stage.next().expect_err("nobody is there").to_string();
    assert!(error.contains("was removed") && error.contains("is gone"), "{error}");
    assert_eq!(stage.host.stamp("tried").unwrap().version, "2.0.0", "what was made with it can still be traced");
    assert_eq!(stage.host.inspect("other").unwrap().state, "active");

    stage.put("2.0.0", &version("2.0.0", ""));
    eventually("the plugin is back", PATIENCE, || (stage.info().state == "active").then_some(()));
    assert_eq!(stage.next().unwrap(), "2.0.0");
    assert!(stage.info().calls >= 3, "with its counts");
}

#[test]
fn a_pinned_digest_holds_against_a_new_component() {
    let stage = stage(unwatched());
    let pinned = stage.info().digest;
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("tried");
    put(&folder, MANIFEST, &version("1.0.0", ""));
    let instance: Instance = toml::from_str(&format!("name = \"tried\"\ndigest = \"{pinned}\"")).unwrap();
    let config = PluginsConfig { folders: vec![root.path().to_owned()], instance: vec![instance], ..unwatched() };
    let host = stage.runtime.block_on(PluginHost::open(config, &[])).unwrap();
    put(&folder, &manifest("2.0.0"), &version("2.0.0", ""));
    let (outcome, info) = stage.runtime.block_on(host.reload("tried")).unwrap();
    assert_eq!((outcome, info.version.as_str(), info.digest), (Reloaded::Kept, "1.0.0", pinned));
    assert!(info.problem.unwrap().contains("the operator pinned"), "a pinned digest holds");
}

#[test]
fn what_is_said_is_checked_and_holds_from_the_next_call_on() {
    let stage = stage(unwatched());
    let schema = r#"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"share\":{\"type\":\"number\",\"default\":0.5}}}"#;
    stage.put("2.0.0", &strategy(&Variation { version: "2.0.0", schema, ..Variation::default() }));
    assert_eq!(stage.reload().1.config, json!({"share": 0.5}));
    let say = |enabled: Option<bool>, config: Value| {
        let said = Said { enabled, config: config.as_object().unwrap().clone() };
        stage.runtime.block_on(stage.host.say("tried", said))
    };
    let error = say(None, json!({"shaer": 1})).expect_err("unknown").to_string();
    assert!(error.contains("config.shaer: is not a setting of this plugin; did you mean `share`?"), "{error}");
    let error = say(None, json!({"share": "much"})).expect_err("wrong type").to_string();
    assert!(error.starts_with("config.share: "), "{error}");
    assert_eq!(stage.info().config, json!({"share": 0.5}), "nothing was changed");
    assert_eq!(say(None, json!({"share": 0.7})).unwrap().config, json!({"share": 0.7}));
    assert_eq!(stage.host.configure("tried", &json!({})).unwrap(), json!({"share": 0.7}));
    assert_eq!(stage.host.configure("tried", &json!({"share": 0.9})).unwrap(), json!({"share": 0.9}), "a request stands above");
    let off = say(Some(false), json!({"share": 0.7})).unwrap();
    assert_eq!((off.state.as_str(), off.config), ("disabled", json!({"share": 0.7})));
    let error = stage.next().expect_err("switched off").to_string();
    assert!(error.contains("plugin enable tried"), "{error}");
    assert_eq!(say(Some(true), json!({})).unwrap().state, "active");
    assert_eq!(stage.next().unwrap(), "2.0.0");

    // A new component that does not know the setting does not throw it away: the one before goes on.
    say(None, json!({"share": 0.7})).unwrap();
    stage.put(
        "3.0.0",
        &strategy(&Variation {
            version: "3.0.0",
            schema: r#"{\"type\":\"object\",\"additionalProperties\":false}"#,
            ..Variation::default()
        }),
    );
    let (outcome, info) = stage.reload();
    assert_eq!((outcome, info.version.as_str()), (Reloaded::Kept, "2.0.0"));
    let problem = info.problem.unwrap();
    assert!(problem.starts_with("kept 2.0.0: the new one was refused because config"), "{problem}");
    let fits = say(None, json!({})).unwrap();
    assert_eq!((fits.version.as_str(), fits.problem), ("3.0.0", None), "without the setting it fits");
    assert_eq!(stage.reload().0, Reloaded::Unchanged);
}

#[test]
fn an_operator_rules_plugins_of_a_running_host_and_what_was_said_survives_it() {
    let home = Home::new("[plugins]\nfolders = [\"mine\"]\nwatch = \"0s\"\n");
    let folder = home.path().join("mine/tried");
    let schema = r#"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"share\":{\"type\":\"number\",\"default\":0.5}}}"#;
    let make = |version: &str| strategy(&Variation { version, schema, ..Variation::default() });
    put(&folder, MANIFEST, &make("1.0.0"));
    let host = home.start();
    let command = |host: &Running, arguments: &[&str], code: i32| {
        let mut command = home.command(arguments);
        let output = command.env("BELLWETHER_URL", &host.url).env("BELLWETHER_TOKEN", &host.token).output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        text
    };
    let set = command(&host, &["plugin", "config", "tried", "--set", "share=0.7"], 0);
    assert!(set.contains(r#"{"share":0.7}"#) && set.contains("version 1"), "{set}");
    let wrong = command(&host, &["plugin", "config", "tried", "--set", "shaer=1"], 1);
    assert!(wrong.contains("did you mean `share`?"), "{wrong}");
    put(&folder, &manifest("2.0.0"), b"MZ");
    let kept = command(&host, &["plugin", "reload", "tried"], 1);
    assert!(kept.contains("kept 1.0.0: the new one was refused because"), "{kept}");
    put(&folder, &manifest("2.0.0"), &make("2.0.0"));
    assert!(command(&host, &["plugin", "reload", "tried"], 0).contains("taken-up"));
    assert!(command(&host, &["plugin", "disable", "tried"], 0).contains("disabled"));
    // The default strategy can be switched off too; a host that then does not start could never be switched on again.
    command(&host, &["plugin", "disable", "blue-green"], 0);
    assert!(command(&host, &["plugin", "grants", "webhook"], 0).contains("http configured"));
    command(&host, &["plugin", "metrics", "tried"], 0);
    assert!(host.stop().0.success());

    let host = home.start();
    let plugin = host.client.get("/mlops/api/plugins/tried").expect(200);
    assert_eq!((&plugin["state"], &plugin["version"], &plugin["config"]), (&json!("disabled"), &json!("2.0.0"), &json!({"share": 0.7})));
    assert_eq!(host.client.get("/mlops/api/plugins/blue-green").expect(200)["state"], "disabled");
    command(&host, &["plugin", "enable", "tried"], 0);
    command(&host, &["plugin", "config", "tried", "--unset", "share"], 0);
    host.kill();

    // A setting that the next component does not know any more is left out, not a reason to stay down.
    let host = home.start();
    command(&host, &["plugin", "config", "tried", "--set", "share=0.7"], 0);
    host.kill();
    let closed = strategy(&Variation { schema: r#"{\"type\":\"object\",\"additionalProperties\":false}"#, ..Variation::default() });
    put(&folder, MANIFEST, &closed);
    let host = home.start();
    let plugin = host.client.get("/mlops/api/plugins/tried").expect(200);
    assert_eq!((&plugin["state"], &plugin["config"]), (&json!("active"), &json!({})));
    assert!(plugin["problem"].as_str().unwrap().contains("does not fit any more"), "{plugin}");
}

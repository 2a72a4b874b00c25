//! Components that are refused when they are loaded, each with a sentence that says why, and the host runs all the same.
//!
//! They are written by hand in WebAssembly text for the smallest world, `deployment-strategy`, so that each differs from
//! the good one in one thing only.

use std::path::Path;
use std::time::{Duration, Instant};

use bellwether_domain::rollout::{Action, Measurement, RolloutView, Side};
use bellwether_domain::time::Timestamp;
use bellwether_plugin::size::{ByteSize, Span};
use bellwether_plugin::{Ceiling, PluginHost, PluginInfo, PluginsConfig};
use bellwether_tests::{Home, component};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const TIMEOUT: Duration = Duration::from_millis(500);

/// Differences from the good strategy.
pub(crate) struct Variation<'a> {
    /// Imports of the module.
    pub(crate) imports: &'a str,
    /// Of the module: memories, functions, a start.
    pub(crate) extra: &'a str,
    /// Pages of its memory.
    pub(crate) pages: u32,
    /// Body of `describe` before it returns.
    pub(crate) describe: &'a str,
    /// Body of `next` before it returns.
    pub(crate) next: &'a str,
    /// Name it says it has.
    pub(crate) name: &'a str,
    /// Version it says it has: five letters.
    pub(crate) version: &'a str,
    /// JSON Schema it says it has.
    pub(crate) schema: &'a str,
}

impl Default for Variation<'_> {
    fn default() -> Self {
        Variation {
            imports: "",
            extra: "",
            pages: 2,
            describe: "",
            next: "",
            name: "tried",
            version: "1.0.0",
            schema: r#"{\"type\":\"object\"}"#,
        }
    }
}

/// A strategy that always promotes, with a variation. Layout as the canonical ABI wants it: a description at 16 (five
/// pairs of pointer and length), a decision at 128 (0 = ok; at 8 the action, 5 = promote; at 40 the reason, its version; at 48 the state).
pub(crate) fn strategy(variation: &Variation) -> Vec<u8> {
    let Variation { imports, extra, pages, describe, next, name, version, schema } = variation;
    assert_eq!(version.len(), 5, "{version}");
    let schema_length = schema.replace('\\', "").len();
    let text = format!(
        r#"(module
            {imports}
            (memory (export "memory") {pages})
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
            (func (export "bellwether:types/plugin@0.1.0#describe") (result i32)
                {describe}
                (i32.store (i32.const 16) (i32.const 1024)) (i32.store (i32.const 20) (i32.const {name_length}))
                (i32.store (i32.const 24) (i32.const 1100)) (i32.store (i32.const 28) (i32.const 5))
                (i32.store (i32.const 32) (i32.const 1200)) (i32.store (i32.const 36) (i32.const 8))
                (i32.store (i32.const 40) (i32.const 1300)) (i32.store (i32.const 44) (i32.const {schema_length}))
                (i32.store (i32.const 48) (i32.const 0)) (i32.store (i32.const 52) (i32.const 0))
                (i32.const 16))
            (func (export "bellwether:deploy/strategy@0.2.0#next") (param i32) (result i32)
                (i32.store8 (i32.const 136) (i32.const 5))
                (i32.store (i32.const 168) (i32.const 1100)) (i32.store (i32.const 172) (i32.const 5))
                (i32.store (i32.const 176) (i32.const 0)) (i32.store (i32.const 180) (i32.const 0))
                {next}
                (i32.const 128))
            (data (i32.const 1024) "{name}")
            (data (i32.const 1100) "{version}")
            (data (i32.const 1200) "promotes")
            (data (i32.const 1300) "{schema}")
            {extra})"#,
        name_length = name.len(),
    );
    component("deploy", "deployment-strategy", &text)
}

pub(crate) const MANIFEST: &str = r#"
name = "tried"
version = "1.0.0"
kind = "deployment-strategy"
component = "tried.wasm"
contract = "0.2.0"
licence = "Apache-2.0"
"#;

fn put(folders: &Path, manifest: &str, component: &[u8]) {
    let folder = folders.join("tried");
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::write(folder.join("plugin.toml"), manifest).unwrap();
    fs_err::write(folder.join("tried.wasm"), component).unwrap();
}

struct Stage {
    runtime: Runtime,
    host: PluginHost,
    _folders: TempDir,
}

fn open(manifest: &str, component: &[u8]) -> Stage {
    let folders = tempfile::tempdir().unwrap();
    put(folders.path(), manifest, component);
    let ceiling = Ceiling {
        memory: ByteSize(256 << 20),
        output: ByteSize(1 << 20),
        call_timeout: Span(TIMEOUT),
        component: ByteSize(1 << 20),
        instances: 2,
        ..Ceiling::default()
    };
    let cache = folders.path().join("cache");
    let config = PluginsConfig { folders: vec![folders.path().to_owned()], ceiling, cache, ..PluginsConfig::default() };
    let runtime = Runtime::new().unwrap();
    let host = runtime.block_on(PluginHost::open(config, &[])).expect("a bad plugin does not stop the host");
    Stage { runtime, host, _folders: folders }
}

/// What a plugin is refused for: every part must be in the reason.
#[track_caller]
fn refused(manifest: &str, component: &[u8], parts: &[&str]) -> PluginInfo {
    let started = Instant::now();
    let stage = open(manifest, component);
    assert!(started.elapsed() < Duration::from_secs(10), "a refusal took {:?}", started.elapsed());
    let list = stage.host.list();
    let [info] = list.as_slice() else { panic!("{list:?}") };
    assert_eq!(info.state, "refused", "{info:?}");
    let problem = info.problem.clone().unwrap_or_default();
    for part in parts {
        assert!(problem.contains(part), "`{part}` is not in: {problem}");
    }
    let error = stage.host.strategy("tried").expect_err("a refused plugin cannot be called");
    assert!(error.code() == "unavailable" || error.code() == "not_found", "{error}");
    info.clone()
}

pub(crate) fn view() -> RolloutView {
    let side = |model_id: &str| Side { model_id: model_id.to_owned(), share: 0.0, shadow: 0.0, measured: Measurement::default() };
    RolloutView {
        id: "r".to_owned(),
        endpoint: "e".to_owned(),
        stable: Some(side("old")),
        candidate: side("new"),
        steps: Vec::new(),
        elapsed_seconds: 0.0,
        now: Timestamp(1_733_486_400_000),
        health: None,
        analysis: None,
        approved: false,
        state: Vec::new(),
    }
}

fn next(variation: &Variation) -> Result<Action, String> {
    let stage = open(MANIFEST, &strategy(variation));
    let strategy = stage.host.strategy("tried").unwrap_or_else(|error| panic!("{error}: {:?}", stage.host.list()));
    let config = stage.host.configure("tried", &json!({})).unwrap();
    stage.runtime.block_on(strategy.next(&view(), &config)).map(|decision| decision.action).map_err(|error| error.to_string())
}

#[test]
fn the_good_one_loads_and_answers() {
    assert_eq!(next(&Variation::default()), Ok(Action::Promote));
}

#[test]
fn what_is_no_wasm() {
    refused(MANIFEST, b"MZ this is a program for another machine", &["not WebAssembly"]);
    refused(MANIFEST, b"", &["not WebAssembly"]);
    refused(MANIFEST, b"(component)", &["text"]);
}

#[test]
fn a_core_module() {
    refused(MANIFEST, &wat::parse_str("(module (func (export \"next\")))").unwrap(), &["core WebAssembly module, not a component"]);
}

#[test]
fn a_truncated_component() {
    let whole = strategy(&Variation::default());
    refused(MANIFEST, &whole[..whole.len() / 2], &["damaged or truncated"]);
    refused(MANIFEST, &whole[..6], &["truncated"]);
}

#[test]
fn a_component_with_a_flipped_byte() {
    let whole = strategy(&Variation::default());
    let mut refusals = 0;
    for place in (8..whole.len()).step_by(whole.len() / 12) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0xff;
        // Some bytes do not matter (names, data); whatever happens, the host opens.
        refusals += usize::from(open(MANIFEST, &damaged).host.list()[0].state == "refused");
    }
    assert!(refusals > 3, "only {refusals} of 12 damages were noticed");
}

#[test]
fn a_component_without_an_export() {
    let empty = wat::parse_str("(component)").unwrap();
    refused(MANIFEST, &empty, &["does not export `bellwether:types/plugin@0.1.0`", "exports nothing"]);
    let half = wat::parse_str(r#"(component (instance $i) (export "bellwether:types/plugin@0.1.0" (instance $i)))"#).unwrap();
    refused(MANIFEST, &half, &["does not export `bellwether:deploy/strategy@0.2.0`"]);
}

#[test]
fn a_component_of_another_kind() {
    let manifest = MANIFEST.replace("deployment-strategy", "drift-test");
    refused(&manifest, &strategy(&Variation::default()), &["does not export `bellwether:drift/test@0.1.0`", "kind `deployment-strategy`"]);
}

#[test]
fn an_export_of_the_right_name_and_the_wrong_type() {
    let hollow = r#"(component (instance $i)
        (export "bellwether:types/plugin@0.1.0" (instance $i))
        (export "bellwether:deploy/strategy@0.1.0" (instance $i)))"#;
    refused(MANIFEST, &wat::parse_str(hollow).unwrap(), &["do not match the contract: "]);
}

#[test]
fn a_component_of_a_newer_contract() {
    let newer = r#"(component (instance $i)
        (export "bellwether:types/plugin@0.9.0" (instance $i))
        (export "bellwether:deploy/strategy@0.9.0" (instance $i)))"#;
    refused(MANIFEST, &wat::parse_str(newer).unwrap(), &["built against 0.9.0 of the contract; this host speaks 0.1.0"]);
    let manifest = MANIFEST.replace("contract = \"0.2.0\"", "contract = \"0.9.0\"");
    refused(&manifest, &strategy(&Variation::default()), &["0.9.0 of the contract; this host speaks 0.2.0 and 0.1.0"]);
}

#[test]
fn an_import_the_host_does_not_have() {
    let wants = r#"(component (import "wasi:keyvalue/store@0.2.0" (instance)) (instance $i)
        (export "bellwether:types/plugin@0.1.0" (instance $i))
        (export "bellwether:deploy/strategy@0.1.0" (instance $i)))"#;
    refused(MANIFEST, &wat::parse_str(wants).unwrap(), &["imports `wasi:keyvalue/store@0.2.0`"]);
}

#[test]
fn a_trap_at_the_start() {
    let extra = "(func $boom unreachable) (start $boom)";
    refused(MANIFEST, &strategy(&Variation { extra, ..Variation::default() }), &["describe", "trapped", "unreachable"]);
}

#[test]
fn an_endless_start() {
    let extra = "(func $spin (loop (br 0))) (start $spin)";
    refused(MANIFEST, &strategy(&Variation { extra, ..Variation::default() }), &["describe", "longer than its limit of 500 ms"]);
}

#[test]
fn a_bottomless_start() {
    let extra = "(func $down (call $down)) (start $down)";
    refused(MANIFEST, &strategy(&Variation { extra, ..Variation::default() }), &["describe", "trapped", "call stack exhausted"]);
}

#[test]
fn an_endless_description() {
    refused(
        MANIFEST,
        &strategy(&Variation { describe: "(loop (br 0))", ..Variation::default() }),
        &["describe", "longer than its limit of 500 ms"],
    );
}

#[test]
fn a_component_that_is_no_file() {
    let folders = tempfile::tempdir().unwrap();
    put(folders.path(), MANIFEST, b"");
    let component = folders.path().join("tried/tried.wasm");
    fs_err::remove_file(&component).unwrap();
    // Reading it would never end.
    std::os::unix::fs::symlink("/dev/zero", &component).unwrap();
    let config =
        PluginsConfig { folders: vec![folders.path().to_owned()], cache: folders.path().join("cache"), ..PluginsConfig::default() };
    let host = Runtime::new().unwrap().block_on(PluginHost::open(config, &[])).unwrap();
    let info = &host.list()[0];
    assert!(info.state == "refused" && info.problem.as_deref().unwrap_or_default().contains("is not a file"), "{info:?}");
}

#[test]
fn a_manifest_that_leads_elsewhere_or_is_none() {
    let check = |from: &str, to: &str, parts: &[&str]| {
        let manifest = MANIFEST.replace(from, to);
        assert_ne!(manifest, MANIFEST, "{from}");
        refused(&manifest, &strategy(&Variation::default()), parts);
    };
    check("\"tried.wasm\"", "\"../tried.wasm\"", &["plugin.toml: component", "without a folder"]);
    check("\"tried.wasm\"", "\"/etc/hostname\"", &["plugin.toml: component", "without a folder"]);
    check("\"tried.wasm\"", "\"..\"", &["plugin.toml: component"]);
    check("\"1.0.0\"", "1", &["plugin.toml", "string"]);
    check("kind = \"deployment-strategy\"", "kind = [\"deployment-strategy\"]", &["plugin.toml"]);
    check("licence =", "[limits]\nmemory = -1\nlicence =", &["plugin.toml"]);
    check("licence =", "\u{0}licence =", &["plugin.toml"]);
}

#[test]
fn a_trap_while_it_describes_itself() {
    refused(MANIFEST, &strategy(&Variation { describe: "unreachable", ..Variation::default() }), &["describe", "trapped"]);
}

#[test]
fn more_memory_than_there_may_be_from_the_start() {
    let pages = 65_535;
    refused(MANIFEST, &strategy(&Variation { pages, ..Variation::default() }), &["memory"]);
}

#[test]
fn a_memory_of_ten_gigabytes() {
    let module = r#"(component (core module $m (memory i64 163840)) (core instance (instantiate $m)))"#;
    refused(MANIFEST, &wat::parse_str(module).unwrap(), &["memory"]);
}

#[test]
fn another_name_than_its_manifest_says() {
    refused(MANIFEST, &strategy(&Variation { name: "other", ..Variation::default() }), &["`other`", "`tried`", "must be the same"]);
}

#[test]
fn a_schema_that_is_none() {
    refused(MANIFEST, &strategy(&Variation { schema: "{nonsense", ..Variation::default() }), &["config-schema"]);
}

#[test]
fn a_component_larger_than_allowed() {
    let mut large = strategy(&Variation::default());
    large.resize(2 << 20, 0);
    refused(MANIFEST, &large, &["plugins.ceiling.component", "2097152 bytes", "1048576"]);
}

#[test]
fn a_component_that_is_not_there() {
    let folders = tempfile::tempdir().unwrap();
    put(folders.path(), MANIFEST, b"");
    fs_err::remove_file(folders.path().join("tried/tried.wasm")).unwrap();
    let config =
        PluginsConfig { folders: vec![folders.path().to_owned()], cache: folders.path().join("cache"), ..PluginsConfig::default() };
    let host = Runtime::new().unwrap().block_on(PluginHost::open(config, &[])).unwrap();
    let info = &host.list()[0];
    assert!(info.state == "refused" && info.problem.as_deref().unwrap_or_default().contains("cannot be read"), "{info:?}");
}

#[test]
fn a_manifest_that_cannot_be_read() {
    let info =
        refused(&MANIFEST.replace("version =", "verison ="), &strategy(&Variation::default()), &["verison", "did you mean `version`?"]);
    assert_eq!(info.name, "tried");
}

#[test]
fn decisions_outside_the_contract() {
    let check = |variation: Variation, part: &str| {
        let error = next(&variation).expect_err(part);
        assert!(error.contains("tried") && error.contains("next") && error.contains(part), "`{part}` is not in: {error}");
    };
    // set-weight with a share of 2.
    let share =
        "(i32.store8 (i32.const 136) (i32.const 0)) (f64.store (i32.const 144) (f64.const 2)) (f64.store (i32.const 152) (f64.const 0))";
    check(Variation { next: share, ..Variation::default() }, "share");
    let state = "(i32.store (i32.const 180) (i32.const 131072))";
    check(Variation { next: state, pages: 4, ..Variation::default() }, "131072 bytes; at most 65536");
    let huge = "(i32.store (i32.const 180) (i32.const 104857600))";
    check(Variation { next: huge, pages: 2000, ..Variation::default() }, "limit of 1048576 bytes");
    let outside = "(i32.store (i32.const 168) (i32.const 2147483000))";
    check(Variation { next: outside, ..Variation::default() }, "trapped");
    let no_such_action = "(i32.store8 (i32.const 136) (i32.const 99))";
    check(Variation { next: no_such_action, ..Variation::default() }, "trapped");
    let no_text = "(i32.store (i32.const 1100) (i32.const -1))";
    check(Variation { next: no_text, ..Variation::default() }, "trapped");
}

#[test]
fn the_real_host_lists_what_it_refused_and_serves() {
    let home = Home::new("[plugins]\nfolders = [\"mine\"]\n");
    put(&home.path().join("mine"), MANIFEST, &wat::parse_str("(module)").unwrap());
    let host = home.start();
    let plugin = host.client.get("/mlops/api/plugins/tried").expect(200);
    assert_eq!(plugin["state"], "refused", "{plugin}");
    assert!(plugin["problem"].as_str().unwrap().contains("core WebAssembly module"), "{plugin}");
    let list = host.client.get("/mlops/api/plugins").expect(200);
    let active = list["plugins"].as_array().unwrap().iter().filter(|plugin| plugin["state"] == "active").count();
    assert!(active >= 4, "{list}");
    let checked = home.command(&["plugin", "check", "mine/tried"]).output().unwrap();
    assert_eq!(checked.status.code(), Some(1), "{}", String::from_utf8_lossy(&checked.stdout));
}

//! What the plugin platform costs, as ratios within one run: a call beside doing the same natively, numbers that cross
//! beside copying them, a cached component beside a compiled one, a thousand plugins, a reload under load.
//!
//! A table rather than a statistic: each figure is the best of several, because what disturbs a measurement only adds to it.
//! What a call costs beside a bare one of wasmtime is measured in `host/plugin/benches`, the home of wasmtime.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bellwether_bundle::PLUGINS;
use bellwether_domain::rollout::{Measurement, RolloutView, Side};
use bellwether_domain::time::Timestamp;
use bellwether_plugin::size::Span;
use bellwether_plugin::{Bundled, Column, ColumnKind, Frame, PluginHost, PluginsConfig};
use bellwether_sdk::{DriftTest, testing};
use bellwether_tests::{component, process};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// A strategy that always promotes, for reasons of its version. The layout is that of `tests/it/refusals.rs`.
fn strategy(name: &str, version: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (memory (export "memory") 2)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
            (func (export "bellwether:types/plugin@0.1.0#describe") (result i32)
                (i32.store (i32.const 16) (i32.const 1024)) (i32.store (i32.const 20) (i32.const {name_length}))
                (i32.store (i32.const 24) (i32.const 1100)) (i32.store (i32.const 28) (i32.const 5))
                (i32.store (i32.const 32) (i32.const 1100)) (i32.store (i32.const 36) (i32.const 5))
                (i32.store (i32.const 40) (i32.const 1300)) (i32.store (i32.const 44) (i32.const 17))
                (i32.const 16))
            (func (export "bellwether:deploy/strategy@0.2.0#next") (param i32) (result i32)
                (i32.store8 (i32.const 136) (i32.const 5))
                (i32.store (i32.const 168) (i32.const 1100)) (i32.store (i32.const 172) (i32.const 5))
                (i32.const 128))
            (data (i32.const 1024) "{name}")
            (data (i32.const 1100) "{version}")
            (data (i32.const 1300) "{{\"type\":\"object\"}}"))"#,
        name_length = name.len(),
    );
    component("deploy", "deployment-strategy", &text)
}

fn view() -> RolloutView {
    let side = |model_id: &str| Side { model_id: model_id.to_owned(), share: 0.0, shadow: 0.0, measured: Measurement::default() };
    RolloutView {
        id: "r".to_owned(),
        endpoint: "e".to_owned(),
        stable: Some(side("old")),
        candidate: side("new"),
        steps: Vec::new(),
        elapsed_seconds: 0.0,
        now: Timestamp(0),
        health: None,
        analysis: None,
        approved: false,
        state: Vec::new(),
    }
}

fn put(root: &Path, name: &str, version: &str, component: &[u8]) {
    let manifest = format!(
        "name = \"{name}\"\nversion = \"{version}\"\nkind = \"deployment-strategy\"\ncomponent = \"p.wasm\"\ncontract = \"0.2.0\"\nlicence = \"MIT\"\n"
    );
    let folder = root.join(name);
    fs_err::create_dir_all(&folder).expect("a folder");
    fs_err::write(folder.join("p.wasm"), component).expect("a component");
    fs_err::write(folder.join("plugin.toml"), manifest).expect("a manifest");
}

fn settings(root: &Path, cache: &Path) -> PluginsConfig {
    PluginsConfig { folders: vec![root.to_owned()], cache: cache.to_owned(), watch: Span(Duration::ZERO), ..PluginsConfig::default() }
}

/// The shortest of some runs of each of two, in turn, so that what the machine does meanwhile meets both.
fn best_of_both(runs: usize, mut one: impl FnMut(), mut other: impl FnMut()) -> (Duration, Duration) {
    let best = (0..runs).map(|_| (best(1, &mut one), best(1, &mut other)));
    best.reduce(|least, now| (least.0.min(now.0), least.1.min(now.1))).expect("at least one run")
}

/// The shortest of some runs.
fn best(runs: usize, mut run: impl FnMut()) -> Duration {
    let time = |_| {
        let started = Instant::now();
        run();
        started.elapsed()
    };
    (0..runs).map(time).min().expect("at least one run")
}

fn row(what: &str, figure: String, wanted: &str) {
    println!("{what:<58} {figure:>28}   {wanted}");
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn frame(values: Arc<[f64]>) -> Frame {
    Frame { columns: Arc::new([Column { name: "a".into(), kind: ColumnKind::Numeric, values }]) }
}

/// Kolmogorov-Smirnov as a component and as native code, on the same columns.
fn ks(runtime: &Runtime) {
    let bundled: Vec<Bundled> =
        PLUGINS.iter().map(|(manifest, component)| Bundled { manifest, component }).filter(|p| p.manifest.contains("\"ks\"")).collect();
    let host = runtime.block_on(PluginHost::open(PluginsConfig::default(), &bundled)).expect("a host");
    let test = host.drift_test("ks").expect("the built-in test");
    let given = json!({"effective": "none"});
    let config = host.configure("ks", &given).expect("settings");
    for rows in [1_000_usize, 10_000, 100_000] {
        let values = |seed: u64| -> Arc<[f64]> {
            let mut state = seed;
            let draw = |_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 11) as f64 / (1_u64 << 53) as f64
            };
            (0..rows).map(draw).collect()
        };
        let (reference, current) = (values(1), values(2));
        let baseline = runtime.block_on(test.baseline(frame(reference.clone()), &config)).expect("a baseline");
        let own = testing::config::<bellwether_ks::Ks>(&given).expect("settings");
        let kept = bellwether_ks::Ks::baseline(&testing::frame(&[("a", &reference[..])]), &own).expect("a baseline");
        let (guest, native) = best_of_both(
            100,
            || drop(black_box(runtime.block_on(test.test(&baseline, frame(current.clone()), &config)).expect("an outcome"))),
            || drop(black_box(bellwether_ks::Ks::test(&kept, &testing::frame(&[("a", &current[..])]), &own).expect("an outcome"))),
        );
        let ratio = native.as_secs_f64() / guest.as_secs_f64();
        let figure = format!("{:.0} µs, {ratio:.2} of native", microseconds(guest));
        row(&format!("Kolmogorov-Smirnov, {rows} rows, call included"), figure, "≥ 0.6 of native speed");
    }
}

/// A component compiled and one from the cache; a thousand of them.
fn loading(runtime: &Runtime) {
    let root = tempfile::tempdir().expect("a folder");
    let (plugins, cache) = (root.path().join("plugins"), root.path().join("cache"));
    let ks: Vec<Bundled> =
        PLUGINS.iter().map(|(manifest, component)| Bundled { manifest, component }).filter(|p| p.manifest.contains("\"ks\"")).collect();
    fs_err::create_dir_all(&plugins).expect("a folder");
    let open = |cache: &Path, bundled: &[Bundled]| runtime.block_on(PluginHost::open(settings(&plugins, cache), bundled)).expect("a host");
    let empty = best(3, || drop(open(&cache, &[])));
    let compiled = best(3, || drop(open(Path::new(""), &ks)));
    drop(open(&cache, &ks));
    let cached = best(5, || drop(open(&cache, &ks)));
    let ratio = compiled.saturating_sub(empty).as_secs_f64() / cached.saturating_sub(empty).as_secs_f64().max(1e-9);
    row("`ks` from the cache rather than compiled", format!("{ratio:.0} times faster"), "≥ 100 times");

    for place in 0..1_000 {
        // Names differ, and so does every component.
        let name = format!("plugin-{place:04}");
        put(&plugins, &name, "1.0.0", &strategy(&name, "1.0.0"));
    }
    let started = Instant::now();
    drop(open(&cache, &[]));
    row("1000 plugins, compiled", format!("{:.1} s", started.elapsed().as_secs_f64()), "");
    let before = process::resident_bytes(std::process::id());
    let started = Instant::now();
    let host = open(&cache, &[]);
    let took = started.elapsed();
    let grown = process::resident_bytes(std::process::id()).saturating_sub(before);
    assert_eq!((host.list().len(), host.counters().cached), (1_000, 1_000), "all from the cache");
    row("1000 plugins, from a warm cache", format!("{:.2} s, {} MiB", took.as_secs_f64(), grown >> 20), "≤ 2 s, ≤ 1.5 GB");
}

/// Calls that go on while the component under them is changed ten times.
fn reloading(runtime: &Runtime) {
    let root = tempfile::tempdir().expect("a folder");
    let (plugins, cache) = (root.path().join("plugins"), root.path().join("cache"));
    put(&plugins, "loaded", "1.0.0", &strategy("loaded", "1.0.0"));
    let host = runtime.block_on(PluginHost::open(settings(&plugins, &cache), &[])).expect("a host");
    let (done, calls, dropped) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let started = Instant::now();
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (host, done, calls, dropped) = (host.clone(), done.clone(), calls.clone(), dropped.clone());
            runtime.spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    let outcome = match host.strategy("loaded") {
                        Ok(strategy) => strategy.next(&view(), &json!({})).await.map(drop),
                        Err(error) => Err(error),
                    };
                    let counter = if outcome.is_ok() { &calls } else { &dropped };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for place in 1..=10 {
        let version = format!("1.0.{}", place % 10);
        put(&plugins, "loaded", &version, &strategy("loaded", &version));
        runtime.block_on(host.reload("loaded")).expect("a reload");
        let seen = calls.load(Ordering::Relaxed);
        while calls.load(Ordering::Relaxed) < seen + 500 {
            std::thread::yield_now();
        }
    }
    done.store(true, Ordering::Relaxed);
    callers.into_iter().for_each(|caller| runtime.block_on(caller).expect("a caller"));
    let (calls, dropped) = (calls.load(Ordering::Relaxed), dropped.load(Ordering::Relaxed));
    let rate = calls as f64 / started.elapsed().as_secs_f64();
    row("calls through ten reloads", format!("{rate:.0} /s, {dropped} dropped"), "≥ 2000 /s, none dropped");
}

/// A million numbers through the host into a guest, beside copying their bytes twice.
fn crossing(runtime: &Runtime) {
    const ROWS: usize = 1_000_000;
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("reader");
    fs_err::create_dir_all(&folder).expect("a folder");
    let manifest =
        "name = \"reader\"\nversion = \"1.0.0\"\nkind = \"drift-test\"\ncomponent = \"r.wasm\"\ncontract = \"0.1.0\"\nlicence = \"MIT\"\n";
    fs_err::write(folder.join("plugin.toml"), manifest).expect("a manifest");
    fs_err::write(folder.join("r.wasm"), component("drift", "drift-test", include_str!("reader.wat"))).expect("a component");
    let host = runtime.block_on(PluginHost::open(settings(root.path(), Path::new("")), &[])).expect("a host");
    let test = host.drift_test("reader").unwrap_or_else(|error| panic!("{error}: {:?}", host.list()));
    let values: Arc<[f64]> = (0..ROWS).map(|row| row as f64).collect();
    let read = |values: &Arc<[f64]>| runtime.block_on(test.baseline(frame(values.clone()), &Value::Null)).expect("an answer");
    assert_eq!(read(&values), (ROWS as u64).to_le_bytes(), "the guest did not read all");
    let guest = best(20, || {
        black_box(read(&values));
    });
    let (mut first, mut second) = (vec![0.0_f64; ROWS], vec![0.0_f64; ROWS]);
    let copied = best(20, || {
        first.copy_from_slice(black_box(&values));
        second.copy_from_slice(black_box(&first));
        black_box(&second);
    });
    let ratio = guest.as_secs_f64() / copied.as_secs_f64();
    row("1 M numbers read by a guest", format!("{:.0} µs, {ratio:.2} × copying twice", microseconds(guest)), "≤ 1.3 ×");
    let empty: Arc<[f64]> = Arc::new([]);
    let call = best(200, || {
        black_box(read(&empty));
    });
    row("a call of the host, fresh instance", format!("{:.1} µs", microseconds(call)), "");
}

fn main() {
    let runtime = Runtime::new().expect("threads");
    ks(&runtime);
    crossing(&runtime);
    reloading(&runtime);
    loading(&runtime);
}

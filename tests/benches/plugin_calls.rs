//! What a call of a plugin costs through the host: an empty one, and a million numbers crossing as `list<f64>`.
//!
//! The guest is written by hand, so that its own work is nothing. Every call has a store and an instance of its own: there
//! is no warm call to measure. What is timed is admission, the hop to the plugin threads, instance, call, teardown, the
//! hop back.

use std::hint::black_box;
use std::sync::Arc;

use bellwether_plugin::{Column, ColumnKind, Frame, PluginHost, PluginsConfig};
use bellwether_tests::component;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use tokio::runtime::Runtime;

const MANIFEST: &str = r#"
name = "reader"
version = "1.0.0"
kind = "drift-test"
component = "reader.wasm"
contract = "0.1.0"
licence = "Apache-2.0"
"#;

/// A drift test whose `baseline` reads its one column to the end, 131072 rows a call, and looks at nothing.
const READER: &str = r#"(module
    (import "bellwether:host/data@0.1.0" "[method]frame.column" (func $column (param i32 i32 i32)))
    (import "bellwether:host/data@0.1.0" "[method]column.read" (func $read (param i32 i64 i32 i32)))
    (import "bellwether:host/data@0.1.0" "[resource-drop]frame" (func $return (param i32)))
    (memory (export "memory") 20)
    ;; One place for whatever the host hands in: each piece overwrites the one before.
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
    (func (export "bellwether:types/plugin@0.1.0#describe") (result i32)
        (i32.store (i32.const 16) (i32.const 1024)) (i32.store (i32.const 20) (i32.const 6))
        (i32.store (i32.const 24) (i32.const 1100)) (i32.store (i32.const 28) (i32.const 5))
        (i32.store (i32.const 32) (i32.const 1024)) (i32.store (i32.const 36) (i32.const 6))
        (i32.store (i32.const 40) (i32.const 1200)) (i32.store (i32.const 44) (i32.const 17))
        (i32.const 16))
    (func (export "bellwether:drift/test@0.1.0#accepts") (result i32)
        (i32.store (i32.const 68) (i32.const 1300)) (i32.store (i32.const 72) (i32.const 1))
        (i32.store (i32.const 76) (i32.const 2))
        (i32.const 64))
    (func (export "bellwether:drift/test@0.1.0#baseline") (param $frame i32) (param i32 i32) (result i32)
        (local $offset i64)
        (call $column (local.get $frame) (i32.const 0) (i32.const 256))
        (loop $more
            (call $read (i32.load (i32.const 260)) (local.get $offset) (i32.const 131072) (i32.const 272))
            (local.set $offset (i64.add (local.get $offset) (i64.extend_i32_u (i32.load (i32.const 276)))))
            (br_if $more (i32.load (i32.const 276))))
        (call $return (local.get $frame))
        ;; The number of rows read, so that the host's side can check it.
        (i64.store (i32.const 312) (local.get $offset))
        (i32.store (i32.const 292) (i32.const 312)) (i32.store (i32.const 296) (i32.const 8))
        (i32.const 288))
    (func (export "bellwether:drift/test@0.1.0#test") (param i32 i32 i32 i32 i32) (result i32) unreachable)
    (data (i32.const 1024) "reader")
    (data (i32.const 1100) "1.0.0")
    (data (i32.const 1200) "{\"type\":\"object\"}")
    (data (i32.const 1300) "\00"))"#;

const ROWS: u64 = 1_000_000;

fn calls(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = folder.path().join("plugins/reader");
    fs_err::create_dir_all(&plugin).expect("a folder");
    fs_err::write(plugin.join("plugin.toml"), MANIFEST).expect("a file");
    fs_err::write(plugin.join("reader.wasm"), component("drift", "drift-test", READER)).expect("a file");
    let config =
        PluginsConfig { folders: vec![folder.path().join("plugins")], cache: folder.path().join("cache"), ..PluginsConfig::default() };
    let runtime = Runtime::new().expect("threads");
    let host = runtime.block_on(PluginHost::open(config, &[])).expect("a host");
    let test = host.drift_test("reader").unwrap_or_else(|error| panic!("{error}: {:?}", host.list()));
    let settings = host.configure("reader", &json!({})).expect("settings");
    let frame = |rows: u64| {
        let values: Arc<[f64]> = (0..rows).map(|row| row as f64).collect();
        Frame { columns: Arc::new([Column { name: "a".into(), kind: ColumnKind::Numeric, values }]) }
    };
    let read = async |frame: &Frame| test.baseline(frame.clone(), &settings).await.expect("an answer");
    let (empty, full) = (frame(0), frame(ROWS));
    assert_eq!(runtime.block_on(read(&full)), ROWS.to_le_bytes(), "the guest did not read all");

    let mut group = criterion.benchmark_group("plugin");
    group.bench_function("empty call", |bencher| {
        bencher.to_async(&runtime).iter(async || black_box(test.accepts().await.expect("an answer")))
    });
    group.bench_function("call that is lent a column of no rows", |bencher| {
        bencher.to_async(&runtime).iter(async || black_box(read(&empty).await))
    });
    group.throughput(Throughput::Bytes(ROWS * 8));
    group.bench_function("the same with 1 M rows, read as list<f64>", |bencher| {
        bencher.to_async(&runtime).iter(async || black_box(read(&full).await))
    });
    group.finish();
}

criterion_group!(benches, calls);
criterion_main!(benches);

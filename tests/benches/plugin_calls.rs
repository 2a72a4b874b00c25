//! What a call of a plugin costs through the host: an empty one, and a million numbers crossing as `list<f64>`.
//!
//! The guest is written by hand, so that its own work is nothing. Every call has a store and an instance of its own: there
//! is no warm call to measure. What is timed is admission, instance, call and teardown, and for slow calls the way to
//! the plugin threads and back.

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
const READER: &str = include_str!("reader.wat");

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

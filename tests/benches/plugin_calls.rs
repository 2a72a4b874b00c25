//! What a call of a plugin costs through the host: an empty one in a fresh instance, a million numbers borrowed and read.
//!
//! The plugin host offers no warm call: each has a store of its own, made from a pool. So "empty" is admission, hop to
//! the plugin threads, instance, call, teardown, hop back.

use std::hint::black_box;
use std::sync::Arc;

use bellwether_plugin::size::Span;
use bellwether_plugin::{Bundled, Ceiling, Column, ColumnKind, Frame, PluginHost, PluginsConfig};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use tokio::runtime::Runtime;

include!(concat!(env!("OUT_DIR"), "/guests.rs"));

fn calls(criterion: &mut Criterion) {
    let cache = tempfile::tempdir().expect("a folder");
    let ceiling = Ceiling { call_timeout: Span(std::time::Duration::from_secs(60)), ..Ceiling::default() };
    let config = PluginsConfig { ceiling, cache: cache.path().to_owned(), ..PluginsConfig::default() };
    let runtime = Runtime::new().expect("threads");
    let bundled = [Bundled { manifest: MISBEHAVING_MANIFEST, component: MISBEHAVING }];
    let host = runtime.block_on(PluginHost::open(config, &bundled)).expect("a host");
    let test = host.drift_test("misbehaving").expect("the guest");
    let honest = host.configure("misbehaving", &json!({"do": "behave"})).expect("config");
    let reading = host.configure("misbehaving", &json!({"do": "read-past-end"})).expect("config");

    let mut group = criterion.benchmark_group("plugin");
    group.bench_function("empty call, fresh instance", |bencher| {
        bencher.to_async(&runtime).iter(|| async { black_box(test.accepts().await.expect("an answer")) });
    });
    let values: Arc<[f64]> = (0..1_000_000).map(|place| f64::from(place % 1000)).collect();
    let frame = Frame { columns: Arc::new([Column { name: "a".into(), kind: ColumnKind::Numeric, values }]) };
    let baseline = runtime.block_on(test.baseline(frame.clone(), &honest)).expect("a baseline");
    group.throughput(Throughput::Elements(1_000_000));
    group.bench_function("moments of 1 M numbers, computed by the host", |bencher| {
        bencher.to_async(&runtime).iter(|| async { black_box(test.test(&baseline, frame.clone(), &honest).await.expect("an answer")) });
    });
    group.bench_function("the same, and 1 M numbers read by the guest in chunks of list<f64>", |bencher| {
        bencher.to_async(&runtime).iter(|| async { black_box(test.test(&baseline, frame.clone(), &reading).await.expect("an answer")) });
    });
    group.finish();
}

criterion_group!(benches, calls);
criterion_main!(benches);

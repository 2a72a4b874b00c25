//! What the host adds to a call: the same component called through the host, and by wasmtime with nothing around it.
//!
//! Both make a fresh instance for every call in a pooled engine that ticks. The host adds admission, limits, counters and the
//! span; calls of a function this quick begin on the caller's thread. Times are the best of many: what disturbs a measurement
//! only adds to it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bellwether_plugin::{Bundled, PluginHost, PluginsConfig};
use serde_json::json;
use wasmtime::component::{Component, ComponentType, InstancePre, Lift, Linker, Lower};
use wasmtime::{Config, Engine, PoolingAllocationConfig, Store};

#[path = "../tests/host/guest.rs"]
mod guest;

/// `bellwether:types/common.error`, as wasmtime wants to be told.
#[derive(Debug, ComponentType, Lift, Lower)]
#[component(variant)]
enum GuestError {
    #[component(name = "invalid-config")]
    InvalidConfig(String),
    #[component(name = "invalid-input")]
    InvalidInput(String),
    #[component(name = "unsupported")]
    Unsupported(String),
    #[component(name = "transient")]
    Transient(String),
    #[component(name = "internal")]
    Internal(String),
    #[component(name = "other")]
    Other((String, String)),
}

/// wasmtime and nothing else.
struct Bare {
    engine: Engine,
    pre: InstancePre<()>,
}

impl Bare {
    fn new(component: &[u8]) -> Bare {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(8).total_core_instances(64).total_memories(16).total_tables(64).total_stacks(8);
        pool.max_tables_per_module(8).linear_memory_keep_resident(64 << 10).max_memory_size(256 << 20);
        let mut config = Config::new();
        config.epoch_interruption(true).concurrency_support(false).cranelift_nan_canonicalization(true);
        let engine = Engine::new(config.allocation_strategy(pool)).expect("an engine");
        let component = Component::from_binary(&engine, component).expect("a component");
        let pre = Linker::new(&engine).instantiate_pre(&component).expect("it imports nothing");
        Bare { engine, pre }
    }

    async fn start(&self, config: &str) -> Vec<u8> {
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(1_000_000);
        let instance = self.pre.instantiate_async(&mut store).await.expect("an instance");
        let (_, interface) = instance.get_export(&mut store, None, "bellwether:drift/detector@0.1.0").expect("the interface");
        let (_, start) = instance.get_export(&mut store, Some(&interface), "start").expect("the function");
        let start = instance.get_typed_func::<(&str,), (Result<Vec<u8>, GuestError>,)>(&mut store, &start).expect("its type");
        start.call_async(&mut store, (config,)).await.expect("a call").0.expect("an answer")
    }
}

/// The best of many.
async fn best(runs: usize, mut run: impl AsyncFnMut()) -> Duration {
    let mut shortest = Duration::MAX;
    for _ in 0..runs {
        let started = Instant::now();
        run().await;
        shortest = shortest.min(started.elapsed());
    }
    shortest
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let component: &'static [u8] = guest::component("probe").leak();
    let bundled = Bundled { manifest: guest::manifest("probe").leak(), component };
    runtime.block_on(async {
        let host = PluginHost::open(PluginsConfig::default(), &[bundled]).await.expect("a host");
        let (detector, bare) = (host.drift_detector("probe").expect("the guest"), Bare::new(component));
        for mode in ["ok", "work"] {
            let (settings, text) = (json!({ "mode": mode }), json!({ "mode": mode }).to_string());
            assert_eq!(detector.start(&settings).await.expect("an answer"), bare.start(&text).await);
            let ours = best(5_000, async || drop(black_box(detector.start(&settings).await))).await;
            let theirs = best(5_000, async || drop(black_box(bare.start(&text).await))).await;
            let micro = |time: Duration| time.as_secs_f64() * 1e6;
            let (ours, theirs) = (micro(ours), micro(theirs));
            println!("{mode:<6} host {ours:8.2} µs   bare {theirs:8.2} µs   {:.2} ×, {:.2} µs more", ours / theirs, ours - theirs);
        }
    });
}

//! A place to run workers in: a bar store with a made-up market, and orders for it.

use std::path::PathBuf;

use bellwether_domain::bars::{Bar, Bars};
use bellwether_domain::job::{Precision, TrainingRequest};
use bellwether_domain::time::{Interval, Timestamp};
use bellwether_domain::{Error, Result};
use bellwether_engine::artifact::Artifact;
use bellwether_engine::plugin::{Bundled, PluginHost, PluginsConfig};
use bellwether_engine::predictor::Predictor;
use bellwether_engine::store::BarStore;
use bellwether_engine::worker::{Event, Order, perform};
use serde_json::{Value, json};

pub(crate) const SYMBOL: &str = "BTC/USDT";

/// A folder that vanishes, with the market `BTC/USDT` in it.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    pub(crate) bars: Bars,
}

pub(crate) fn bundled() -> Vec<Bundled> {
    bellwether_bundle::PLUGINS.iter().map(|(manifest, component)| Bundled { manifest, component }).collect()
}

/// Hourly bars whose volatility wanders slowly, so that it can be forecast, with two holes.
pub(crate) fn market(rows: usize) -> Bars {
    let mut state = 42_u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut normal = move || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
    let (mut bars, mut close, mut calm, mut hour) = (Bars::default(), 100.0_f64, 0.0_f64, 400_000_i64);
    for row in 0..rows {
        hour += match row {
            500 => 3,
            900 => 48,
            _ => 1,
        };
        calm = 0.98 * calm + 0.1 * normal();
        let open = close;
        close *= (0.005 * calm.exp() * normal()).exp();
        let spread = 1.0 + 0.001 * normal().abs();
        let bar = Bar {
            timestamp: Timestamp(hour * 3_600_000),
            open,
            high: open.max(close) * spread,
            low: open.min(close) / spread,
            close,
            volume: normal().abs(),
        };
        bars.push(bar);
    }
    bars
}

impl Bench {
    pub(crate) async fn new(rows: usize) -> Bench {
        Bench::with(market(rows)).await
    }

    pub(crate) async fn with(bars: Bars) -> Bench {
        let folder = tempfile::tempdir().expect("folder");
        let store = BarStore::open(&folder.path().join("bars")).expect("store");
        store.ingest(&SYMBOL.parse().expect("symbol"), Interval::HOUR, bars.clone()).await.expect("ingest");
        Bench { folder, bars }
    }

    pub(crate) fn output(&self) -> PathBuf {
        self.folder.path().join("out.tar")
    }

    fn plugins(&self) -> PluginsConfig {
        PluginsConfig { cache: self.cache(), ..PluginsConfig::default() }
    }

    /// Compiled components are the same for every bench; cargo's own folder keeps them from run to run.
    fn cache(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("plugin-cache")
    }

    /// An order for a request, of which symbol and interval may be left out.
    pub(crate) fn order(&self, mut request: Value) -> Order {
        request["symbol"] = request.get("symbol").cloned().unwrap_or(json!(SYMBOL));
        let request: TrainingRequest = serde_json::from_value(request).expect("request");
        Order {
            job_id: "job_1".to_owned(),
            request,
            bars: self.folder.path().join("bars"),
            output: self.output(),
            plugin_cache: self.cache(),
            plugins: PluginsConfig::default(),
            drift_tests: vec!["ks".to_owned()],
            min_data_points: 1000,
            device: "cpu".to_owned(),
            precision: Precision::F32,
            threads: 1,
            estimate: None,
            checkpoints: None,
            columns: None,
        }
    }

    /// Carries out an order while `listen` says true; gives everything said.
    pub(crate) async fn run(&self, order: Order, mut listen: impl FnMut(&Event) -> bool + Send) -> (Result<()>, Vec<Event>) {
        let mut events = Vec::new();
        let mut emit = |event: Event| {
            let heard = listen(&event);
            events.push(event);
            heard
        };
        let result = perform(order, &bundled(), &mut emit).await;
        (result, events)
    }

    /// A training that succeeds, and its version loaded as in service.
    pub(crate) async fn train(&self, request: Value) -> (Vec<Event>, Artifact, Predictor) {
        let (result, events) = self.run(self.order(request), |_| true).await;
        result.expect("training");
        let artifact = Artifact::unpack(&std::fs::read(self.output()).expect("output")).expect("artifact");
        let predictor = self.load(artifact.clone()).await;
        (events, artifact, predictor)
    }

    /// An artifact loaded as in service.
    pub(crate) async fn load(&self, artifact: Artifact) -> Predictor {
        let plugins = PluginHost::open(self.plugins(), &bundled()).await.expect("plugins");
        Predictor::load(artifact, &plugins).expect("predictor")
    }
}

/// What a training that must fail says at the end.
pub(crate) fn failure(result: Result<()>, events: &[Event]) -> (Error, Option<String>, String) {
    match (result, events.last()) {
        (Err(error), Some(Event::Failed { field, message, .. })) => (error, field.clone(), message.clone()),
        other => panic!("it did not fail: {other:?}"),
    }
}

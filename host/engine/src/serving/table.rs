//! Who answers: the table of endpoints with their versions loaded, swapped whole; the cache of other versions; admission.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use bellwether_domain::rollout::{Endpoint, Measurement, Variant};
use bellwether_domain::{Error, Result};
use sha2::Digest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Host;
use crate::config::ServingConfig;
use crate::predictor::{Predictor, RawWindows};
use crate::records::Kept;
use crate::serving::measure::Meters;

/// Everything predictions need besides the stores.
#[derive(Debug)]
pub(crate) struct Serving {
    table: ArcSwap<Table>,
    cache: quick_cache::sync::Cache<String, Arc<Predictor>, BySize>,
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
    meters: Meters,
}

/// Endpoints, and the versions they name, loaded.
#[derive(Debug, Default)]
pub(crate) struct Table {
    endpoints: BTreeMap<String, Endpoint>,
    pinned: HashMap<String, Arc<Predictor>>,
}

#[derive(Debug, Clone)]
struct BySize;

impl quick_cache::Weighter<String, Arc<Predictor>> for BySize {
    fn weight(&self, key: &String, value: &Arc<Predictor>) -> u64 {
        (key.len() + value.size_bytes()) as u64
    }
}

impl Table {
    /// One endpoint.
    pub(crate) fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.get(name)
    }

    /// All endpoints, by name.
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        self.endpoints.values().cloned().collect()
    }

    /// Names of all endpoints.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.endpoints.keys().map(String::as_str)
    }

    /// A version that an endpoint names.
    pub(crate) fn pinned(&self, model_id: &str) -> Option<Arc<Predictor>> {
        self.pinned.get(model_id).cloned()
    }
}

impl Serving {
    /// Nothing serves yet.
    pub(crate) fn new(config: &ServingConfig) -> Serving {
        Serving {
            table: ArcSwap::default(),
            cache: quick_cache::sync::Cache::with_weighter(128, config.cache_bytes, BySize),
            slots: Arc::new(Semaphore::new(config.concurrency)),
            waiting: AtomicUsize::new(0),
            queue: config.queue,
            meters: Meters::default(),
        }
    }

    /// The table as it is now.
    pub(crate) fn table(&self) -> arc_swap::Guard<Arc<Table>> {
        self.table.load()
    }

    /// A cached version, loaded once however many ask.
    pub(crate) async fn cached(&self, model_id: &str, load: impl Future<Output = Result<Predictor>>) -> Result<Arc<Predictor>> {
        self.cache.get_or_insert_async(model_id, async { load.await.map(Arc::new) }).await
    }

    /// Waits for a slot; refused when too many wait already.
    pub(crate) async fn admit(&self) -> Result<OwnedSemaphorePermit> {
        if let Ok(permit) = self.slots.clone().try_acquire_owned() {
            return Ok(permit);
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.queue {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::Overloaded(format!("{} predictions are waiting already, the most there may be; try again", self.queue)));
        }
        let _left = Leave(&self.waiting);
        self.slots.clone().acquire_owned().await.map_err(Error::internal)
    }

    /// Notes one prediction of a version on an endpoint.
    pub(crate) fn measured(&self, endpoint: &str, model_id: &str, took: Duration, good: bool) {
        self.meters.note(endpoint, model_id, took, good);
    }

    /// What was measured since [`Serving::measure_anew`].
    pub(crate) fn measurement(&self, endpoint: &str, model_id: &str) -> Measurement {
        self.meters.read(endpoint, model_id)
    }

    /// Starts measuring an endpoint's versions from nothing.
    pub(crate) fn measure_anew(&self, endpoint: &str) {
        self.meters.reset(endpoint);
    }
}

/// Leaves the queue however the wait ends.
struct Leave<'a>(&'a AtomicUsize);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Host {
    /// Reads every endpoint and loads its versions; a version that cannot be loaded is logged and answers with its error.
    pub(crate) async fn load_endpoints(&self) -> Result<()> {
        for record in self.inner.records.of::<Kept<Endpoint>>().all().await? {
            self.serve_endpoint(record.value.0).await;
        }
        Ok(())
    }

    /// Puts an endpoint's present state into the table, its versions loaded first: the swap never waits for a load.
    pub(crate) async fn serve_endpoint(&self, endpoint: Endpoint) {
        let mut loaded = HashMap::new();
        let named = endpoint.variants.iter().map(|variant| &variant.model_id).chain(&endpoint.previous);
        for model_id in named {
            match self.predictor(model_id).await {
                Ok(predictor) => {
                    loaded.insert(model_id.clone(), predictor);
                }
                Err(error) => tracing::error!(model.id = %model_id, error = %error, "a version that serves could not be loaded"),
            }
        }
        self.inner.serving.table.rcu(|table| {
            let mut endpoints = table.endpoints.clone();
            if endpoint.variants.is_empty() {
                endpoints.remove(&endpoint.name);
            } else {
                endpoints.insert(endpoint.name.clone(), endpoint.clone());
            }
            let named: std::collections::HashSet<&String> = endpoints
                .values()
                .flat_map(|endpoint| endpoint.variants.iter().map(|variant| &variant.model_id).chain(&endpoint.previous))
                .collect();
            let known = table.pinned.iter().chain(&loaded);
            let pinned = known.filter(|(id, _)| named.contains(id)).map(|(id, predictor)| (id.clone(), predictor.clone())).collect();
            Table { endpoints, pinned }
        });
    }

    /// The stable version of an endpoint.
    pub(crate) fn stable_of(&self, endpoint: &str) -> Option<String> {
        self.inner.serving.table().endpoint(endpoint).and_then(|endpoint| endpoint.stable().map(str::to_owned))
    }

    /// True when an endpoint names the version as one that answers.
    pub(crate) fn is_routed(&self, model_id: &str) -> bool {
        self.inner.serving.table().endpoints.values().any(|endpoint| endpoint.variants.iter().any(|variant| variant.model_id == model_id))
    }
}

/// Where a question falls in [0, 1): by its unit, the same every time, else at random.
pub(super) fn draw(endpoint: &str, unit_id: Option<&str>) -> f64 {
    match unit_id {
        Some(unit) => {
            let digest = sha2::Sha256::digest(format!("{endpoint}\0{unit}"));
            let head = digest[..8].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
            (head >> 11) as f64 / (1_u64 << 53) as f64
        }
        None => rand::random(),
    }
}

/// The variant a draw falls on; the last one with a share where rounding leaves a remainder.
pub(super) fn pick(variants: &[Variant], draw: f64) -> Option<&Variant> {
    let mut upper = 0.0;
    let answering = || variants.iter().filter(|variant| variant.share > 0.0);
    for variant in answering() {
        upper += variant.share;
        if draw < upper {
            return Some(variant);
        }
    }
    answering().next_back()
}

/// Checks the shape of windows and lays them out flat.
pub(super) fn flatten(
    windows: Vec<Vec<Vec<f64>>>,
    steps: usize,
    features: usize,
    most: usize,
    last_close: Option<Vec<f64>>,
) -> Result<RawWindows> {
    let count = windows.len();
    if count == 0 || count > most {
        return Err(Error::invalid("windows", format!("there are {count}; send 1 to {most}")));
    }
    let mut values = Vec::with_capacity(count * steps * features);
    for (place, window) in windows.iter().enumerate() {
        if window.len() != steps {
            return Err(Error::invalid(
                format!("windows[{place}]"),
                format!("has the wrong shape: wanted [{steps}, {features}] (steps, features), got {} steps", window.len()),
            ));
        }
        for (step, row) in window.iter().enumerate() {
            if row.len() != features {
                return Err(Error::invalid(
                    format!("windows[{place}][{step}]"),
                    format!(
                        "has the wrong shape: wanted {features} features, got {} (the window must be [{steps}, {features}])",
                        row.len()
                    ),
                ));
            }
            values.extend_from_slice(row);
        }
    }
    if let Some(closes) = &last_close
        && closes.len() != count
    {
        return Err(Error::invalid("last_close", format!("has {} values for {count} windows; send one each", closes.len())));
    }
    Ok(RawWindows { values, count, last_close })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(name: &str, share: f64) -> Variant {
        Variant { name: name.to_owned(), model_id: name.to_owned(), share, shadow: 0.0 }
    }

    #[test]
    fn draws_fall_by_share_and_units_stay() {
        let variants = [variant("stable", 0.9), variant("candidate", 0.1)];
        for (draw, expected) in [(0.0, "stable"), (0.899, "stable"), (0.95, "candidate"), (0.999_999, "candidate")] {
            assert_eq!(pick(&variants, draw).map(|variant| variant.name.as_str()), Some(expected), "{draw}");
        }
        assert!(pick(&[variant("idle", 0.0)], 0.5).is_none());
        let landed = (0..10_000)
            .filter(|unit| pick(&variants, draw("BTC-USDT", Some(&unit.to_string()))).is_some_and(|found| found.name == "candidate"));
        let share = landed.count() as f64 / 10_000.0;
        assert!((share - 0.1).abs() < 0.015, "{share}");
        assert_eq!(draw("a", Some("x")).to_bits(), draw("a", Some("x")).to_bits());
    }

    #[test]
    fn wrong_windows_say_what_was_wanted_and_got() {
        let check = |windows: Vec<Vec<Vec<f64>>>, expected: &str| {
            let error = flatten(windows, 2, 3, 4, None).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(vec![], "send 1 to 4");
        check(vec![vec![vec![1.0; 3]]], "wanted [2, 3] (steps, features), got 1 steps");
        check(vec![vec![vec![1.0; 3], vec![1.0; 2]]], "windows[0][1]: has the wrong shape: wanted 3 features, got 2");
        check(vec![vec![vec![1.0; 3]; 2]; 5], "there are 5");
        assert_eq!(flatten(vec![vec![vec![1.0; 3]; 2]], 2, 3, 4, None).expect("fits").values.len(), 6);
    }
}

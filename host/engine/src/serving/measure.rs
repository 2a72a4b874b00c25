//! What is measured of each version on each endpoint since the present rollout step began: requests, errors, latency.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bellwether_domain::rollout::Measurement;

/// Latencies kept per version; older ones are overwritten.
const LATENCIES_MAX: usize = 4096;

/// Endpoint and version.
type Key = (String, String);

/// Meters by endpoint and version.
#[derive(Debug, Default)]
pub(super) struct Meters {
    meters: RwLock<HashMap<Key, Arc<Mutex<Meter>>>>,
}

#[derive(Debug, Default)]
struct Meter {
    requests: u64,
    errors: u64,
    latencies_ms: Vec<f32>,
}

impl Meters {
    /// Notes one prediction.
    pub(super) fn note(&self, endpoint: &str, model_id: &str, took: Duration, good: bool) {
        let meter = self.meter(endpoint, model_id);
        let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
        let latency = took.as_secs_f32() * 1e3;
        let place = (meter.requests % LATENCIES_MAX as u64) as usize;
        match meter.latencies_ms.get_mut(place) {
            Some(old) => *old = latency,
            None => meter.latencies_ms.push(latency),
        }
        meter.requests += 1;
        meter.errors += u64::from(!good);
    }

    fn meter(&self, endpoint: &str, model_id: &str) -> Arc<Mutex<Meter>> {
        let key = (endpoint.to_owned(), model_id.to_owned());
        if let Some(meter) = self.meters.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return meter.clone();
        }
        self.meters.write().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
    }

    /// What was measured. Without requests every other figure is absent.
    pub(super) fn read(&self, endpoint: &str, model_id: &str) -> Measurement {
        let meter = self.meter(endpoint, model_id);
        let meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted = meter.latencies_ms.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        let quantile =
            |share: f64| sorted.get(((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1))).map(|ms| f64::from(*ms));
        Measurement {
            requests: meter.requests,
            errors: meter.errors,
            latency_p50_ms: quantile(0.5),
            latency_p99_ms: quantile(0.99),
            metrics: Vec::new(),
        }
    }

    /// Forgets what was measured on an endpoint.
    pub(super) fn reset(&self, endpoint: &str) {
        self.meters.write().unwrap_or_else(PoisonError::into_inner).retain(|(name, _), _| name != endpoint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_measured_is_not_zero() {
        let meters = Meters::default();
        assert_eq!(meters.read("e", "m"), Measurement::default());
        for millisecond in 1..=100 {
            meters.note("e", "m", Duration::from_millis(millisecond), millisecond != 7);
        }
        let seen = meters.read("e", "m");
        assert_eq!((seen.requests, seen.errors), (100, 1));
        assert!((seen.latency_p50_ms.expect("p50") - 51.0).abs() < 1.01 && (seen.latency_p99_ms.expect("p99") - 100.0).abs() < 1.01);
        meters.reset("e");
        assert_eq!(meters.read("e", "m").requests, 0);
    }
}

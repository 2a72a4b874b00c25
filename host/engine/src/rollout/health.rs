//! The examination of a candidate before it may answer: it loads, answers probes, with finite numbers, within the latency bound.

use std::time::{Duration, Instant};

use bellwether_domain::rollout::HealthReport;

use crate::Host;

impl Host {
    /// Examines a version. Never fails: what goes wrong is in the report.
    pub(super) async fn check_health(&self, model_id: &str) -> HealthReport {
        let limit = Duration::from_secs_f64(self.config().deployment.health_check_timeout);
        let mut report = HealthReport::default();
        match tokio::time::timeout(limit, self.probe(model_id, &mut report)).await {
            Ok(()) => {}
            Err(_) => report.reasons.push(format!("the health check took longer than {} s", limit.as_secs_f64())),
        }
        report.passed = report.reasons.is_empty();
        report
    }

    async fn probe(&self, model_id: &str, report: &mut HealthReport) {
        let predictor = match self.predictor(model_id).await {
            Ok(predictor) => predictor,
            Err(error) => return report.reasons.push(format!("it does not load: {error}")),
        };
        let bound = self.config().deployment.health_check_latency_ms;
        // The first answer pays for cold caches and is not timed.
        for number in 0..=self.config().deployment.health_check_probes {
            let started = Instant::now();
            match self.compute(&predictor, predictor.probe_window(number)).await {
                Ok(values) if values.iter().all(|value| value.is_finite()) => {}
                Ok(_) => return report.reasons.push(format!("probe {number} was answered with a number that is not finite")),
                Err(error) => return report.reasons.push(format!("probe {number} failed: {error}")),
            }
            if number > 0 {
                report.slowest_ms = report.slowest_ms.max(started.elapsed().as_secs_f64() * 1e3);
                report.probes += 1;
            }
        }
        if report.slowest_ms > bound {
            report.reasons.push(format!("the slowest probe took {:.1} ms; {bound} ms are allowed", report.slowest_ms));
        }
    }
}

//! Alerts: fired once per condition and labels, delivered to every handler with back-off, resolved when over.
//!
//! An alert and its deliveries are one record; a delivery that was not made when the host stopped is made by the next one,
//! with the same idempotency key, so a receiver may see it twice but never not at all.

use std::collections::BTreeMap;
use std::time::Duration;

use bellwether_domain::alert::{Alert, AlertPhase, Delivery, Severity};
use bellwether_domain::{Error, Result};
use uuid::Uuid;

use crate::records::{Kept, newest};
use crate::{Host, Listing, PageRequest};

/// Longest wait between two tries.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Something that holds now.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) name: &'static str,
    pub(crate) severity: Severity,
    pub(crate) summary: String,
    pub(crate) model_id: Option<String>,
    pub(crate) symbol: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) detail: serde_json::Value,
}

/// The name of a phase in JSON.
pub(crate) fn phase_name(phase: AlertPhase) -> &'static str {
    match phase {
        AlertPhase::Pending => "pending",
        AlertPhase::Firing => "firing",
        AlertPhase::Resolved => "resolved",
    }
}

/// What tells alerts of one condition apart.
pub(crate) fn fingerprint(condition: &str, labels: &BTreeMap<String, String>) -> String {
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{condition}{{{}}}", labels.join(","))
}

impl Host {
    /// Alerts, newest first, of one phase or all.
    pub async fn alerts(&self, phase: Option<AlertPhase>, page: &PageRequest) -> Result<Listing<Alert>> {
        let index = phase.map(|phase| ("phase", phase_name(phase)));
        newest(&self.inner.records.of::<Kept<Alert>>(), index, page, |_| true, |kept| kept.0).await
    }

    /// One alert. Errors: `NotFound`.
    pub async fn alert(&self, alert_id: &str) -> Result<Alert> {
        let found = self.inner.records.of::<Kept<Alert>>().get(alert_id).await?;
        found.map(|record| record.value.0).ok_or_else(|| Error::not_found("alert", alert_id))
    }

    async fn active_alert(&self, condition: &str, labels: &BTreeMap<String, String>) -> Result<Option<Alert>> {
        let active = self.inner.records.of::<Kept<Alert>>().find("active", &fingerprint(condition, labels), None, 1, false).await?;
        Ok(active.items.into_iter().next().map(|record| record.value.0))
    }

    /// Says that a condition holds. The first time an alert fires and is delivered; while it fires, only its detail is renewed.
    pub(crate) async fn fire(&self, condition: Condition) -> Result<Alert> {
        let alerts = self.inner.records.of::<Kept<Alert>>();
        if let Some(active) = self.active_alert(condition.name, &condition.labels).await? {
            let (_, renewed) = alerts
                .modify(&active.id, |alert| {
                    alert.0.summary.clone_from(&condition.summary);
                    alert.0.detail = condition.detail.clone();
                    alert.0.severity = condition.severity;
                    Ok(())
                })
                .await?;
            return Ok(renewed.value.0);
        }
        let id = format!("alert_{}", Uuid::now_v7().simple());
        let alert = Alert {
            deliveries: self.deliveries(&id, AlertPhase::Firing),
            id,
            condition: condition.name.to_owned(),
            severity: condition.severity,
            phase: AlertPhase::Firing,
            summary: condition.summary,
            model_id: condition.model_id,
            symbol: condition.symbol,
            started_at: self.clock().now(),
            resolved_at: None,
            labels: condition.labels,
            detail: condition.detail,
        };
        alerts.insert(&Kept(alert.clone())).await?;
        tracing::warn!(alert.id = %alert.id, alert.condition = %alert.condition, summary = %alert.summary, "an alert fires");
        self.deliver(alert.id.clone());
        Ok(alert)
    }

    /// Says that a condition is over; nothing happens when no alert of it fires.
    pub(crate) async fn resolve(&self, condition: &str, labels: &BTreeMap<String, String>) -> Result<()> {
        let Some(active) = self.active_alert(condition, labels).await? else { return Ok(()) };
        let now = self.clock().now();
        let more = self.deliveries(&active.id, AlertPhase::Resolved);
        let alerts = self.inner.records.of::<Kept<Alert>>();
        alerts
            .modify(&active.id, |alert| {
                alert.0.phase = AlertPhase::Resolved;
                alert.0.resolved_at = Some(now);
                // A handler that never heard of the alert need not hear that it is over.
                alert
                    .0
                    .deliveries
                    .iter_mut()
                    .filter(|delivery| delivery.delivered_at.is_none())
                    .for_each(|delivery| delivery.given_up = true);
                alert.0.deliveries.extend(more.clone());
                Ok(())
            })
            .await?;
        self.deliver(active.id);
        Ok(())
    }

    fn deliveries(&self, alert_id: &str, phase: AlertPhase) -> Vec<Delivery> {
        let handlers = self.plugins().alert_handlers();
        let deliveries = handlers.iter().map(|handler| Delivery {
            handler: handler.name().to_owned(),
            idempotency_key: format!("{alert_id}:{}:{}", phase_name(phase), handler.name()),
            attempts: 0,
            delivered_at: None,
            error: None,
            given_up: false,
        });
        deliveries.collect()
    }

    /// Takes up deliveries that were not made.
    pub(crate) async fn resume_deliveries(&self) -> Result<()> {
        let mut cursor = None;
        loop {
            let page = self.inner.records.of::<Kept<Alert>>().find("undelivered", "yes", cursor.as_deref(), 100, false).await?;
            page.items.into_iter().for_each(|record| self.deliver(record.value.0.id));
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// Makes every delivery of an alert that is still to be made, each handler on its own so that a slow one delays nobody.
    fn deliver(&self, alert_id: String) {
        let host = self.clone();
        self.inner.tasks.spawn("alert delivery", async move {
            let Ok(alert) = host.alert(&alert_id).await else { return };
            let open = alert.deliveries.into_iter().filter(|delivery| delivery.delivered_at.is_none() && !delivery.given_up);
            futures_util::future::join_all(open.map(|delivery| host.deliver_to(&alert_id, delivery))).await;
        });
    }

    async fn deliver_to(&self, alert_id: &str, delivery: Delivery) {
        let most = self.config().monitoring.alert_attempts;
        let mut wait = Duration::from_millis(self.config().monitoring.alert_backoff_ms);
        for attempt in delivery.attempts + 1..=most {
            let outcome = self.try_delivery(alert_id, &delivery).await;
            let over = match &outcome {
                Ok(()) => true,
                Err(error) => attempt == most || !bellwether_plugin::alert::is_transient(error),
            };
            match self.note_delivery(alert_id, &delivery.idempotency_key, attempt, &outcome, over).await {
                Ok(true) if !over => {}
                Ok(_) => return,
                Err(error) => return tracing::error!(alert.id = %alert_id, error = %error, "a delivery could not be noted"),
            }
            let jitter = 0.75 + 0.5 * rand::random::<f64>();
            if !self.inner.tasks.sleep(wait.mul_f64(jitter)).await {
                return;
            }
            wait = (wait * 2).min(WAIT_MAX);
        }
    }

    async fn try_delivery(&self, alert_id: &str, delivery: &Delivery) -> Result<()> {
        let handler = self.plugins().alert_handler(&delivery.handler)?;
        let mut alert = self.alert(alert_id).await?;
        if delivery.idempotency_key.contains(":firing:") {
            alert.phase = AlertPhase::Firing;
        }
        handler.handle(&alert, &delivery.idempotency_key).await
    }

    /// Stores one try; false when the delivery was given up meanwhile.
    async fn note_delivery(&self, alert_id: &str, key: &str, attempt: u32, outcome: &Result<()>, over: bool) -> Result<bool> {
        let now = self.clock().now();
        let alerts = self.inner.records.of::<Kept<Alert>>();
        let (going, _) = alerts
            .modify(alert_id, |alert| {
                let found = alert.0.deliveries.iter_mut().find(|delivery| delivery.idempotency_key == key);
                let delivery = found.ok_or_else(|| Error::internal("a delivery vanished"))?;
                delivery.attempts = attempt;
                match outcome {
                    Ok(()) => delivery.delivered_at = Some(now),
                    Err(error) => {
                        delivery.error = Some(error.to_string());
                        delivery.given_up |= over;
                    }
                }
                Ok(!delivery.given_up)
            })
            .await?;
        if let Err(error) = outcome {
            tracing::warn!(alert.id = %alert_id, delivery.key = %key, attempt, over, error = %error, "an alert was not delivered");
        }
        Ok(going)
    }
}

//! How each noun is kept: its collection, its key (ordered by time, so that lists are newest-first), its indexes.

use std::collections::BTreeMap;

use bellwether_domain::alert::Alert;
use bellwether_domain::job::{LossCurve, TrainingJob};
use bellwether_domain::model::ModelVersion;
use bellwether_domain::rollout::{Endpoint, Rollout};
use bellwether_domain::time::Timestamp;
use bellwether_domain::{Error, Result};
use bellwether_plugin::Said;
use bellwether_store::{Collection, Page, Record, Records, Versioned};
use serde::{Deserialize, Serialize};

use crate::monitoring::DriftReport;
use crate::training::LogLine;
use crate::{Listing, PageRequest};

/// A noun as a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Kept<T>(pub(crate) T);

/// An idempotency key that was used: the request's digest, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct UsedKey {
    /// `job:`, `model:` or `deployment:` and the caller's key.
    pub(crate) key: String,
    /// SHA-256 of the request, in hex.
    pub(crate) request: String,
    /// Id of what was made.
    pub(crate) id: String,
}

/// An endpoint's one rollout under way: it exists from the rollout's beginning to its end, so that there is never a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// The endpoint.
    pub(crate) endpoint: String,
    /// The rollout.
    pub(crate) deployment_id: String,
}

/// What was said of a plugin instance while a host ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PluginWord {
    /// The instance.
    pub(crate) name: String,
    /// What.
    pub(crate) said: Said,
    /// When.
    pub(crate) changed_at: Timestamp,
}

/// A number that counts up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counter {
    /// What is counted.
    pub(crate) name: String,
    /// How far.
    pub(crate) value: u32,
}

/// One line of one job's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct JobLogLine {
    /// The job.
    pub(crate) job_id: String,
    /// The line.
    pub(crate) line: LogLine,
}

/// How one job's losses went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct JobLosses {
    /// The job.
    pub(crate) job_id: String,
    /// Epoch by epoch.
    pub(crate) curve: LossCurve,
}

/// The key of a model version: its id's own time stamp first, so that keys are in order of time across types and symbols.
pub(crate) fn model_key(model_id: &str) -> String {
    let parts: Vec<&str> = model_id.rsplitn(4, '_').collect();
    let digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    let (stamp, repeat) = match parts.as_slice() {
        [time, date, ..] if digits(time, 6) && digits(date, 8) => (format!("{date}{time}"), 1),
        [repeat, time, date, ..] if digits(time, 6) && digits(date, 8) => (format!("{date}{time}"), repeat.parse().unwrap_or(0)),
        _ => (String::new(), 0),
    };
    format!("{stamp}{repeat:06}:{model_id}")
}

impl Record for Kept<ModelVersion> {
    const COLLECTION: &'static str = "models";
    const INDEXES: &'static [&'static str] = &["model_type", "symbol", "status"];

    fn key(&self) -> String {
        model_key(&self.0.model_id)
    }

    fn index(&self) -> Vec<Option<String>> {
        vec![Some(self.0.model_type.clone()), Some(self.0.symbol.to_string()), Some(self.0.status.name().to_owned())]
    }
}

impl Record for Kept<TrainingJob> {
    const COLLECTION: &'static str = "jobs";
    const INDEXES: &'static [&'static str] = &["state", "model_type", "symbol"];

    fn key(&self) -> String {
        self.0.job_id.clone()
    }

    fn index(&self) -> Vec<Option<String>> {
        let request = &self.0.request;
        vec![Some(self.0.state.name().to_owned()), Some(request.model_type.clone()), Some(request.symbol.to_string())]
    }
}

impl Record for JobLogLine {
    const COLLECTION: &'static str = "job_log";

    fn key(&self) -> String {
        format!("{}:{:010}", self.job_id, self.line.number)
    }
}

impl Record for JobLosses {
    const COLLECTION: &'static str = "job_losses";

    fn key(&self) -> String {
        self.job_id.clone()
    }
}

impl Record for Kept<Rollout> {
    const COLLECTION: &'static str = "rollouts";
    const INDEXES: &'static [&'static str] = &["open", "outcome"];

    fn key(&self) -> String {
        self.0.deployment_id.clone()
    }

    fn index(&self) -> Vec<Option<String>> {
        use bellwether_domain::rollout::RolloutPhase as Phase;
        let open = (!self.0.phase.is_final()).then(|| self.0.endpoint.clone());
        let outcome = match self.0.phase {
            Phase::Progressing | Phase::Paused => None,
            Phase::Promoted => Some("promoted".to_owned()),
            Phase::RolledBack => Some("rolled_back".to_owned()),
            Phase::Aborted => Some("aborted".to_owned()),
        };
        vec![open, outcome]
    }
}

impl Record for Kept<Endpoint> {
    const COLLECTION: &'static str = "endpoints";

    fn key(&self) -> String {
        self.0.name.clone()
    }
}

impl Record for Kept<Alert> {
    const COLLECTION: &'static str = "alerts";
    const INDEXES: &'static [&'static str] = &["phase", "active", "undelivered"];

    fn key(&self) -> String {
        self.0.id.clone()
    }

    fn index(&self) -> Vec<Option<String>> {
        let phase = crate::alerting::phase_name(self.0.phase).to_owned();
        let active = (phase != "resolved").then(|| crate::alerting::fingerprint(&self.0.condition, &self.0.labels));
        let waiting = self.0.deliveries.iter().any(|delivery| delivery.delivered_at.is_none() && !delivery.given_up);
        vec![Some(phase), active, waiting.then(|| "yes".to_owned())]
    }
}

impl Record for Kept<DriftReport> {
    const COLLECTION: &'static str = "drift_reports";
    const INDEXES: &'static [&'static str] = &["model_id"];

    fn key(&self) -> String {
        self.0.report_id.clone()
    }

    fn index(&self) -> Vec<Option<String>> {
        vec![Some(self.0.model_id.clone())]
    }
}

impl Record for UsedKey {
    const COLLECTION: &'static str = "idempotency";

    fn key(&self) -> String {
        self.key.clone()
    }
}

impl Record for Claim {
    const COLLECTION: &'static str = "rollout_claims";

    fn key(&self) -> String {
        self.endpoint.clone()
    }
}

impl Record for PluginWord {
    const COLLECTION: &'static str = "plugin_words";

    fn key(&self) -> String {
        PluginWord::key_of(&self.name)
    }
}

impl PluginWord {
    /// Names that differ in `_` and `-` alone are one.
    pub(crate) fn key_of(name: &str) -> String {
        name.replace('_', "-")
    }

    /// All that was said, by name.
    pub(crate) async fn all(records: &Records) -> Result<BTreeMap<String, Said>> {
        let words = records.of::<PluginWord>().all().await?;
        Ok(words.into_iter().map(|word| (word.value.name, word.value.said)).collect())
    }
}

impl Record for Counter {
    const COLLECTION: &'static str = "counters";

    fn key(&self) -> String {
        self.name.clone()
    }
}

impl UsedKey {
    /// The key of one kind of request. Errors name the header.
    pub(crate) fn name(kind: &str, key: &str) -> Result<String> {
        if key.is_empty() || key.len() > 200 || key.chars().any(char::is_control) {
            return Err(Error::invalid("Idempotency-Key", "must be 1 to 200 printable characters"));
        }
        Ok(format!("{kind}:{key}"))
    }

    /// What was made under this key, if it was the same request. Errors: `Conflict` for another one.
    pub(crate) fn same(&self, request: &str) -> Result<&str> {
        if self.request == request {
            return Ok(&self.id);
        }
        Err(Error::Conflict(format!("the Idempotency-Key was used for another request, which made `{}`; send a new key", self.id)))
    }
}

/// SHA-256 of a value's JSON, in hex.
pub(crate) fn digest_of(value: &impl Serialize) -> Result<String> {
    use sha2::Digest;
    let bytes = serde_json::to_vec(value).map_err(Error::internal)?;
    Ok(hex::encode(sha2::Sha256::digest(bytes)))
}

/// One page, newest first, of records in an index (or all) that `keep` holds for. Reads on until the page is full.
pub(crate) async fn newest<T, R>(
    collection: &Collection<T>,
    index: Option<(&str, &str)>,
    page: &PageRequest,
    keep: impl Fn(&T) -> bool,
    give: impl Fn(T) -> R,
) -> Result<Listing<R>>
where
    T: Record,
{
    let limit = page.limit()?;
    let mut cursor = page.cursor.clone();
    let mut items = Vec::with_capacity(limit.min(100));
    loop {
        let want = limit - items.len();
        let Page { items: found, next } = match index {
            Some((name, text)) => collection.find(name, text, cursor.as_deref(), want, true).await?,
            None => collection.scan("", cursor.as_deref(), want, true).await?,
        };
        items.extend(found.into_iter().filter(|record| keep(&record.value)).map(|Versioned { value, .. }| give(value)));
        if next.is_none() || items.len() >= limit {
            return Ok(Listing { items, next_cursor: next });
        }
        cursor = next;
    }
}

#[cfg(test)]
mod tests {
    use super::model_key;

    #[test]
    fn model_keys_are_in_order_of_time() {
        let ordered = [
            "zeta_A_20241205_115959",
            "lstm_BTC_20241205_120000",
            "lstm_BTC_20241205_120000_2",
            "lstm_BTC_20241205_120000_10",
            "har_BTC_20241205_120001",
        ];
        let keys: Vec<String> = ordered.iter().map(|id| model_key(id)).collect();
        assert!(keys.is_sorted(), "{keys:?}");
    }
}

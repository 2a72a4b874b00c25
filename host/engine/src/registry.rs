//! The registry: model versions, their artifacts, their gates.

use std::sync::Arc;

use bellwether_domain::gate::GateConfig;
use bellwether_domain::id::{self, Symbol};
use bellwether_domain::metrics::ModelMetrics;
use bellwether_domain::model::{ModelSpec, ModelStatus, ModelVersion};
use bellwether_domain::{Error, Result, gate};
use bellwether_store::Transaction;
use serde_json::{Map, Value};

use crate::artifact::Artifact;
use crate::predictor::Predictor;
use crate::records::{Counter, Kept, UsedKey, digest_of, model_key, newest};
use crate::{Host, Listing, PageRequest};

/// Tries to find a free id and version number among concurrent registrations.
const TRIES: u32 = 64;

/// A version trained elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// The recipe it claims; must equal the artifact's own.
    pub model_type: String,
    /// The instrument; must equal the artifact's own.
    pub symbol: Symbol,
    /// The portable artifact.
    pub artifact: Vec<u8>,
    /// Metrics the caller vouches for; those of the artifact stand where none is given.
    pub metrics: ModelMetrics,
    /// The caller's own notes.
    pub metadata: Map<String, Value>,
    /// The caller's key: the same key and content give the same version; other content is a `Conflict`.
    pub idempotency_key: Option<String>,
}

/// Which versions to list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelFilter {
    /// Of one recipe.
    pub model_type: Option<String>,
    /// Of one instrument.
    pub symbol: Option<Symbol>,
    /// In one status.
    pub status: Option<ModelStatus>,
}

/// A version about to be registered: all but its id and number.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) spec: ModelSpec,
    pub(crate) metrics: ModelMetrics,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) artifact_digest: String,
    pub(crate) artifact_bytes: u64,
    pub(crate) gates: GateConfig,
    pub(crate) trained_here: bool,
}

impl Host {
    /// Registers a version trained elsewhere; its gates decide between `registered` and `rejected`.
    pub async fn register_model(&self, registration: Registration) -> Result<ModelVersion> {
        let Registration { model_type, symbol, artifact, metrics, metadata, idempotency_key } = registration;
        let bytes = artifact.len() as u64;
        let (unpacked, artifact) = tokio::task::spawn_blocking(move || Artifact::unpack(&artifact).map(|unpacked| (unpacked, artifact)))
            .await
            .map_err(Error::internal)??;
        let spec = unpacked.spec.clone();
        if spec.model_type != model_type {
            return Err(Error::invalid("model_type", format!("is `{model_type}`, but the artifact holds a `{}`", spec.model_type)));
        }
        if spec.symbol != symbol {
            return Err(Error::invalid("symbol", format!("is `{symbol}`, but the artifact was made for `{}`", spec.symbol)));
        }
        self.try_artifact(unpacked).await?;
        let metrics = metrics.or(&spec.metrics);
        check_metrics(&metrics)?;
        let request =
            digest_of(&(&model_type, &symbol, hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&artifact)), &metrics, &metadata))?;
        let key = idempotency_key.as_deref().map(|key| UsedKey::name("model", key)).transpose()?;
        if let Some(id) = self.made_before(key.as_deref(), &request).await? {
            return self.model(&id).await;
        }
        self.ready().await?;
        let artifact_digest = self.inner.blobs.put(artifact).await?;
        let gates = self.config().gates.0.clone();
        let draft = Draft { spec, metrics, metadata, artifact_digest, artifact_bytes: bytes, gates, trained_here: false };
        let registered = self
            .register(&draft, |transaction, model| match &key {
                Some(key) => transaction.insert(&UsedKey { key: key.clone(), request: request.clone(), id: model.model_id.clone() }),
                None => Ok(()),
            })
            .await;
        match registered {
            // The same key came twice at once and the other was first.
            Err(clash @ Error::AlreadyExists { .. }) => match self.made_before(key.as_deref(), &request).await? {
                Some(id) => self.model(&id).await,
                None => Err(clash),
            },
            outcome => outcome,
        }
    }

    /// Loads an artifact and asks it once. Errors: `Invalid` when it does not fit together or does not answer.
    async fn try_artifact(&self, artifact: Artifact) -> Result<()> {
        let plugins = self.plugins().clone();
        let predictor = tokio::task::spawn_blocking(move || Predictor::load(artifact, &plugins)).await.map_err(Error::internal)??;
        let window = predictor.probe_window(0);
        match self.compute(&Arc::new(predictor), window).await {
            Ok(_) => Ok(()),
            Err(busy @ (Error::Overloaded(_) | Error::Unavailable(_))) => Err(busy),
            Err(error) => Err(Error::invalid("model_data", format!("the artifact does not answer a trial window: {error}"))),
        }
    }

    /// Id of what an idempotency key made. Errors: `Conflict` when it was another request.
    pub(crate) async fn made_before(&self, key: Option<&str>, request: &str) -> Result<Option<String>> {
        let Some(key) = key else { return Ok(None) };
        match self.inner.records.of::<UsedKey>().get(key).await? {
            Some(used) => used.value.same(request).map(|id| Some(id.to_owned())),
            None => Ok(None),
        }
    }

    /// Gives a draft its id, number and gate verdicts and inserts it, together with what `also` adds.
    pub(crate) async fn register(
        &self,
        draft: &Draft,
        also: impl Fn(&mut Transaction, &ModelVersion) -> Result<()>,
    ) -> Result<ModelVersion> {
        let spec = &draft.spec;
        let counter = format!("version:{}:{}", spec.model_type, spec.symbol);
        let champion = self.champion_mse(spec).await?;
        let gates = gate::evaluate(&draft.gates, &draft.metrics, champion, draft.trained_here);
        let status = if gates.iter().all(|gate| gate.passed) { ModelStatus::Registered } else { ModelStatus::Rejected };
        let now = self.clock().now();
        let mut repeat = 1;
        for _ in 0..TRIES {
            let model_id = id::model_id(&spec.model_type, &spec.symbol, now, repeat);
            let count = self.inner.records.of::<Counter>().get(&counter).await?;
            let version = count.as_ref().map_or(1, |count| count.value.value + 1);
            let model = ModelVersion {
                model_id,
                version,
                model_type: spec.model_type.clone(),
                symbol: spec.symbol.clone(),
                interval: Some(spec.interval),
                target: Some(spec.target),
                status,
                created_at: now,
                updated_at: now,
                metrics: draft.metrics.clone(),
                cross_validation: spec.cross_validation.clone(),
                gates: gates.clone(),
                lineage: spec.lineage.clone(),
                artifact_digest: draft.artifact_digest.clone(),
                artifact_bytes: draft.artifact_bytes,
                features: spec.features.clone(),
                sequence_length: spec.sequence_length,
                metadata: draft.metadata.clone(),
            };
            let mut transaction = Transaction::new();
            transaction.insert(&Kept(model.clone()))?;
            let next = Counter { name: counter.clone(), value: version };
            match &count {
                Some(count) => transaction.update(count.version, &next)?,
                None => transaction.insert(&next)?,
            }
            also(&mut transaction, &model)?;
            match self.inner.records.commit(transaction).await {
                Ok(()) => {
                    tracing::info!(model.id = %model.model_id, model.status = model.status.name(), "a model version was registered");
                    return Ok(model);
                }
                // Somebody took the id or the number in between. Where it was not one of these two, the caller's own part clashed.
                Err(clash @ (Error::AlreadyExists { .. } | Error::Conflict(_))) => {
                    let taken = self.inner.records.of::<Kept<ModelVersion>>().get(&model_key(&model.model_id)).await?.is_some();
                    let moved =
                        self.inner.records.of::<Counter>().get(&counter).await?.map(|now| now.version) != count.map(|then| then.version);
                    if !taken && !moved {
                        return Err(clash);
                    }
                    repeat += u32::from(taken);
                }
                Err(other) => return Err(other),
            }
        }
        Err(Error::Overloaded("too many registrations at once; try again".to_owned()))
    }

    /// Held-out mse of the version that serves the symbol's own endpoint, if it answers the same question.
    async fn champion_mse(&self, spec: &ModelSpec) -> Result<Option<f64>> {
        let Some(champion) = self.stable_of(&spec.symbol.slug()) else { return Ok(None) };
        let champion = self.model(&champion).await?;
        let same = champion.target == Some(spec.target) && champion.interval == Some(spec.interval);
        Ok(champion.metrics.mse.filter(|_| same))
    }

    /// One version. Errors: `NotFound`.
    pub async fn model(&self, model_id: &str) -> Result<ModelVersion> {
        let found = self.inner.records.of::<Kept<ModelVersion>>().get(&model_key(model_id)).await?;
        found.map(|record| record.value.0).ok_or_else(|| Error::not_found("model", model_id))
    }

    /// Versions, newest first.
    pub async fn models(&self, filter: &ModelFilter, page: &PageRequest) -> Result<Listing<ModelVersion>> {
        let symbol = filter.symbol.as_ref().map(Symbol::to_string);
        let index = match (&filter.status, &symbol, &filter.model_type) {
            (Some(status), _, _) => Some(("status", status.name())),
            (None, Some(symbol), _) => Some(("symbol", symbol.as_str())),
            (None, None, Some(model_type)) => Some(("model_type", model_type.as_str())),
            (None, None, None) => None,
        };
        let keep = |model: &Kept<ModelVersion>| {
            filter.model_type.as_ref().is_none_or(|wanted| *wanted == model.0.model_type)
                && filter.symbol.as_ref().is_none_or(|wanted| *wanted == model.0.symbol)
                && filter.status.is_none_or(|wanted| wanted == model.0.status)
        };
        newest(&self.inner.records.of::<Kept<ModelVersion>>(), index, page, keep, |kept| kept.0).await
    }

    /// The portable artifact of a version.
    pub async fn model_artifact(&self, model_id: &str) -> Result<Vec<u8>> {
        let model = self.model(model_id).await?;
        self.inner.blobs.get(&model.artifact_digest).await
    }

    /// Puts a version away. Errors: `Conflict` while it is deployed.
    pub async fn archive_model(&self, model_id: &str) -> Result<ModelVersion> {
        self.model(model_id).await?;
        let now = self.clock().now();
        let models = self.inner.records.of::<Kept<ModelVersion>>();
        let id = model_id.to_owned();
        let serving = self.is_routed(model_id);
        let ((), archived) = models
            .modify(&model_key(model_id), move |model| {
                if serving || model.0.status == ModelStatus::Deployed {
                    return Err(Error::Conflict(format!("model `{id}` serves an endpoint; deploy another version there first")));
                }
                model.0.status = ModelStatus::Archived;
                model.0.updated_at = now;
                Ok(())
            })
            .await?;
        Ok(archived.value.0)
    }

    /// Loads a version's artifact.
    pub(crate) async fn artifact(&self, model_id: &str) -> Result<Artifact> {
        let bytes = self.model_artifact(model_id).await?;
        tokio::task::spawn_blocking(move || Artifact::unpack(&bytes)).await.map_err(Error::internal)?
    }
}

/// Shares lie in 0..=1 and errors are not negative.
fn check_metrics(metrics: &ModelMetrics) -> Result<()> {
    let shares = [
        ("accuracy", metrics.accuracy),
        ("precision", metrics.precision),
        ("recall", metrics.recall),
        ("f1_score", metrics.f1_score),
        ("interval_coverage", metrics.interval_coverage),
        ("interval_level", metrics.interval_level),
    ];
    for (name, value) in shares {
        if value.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
            return Err(Error::invalid(format!("metrics.{name}"), "must be 0 to 1"));
        }
    }
    let sizes = [
        ("mse", metrics.mse),
        ("mae", metrics.mae),
        ("interval_width", metrics.interval_width),
        ("pinball", metrics.pinball),
        ("crps", metrics.crps),
    ];
    for (name, value) in sizes {
        if value.is_some_and(|value| !(value.is_finite() && value >= 0.0)) {
            return Err(Error::invalid(format!("metrics.{name}"), "must be a number that is not negative"));
        }
    }
    if metrics.r2_score.is_some_and(|value| value.is_nan() || value > 1.0) {
        return Err(Error::invalid("metrics.r2_score", "must be at most 1"));
    }
    Ok(())
}

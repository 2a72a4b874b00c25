//! The registry: model versions, their artifacts, their gates.

use bellwether_domain::Result;
use bellwether_domain::id::Symbol;
use bellwether_domain::metrics::ModelMetrics;
use bellwether_domain::model::{ModelStatus, ModelVersion};

use crate::{Host, Listing, PageRequest};

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
    pub metadata: serde_json::Map<String, serde_json::Value>,
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

impl Host {
    /// Registers a version trained elsewhere; its gates decide between `registered` and `rejected`.
    pub async fn register_model(&self, registration: Registration) -> Result<ModelVersion> {
        let _ = registration;
        todo!()
    }

    /// One version. Errors: `NotFound`.
    pub async fn model(&self, model_id: &str) -> Result<ModelVersion> {
        let _ = model_id;
        todo!()
    }

    /// Versions, newest first.
    pub async fn models(&self, filter: &ModelFilter, page: &PageRequest) -> Result<Listing<ModelVersion>> {
        let _ = (filter, page);
        todo!()
    }

    /// The portable artifact of a version.
    pub async fn model_artifact(&self, model_id: &str) -> Result<Vec<u8>> {
        let _ = model_id;
        todo!()
    }

    /// Puts a version away. Errors: `Conflict` while it is deployed.
    pub async fn archive_model(&self, model_id: &str) -> Result<ModelVersion> {
        let _ = model_id;
        todo!()
    }
}

//! The portable artifact: a tar of `model.json`, `weights.safetensors` or `state.bin`, and drift baselines. The same bytes
//! that `register` takes and `download` gives. Deterministic: the same contents give the same bytes.

use std::collections::BTreeMap;

use bellwether_domain::Result;
use bellwether_domain::model::ModelSpec;

/// An unpacked artifact.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// `model.json`; its `files` digests are written by `pack` and checked by `unpack`.
    pub spec: ModelSpec,
    /// `weights.safetensors` of a network, `state.bin` of a guest model.
    pub body: Vec<u8>,
    /// Baselines per drift test, one per feature in feature order; an empty one where the test could not use the feature.
    pub baselines: BTreeMap<String, Vec<Vec<u8>>>,
}

impl Artifact {
    /// The bytes.
    pub fn pack(&self) -> Result<Vec<u8>> {
        todo!()
    }

    /// Reads bytes. Errors are `Invalid` with field `model_data`: not an artifact (no tar, no model.json), cut short, a file
    /// missing, foreign or not matching its digest, a format this host does not read, contents that contradict each other.
    pub fn unpack(bytes: &[u8]) -> Result<Artifact> {
        let _ = bytes;
        todo!()
    }
}

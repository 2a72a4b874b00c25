//! The portable artifact: a tar of `model.json`, `weights.safetensors` or `state.bin` (those of an ensemble's members in
//! `members/<place>/`), and drift baselines. The same bytes that `register` takes and `download` gives. Deterministic: the
//! same contents give the same bytes.
//!
//! An artifact may come from anybody. Names are compared with the few that exist and never become paths; sizes are bounded
//! before anything is read; every file but `model.json` must match the digest that `model.json` gives for it.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use bellwether_domain::model::{Body, ModelSpec};
use bellwether_domain::{Error, Result};
use sha2::{Digest, Sha256};

/// Most bytes of an artifact.
pub const BYTES_MAX: usize = 1 << 30;
/// Most files in one.
pub const FILES_MAX: usize = 10_000;
/// The format written and read.
pub const FORMAT: u32 = 1;

const SPEC: &str = "model.json";
const WEIGHTS: &str = "weights.safetensors";
const STATE: &str = "state.bin";
const BASELINES: &str = "baselines/";
const MEMBERS: &str = "members/";

/// An unpacked artifact.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// `model.json`; its `files` digests are written by `pack` and checked by `unpack`.
    pub spec: ModelSpec,
    /// `weights.safetensors` of a network, `state.bin` of a guest model; empty for an ensemble.
    pub body: Vec<u8>,
    /// The same of each member of an ensemble, in order; none else.
    pub members: Vec<Vec<u8>>,
    /// Baselines per drift test, one per feature in feature order; an empty one where the test could not use the feature.
    /// A test of all columns at once has exactly one.
    pub baselines: BTreeMap<String, Vec<Vec<u8>>>,
}

impl Artifact {
    /// The bytes. Errors: `Invalid` with field `model_data` for contents that `unpack` would refuse.
    pub fn pack(&self) -> Result<Vec<u8>> {
        check(&self.spec, &self.baselines)?;
        let names = body_names(&self.spec);
        let bodies: Vec<&[u8]> = match self.spec.body {
            Body::Members { .. } => self.members.iter().map(Vec::as_slice).collect(),
            Body::Network { .. } | Body::Guest { .. } => vec![&self.body],
        };
        if names.len() != bodies.len() {
            return Err(wrong(format!("has {} bodies for {} models", bodies.len(), names.len())));
        }
        let mut files: Vec<(String, &[u8])> = names.into_iter().zip(bodies).collect();
        for (test, baselines) in &self.baselines {
            let name = |place: usize| format!("{BASELINES}{test}/{place}.bin");
            files.extend(baselines.iter().enumerate().map(|(place, baseline)| (name(place), baseline.as_slice())));
        }
        let mut spec = self.spec.clone();
        spec.files = files.iter().map(|(name, bytes)| (name.clone(), digest(bytes))).collect();
        let described = serde_json::to_vec_pretty(&spec).map_err(Error::internal)?;
        let total: usize = files.iter().map(|(_, bytes)| bytes.len() + 1024).sum();
        if total + described.len() > BYTES_MAX || files.len() >= FILES_MAX {
            return Err(wrong(format!(
                "would have {} files and {total} bytes; at most {FILES_MAX} and {BYTES_MAX} are allowed",
                files.len() + 1
            )));
        }
        let mut tar = tar::Builder::new(Vec::with_capacity(total + described.len() + 4096));
        append(&mut tar, SPEC, &described)?;
        for (name, bytes) in files {
            append(&mut tar, &name, bytes)?;
        }
        tar.into_inner().map_err(Error::internal)
    }

    /// Reads bytes. Errors are `Invalid` with field `model_data`: not an artifact (no tar, no model.json), cut short, a file
    /// missing, foreign or not matching its digest, a format this host does not read, contents that contradict each other.
    pub fn unpack(bytes: &[u8]) -> Result<Artifact> {
        let mut files = read_files(bytes)?;
        let described = files.remove(SPEC).ok_or_else(|| wrong(format!("holds no {SPEC}; is it an artifact of this program?")))?;
        let spec = read_spec(&described)?;
        for (name, wanted) in &spec.files {
            let found = files.get(name).ok_or_else(|| wrong(format!("lacks the file {name}")))?;
            if digest(found) != *wanted {
                return Err(wrong(format!("file {name} does not match its digest; it was damaged or changed")));
            }
        }
        if let Some(foreign) = files.keys().find(|name| !spec.files.contains_key(*name)) {
            return Err(wrong(format!("holds the file {foreign}, which {SPEC} does not name")));
        }
        let take = |name: String| files.remove(&name).ok_or_else(|| wrong(format!("lacks the file {name}")));
        let mut bodies = body_names(&spec).into_iter().map(take).collect::<Result<Vec<_>>>()?;
        let (body, members) = match spec.body {
            Body::Members { .. } => (Vec::new(), bodies),
            Body::Network { .. } | Body::Guest { .. } => (bodies.pop().unwrap_or_default(), Vec::new()),
        };
        let baselines = sort_baselines(files)?;
        check(&spec, &baselines)?;
        Ok(Artifact { spec, body, members, baselines })
    }
}

fn wrong(why: impl Into<String>) -> Error {
    Error::invalid("model_data", why)
}

/// SHA-256 in hex.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Where the weights and states of a version are.
fn body_names(spec: &ModelSpec) -> Vec<String> {
    let file = |body: &Body| match body {
        Body::Network { .. } => WEIGHTS,
        Body::Guest { .. } | Body::Members { .. } => STATE,
    };
    match &spec.body {
        Body::Members { members, .. } => {
            members.iter().enumerate().map(|(place, member)| format!("{MEMBERS}{place}/{}", file(&member.body))).collect()
        }
        single @ (Body::Network { .. } | Body::Guest { .. }) => vec![file(single).to_owned()],
    }
}

fn append(tar: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]) -> Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_entry_type(tar::EntryType::Regular);
    tar.append_data(&mut header, name, bytes).map_err(Error::internal)
}

/// Every file of the tar by name; bounded by the bytes themselves.
fn read_files(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>> {
    if bytes.len() > BYTES_MAX {
        return Err(wrong(format!("has {} bytes; at most {BYTES_MAX} are allowed", bytes.len())));
    }
    let broken = |error: std::io::Error| wrong(format!("is not a readable tar archive, or cut short: {error}"));
    let mut archive = tar::Archive::new(Cursor::new(bytes));
    let mut files = BTreeMap::new();
    for entry in archive.entries().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry.header().entry_type().is_file() || !known_name(&name) {
            return Err(wrong(format!("holds `{}`, which is not part of an artifact", name.escape_default())));
        }
        let size = entry.size();
        let mut content = Vec::new();
        entry.take(bytes.len() as u64).read_to_end(&mut content).map_err(broken)?;
        if content.len() as u64 != size {
            return Err(wrong(format!("is cut short: {name} has {} of {size} bytes", content.len())));
        }
        if files.len() >= FILES_MAX {
            return Err(wrong(format!("has more than {FILES_MAX} files")));
        }
        if files.insert(name.clone(), content).is_some() {
            return Err(wrong(format!("holds the file {name} twice")));
        }
    }
    if files.is_empty() {
        return Err(wrong("holds no file; send the bytes of an artifact"));
    }
    Ok(files)
}

fn known_name(name: &str) -> bool {
    [SPEC, WEIGHTS, STATE].contains(&name) || baseline_place(name).is_some() || is_member_file(name)
}

/// `members/<place>/weights.safetensors` or `members/<place>/state.bin`.
fn is_member_file(name: &str) -> bool {
    let Some((place, file)) = name.strip_prefix(MEMBERS).and_then(|rest| rest.split_once('/')) else { return false };
    [WEIGHTS, STATE].contains(&file) && is_place(place)
}

/// A number as we write it.
fn is_place(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) && (text == "0" || !text.starts_with('0'))
}

/// Drift test and place of `baselines/<test>/<place>.bin`.
fn baseline_place(name: &str) -> Option<(&str, usize)> {
    let (test, file) = name.strip_prefix(BASELINES)?.split_once('/')?;
    let place = file.strip_suffix(".bin")?;
    (is_place(place) && test_name(test)).then(|| place.parse().ok().map(|place| (test, place)))?
}

/// Names of drift tests that fit into an artifact.
fn test_name(test: &str) -> bool {
    (1..=64).contains(&test.len()) && test.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_')
}

fn read_spec(bytes: &[u8]) -> Result<ModelSpec> {
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| wrong(format!("{SPEC} is not JSON: {error}")))?;
    // The format comes first: a later one may have fields this host would call unknown.
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) => return Err(wrong(format!("has format {format}; this host reads format {FORMAT}"))),
        None => return Err(wrong(format!("{SPEC} has no `format`"))),
    }
    serde_json::from_value(value).map_err(|error| wrong(format!("{SPEC} does not read: {error}")))
}

fn sort_baselines(files: BTreeMap<String, Vec<u8>>) -> Result<BTreeMap<String, Vec<Vec<u8>>>> {
    let mut placed: BTreeMap<String, BTreeMap<usize, Vec<u8>>> = BTreeMap::new();
    for (name, bytes) in files {
        let (test, place) =
            baseline_place(&name).ok_or_else(|| wrong(format!("holds the file {name}, which does not go with its kind of model")))?;
        placed.entry(test.to_owned()).or_default().insert(place, bytes);
    }
    let in_order = |(test, places): (String, BTreeMap<usize, Vec<u8>>)| {
        if places.keys().copied().eq(0..places.len()) {
            Ok((test, places.into_values().collect()))
        } else {
            Err(wrong(format!("baselines of `{test}` are not numbered from 0 without a hole")))
        }
    };
    placed.into_iter().map(in_order).collect()
}

/// What must agree within one artifact.
fn check(spec: &ModelSpec, baselines: &BTreeMap<String, Vec<Vec<u8>>>) -> Result<()> {
    if spec.format != FORMAT {
        return Err(wrong(format!("has format {}; this host writes and reads format {FORMAT}", spec.format)));
    }
    if spec.features.is_empty() || spec.sequence_length == 0 {
        return Err(wrong("has no features or a sequence_length of 0"));
    }
    spec.target.check().map_err(|error| wrong(error.to_string()))?;
    spec.scaler.check(spec.features.len()).map_err(|error| wrong(error.to_string()))?;
    spec.target_scaler.check(1).map_err(|error| wrong(format!("target_{error}")))?;
    spec.body.check(spec.features.len(), spec.sequence_length).map_err(|error| wrong(error.to_string()))?;
    let named: Vec<&str> = spec.baselines.iter().map(|baseline| baseline.test.as_str()).collect();
    for (place, test) in named.iter().enumerate() {
        if !test_name(test) || named[..place].contains(test) {
            return Err(wrong(format!("names the drift test `{}` twice, or it is no name", test.escape_default())));
        }
        let count = baselines.get(*test).map_or(0, Vec::len);
        if count != 1 && count != spec.features.len() {
            return Err(wrong(format!("has {count} baselines of `{test}` for {} features", spec.features.len())));
        }
    }
    match baselines.keys().find(|test| !named.contains(&test.as_str())) {
        Some(foreign) => Err(wrong(format!("has baselines of `{foreign}`, which {SPEC} does not name"))),
        None => Ok(()),
    }
}

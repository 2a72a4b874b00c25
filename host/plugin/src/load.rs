//! The way in: from a manifest and a file to a component that is compiled, checked against the contract and described.
//!
//! Nothing a plugin's author did wrong stops the host: the answer is then a sentence saying what is wrong, and the plugin
//! is listed as refused with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bellwether_domain::Error;
use sha2::{Digest, Sha256};
use wasmtime::component::{Component, InstancePre};

use crate::bindings::base::BasePre;
use crate::bindings::base::exports::bellwether::types::plugin::Description;
use crate::bindings::detector::DriftDetectorPre;
use crate::bindings::drift::DriftTestPre;
use crate::bindings::guest_model::EstimatingPre;
use crate::bindings::handler::HandlingPre;
use crate::bindings::model::ModelPre;
use crate::bindings::{deploy, deploy_0_1};
use crate::cache::Cache;
use crate::call::{Call, Unit};
use crate::config::Signatures;
use crate::contract::{Shape, check_bytes, check_shape, check_version};
use crate::engine::Core;
use crate::grant::Granted;
use crate::host::log::LogGate;
use crate::limits::Limits;
use crate::manifest::{Kind, Manifest, WantedLimits};
use crate::schema::Schema;
use crate::signature;
use crate::state::{Identity, State};

/// Most time for `describe`: it only says what the plugin is.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a plugin comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    /// The binary itself.
    BuiltIn(&'static [u8]),
    /// A folder with `plugin.toml` and the component.
    Folder(PathBuf),
    /// Such a folder, laid out from what the operator named so.
    Unpacked(PathBuf, String),
}

/// What is known of a component, as far as it was come by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) digest: String,
    pub(crate) size_bytes: u64,
    pub(crate) shape: Shape,
    /// What the operator should know although it is loaded.
    pub(crate) notice: Option<String>,
}

/// A plugin that can be called; instances share it.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) summary: String,
    pub(crate) schema: Arc<Schema>,
    pub(crate) worlds: Worlds,
    /// For asking again whether it still says the same.
    pub(crate) base: Pre<BasePre<State>>,
}

/// The exports of a plugin's kind, looked up once.
#[derive(Debug)]
pub(crate) enum Worlds {
    Model(Pre<ModelPre<State>>, Option<Pre<EstimatingPre<State>>>),
    DriftTest(Pre<DriftTestPre<State>>),
    DriftDetector(Pre<DriftDetectorPre<State>>),
    AlertHandler(Pre<HandlingPre<State>>),
    DeploymentStrategy(StrategyPre),
}

/// The export of a strategy, by the version it speaks.
#[derive(Debug, Clone)]
pub(crate) enum StrategyPre {
    /// As in `wit/deploy`.
    Newest(Pre<deploy::DeploymentStrategyPre<State>>),
    /// As in `wit/deploy-0.1.0`.
    V0_1(Pre<deploy_0_1::DeploymentStrategyPre<State>>),
}

/// Something generated that does not show itself.
#[derive(Clone)]
pub(crate) struct Pre<T>(pub(crate) T);

impl<T> std::fmt::Debug for Pre<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pre")
    }
}

impl Place {
    /// Whether both are where the operator put the same plugin, whatever lies there now.
    pub(crate) fn is_that_of(&self, other: &Place) -> bool {
        match (self, other) {
            (Place::Unpacked(_, from), Place::Unpacked(_, other)) => from == other,
            _ => self == other,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::BuiltIn(_) => f.write_str("built-in"),
            Place::Folder(folder) => write!(f, "{}", folder.display()),
            Place::Unpacked(_, from) => f.write_str(from),
        }
    }
}

/// Loads a plugin; `facts` are filled as they become known, also when the end is a refusal.
pub(crate) async fn load(core: &Arc<Core>, cache: &Cache, manifest: &Manifest, place: &Place, facts: &mut Facts) -> Result<Loaded, String> {
    check_version(manifest)?;
    let component = compile(core, cache, manifest, place, facts).await?;
    facts.shape = Shape::of(&core.engine, &component);
    check_shape(manifest.kind, &facts.shape)?;
    let pre = core.linker.instantiate_pre(&component).map_err(|error| format!("it cannot be linked: {error:#}"))?;
    let mismatch = |error: wasmtime::Error| format!("its exports do not match the contract: {error:#}");
    let worlds = worlds(manifest.kind, &pre, &facts.shape).map_err(mismatch)?;
    let base = BasePre::new(pre).map_err(mismatch)?;
    let description = describe(core, manifest, &base).await.map_err(|error| error.to_string())?;
    let schema = check_description(manifest, &description)?;
    let summary = if manifest.summary.is_empty() { description.summary } else { manifest.summary.clone() };
    Ok(Loaded { summary, schema: Arc::new(schema), worlds, base: Pre(base) })
}

/// Reads and compiles a component; digest and size are told also when it cannot be used.
pub(crate) async fn compile(
    core: &Arc<Core>,
    cache: &Cache,
    manifest: &Manifest,
    place: &Place,
    facts: &mut Facts,
) -> Result<Component, String> {
    let (place, file, most) = (place.clone(), manifest.component.clone(), core.ceiling.component);
    let (with, cache, manifest) = (core.clone(), cache.clone(), manifest.clone());
    // Reading and compiling take long and wait for nothing: off the threads that serve.
    let compiled = core.runtime().spawn_blocking(move || {
        let bytes = match &place {
            Place::BuiltIn(bytes) => (*bytes).into(),
            Place::Folder(folder) | Place::Unpacked(folder, _) => std::borrow::Cow::Owned(read(&folder.join(&file), most.0)?),
        };
        if bytes.len() as u64 > most.0 {
            return Err(format!("its component has {} bytes; plugins.ceiling.component allows {most}", bytes.len()));
        }
        let digest = hex::encode(Sha256::digest(&bytes));
        // Bytes nobody vouches for are not even parsed where that is required.
        let notice = signed(&with, &place, &manifest, &digest);
        let component = notice.clone().and_then(|_| check_bytes(&bytes)).and_then(|()| {
            cache
                .component(&with.engine, &bytes, &digest)
                .map_err(|error| format!("it is damaged or truncated, or beyond the limits of this host: {error:#}"))
        });
        let notice = notice.ok().flatten();
        Ok((digest, bytes.len() as u64, notice, component.map_err(|why| format!("{file} cannot be used: {why}"))))
    });
    let most = core.ceiling.compile_timeout;
    // A compiler cannot be interrupted; what is given up here ends by itself, without an heir.
    let compiled = tokio::time::timeout(most.0, compiled)
        .await
        .map_err(|_| format!("compiling it took longer than plugins.ceiling.compile_timeout ({most}) allows"))?;
    let (digest, size_bytes, notice, component) = compiled.map_err(|error| format!("compiling it failed: {error}"))??;
    facts.digest = digest;
    facts.size_bytes = size_bytes;
    facts.notice = notice;
    let (component, cached) = component?;
    let counter = if cached { &core.counters.cached } else { &core.counters.compiled };
    counter.fetch_add(1, Ordering::Relaxed);
    Ok(component)
}

/// What the operator should know of a plugin's signature; an error where one is required and there is no good one.
fn signed(core: &Core, place: &Place, manifest: &Manifest, digest: &str) -> Result<Option<String>, String> {
    let (Place::Folder(folder) | Place::Unpacked(folder, _)) = place else { return Ok(None) };
    if core.signatures == Signatures::Off {
        return Ok(None);
    }
    match signature::of_loaded(folder, digest, manifest, &core.trust) {
        Ok(_) => Ok(None),
        Err(why) if core.signatures == Signatures::Warn => Ok(Some(why)),
        Err(why) => Err(format!("{why} (plugins.signatures = \"require\")")),
    }
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("its component {} cannot be read: {error}", path.display());
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(format!("its component {} is not a file", path.display()));
    }
    let size = metadata.len();
    if size > most {
        return Err(format!("its component has {size} bytes; plugins.ceiling.component allows {most}"));
    }
    std::fs::read(path).map_err(unreadable)
}

fn worlds(kind: Kind, pre: &InstancePre<State>, shape: &Shape) -> wasmtime::Result<Worlds> {
    let pre = pre.clone();
    Ok(match kind {
        Kind::Model => {
            let estimator = if shape.has_export("bellwether:model/estimator") { Some(Pre(EstimatingPre::new(pre.clone())?)) } else { None };
            Worlds::Model(Pre(ModelPre::new(pre)?), estimator)
        }
        Kind::DriftTest => Worlds::DriftTest(Pre(DriftTestPre::new(pre)?)),
        Kind::DriftDetector => Worlds::DriftDetector(Pre(DriftDetectorPre::new(pre)?)),
        Kind::AlertHandler => Worlds::AlertHandler(Pre(HandlingPre::new(pre)?)),
        Kind::DeploymentStrategy if shape.speaks("bellwether:deploy/strategy", "0.1") => {
            Worlds::DeploymentStrategy(StrategyPre::V0_1(Pre(deploy_0_1::DeploymentStrategyPre::new(pre)?)))
        }
        Kind::DeploymentStrategy => Worlds::DeploymentStrategy(StrategyPre::Newest(Pre(deploy::DeploymentStrategyPre::new(pre)?))),
    })
}

/// Asks the plugin what it is, with every grant withheld.
pub(crate) async fn describe(core: &Arc<Core>, manifest: &Manifest, base: &BasePre<State>) -> Result<Description, Error> {
    let limits = Limits::effective(&core.ceiling, &manifest.limits, &WantedLimits::default());
    let identity = Identity { name: manifest.name.clone(), granted: Granted::default(), log: LogGate::new(limits.log_lines), now_ms: None };
    let call = Call { function: "describe", timeout: limits.call_timeout.min(DESCRIBE_TIMEOUT), seed: 0, progress: None };
    let base = base.clone();
    Unit::new(core.clone(), Arc::new(identity), limits)
        .call(call, move |store| {
            Box::pin(async move {
                let world = base.instantiate_async(&mut *store).await?;
                Ok(Ok(world.bellwether_types_plugin().call_describe(&mut *store).await?))
            })
        })
        .await
}

fn check_description(manifest: &Manifest, description: &Description) -> Result<Schema, String> {
    for (what, said, written) in [("name", &description.name, &manifest.name), ("version", &description.version, &manifest.version)] {
        if said != written {
            return Err(format!("its `describe` says {what} `{said}`, its manifest `{written}`; they must be the same"));
        }
    }
    Schema::parse(&description.config_schema).map_err(|why| format!("its `config-schema` cannot be used: {why}"))
}

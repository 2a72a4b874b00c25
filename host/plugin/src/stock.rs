//! Packed plugins: files, and artifacts of a registry pinned by their digest, laid out as the folders everything else reads.
//!
//! What was pulled is kept as a file beside the compiled components, so that a registry is asked once and a host starts
//! without it. Every use reads the artifact again, digest by digest, and compares what lies in the folder with it: whoever
//! changes either changes nothing that is loaded. Nothing is compiled here.

use std::path::{Path, PathBuf};

use bellwether_domain::{Error, Result};
use futures_util::future::join_all;

use crate::config::PluginsConfig;
use crate::pack::Artifact;
use crate::registry::{self, Credentials, Reference};

const FIELD: &str = "plugins.packed";

/// A packed plugin and the folder it was laid out in, or why it was not.
#[derive(Debug, Clone)]
pub(crate) struct Stocked {
    /// The file or reference, as the operator wrote it.
    pub(crate) from: String,
    /// A name as long as its manifest cannot be read.
    pub(crate) name: String,
    pub(crate) folder: Result<PathBuf, String>,
}

/// What the operator named.
#[derive(Debug, Clone, PartialEq)]
enum Source {
    File(PathBuf),
    Pinned(Reference, String),
}

/// Lays out everything that `config.packed` names. Errors are those of the setting itself; what cannot be had or read is told
/// where it would be.
pub(crate) async fn lay_out(config: &PluginsConfig) -> Result<Vec<Stocked>> {
    let sources = config.packed.iter().map(|text| Ok((text, parse(text)?))).collect::<Result<Vec<_>>>()?;
    if sources.is_empty() {
        return Ok(Vec::new());
    }
    if config.cache.as_os_str().is_empty() {
        return Err(Error::invalid(FIELD, "needs a folder for compiled components, which this host was opened without"));
    }
    let credentials = credentials(config)?;
    let stocking = sources.into_iter().map(async |(text, source)| {
        let name = source.name();
        let folder = source.into_folder(&config.cache, credentials.clone()).await;
        Stocked { from: text.clone(), name, folder: folder.map_err(|error| error.to_string()) }
    });
    Ok(join_all(stocking).await)
}

/// Who asks registries: what the command line's own commands take from the environment, too.
fn credentials(config: &PluginsConfig) -> Result<Credentials> {
    let named = |name: &str| config.environment.get(&format!("BELLWETHER_REGISTRY_{name}")).cloned();
    let basic = match (named("USERNAME"), named("PASSWORD")) {
        (Some(name), Some(password)) => Some((name, password)),
        (None, None) => None,
        _ => {
            return Err(Error::invalid(FIELD, "BELLWETHER_REGISTRY_USERNAME and BELLWETHER_REGISTRY_PASSWORD go together: one is missing"));
        }
    };
    Ok(Credentials { basic, token: named("TOKEN") })
}

fn parse(text: &str) -> Result<Source> {
    if !text.starts_with("oci://") && !text.contains("@sha256:") {
        return Ok(Source::File(PathBuf::from(text)));
    }
    let reference = Reference::parse(text).map_err(|error| Error::invalid(FIELD, error.to_string()))?;
    match reference.digest.clone() {
        Some(digest) => Ok(Source::Pinned(reference, digest)),
        None => Err(Error::invalid(
            FIELD,
            format!("`{text}` pins nothing: a tag may lead elsewhere tomorrow; write NAME@sha256:…, which `plugin push` prints"),
        )),
    }
}

impl Source {
    fn name(&self) -> String {
        let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        match self {
            Source::File(path) => path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
            Source::Pinned(reference, _) => last(&reference.repository),
        }
    }

    async fn into_folder(self, cache: &Path, credentials: Credentials) -> Result<PathBuf> {
        let cache = cache.to_owned();
        let artifact = match self {
            Source::File(file) => blocking(move || Artifact::read(&file)).await?,
            Source::Pinned(reference, digest) => {
                let file = cache.join("packed").join(format!("{}.tar", digest.trim_start_matches("sha256:")));
                match kept(file.clone(), digest).await? {
                    Some(artifact) => artifact,
                    None => {
                        tracing::info!("pulling {reference}");
                        let artifact = registry::pull(&reference, credentials).await?;
                        blocking(move || keep(&artifact, &file).map(|()| artifact)).await?
                    }
                }
            }
        };
        blocking(move || unpack(&artifact, &cache)).await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

/// What was pulled before, if it is there and whole.
async fn kept(file: PathBuf, digest: String) -> Result<Option<Artifact>> {
    blocking(move || Ok(Artifact::read(&file).ok().filter(|artifact| artifact.digest() == digest))).await
}

fn keep(artifact: &Artifact, file: &Path) -> Result<()> {
    if let Some(folder) = file.parent() {
        make(folder)?;
    }
    artifact.write(file)
}

/// The folder with the plugin of an artifact, written unless it is there as it should be.
fn unpack(artifact: &Artifact, cache: &Path) -> Result<PathBuf> {
    let unpacked = artifact.unpack()?;
    let all = cache.join("unpacked");
    let folder = all.join(artifact.digest().trim_start_matches("sha256:"));
    if unpacked.lies_in(&folder) {
        return Ok(folder);
    }
    make(&all)?;
    let wrong = |error: std::io::Error| Error::invalid(FIELD, format!("{} cannot be written: {error}", folder.display()));
    // Beside its place and then into it: another process of this host may be reading or writing the same.
    let beside = tempfile::Builder::new().prefix(".new-").tempdir_in(&all).map_err(wrong)?;
    unpacked.write(beside.path())?;
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(wrong)?;
    }
    match std::fs::rename(beside.path(), &folder) {
        Err(error) if !unpacked.lies_in(&folder) => Err(wrong(error)),
        Ok(()) | Err(_) => Ok(folder),
    }
}

/// A folder for this user alone.
fn make(folder: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| Error::invalid(FIELD, format!("{} cannot be made: {error}", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_pinned_references_are_told_apart() {
        let digest = format!("sha256:{}", "a".repeat(64));
        assert_eq!(parse("plugins/mmd.tar").expect("a file"), Source::File(PathBuf::from("plugins/mmd.tar")));
        for text in [format!("registry.example.com/desk/mmd@{digest}"), format!("oci://127.0.0.1:5000/mmd:1.0.0@{digest}")] {
            let source = parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(source.name(), "mmd");
            assert!(matches!(source, Source::Pinned(_, pinned) if pinned == digest), "{text}");
        }
        for (text, part) in [
            ("oci://registry.example.com/desk/mmd:1.0.0", "pins nothing"),
            ("oci://registry.example.com", "has no repository"),
            ("registry.example.com/desk/mmd@sha256:12", "digest"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(FIELD) && error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn half_a_name_is_no_name() {
        let environment = |names: &[&str]| names.iter().map(|name| (format!("BELLWETHER_REGISTRY_{name}"), "x".to_owned())).collect();
        let of = |names: &[&str]| credentials(&PluginsConfig { environment: environment(names), ..PluginsConfig::default() });
        assert!(of(&["USERNAME"]).is_err_and(|error| error.to_string().contains("go together")));
        assert!(of(&["USERNAME", "PASSWORD"]).is_ok_and(|found| found.basic.is_some() && found.token.is_none()));
        assert!(of(&["TOKEN"]).is_ok_and(|found| found.basic.is_none() && found.token.is_some()));
    }
}

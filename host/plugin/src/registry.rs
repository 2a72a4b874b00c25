//! Packed plugins in a registry: any endpoint of the OCI distribution specification.
//!
//! For an author's or an operator's own command, not for a host that serves: it goes where it is told. Even so a registry is
//! not trusted: every part is checked against the digest it was asked by, sizes and times are bounded, TLS is left out on
//! loopback only, and what identifies the caller is sent to the registry and its own token service, never after a redirect.

use std::time::Duration;

use bellwether_domain::{Error, Result};
use http::{Method, StatusCode, header};
use hyper::body::Bytes;
use url::Url;

use crate::pack::{Artifact, LAYER, MANIFEST_TYPE, Parts, SMALL, digest_of};

mod reference;
mod talk;

pub use reference::Reference;
pub use talk::Credentials;

use talk::{Answer, Talk};

/// Longest time of a small request.
const SHORT: Duration = Duration::from_secs(30);

/// Longest time to send or fetch a layer.
const LONG: Duration = Duration::from_secs(600);

/// Puts an artifact into a registry under a tag; returns the reference that pins it. Errors: `Invalid` for the reference,
/// `Unavailable` or `Forbidden` for what the registry answered.
pub async fn push(artifact: &Artifact, reference: &Reference, credentials: Credentials) -> Result<Reference> {
    let tag = reference
        .tag
        .as_deref()
        .ok_or_else(|| Error::invalid("reference", format!("`{reference}` has no tag; name one, as in {reference}:1.0.0")))?;
    let mut talk = Talk::new(reference, credentials, "pull,push")?;
    for (bytes, limit) in [(&artifact.config, SHORT), (&artifact.layer, LONG)] {
        blob(&mut talk, reference, bytes, limit).await?;
    }
    let place = reference.url(&format!("manifests/{tag}"))?;
    let answer = talk.send(Method::PUT, &place, MANIFEST_TYPE, Bytes::from(artifact.manifest.clone()), SHORT).await?;
    answer.expect(&[StatusCode::CREATED, StatusCode::OK], "take the manifest")?;
    Ok(Reference { digest: Some(artifact.digest()), ..reference.clone() })
}

async fn blob(talk: &mut Talk, reference: &Reference, bytes: &[u8], limit: Duration) -> Result<()> {
    let digest = digest_of(bytes);
    let place = reference.url(&format!("blobs/{digest}"))?;
    if talk.send(Method::HEAD, &place, "", Bytes::new(), SHORT).await?.status == StatusCode::OK {
        return Ok(());
    }
    let begin = reference.url("blobs/uploads/")?;
    let begun = talk.send(Method::POST, &begin, "", Bytes::new(), SHORT).await?;
    begun.expect(&[StatusCode::ACCEPTED], "begin an upload")?;
    let location = begun.header(header::LOCATION.as_str()).ok_or_else(|| talk.odd("began an upload without saying where"))?;
    let mut place = begin.join(location).map_err(|error| talk.odd(&format!("began an upload at `{location}`: {error}")))?;
    place.query_pairs_mut().append_pair("digest", &digest);
    let answer = talk.send(Method::PUT, &place, "application/octet-stream", Bytes::copy_from_slice(bytes), limit).await?;
    answer.expect(&[StatusCode::CREATED], "take a part of the plugin")
}

/// Gets the artifact a reference pins. Errors: `Invalid` for a reference without a digest, naming the one its tag has now.
pub async fn pull(reference: &Reference, credentials: Credentials) -> Result<Artifact> {
    let mut talk = Talk::new(reference, credentials, "pull")?;
    let Some(digest) = &reference.digest else { return Err(unpinned(&mut talk, reference).await) };
    let place = reference.url(&format!("manifests/{digest}"))?;
    let manifest = get(&mut talk, &place, MANIFEST_TYPE, SMALL, SHORT).await?;
    if digest_of(&manifest) != *digest {
        return Err(talk.odd(&format!("answered a manifest with digest {} where {digest} was asked for", digest_of(&manifest))));
    }
    let (config, layer) = Parts::read(&manifest).map_err(|why| Error::invalid(reference.to_string(), why))?;
    let mut parts = Vec::new();
    for (part, most, limit) in [(config, SMALL, SHORT), (layer, LAYER, LONG)] {
        if part.size > most {
            return Err(Error::invalid(reference.to_string(), format!("has a part of {} bytes; at most {most} are taken", part.size)));
        }
        let bytes = get(&mut talk, &reference.url(&format!("blobs/{}", part.digest))?, "", part.size, limit).await?;
        parts.push(part.checked(bytes).map_err(|why| talk.odd(&format!("is broken: {why}")))?);
    }
    let (layer, config) = (parts.pop().unwrap_or_default(), parts.pop().unwrap_or_default());
    Ok(Artifact { manifest, config, layer })
}

async fn get(talk: &mut Talk, place: &Url, accept: &str, most: u64, limit: Duration) -> Result<Vec<u8>> {
    let answer = talk.get(place, accept, most, limit).await?;
    answer.expect(&[StatusCode::OK], "give what was asked for")?;
    Ok(answer.body.to_vec())
}

/// A tag may lead elsewhere tomorrow: the error says where it leads now.
async fn unpinned(talk: &mut Talk, reference: &Reference) -> Error {
    let tag = reference.tag.as_deref().unwrap_or("latest");
    let found: Result<Answer> = match reference.url(&format!("manifests/{tag}")) {
        Ok(place) => talk.get(&place, MANIFEST_TYPE, SMALL, SHORT).await,
        Err(error) => Err(error),
    };
    let now = match found {
        Ok(answer) if answer.status == StatusCode::OK => {
            let pinned = Reference { tag: Some(tag.to_owned()), digest: Some(digest_of(&answer.body)), ..reference.clone() };
            format!("; the tag leads to {pinned} now")
        }
        Ok(_) | Err(_) => String::new(),
    };
    Error::invalid(
        "reference",
        format!("`{reference}` pins nothing: give the digest, as in NAME@sha256:…, which `plugin push` prints{now}"),
    )
}

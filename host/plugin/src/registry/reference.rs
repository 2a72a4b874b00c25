//! `[oci://]host[:port]/repository[:tag][@sha256:digest]`.

use std::fmt;
use std::net::IpAddr;

use bellwether_domain::{Error, Result};
use url::Url;

/// A plugin's place in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Host, and port if one was given.
    pub registry: String,
    /// Repository, as in `desk/my-drift`.
    pub repository: String,
    /// Tag.
    pub tag: Option<String>,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: Option<String>,
}

impl Reference {
    /// Reads a reference. Errors: `Invalid` with what is wrong.
    pub fn parse(text: &str) -> Result<Reference> {
        let wrong = |why: &str| {
            Error::invalid("reference", format!("`{text}` {why}; write it as registry.example.com/desk/my-drift:1.0.0@sha256:…"))
        };
        let rest = text.strip_prefix("oci://").unwrap_or(text);
        let (rest, digest) = match rest.split_once('@') {
            None => (rest, None),
            Some((rest, digest)) => {
                let hex = digest.strip_prefix("sha256:").unwrap_or_default();
                if hex.len() != 64 || !hex.chars().all(|letter| letter.is_ascii_digit() || ('a'..='f').contains(&letter)) {
                    return Err(wrong("has a digest that is not sha256: and 64 lower-case hexadecimal digits"));
                }
                (rest, Some(digest.to_owned()))
            }
        };
        let (registry, path) = rest.split_once('/').ok_or_else(|| wrong("has no repository"))?;
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag.to_owned())),
            _ => (path, None),
        };
        let good = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "._-".contains(letter);
        if !repository.split('/').all(|part| part.starts_with(|letter: char| letter.is_ascii_alphanumeric()) && part.chars().all(good)) {
            return Err(wrong("has a repository that is none: lower-case letters, digits, `.`, `_` and `-` between its `/`"));
        }
        let is_tag = |tag: &String| {
            tag.len() <= 128 && !tag.is_empty() && tag.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter))
        };
        if tag.as_ref().is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong("has a tag that is none"));
        }
        let reference = Reference { registry: registry.to_owned(), repository: repository.to_owned(), tag, digest };
        let base = reference.url("").map_err(|_| wrong("has no registry's host"))?;
        let bare = base.username().is_empty() && base.password().is_none() && base.path().starts_with("/v2/");
        if registry.is_empty() || !bare { Err(wrong("has no registry's host")) } else { Ok(reference) }
    }

    /// An address below the repository. Plain HTTP on loopback, else HTTPS.
    pub(super) fn url(&self, path: &str) -> Result<Url> {
        let address = |scheme: &str| {
            let text = format!("{scheme}://{}/v2/{}/{path}", self.registry, self.repository);
            Url::parse(&text).map_err(|error| Error::invalid("reference", format!("`{self}` has no address: {error}")))
        };
        let url = address("https")?;
        if is_loopback(&url) { address("http") } else { Ok(url) }
    }
}

/// Whether an address leads to this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(url::Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_written() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let check = |text: &str, expected: Result<(&str, &str, Option<&str>), &str>| match (Reference::parse(text), expected) {
            (Ok(found), Ok((registry, repository, tag))) => {
                assert_eq!(
                    (found.registry.as_str(), found.repository.as_str(), found.tag.as_deref()),
                    (registry, repository, tag),
                    "{text}"
                );
                assert_eq!(Reference::parse(&found.to_string()).expect("again"), found);
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{text}: {error}"),
            (found, _) => panic!("{text}: {found:?}"),
        };
        check("registry.example.com/desk/my-drift:1.0.0", Ok(("registry.example.com", "desk/my-drift", Some("1.0.0"))));
        check("oci://127.0.0.1:5000/drift", Ok(("127.0.0.1:5000", "drift", None)));
        check(&format!("[::1]:5000/a/b:x@{digest}"), Ok(("[::1]:5000", "a/b", Some("x"))));
        check(&format!("localhost:5000/a@{digest}"), Ok(("localhost:5000", "a", None)));
        check("drift", Err("has no repository"));
        check("example.com/Drift", Err("has a repository that is none"));
        check("example.com/a//b", Err("has a repository that is none"));
        check("example.com/../b", Err("has a repository that is none"));
        check("example.com/a:b c", Err("has a tag that is none"));
        check("example.com/a@sha256:12", Err("has a digest that is not"));
        check("/a", Err("has no registry's host"));
    }

    #[test]
    fn only_loopback_goes_without_tls() {
        let scheme = |text: &str| Reference::parse(text).expect("good").url("blobs/x").expect("an address").scheme().to_owned();
        for (text, expected) in [
            ("127.0.0.1:5000/a", "http"),
            ("localhost/a", "http"),
            ("[::1]:5000/a", "http"),
            ("registry.example.com/a", "https"),
            ("10.0.0.1:5000/a", "https"),
            ("localhost.example.com/a", "https"),
        ] {
            assert_eq!(scheme(text), expected, "{text}");
        }
    }
}

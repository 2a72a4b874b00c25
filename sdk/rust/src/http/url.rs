//! The parts of a URL `wasi:http` wants apart.
use crate::{Error, Result};

/// An `http` or `https` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    /// TLS.
    pub(super) secure: bool,
    /// `host[:port]`.
    pub(super) authority: String,
    /// Path and query, at least `/`.
    pub(super) path: String,
}

impl Url {
    /// Reads a URL. A fragment is left out; a user name or a password is refused, for it would end up in logs.
    pub(super) fn parse(text: &str) -> Result<Url> {
        let bad = |why: &str| Error::invalid_config(format!("`{}` is not a URL to call: {why}", text.escape_debug()));
        let (secure, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some(_) | None => return Err(bad("it must begin with https:// or http://")),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(Error::invalid_config("a URL to call must not carry a user name or a password: use a header and a secret"));
        }
        if authority.is_empty() || authority.starts_with(':') {
            return Err(bad("it names no host"));
        }
        if text.bytes().any(|byte| byte <= 0x20 || byte == 0x7F) {
            return Err(bad("it contains a space or a control character"));
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Url { secure, authority: authority.to_ascii_lowercase(), path })
    }

    /// Scheme and authority.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn urls_come_apart() {
        let check = |text: &str, expected: &str| {
            let shown = match Url::parse(text) {
                Ok(url) => format!("{} {}", url.origin(), url.path),
                Err(error) => error.message().to_owned(),
            };
            assert!(shown.contains(expected), "{text}: {shown}");
        };
        check("https://Example.com/a?b=c#d", "https://example.com /a?b=c");
        check("http://[::1]:8080", "http://[::1]:8080 /");
        check("https://example.com?x", "https://example.com /?x");
        check("ftp://example.com", "must begin with");
        check("example.com", "must begin with");
        check("https:///a", "names no host");
        check("https://me:secret@example.com", "must not carry");
        check("https://example.com/a b", "control character");
    }
}

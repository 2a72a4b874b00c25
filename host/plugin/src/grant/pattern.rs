//! Where a grant of HTTP leads: a scheme, a host or every name below one, a port, and perhaps one method alone.
//!
//! Written `https://hooks.example.com`, `https://*.example.com:8443`, `POST https://hooks.example.com`. Origins are compared
//! as scheme, host and port after parsing, never as text, so that `https://a.example@evil.example` or a prefix of a name is
//! not mistaken for a granted one.

use std::fmt;

use http::Method;
use url::{Host, Url};

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) scheme: String,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
}

/// Requests that a grant permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpGrant {
    /// This one alone; any when absent.
    method: Option<Method>,
    /// With a name below which the host must lie, or the very host.
    origin: Origin,
    below: bool,
}

impl Origin {
    /// Reads `https://hooks.example.com`. The error says what is wrong, without naming the field.
    pub(crate) fn parse(text: &str) -> Result<Origin, String> {
        let wrong = |why: &str| {
            format!(
                "`{text}` is not an origin: {why}; write it as https://hooks.example.com, https://*.example.com:8443, \
                 http://127.0.0.1:9000 or POST https://hooks.example.com"
            )
        };
        let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("its scheme must be http or https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it must not hold a user or password"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it must end after host and port"));
        }
        Origin::of(&url).ok_or_else(|| wrong("it has no host"))
    }

    /// The origin of a request's address.
    pub(crate) fn of(url: &Url) -> Option<Origin> {
        let host = match url.host()? {
            // A name may be written with the root's dot at its end; it is the same name.
            Host::Domain(name) => Host::Domain(name.trim_end_matches('.').to_ascii_lowercase()),
            Host::Ipv4(address) => Host::Ipv4(address),
            Host::Ipv6(address) => Host::Ipv6(address),
        };
        Some(Origin { scheme: url.scheme().to_owned(), host, port: url.port_or_known_default()? })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.port_of(f)
    }
}

impl Origin {
    fn port_of(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usual = if self.scheme == "https" { 443 } else { 80 };
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl HttpGrant {
    /// Reads a grant. The error says what is wrong, without naming the field.
    pub(crate) fn parse(text: &str) -> Result<HttpGrant, String> {
        let (method, address) = match text.split_once(' ') {
            None => (None, text),
            Some((method, address)) => {
                let known = method.bytes().all(|letter| letter.is_ascii_uppercase()) && !method.is_empty();
                let method = Method::from_bytes(method.as_bytes()).ok().filter(|_| known);
                let why = || format!("`{text}` does not begin with a method; write it as POST https://hooks.example.com");
                (Some(method.ok_or_else(why)?), address.trim())
            }
        };
        let mut origin = Origin::parse(address)?;
        let mut below = false;
        if let Host::Domain(name) = &origin.host
            && name.contains('*')
        {
            let rest = name.strip_prefix("*.").filter(|rest| rest.contains('.') && !rest.contains('*'));
            let rest = rest.ok_or_else(|| {
                format!("`{text}`: a `*` stands for what comes before a name of at least two parts, as in https://*.example.com")
            })?;
            below = true;
            origin.host = Host::Domain(rest.to_owned());
        }
        Ok(HttpGrant { method, origin, below })
    }

    /// Whether a host may be connected to under this grant, whatever the method.
    pub(crate) fn reaches(&self, asked: &Origin) -> bool {
        self.origin.scheme == asked.scheme && self.origin.port == asked.port && self.holds(&asked.host)
    }

    /// Whether a request may be sent.
    pub(crate) fn permits(&self, method: &Method, asked: &Origin) -> bool {
        self.reaches(asked) && self.method.as_ref().is_none_or(|own| own == method)
    }

    /// Whether everything that `other` permits is permitted by this one.
    pub(crate) fn covers(&self, other: &HttpGrant) -> bool {
        let method = self.method.is_none() || self.method == other.method;
        let host = if other.below { self.below && self.at_or_below(&other.origin.host) } else { self.holds(&other.origin.host) };
        method && self.origin.scheme == other.origin.scheme && self.origin.port == other.origin.port && host
    }

    fn holds(&self, host: &Host<String>) -> bool {
        match (self.below, &self.origin.host, host) {
            (true, Host::Domain(above), Host::Domain(name)) => is_below(name, above),
            (true, _, _) => false,
            (false, own, host) => own == host,
        }
    }

    fn at_or_below(&self, host: &Host<String>) -> bool {
        self.origin.host == *host || self.holds(host)
    }
}

/// At least one part more, at a dot.
fn is_below(name: &str, above: &str) -> bool {
    name.strip_suffix(above).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

impl fmt::Display for HttpGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(method) = &self.method {
            write!(f, "{method} ")?;
        }
        let wildcard = if self.below { "*." } else { "" };
        write!(f, "{}://{wildcard}{}", self.origin.scheme, self.origin.host)?;
        self.origin.port_of(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_compared_as_origins() {
        let check = |text: &str, expected: Result<&str, &str>| match (HttpGrant::parse(text), expected) {
            (Ok(grant), Ok(shown)) => assert_eq!(grant.to_string(), shown, "{text}"),
            (Err(why), Err(part)) => assert!(why.contains(part), "{text}: {why}"),
            (found, _) => panic!("{text}: {found:?}"),
        };
        check("https://Hooks.Example.com", Ok("https://hooks.example.com"));
        check("https://hooks.example.com.:443/", Ok("https://hooks.example.com"));
        check("http://127.0.0.1:9000", Ok("http://127.0.0.1:9000"));
        check("http://0x7f.1", Ok("http://127.0.0.1"));
        check("http://[::1]:80", Ok("http://[::1]"));
        check("https://*.Example.com:8443", Ok("https://*.example.com:8443"));
        check("POST https://a.example", Ok("POST https://a.example"));
        check("PUT  https://*.a.example", Ok("PUT https://*.a.example"));
        check("ftp://a.example", Err("scheme"));
        check("https://a.example@evil.example", Err("user"));
        check("https://a.example/path", Err("end after host"));
        check("a.example", Err("not an origin"));
        check("https://*.com", Err("at least two parts"));
        check("https://a.*.example.com", Err("at least two parts"));
        check("https://*a.example.com", Err("at least two parts"));
        check("https://*", Err("at least two parts"));
        check("post https://a.example", Err("begin with a method"));
        check("https://a.example https://b.example", Err("begin with a method"));
    }

    #[test]
    fn a_grant_permits_what_it_says_and_nothing_else() {
        let check = |grant: &str, method: &str, asked: &str, expected: bool| {
            let grant = HttpGrant::parse(grant).expect("grant");
            let asked = Origin::parse(asked).expect("origin");
            assert_eq!(grant.permits(&method.parse().expect("method"), &asked), expected, "{grant}: {method} {asked}");
        };
        check("https://a.example", "GET", "https://a.example", true);
        check("https://a.example", "GET", "http://a.example", false);
        check("https://a.example", "GET", "https://a.example:8443", false);
        check("https://a.example", "GET", "https://b.a.example", false);
        check("POST https://a.example", "POST", "https://a.example", true);
        check("POST https://a.example", "GET", "https://a.example", false);
        check("https://*.example.com", "GET", "https://a.example.com", true);
        check("https://*.example.com", "GET", "https://a.b.example.com", true);
        check("https://*.example.com", "GET", "https://example.com", false);
        check("https://*.example.com", "GET", "https://evilexample.com", false);
        check("https://*.example.com", "GET", "https://example.com.evil.net", false);
        check("https://*.example.com:8443", "GET", "https://a.example.com", false);
        check("http://127.0.0.1", "GET", "http://127.0.0.2", false);
    }

    #[test]
    fn wants_cover_grants() {
        let check = |wanted: &str, granted: &str, expected: bool| {
            let parse = |text| HttpGrant::parse(text).expect("grant");
            assert_eq!(parse(wanted).covers(&parse(granted)), expected, "{wanted} and {granted}");
        };
        check("https://*.example.com", "https://a.example.com", true);
        check("https://*.example.com", "https://*.example.com", true);
        check("https://*.example.com", "https://*.eu.example.com", true);
        check("https://*.eu.example.com", "https://*.example.com", false);
        check("https://a.example.com", "https://*.example.com", false);
        check("https://a.example.com", "POST https://a.example.com", true);
        check("POST https://a.example.com", "https://a.example.com", false);
        check("https://a.example.com", "https://a.example.com:8443", false);
    }
}

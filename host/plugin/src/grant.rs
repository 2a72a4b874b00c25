//! What an instance may do: what its manifest wants and its operator granted, and nothing else.
//!
//! Origins are compared as scheme, host and port after parsing, never as text, so that `https://a.example@evil.example`
//! or a prefix of a name is not mistaken for a granted one.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bellwether_domain::{Error, Result, suggest};
use url::{Host, Url};

use crate::config::Grant;
use crate::http::Egress;
use crate::manifest::Wants;

/// The word in `wants.http` for origins that the operator will name.
pub(crate) const CONFIGURED: &str = "configured";

/// Longest secret, in bytes.
const SECRET: u64 = 64 << 10;

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) scheme: String,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
}

/// Values by name. Shows names only.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Secrets(BTreeMap<String, Option<String>>);

/// What an instance may do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Granted {
    /// Outgoing HTTP, if any origin was granted.
    pub(crate) http: Option<Arc<Egress>>,
    pub(crate) secrets: Secrets,
    pub(crate) clock: bool,
}

impl Origin {
    /// Reads `https://hooks.example.com`. The error says what is wrong, without naming the field.
    pub(crate) fn parse(text: &str) -> Result<Origin, String> {
        let wrong = |why: &str| format!("`{text}` is not an origin: {why}; write it as https://hooks.example.com or http://127.0.0.1:9000");
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
        let usual = if self.scheme == "https" { 443 } else { 80 };
        write!(f, "{}://{}", self.scheme, self.host)?;
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Secrets {
    /// The value of a secret; none when it was not granted or is not set.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned().flatten()
    }

    fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

impl Granted {
    /// Wants ∩ grant. Errors name what was granted and not wanted, under `field`, and secrets that cannot be read.
    pub(crate) fn of(field: &str, wants: &Wants, grant: &Grant, environment: &BTreeMap<String, String>) -> Result<Granted> {
        let origins = grant.http.iter().map(|text| origin(field, wants, text)).collect::<Result<Vec<Origin>>>()?;
        let http = if origins.is_empty() { None } else { Some(Arc::new(Egress::new(origins))) };
        let mut secrets = BTreeMap::new();
        for (name, source) in &grant.secrets {
            let field = format!("{field}.grant.secrets.{name}");
            if !wants.secrets.contains(name) {
                return Err(unwanted(&field, name, wants.secrets.iter().map(String::as_str)));
            }
            secrets.insert(name.clone(), secret(&field, source, environment)?);
        }
        if grant.clock && !wants.clock {
            return Err(unwanted(&format!("{field}.grant.clock"), "clock", []));
        }
        Ok(Granted { http, secrets: Secrets(secrets), clock: grant.clock })
    }

    /// For people; secrets by name only.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "http": self.http.iter().flat_map(|egress| egress.origins()).map(Origin::to_string).collect::<Vec<_>>(),
            "secrets": self.secrets.names(),
            "clock": self.clock,
        })
    }

    /// What was wanted and is not granted.
    pub(crate) fn withheld(&self, wants: &Wants) -> Vec<String> {
        let origins: Vec<String> = self.http.iter().flat_map(|egress| egress.origins()).map(Origin::to_string).collect();
        let http = wants.http.iter().filter(|want| match want.as_str() {
            CONFIGURED => origins.is_empty(),
            text => Origin::parse(text).is_ok_and(|origin| !origins.contains(&origin.to_string())),
        });
        let secrets = wants.secrets.iter().filter(|name| !self.secrets.0.contains_key(*name));
        http.map(|want| format!("http {want}"))
            .chain(secrets.map(|name| format!("secret {name}")))
            .chain((wants.clock && !self.clock).then(|| "clock".to_owned()))
            .collect()
    }
}

fn origin(field: &str, wants: &Wants, text: &str) -> Result<Origin> {
    let field = format!("{field}.grant.http");
    let origin = Origin::parse(text).map_err(|why| Error::invalid(&field, why))?;
    let wanted = wants.http.iter().any(|want| want == CONFIGURED || Origin::parse(want).is_ok_and(|want| want == origin));
    if wanted { Ok(origin) } else { Err(unwanted(&field, text, wants.http.iter().map(String::as_str))) }
}

fn unwanted<'a>(field: &str, granted: &str, wanted: impl IntoIterator<Item = &'a str>) -> Error {
    let near = suggest::nearest(granted, wanted).unwrap_or_else(|| "it wants nothing of that kind".to_owned());
    Error::invalid(field, format!("`{granted}` is granted, but the plugin's manifest does not want it; {near}"))
}

fn secret(field: &str, source: &str, environment: &BTreeMap<String, String>) -> Result<Option<String>> {
    match source.split_once(':') {
        Some(("env", name)) => {
            if !environment.contains_key(name) {
                tracing::warn!("{field}: the environment variable {name} is not set; the plugin is told that it has no such secret");
            }
            Ok(environment.get(name).cloned())
        }
        Some(("file", path)) => {
            let path = Path::new(path);
            let unreadable = |error: std::io::Error| Error::invalid(field, format!("{} cannot be read: {error}", path.display()));
            if std::fs::metadata(path).map_err(unreadable)?.len() > SECRET {
                return Err(Error::invalid(field, format!("{} is larger than {SECRET} bytes", path.display())));
            }
            let text = std::fs::read_to_string(path).map_err(unreadable)?;
            Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
        }
        _ => Err(Error::invalid(field, "must be `env:NAME` or `file:/path`; secrets themselves do not belong in settings")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(http: &[&str], secrets: &[&str], clock: bool) -> Wants {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Wants { http: owned(http), secrets: owned(secrets), clock }
    }

    fn grant(http: &[&str], secrets: &[(&str, &str)], clock: bool) -> Grant {
        Grant {
            http: http.iter().map(|text| (*text).to_owned()).collect(),
            secrets: secrets.iter().map(|(name, source)| ((*name).to_owned(), (*source).to_owned())).collect(),
            clock,
        }
    }

    #[test]
    fn origins_are_compared_as_origins() {
        let check = |text: &str, expected: Result<&str, &str>| match (Origin::parse(text), expected) {
            (Ok(origin), Ok(shown)) => assert_eq!(origin.to_string(), shown, "{text}"),
            (Err(why), Err(part)) => assert!(why.contains(part), "{text}: {why}"),
            (found, _) => panic!("{text}: {found:?}"),
        };
        check("https://Hooks.Example.com", Ok("https://hooks.example.com"));
        check("https://hooks.example.com.:443/", Ok("https://hooks.example.com"));
        check("http://127.0.0.1:9000", Ok("http://127.0.0.1:9000"));
        check("http://0x7f.1", Ok("http://127.0.0.1"));
        check("http://[::1]:80", Ok("http://[::1]"));
        check("ftp://a.example", Err("scheme"));
        check("https://a.example@evil.example", Err("user"));
        check("https://a.example/path", Err("end after host"));
        check("a.example", Err("not an origin"));
    }

    #[test]
    fn a_grant_is_wants_and_operator_together() {
        let environment = BTreeMap::from([("TOKEN".to_owned(), "t".to_owned())]);
        let check =
            |wants: &Wants, grant: &Grant, expected: Result<&str, &str>| match (Granted::of("x", wants, grant, &environment), expected) {
                (Ok(granted), Ok(shown)) => assert_eq!(granted.to_json().to_string(), shown),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
                (found, _) => panic!("{found:?}"),
            };
        let none = r#"{"clock":false,"http":[],"secrets":[]}"#;
        check(&wants(&["https://a.example"], &["token"], true), &Grant::default(), Ok(none));
        check(
            &wants(&[CONFIGURED], &["token"], true),
            &grant(&["https://a.example"], &[("token", "env:TOKEN")], true),
            Ok(r#"{"clock":true,"http":["https://a.example"],"secrets":["token"]}"#),
        );
        check(
            &wants(&["https://a.example"], &[], false),
            &grant(&["https://b.example"], &[], false),
            Err("did you mean `https://a.example`?"),
        );
        check(&wants(&[], &["token"], false), &grant(&[], &[("tokn", "env:X")], false), Err("x.grant.secrets.tokn: `tokn` is granted"));
        check(&wants(&[], &[], false), &grant(&[], &[], true), Err("x.grant.clock"));
        check(&wants(&[], &["token"], false), &grant(&[], &[("token", "hunter2")], false), Err("must be `env:NAME`"));
        check(&wants(&[], &["token"], false), &grant(&[], &[("token", "file:/does/not/exist")], false), Err("cannot be read"));
    }

    #[test]
    fn secrets_are_given_by_name_and_never_shown() {
        let environment = BTreeMap::from([("TOKEN".to_owned(), "hunter2".to_owned())]);
        let wants = wants(&[CONFIGURED], &["set", "unset", "other"], true);
        let granted =
            Granted::of("x", &wants, &grant(&[], &[("set", "env:TOKEN"), ("unset", "env:NOPE")], false), &environment).expect("granted");
        assert_eq!(granted.secrets.get("set").as_deref(), Some("hunter2"));
        assert_eq!((granted.secrets.get("unset"), granted.secrets.get("other")), (None, None));
        assert!(!format!("{granted:?}").contains("hunter2"));
        assert_eq!(granted.withheld(&wants), ["http configured", "secret other", "clock"]);
    }
}

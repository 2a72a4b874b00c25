//! What an instance may do: what its manifest wants and its operator granted, and nothing else; and how often it did.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bellwether_domain::{Error, Result, suggest};
use serde::Serialize;

use crate::config::Grant;
use crate::http::Egress;
use crate::manifest::Wants;

mod pattern;

pub(crate) use pattern::{HttpGrant, Origin};

/// The word in `wants.http` for origins that the operator will name.
pub(crate) const CONFIGURED: &str = "configured";

/// Longest secret, in bytes.
const SECRET: u64 = 64 << 10;

/// Values by name. Shows names only.
#[derive(Default)]
pub(crate) struct Secrets(BTreeMap<String, Secret>);

struct Secret {
    value: Option<String>,
    used: AtomicU64,
}

/// One permission and how often it was used since the instance was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GrantUse {
    /// `http`, `secret` or `clock`.
    pub kind: String,
    /// Where to, or the secret's name; `clock` for the clock.
    pub grant: String,
    /// Requests sent, secrets read, times asked.
    pub used: u64,
}

/// What an instance may do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Granted {
    /// Outgoing HTTP, if any origin was granted.
    pub(crate) http: Option<Arc<Egress>>,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) clock: bool,
    clock_used: Arc<AtomicU64>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Secrets {
    /// The value of a secret; none when it was not granted or is not set.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let secret = self.0.get(name)?;
        secret.used.fetch_add(1, Ordering::Relaxed);
        secret.value.clone()
    }

    fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

impl Granted {
    /// Wants ∩ grant. Errors name what was granted and not wanted, under `field`, and secrets that cannot be read.
    pub(crate) fn of(field: &str, wants: &Wants, grant: &Grant, environment: &BTreeMap<String, String>) -> Result<Granted> {
        let grants = grant.http.iter().map(|text| http_grant(field, wants, text)).collect::<Result<Vec<HttpGrant>>>()?;
        let http = if grants.is_empty() { None } else { Some(Arc::new(Egress::new(grants))) };
        let mut secrets = BTreeMap::new();
        for (name, source) in &grant.secrets {
            let field = format!("{field}.grant.secrets.{name}");
            if !wants.secrets.contains(name) {
                return Err(unwanted(&field, name, wants.secrets.iter().map(String::as_str)));
            }
            secrets.insert(name.clone(), Secret { value: secret(&field, source, environment)?, used: AtomicU64::new(0) });
        }
        if grant.clock && !wants.clock {
            return Err(unwanted(&format!("{field}.grant.clock"), "clock", []));
        }
        Ok(Granted { http, secrets: Arc::new(Secrets(secrets)), clock: grant.clock, clock_used: Arc::default() })
    }

    /// For people; secrets by name only.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "http": self.http.iter().flat_map(|egress| egress.grants()).map(HttpGrant::to_string).collect::<Vec<_>>(),
            "secrets": self.secrets.names(),
            "clock": self.clock,
        })
    }

    /// The time was asked for.
    pub(crate) fn clock_was_used(&self) {
        self.clock_used.fetch_add(1, Ordering::Relaxed);
    }

    /// Every permission and how often it was used.
    pub(crate) fn uses(&self) -> Vec<GrantUse> {
        let one = |kind: &str, grant: String, used: u64| GrantUse { kind: kind.to_owned(), grant, used };
        let http = self.http.iter().flat_map(|egress| egress.uses()).map(|(grant, used)| one("http", grant.to_string(), used));
        let secrets = self.secrets.0.iter().map(|(name, secret)| one("secret", name.clone(), secret.used.load(Ordering::Relaxed)));
        let clock = self.clock.then(|| one("clock", "clock".to_owned(), self.clock_used.load(Ordering::Relaxed)));
        http.chain(secrets).chain(clock).collect()
    }

    /// What was wanted and is not granted.
    pub(crate) fn withheld(&self, wants: &Wants) -> Vec<String> {
        let granted: Vec<&HttpGrant> = self.http.iter().flat_map(|egress| egress.grants()).collect();
        let http = wants.http.iter().filter(|want| match want.as_str() {
            CONFIGURED => granted.is_empty(),
            text => HttpGrant::parse(text).is_ok_and(|want| !granted.iter().any(|grant| grant.covers(&want))),
        });
        let secrets = wants.secrets.iter().filter(|name| !self.secrets.0.contains_key(*name));
        http.map(|want| format!("http {want}"))
            .chain(secrets.map(|name| format!("secret {name}")))
            .chain((wants.clock && !self.clock).then(|| "clock".to_owned()))
            .collect()
    }
}

fn http_grant(field: &str, wants: &Wants, text: &str) -> Result<HttpGrant> {
    let field = format!("{field}.grant.http");
    let grant = HttpGrant::parse(text).map_err(|why| Error::invalid(&field, why))?;
    let wanted = wants.http.iter().any(|want| want == CONFIGURED || HttpGrant::parse(want).is_ok_and(|want| want.covers(&grant)));
    if wanted { Ok(grant) } else { Err(unwanted(&field, text, wants.http.iter().map(String::as_str))) }
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
        let used: Vec<(String, u64)> = granted.uses().into_iter().map(|used| (used.grant, used.used)).collect();
        assert_eq!(used, [("set".to_owned(), 1), ("unset".to_owned(), 1)]);
        assert!(!format!("{granted:?}").contains("hunter2"));
        assert_eq!(granted.withheld(&wants), ["http configured", "secret other", "clock"]);
    }
}

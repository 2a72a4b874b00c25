//! The conversation with one registry: requests within bounds, and who is asking, in the two ways registries ask for it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bellwether_domain::{Error, Result};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use url::Url;

use super::reference::{Reference, is_loopback};

/// Most redirects followed for one part.
const REDIRECTS: usize = 5;

/// Largest answer read where only its status matters, in bytes.
const WORDS: u64 = 64 << 10;

/// Who is asking.
#[derive(Clone, Default)]
pub struct Credentials {
    /// Name and password.
    pub basic: Option<(String, String)>,
    /// A token to show as it is.
    pub token: Option<String>,
}

/// One registry and what it knows of the caller.
pub(super) struct Talk {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    home: Url,
    scope: String,
    credentials: Credentials,
    authorization: Option<HeaderValue>,
}

/// What a registry answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    headers: HeaderMap,
    from: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let user = self.basic.as_ref().map(|(user, _)| user);
        f.debug_struct("Credentials").field("user", &user).field("has_token", &self.token.is_some()).finish()
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// An error unless the status is one of these; `what` says what the registry was to do.
    pub(super) fn expect(&self, good: &[StatusCode], what: &str) -> Result<()> {
        if good.contains(&self.status) {
            return Ok(());
        }
        let words: String = String::from_utf8_lossy(&self.body).chars().filter(|letter| !letter.is_control()).take(300).collect();
        let said = format!("the registry at {} did not {what}: {} {words}", self.from, self.status);
        Err(match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Error::Forbidden(format!("{}; say who asks by --username and --password-file, or --registry-token", said.trim_end()))
            }
            _ => Error::Unavailable(said.trim_end().to_owned()),
        })
    }
}

impl Talk {
    pub(super) fn new(reference: &Reference, credentials: Credentials, actions: &str) -> Result<Talk> {
        let home = reference.url("")?;
        let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        let mut talk = Talk {
            client: Client::builder(TokioExecutor::new()).build(connector),
            home,
            scope: format!("repository:{}:{actions}", reference.repository),
            authorization: None,
            credentials,
        };
        if let Some(token) = &talk.credentials.token {
            talk.authorization = Some(secret(&format!("Bearer {token}"))?);
        }
        Ok(talk)
    }

    /// A registry that does not keep to its own specification.
    pub(super) fn odd(&self, what: &str) -> Error {
        Error::Unavailable(format!("the registry at {} {what}", authority(&self.home)))
    }

    /// Sends a request to the registry; asked who it is, it says so and sends it again.
    pub(super) async fn send(&mut self, method: Method, place: &Url, content: &str, body: Bytes, limit: Duration) -> Result<Answer> {
        let asked = self.once(&method, place, (content, ""), body.clone(), WORDS, limit).await?;
        if asked.status == StatusCode::UNAUTHORIZED && self.introduce(&asked).await? {
            return self.once(&method, place, (content, ""), body, WORDS, limit).await;
        }
        Ok(asked)
    }

    /// Gets something of at most `most` bytes, also where the registry sends the caller on to its storage.
    pub(super) async fn get(&mut self, place: &Url, accept: &str, most: u64, limit: Duration) -> Result<Answer> {
        let mut place = place.clone();
        for _ in 0..=REDIRECTS {
            let mut answer = self.once(&Method::GET, &place, ("", accept), Bytes::new(), most.max(WORDS), limit).await?;
            if answer.status == StatusCode::UNAUTHORIZED && self.introduce(&answer).await? {
                answer = self.once(&Method::GET, &place, ("", accept), Bytes::new(), most.max(WORDS), limit).await?;
            }
            if !answer.status.is_redirection() {
                return Ok(answer);
            }
            let location = answer.header(header::LOCATION.as_str()).unwrap_or_default();
            place = place.join(location).map_err(|error| self.odd(&format!("sends the caller on to `{location}`: {error}")))?;
        }
        Err(self.odd(&format!("sends the caller on more than {REDIRECTS} times")))
    }

    async fn once(
        &self,
        method: &Method,
        place: &Url,
        (content, accept): (&str, &str),
        body: Bytes,
        most: u64,
        limit: Duration,
    ) -> Result<Answer> {
        let own = place.origin() == self.home.origin();
        let nearby = is_loopback(place) && is_loopback(&self.home);
        if place.scheme() != "https" && !own && !nearby {
            return Err(self.odd(&format!("sends the caller on to {}, which is not HTTPS", authority(place))));
        }
        let mut request = http::Request::builder()
            .method(method)
            .uri(place.as_str())
            .header(header::USER_AGENT, concat!("bellwether/", env!("CARGO_PKG_VERSION")));
        for (name, value) in [(header::CONTENT_TYPE, content), (header::ACCEPT, accept)].into_iter().filter(|(_, value)| !value.is_empty())
        {
            request = request.header(name, value);
        }
        if let Some(authorization) = self.authorization.as_ref().filter(|_| own) {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Full::new(body)).map_err(|error| self.odd(&format!("has an address that is none: {error}")))?;
        let from = authority(place);
        let talked = async {
            let answer = self.client.request(request).await.map_err(|error| format!("cannot be reached: {}", cause(&error)))?;
            let (head, body) = answer.into_parts();
            let bytes = usize::try_from(most).unwrap_or(usize::MAX);
            let body = Limited::new(body, bytes)
                .collect()
                .await
                .map_err(|error| format!("broke off, or answered more than {most} bytes: {error}"))?;
            Ok::<_, String>(Answer { status: head.status, headers: head.headers, body: body.to_bytes(), from: from.clone() })
        };
        match tokio::time::timeout(limit, talked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(why)) => Err(Error::Unavailable(format!("the registry at {from} {why}"))),
            Err(_) => Err(Error::Timeout(format!("the registry at {from} did not answer within {} s", limit.as_secs()))),
        }
    }

    /// Says who is asking, in the way the answer wants it; false when that is known already or there is nothing to say.
    async fn introduce(&mut self, asked: &Answer) -> Result<bool> {
        if self.authorization.is_some() {
            return Ok(false);
        }
        let challenge = asked.header(header::WWW_AUTHENTICATE.as_str()).unwrap_or_default().to_owned();
        let (scheme, parameters) = challenge.split_once(' ').unwrap_or((challenge.as_str(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            let Some((user, password)) = &self.credentials.basic else { return Ok(false) };
            self.authorization = Some(basic(user, password)?);
            return Ok(true);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Ok(false);
        }
        let token = self.token(parameters).await?;
        self.authorization = Some(secret(&format!("Bearer {token}"))?);
        Ok(true)
    }

    /// A token of the service the registry names. Without credentials it gives one for what everybody may do.
    async fn token(&self, parameters: &str) -> Result<String> {
        #[derive(Deserialize)]
        struct Given {
            token: Option<String>,
            access_token: Option<String>,
        }
        let realm = parameter(parameters, "realm").ok_or_else(|| self.odd("asks for a token without saying where from"))?;
        let mut place = Url::parse(&realm).map_err(|error| self.odd(&format!("names the token service `{realm}`: {error}")))?;
        if place.scheme() != "https" && !(is_loopback(&place) && is_loopback(&self.home)) {
            return Err(self.odd(&format!("names the token service {}, which is not HTTPS", authority(&place))));
        }
        if let Some(service) = parameter(parameters, "service") {
            place.query_pairs_mut().append_pair("service", &service);
        }
        place.query_pairs_mut().append_pair("scope", &self.scope);
        // The service is a place of its own, and the one other place that is told who asks.
        let authorization = self.credentials.basic.as_ref().map(|(user, password)| basic(user, password)).transpose()?;
        let service = Talk {
            client: self.client.clone(),
            home: place.clone(),
            scope: String::new(),
            credentials: Credentials::default(),
            authorization,
        };
        let answer = service.once(&Method::GET, &place, ("", ""), Bytes::new(), WORDS, super::SHORT).await?;
        answer.expect(&[StatusCode::OK], "give a token")?;
        let given: Given = serde_json::from_slice(&answer.body)
            .map_err(|error| self.odd(&format!("has a token service that answers what is no JSON: {error}")))?;
        given.token.or(given.access_token).ok_or_else(|| self.odd("has a token service that gives none"))
    }
}

/// A parameter of a challenge, `name="value"`.
fn parameter(parameters: &str, name: &str) -> Option<String> {
    let mut rest = parameters;
    while let Some((found, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if found.trim_matches([' ', ',']).eq_ignore_ascii_case(name) {
            return Some(value.to_owned());
        }
        rest = next;
    }
    None
}

fn basic(user: &str, password: &str) -> Result<HeaderValue> {
    secret(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

fn secret(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(text).map_err(|_| Error::invalid("credentials", "hold what cannot stand in an HTTP header"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn authority(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}

fn cause(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let text = "realm=\"https://auth.example.com/token\",service=\"registry.example.com\", scope=\"repository:a,b:pull\",plain=x";
        for (name, expected) in [
            ("realm", Some("https://auth.example.com/token")),
            ("service", Some("registry.example.com")),
            ("scope", Some("repository:a,b:pull")),
            ("plain", Some("x")),
            ("other", None),
        ] {
            assert_eq!(parameter(text, name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn names_and_passwords_are_written_as_rfc_7617_has_it() {
        for (user, password, expected) in
            [("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), ("a", "b", "Basic YTpi"), ("ab", "c", "Basic YWI6Yw==")]
        {
            let value = basic(user, password).expect("good");
            assert_eq!(value.to_str().expect("text"), expected);
            assert!(value.is_sensitive());
        }
        assert!(basic("a\n", "b").is_ok(), "base64 hides what a header could not hold");
        let shown = format!("{:?}", Credentials { basic: Some(("u".to_owned(), "hunter2".to_owned())), token: Some("t0ken".to_owned()) });
        assert!(!shown.contains("hunter2") && !shown.contains("t0ken"), "{shown}");
    }
}

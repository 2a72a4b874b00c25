//! The bearer token: made at the first start, kept in a file only its owner can read, compared in constant time.
//!
//! One token, full rights; roles come with JWT. Everything needs it but `/livez`, `/readyz` and `/openapi.json`, which hold no data.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bellwether_domain::{Error, Result};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use rand::TryRngCore;
use subtle::ConstantTimeEq;

use crate::app::AppState;
use crate::problem::Problem;

/// Random bytes in a generated token.
const TOKEN_BYTES: usize = 32;

/// Shortest token a file may hold, in characters.
const TOKEN_LENGTH_MIN: usize = 16;

/// Paths that answer without a token: they hold no data.
pub(crate) const OPEN_PATHS: [&str; 3] = ["/livez", "/readyz", "/openapi.json"];

/// The secret every request carries. Never printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}

impl Token {
    /// A token given by hand. Errors: `Invalid` when it is short or has characters a header cannot carry.
    pub fn new(text: &str) -> Result<Token> {
        let good = text.len() >= TOKEN_LENGTH_MIN && text.chars().all(|letter| letter.is_ascii_graphic());
        if good {
            Ok(Token(text.to_owned()))
        } else {
            Err(Error::invalid("token", format!("must have at least {TOKEN_LENGTH_MIN} visible ASCII characters and no space")))
        }
    }

    /// A fresh token from the system's randomness.
    pub fn generate() -> Result<Token> {
        let mut bytes = [0; TOKEN_BYTES];
        rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(Error::internal)?;
        Ok(Token(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text, to be shown once or sent.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// True when the headers carry this token.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        given.is_some_and(|token| bool::from(token.as_bytes().ct_eq(self.0.as_bytes())))
    }
}

/// Where a token was found or put.
#[derive(Debug, Clone)]
pub struct KeptToken {
    /// The token.
    pub token: Token,
    /// Its file.
    pub file: PathBuf,
    /// It was made just now, and has not been shown to anybody.
    pub fresh: bool,
}

/// Reads the token in `file`, or makes one there (mode 0600, written whole or not at all).
pub fn keep(file: &Path) -> Result<KeptToken> {
    match read(file)? {
        Some(token) => Ok(KeptToken { token, file: file.to_owned(), fresh: false }),
        None => {
            let token = Token::generate()?;
            write(file, &token)?;
            Ok(KeptToken { token, file: file.to_owned(), fresh: true })
        }
    }
}

/// Reads the token in `file`; none when there is no file.
pub fn read(file: &Path) -> Result<Option<Token>> {
    let failed = |error: std::io::Error| Error::Unavailable(format!("cannot read the token file {}: {error}", file.display()));
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mode = fs::metadata(file).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(file = %file.display(), "other users of this machine can read the token; `chmod 600` the file");
    }
    Token::new(text.trim()).map(Some).map_err(|error| {
        Error::Unavailable(format!("the token file {} is damaged ({error}); remove it and a new token is made", file.display()))
    })
}

fn write(file: &Path, token: &Token) -> Result<()> {
    let failed = |error: std::io::Error| Error::Unavailable(format!("cannot write the token file {}: {error}", file.display()));
    let part = file.with_extension("part");
    let mut opened = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&part).map_err(failed)?;
    writeln!(opened, "{}", token.text()).and_then(|()| opened.sync_all()).map_err(failed)?;
    fs::rename(&part, file).map_err(failed)
}

/// Lets requests with the token pass, and everybody to the open paths.
pub(crate) async fn require_token(State(app): State<AppState>, request: Request, next: Next) -> Response {
    if OPEN_PATHS.contains(&request.uri().path()) || app.token.admits(request.headers()) {
        return next.run(request).await;
    }
    let detail = if request.headers().contains_key(AUTHORIZATION) {
        "the token in the header `authorization` is not this host's; it is in the file `token` of its data folder"
    } else {
        "the header `authorization: Bearer TOKEN` is missing; the token is in the file `token` of the host's data folder"
    };
    Problem::unauthorized(detail).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let first = keep(&file).unwrap();
        assert!(first.fresh && first.token.text().len() == 43);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let second = keep(&file).unwrap();
        assert!(!second.fresh && second.token == first.token);
        assert_ne!(Token::generate().unwrap(), first.token);
        assert!(!format!("{first:?}").contains(first.token.text()));
        fs::write(&file, "short\n").unwrap();
        assert!(keep(&file).unwrap_err().to_string().contains("remove it"));
    }

    #[test]
    fn only_the_exact_token_is_admitted() {
        let token = Token::new("abcdefghijklmnop").unwrap();
        let check = |value: &str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            assert_eq!(token.admits(&headers), expected, "{value}");
        };
        check("Bearer abcdefghijklmnop", true);
        check("bearer abcdefghijklmnop", true);
        check("Bearer abcdefghijklmnoq", false);
        check("Bearer abcdefghijklmno", false);
        check("Basic abcdefghijklmnop", false);
        check("abcdefghijklmnop", false);
        assert!(!token.admits(&HeaderMap::new()));
    }
}

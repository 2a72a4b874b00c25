//! Handlers, one module per noun. Each takes the request apart, makes one call into the host, and wraps the answer; what
//! needs thought belongs to the engine. Conventions of the API:
//!
//! - Paths are nouns under `/mlops/api`; symbols travel in queries and bodies only, because they contain slashes.
//! - Lists answer `{<noun>s: [...], next_cursor}`, newest first, and take `limit` and `cursor`.
//! - POSTs that create take the header `idempotency-key`: the same key and request give the same thing.
//! - Unknown fields and query parameters are refused; every error is a problem document.
pub(crate) mod alerts;
pub(crate) mod data;
pub(crate) mod deployments;
pub(crate) mod imports;
pub(crate) mod jobs;
pub(crate) mod models;
pub(crate) mod monitoring;
pub(crate) mod plugins;
pub(crate) mod serving;
pub(crate) mod system;

use axum::Json;
use bellwether_engine::PageRequest;

use crate::problem::Problem;

/// What most handlers give.
pub(crate) type Answer<T> = Result<Json<T>, Problem>;

pub(crate) fn page(limit: Option<usize>, cursor: Option<String>) -> PageRequest {
    PageRequest { limit, cursor }
}

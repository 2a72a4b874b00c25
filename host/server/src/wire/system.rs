//! What a host says of itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `alive` or `ready`.
    pub status: String,
}

/// Which host this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// `bellwether`.
    pub name: String,
    /// Its version.
    pub version: String,
}

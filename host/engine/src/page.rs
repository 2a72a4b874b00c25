//! Lists in pages: what a caller asks for, and what it gets.

use bellwether_domain::{Error, Result};
use serde::{Deserialize, Serialize};

/// Which page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PageRequest {
    /// Items at most, 1 to 1000; 100 when absent.
    pub limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// One page, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listing<T> {
    /// The items.
    pub items: Vec<T>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl PageRequest {
    /// The number of items asked for.
    pub fn limit(&self) -> Result<usize> {
        match self.limit {
            None => Ok(100),
            Some(limit) if (1..=1000).contains(&limit) => Ok(limit),
            Some(limit) => Err(Error::invalid("limit", format!("is {limit}; it must be 1 to 1000"))),
        }
    }
}

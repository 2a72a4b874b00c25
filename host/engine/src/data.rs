//! Bars in: parse, check, keep; and what there is.

use bellwether_domain::Result;
use bellwether_domain::bars::{Bar, Gap};
use bellwether_domain::id::Symbol;
use bellwether_domain::time::Interval;
use bellwether_store::{Ingested, SeriesInfo};
use serde::Serialize;

use crate::Host;

/// What became of bars that were sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IngestReport {
    /// The instrument.
    pub symbol: Symbol,
    /// The bar interval.
    pub interval: Interval,
    /// Bars in what was sent.
    pub rows: u64,
    /// What became of them.
    #[serde(flatten)]
    pub ingested: Ingested,
    /// Holes in what was sent (at most 1000).
    pub gaps: Vec<Gap>,
}

impl Host {
    /// Takes CSV bytes (see [`crate::csv`]). On an error nothing was kept.
    pub async fn ingest_csv(&self, symbol: Symbol, interval: Interval, bytes: Vec<u8>) -> Result<IngestReport> {
        let _ = (symbol, interval, bytes);
        todo!()
    }

    /// Takes bars. On an error nothing was kept; the error names the row.
    pub async fn ingest_bars(&self, symbol: Symbol, interval: Interval, bars: Vec<Bar>) -> Result<IngestReport> {
        let _ = (symbol, interval, bars);
        todo!()
    }

    /// What there is of one series. Errors: `NotFound` with the near match.
    pub async fn describe_series(&self, symbol: &Symbol, interval: Interval) -> Result<SeriesInfo> {
        let _ = (symbol, interval);
        todo!()
    }

    /// Every series.
    pub async fn list_series(&self) -> Result<Vec<SeriesInfo>> {
        todo!()
    }
}

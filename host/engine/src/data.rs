//! Bars in: parse, check, keep; and what there is.

use bellwether_domain::bars::{Bar, Bars, Gap};
use bellwether_domain::id::Symbol;
use bellwether_domain::time::Interval;
use bellwether_domain::{Error, Result};
use bellwether_store::{Ingested, SeriesInfo};
use serde::Serialize;

use crate::Host;

/// Most holes listed in a report.
const GAPS_MAX: usize = 1000;

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
        let bars = tokio::task::spawn_blocking(move || crate::csv::read(&bytes, interval)).await.map_err(Error::internal)??;
        self.ingest(symbol, interval, bars).await
    }

    /// Takes bars. On an error nothing was kept; the error names the row.
    pub async fn ingest_bars(&self, symbol: Symbol, interval: Interval, rows: Vec<Bar>) -> Result<IngestReport> {
        let mut bars = Bars::default();
        rows.into_iter().for_each(|bar| bars.push(bar));
        bars.check(interval)?;
        self.ingest(symbol, interval, bars).await
    }

    async fn ingest(&self, symbol: Symbol, interval: Interval, bars: Bars) -> Result<IngestReport> {
        if bars.is_empty() {
            return Err(Error::invalid("bars", "there are none; send at least one"));
        }
        self.ready().await?;
        let rows = bars.len() as u64;
        let mut gaps = bars.gaps(interval);
        gaps.truncate(GAPS_MAX);
        let ingested = self.inner.bars.ingest(&symbol, interval, bars).await?;
        tracing::info!(data.symbol = %symbol, data.interval = %interval, data.rows = rows, data.added = ingested.added, "bars were ingested");
        Ok(IngestReport { symbol, interval, rows, ingested, gaps })
    }

    /// What there is of one series. Errors: `NotFound` with the near match.
    pub async fn describe_series(&self, symbol: &Symbol, interval: Interval) -> Result<SeriesInfo> {
        let series = self.inner.bars.list().await?;
        if !series.iter().any(|(known, length)| known == symbol && *length == interval) {
            let known: Vec<String> = series.iter().map(|(symbol, interval)| format!("{symbol} {interval}")).collect();
            return Err(Error::unknown("series", &format!("{symbol} {interval}"), known.iter().map(String::as_str)));
        }
        self.inner.bars.describe(symbol, interval).await
    }

    /// Every series.
    pub async fn list_series(&self) -> Result<Vec<SeriesInfo>> {
        let mut all = Vec::new();
        for (symbol, interval) in self.inner.bars.list().await? {
            all.push(self.inner.bars.describe(&symbol, interval).await?);
        }
        Ok(all)
    }
}

//! Bars over REST.

use bellwether_domain::bars;
use bellwether_domain::id::Symbol;
use bellwether_domain::time::{Interval, Timestamp};
use bellwether_engine::data;
use bellwether_engine::store;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::models::same_fields;

/// One OHLCV row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bar {
    /// Start of the bar.
    #[schema(value_type = String, format = DateTime, example = "2024-12-05T12:00:00Z")]
    pub timestamp: Timestamp,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Traded amount, at least 0.
    pub volume: f64,
}

same_fields!(Bar, bars::Bar, { timestamp, open, high, low, close, volume });

/// Bars of one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IngestRequest {
    /// The instrument; may stand in the query instead.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "BTC/USDT")]
    pub symbol: Option<Symbol>,
    /// The bar interval; may stand in the query instead.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "1h")]
    pub interval: Option<Interval>,
    /// The bars, in time order.
    pub bars: Vec<Bar>,
}

/// Which series is sent; may stand in a JSON body instead.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct IngestQuery {
    /// The instrument.
    #[param(value_type = Option<String>, required = false, example = "BTC/USDT")]
    pub symbol: Option<Symbol>,
    /// The bar interval.
    #[param(value_type = Option<String>, required = false, example = "1h")]
    pub interval: Option<Interval>,
}

/// Which series.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SeriesQuery {
    /// The instrument.
    #[param(value_type = String, example = "BTC/USDT")]
    pub symbol: Symbol,
    /// The bar interval.
    #[param(value_type = String, example = "1h")]
    pub interval: Interval,
}

/// A hole in a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Gap {
    /// Start of the last bar before the hole.
    #[schema(value_type = String, format = DateTime)]
    pub after: Timestamp,
    /// Start of the first bar behind it.
    #[schema(value_type = String, format = DateTime)]
    pub before: Timestamp,
    /// Bars that would fit in between.
    pub missing: u64,
}

same_fields!(Gap, bars::Gap, { after, before, missing });

/// What became of bars that were sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IngestReport {
    /// The instrument.
    #[schema(value_type = String)]
    pub symbol: Symbol,
    /// The bar interval.
    #[schema(value_type = String)]
    pub interval: Interval,
    /// Bars in what was sent.
    pub rows: u64,
    /// New bars.
    pub added: u64,
    /// Bars that were there already, the same.
    pub unchanged: u64,
    /// Bars that were there with other values and were replaced.
    pub replaced: u64,
    /// Holes in what was sent (at most 1000).
    pub gaps: Vec<Gap>,
}

impl From<data::IngestReport> for IngestReport {
    fn from(from: data::IngestReport) -> Self {
        let data::IngestReport { symbol, interval, rows, ingested: store::Ingested { added, unchanged, replaced }, gaps } = from;
        let gaps = gaps.into_iter().map(Into::into).collect();
        IngestReport { symbol, interval, rows, added, unchanged, replaced, gaps }
    }
}

/// What there is of one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Series {
    /// The instrument.
    #[schema(value_type = String)]
    pub symbol: Symbol,
    /// The bar interval.
    #[schema(value_type = String)]
    pub interval: Interval,
    /// Number of bars.
    pub rows: u64,
    /// First bar.
    #[schema(value_type = String, format = DateTime)]
    pub first: Timestamp,
    /// Last bar.
    #[schema(value_type = String, format = DateTime)]
    pub last: Timestamp,
    /// Holes, in time order (at most 1000).
    pub gaps: Vec<Gap>,
    /// Bars missing in all holes.
    pub missing: u64,
    /// SHA-256 of all bars, in hex.
    pub digest: String,
}

impl From<store::SeriesInfo> for Series {
    fn from(from: store::SeriesInfo) -> Self {
        let store::SeriesInfo { symbol, interval, rows, first, last, gaps, missing, digest } = from;
        Series { symbol, interval, rows, first, last, gaps: gaps.into_iter().map(Into::into).collect(), missing, digest }
    }
}

/// Every series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesList {
    /// By symbol and interval.
    pub series: Vec<Series>,
}

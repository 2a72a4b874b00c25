//! `/data`: bars in, and what there is.

use axum::Json;
use axum::extract::{Request, State};
use bellwether_domain::id::Symbol;
use bellwether_domain::time::Interval;
use bellwether_domain::{Error, Result as HouseResult};

use super::Answer;
use crate::app::AppState;
use crate::extract::{self, NoParameters, QueryOf};
use crate::wire::data::{IngestQuery, IngestReport, IngestRequest, Series, SeriesList, SeriesQuery};

/// Take bars of one series.
///
/// Either `text/csv` with `symbol` and `interval` in the query (a header `timestamp,open,high,low,close,volume` in any
/// order, or Binance's kline layout without one), or JSON. All of it is kept or nothing; sending the same bars again changes nothing.
#[utoipa::path(
    post,
    path = "/data/ingest",
    tag = "data",
    params(IngestQuery),
    request_body(content((IngestRequest = "application/json"), (String = "text/csv")), description = "The bars."),
    responses((status = 200, description = "What became of them.", body = IngestReport))
)]
pub(crate) async fn ingest_bars(
    State(app): State<AppState>,
    QueryOf(query): QueryOf<IngestQuery>,
    request: Request,
) -> Answer<IngestReport> {
    let (parts, body) = request.into_parts();
    let media_type = extract::media_type(&parts.headers);
    if !["text/csv", "application/json"].contains(&media_type.as_str()) {
        return Err(extract::unsupported("text/csv or application/json"));
    }
    let bytes = extract::collect(&parts.headers, body, app.body_limit).await?;
    let report = if media_type == "text/csv" {
        let (symbol, interval) = series_of(&query, None, None)?;
        app.host.ingest_csv(symbol, interval, bytes).await?
    } else {
        let request: IngestRequest = extract::parse(&bytes)?;
        let (symbol, interval) = series_of(&query, request.symbol, request.interval)?;
        app.host.ingest_bars(symbol, interval, request.bars.into_iter().map(Into::into).collect()).await?
    };
    Ok(Json(report.into()))
}

fn series_of(query: &IngestQuery, symbol: Option<Symbol>, interval: Option<Interval>) -> HouseResult<(Symbol, Interval)> {
    fn one_of<T: PartialEq + Clone>(name: &str, query: Option<&T>, body: Option<T>) -> HouseResult<T> {
        match (query, body) {
            (Some(query), Some(body)) if *query != body => Err(Error::invalid(name, "differs between query and body; give it once")),
            (Some(given), _) => Ok(given.clone()),
            (None, Some(given)) => Ok(given),
            (None, None) => Err(Error::invalid(name, format!("is missing; give it in the query, as in ?{name}=..."))),
        }
    }
    Ok((one_of("symbol", query.symbol.as_ref(), symbol)?, one_of("interval", query.interval.as_ref(), interval)?))
}

/// List every series.
#[utoipa::path(get, path = "/data", tag = "data", responses((status = 200, description = "All series.", body = SeriesList)))]
pub(crate) async fn list_series(State(app): State<AppState>, QueryOf(NoParameters {}): QueryOf<NoParameters>) -> Answer<SeriesList> {
    let series = app.host.list_series().await?.into_iter().map(Into::into).collect();
    Ok(Json(SeriesList { series }))
}

/// Describe one series: rows, range, gaps, digest.
#[utoipa::path(get, path = "/data/describe", tag = "data", params(SeriesQuery), responses((status = 200, description = "The series.", body = Series)))]
pub(crate) async fn describe_series(State(app): State<AppState>, QueryOf(query): QueryOf<SeriesQuery>) -> Answer<Series> {
    Ok(Json(app.host.describe_series(&query.symbol, query.interval).await?.into()))
}

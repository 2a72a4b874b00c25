//! `bellwether data`: bars in, and what there is.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bellwether_domain::id::Symbol;
use bellwether_domain::time::Interval;
use clap::Subcommand;

use super::output::{self, DIM, NAME, say, styled};
use super::{Context, Failure, failure};
use crate::client::query;
use crate::wire::data::{IngestReport, Series, SeriesList};

const EXAMPLES: &str = "\
Examples:
  bellwether data import btcusdt_1h.csv --symbol BTC/USDT --interval 1h
  bellwether data describe --symbol BTC/USDT --interval 1h
  bellwether data list

Files are CSV with the columns timestamp,open,high,low,close,volume in any order, or Binance klines without a header.
Importing the same bars again changes nothing.";

/// Most gaps printed.
const GAPS_SHOWN: usize = 5;

/// Import bars; describe and list series
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum DataCommand {
    /// Import a CSV file of bars
    Import {
        /// The file
        file: PathBuf,
        /// The instrument
        #[arg(long)]
        symbol: Symbol,
        /// The bar interval
        #[arg(long)]
        interval: Interval,
    },
    /// Describe one series
    Describe {
        /// The instrument
        #[arg(long)]
        symbol: Symbol,
        /// The bar interval
        #[arg(long)]
        interval: Interval,
    },
    /// List every series
    List,
}

pub(crate) async fn perform(command: DataCommand, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let series_query =
        |symbol: Symbol, interval: Interval| query(&[("symbol", Some(symbol.to_string())), ("interval", Some(interval.to_string()))]);
    match command {
        DataCommand::Import { file, symbol, interval } => {
            let csv = std::fs::read(&file).map_err(|error| failure::of_file("read", &file, &error))?;
            let bar = output::bar(1, "{spinner} {msg}", !context.json());
            bar.set_message(format!("importing {} ({} KiB)", file.display(), csv.len() >> 10));
            bar.enable_steady_tick(Duration::from_millis(100));
            let began = Instant::now();
            let report = client.post_csv::<IngestReport>(&format!("/data/ingest{}", series_query(symbol, interval)), &csv).await;
            bar.finish_and_clear();
            let report = report?;
            context.show(&report, |report| show_report(report, began.elapsed()))
        }
        DataCommand::Describe { symbol, interval } => {
            let series = client.get::<Series>(&format!("/data/describe{}", series_query(symbol, interval))).await?;
            context.show(&series, show)
        }
        DataCommand::List => {
            let list = client.get::<SeriesList>("/data").await?;
            if context.json() {
                return output::raw(&list.raw);
            }
            let rows = list.value.series.iter().map(|series| {
                vec![
                    series.symbol.to_string(),
                    series.interval.to_string(),
                    series.rows.to_string(),
                    series.first.to_string(),
                    series.last.to_string(),
                    series.gaps.len().to_string(),
                ]
            });
            say!("{}", output::table(&["symbol", "interval", "bars", "first", "last", "gaps"], &[2, 5], rows));
            Ok(())
        }
    }
}

fn show_report(report: &IngestReport, took: Duration) {
    let (symbol, interval) = (&report.symbol, report.interval);
    say!(
        "{} {interval}: {} bars in {} – {} new, {} as before, {} replaced",
        styled(NAME, symbol),
        report.rows,
        output::span(took),
        report.added,
        report.unchanged,
        report.replaced
    );
    show_gaps(&report.gaps);
}

fn show(series: &Series) {
    output::pairs(&[
        ("series", format!("{} {}", styled(NAME, &series.symbol), series.interval)),
        ("bars", series.rows.to_string()),
        ("first", series.first.to_string()),
        ("last", series.last.to_string()),
        ("missing", series.missing.to_string()),
        ("sha256", series.digest.clone()),
    ]);
    show_gaps(&series.gaps);
}

fn show_gaps(gaps: &[crate::wire::data::Gap]) {
    if gaps.is_empty() {
        return;
    }
    say!("{} gaps, in which no window lies; the widest:", gaps.len());
    let mut widest: Vec<_> = gaps.iter().collect();
    widest.sort_by_key(|gap| std::cmp::Reverse(gap.missing));
    for gap in widest.into_iter().take(GAPS_SHOWN) {
        say!("{}", styled(DIM, format!("  {} bars after {}", gap.missing, gap.after)));
    }
}

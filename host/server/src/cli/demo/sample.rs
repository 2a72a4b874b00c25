//! The sample: a year of hourly EUR/USD, inside the binary. Its calm and its turbulent month are found in the data.

use bellwether_domain::Result;
use bellwether_domain::bars::Bars;
use bellwether_domain::time::{Interval, Timestamp};

use super::story::Story;
use crate::cli::Failure;
use crate::cli::output::{NAME, styled};
use crate::client::{Client, query};
use crate::wire::data::IngestReport;

/// The instrument.
pub(crate) const SYMBOL: &str = "EURUSD";

const CSV: &[u8] = include_bytes!("../../../../../examples/data/eurusd_1h.csv");

/// Least bars of a month that is compared with others.
const MONTH_BARS_MIN: usize = 400;

/// A month of the sample.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Month {
    /// Its first instant.
    pub(crate) from: Timestamp,
    /// The first instant of the next one.
    pub(crate) until: Timestamp,
    /// Root mean squared log return per bar.
    pub(crate) volatility: f64,
}

/// The bars.
pub(crate) fn bars() -> Result<Bars> {
    bellwether_engine::csv::read(CSV, Interval::HOUR)
}

/// Sends the sample to the host.
pub(crate) async fn import(story: &mut Story, client: &Client) -> std::result::Result<(), Failure> {
    story.step("Import a year of hourly EUR/USD bars");
    let path = format!("/data/ingest{}", query(&[("symbol", Some(SYMBOL.to_owned())), ("interval", Some(Interval::HOUR.to_string()))]));
    let report = client.post_csv::<IngestReport>(&path, CSV).await?.value;
    story.line(format!("{} bars of {}, {} gaps (weekends), all checked", report.added, styled(NAME, SYMBOL), report.gaps.len()));
    let again = client.post_csv::<IngestReport>(&path, CSV).await?.value;
    let unchanged = report.added == report.rows && again.added + again.replaced == 0 && again.unchanged == report.rows;
    story.expect(unchanged, "importing the same bars again changes nothing");
    Ok(())
}

/// The months of the sample with enough bars, from the calmest to the most turbulent.
pub(crate) fn months_by_volatility(bars: &Bars) -> Vec<Month> {
    let mut months: Vec<(String, Month, usize)> = Vec::new();
    for row in 1..bars.len() {
        let at = Timestamp(bars.timestamp[row]);
        let name = at.to_string().chars().take(7).collect::<String>();
        let squared = (bars.close[row] / bars.close[row - 1]).ln().powi(2);
        match months.last_mut() {
            Some((last, month, count)) if *last == name => {
                month.volatility += squared;
                month.until = at.plus_ms(Interval::HOUR.milliseconds());
                *count += 1;
            }
            _ => months.push((name, Month { from: at, until: at.plus_ms(Interval::HOUR.milliseconds()), volatility: squared }, 1)),
        }
    }
    let mut months: Vec<Month> = months
        .into_iter()
        .filter(|(_, _, count)| *count >= MONTH_BARS_MIN)
        .map(|(_, month, count)| Month { volatility: (month.volatility / count as f64).sqrt(), ..month })
        .collect();
    months.sort_by(|one, other| one.volatility.total_cmp(&other.volatility));
    months
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.from.to_string().chars().take(7).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_good_and_its_months_differ() {
        let bars = bars().unwrap();
        assert!(bars.len() > 6000);
        let months = months_by_volatility(&bars);
        let (calm, turbulent) = (&months[0], &months[months.len() - 1]);
        assert_eq!((calm.to_string().as_str(), turbulent.to_string().as_str()), ("2017-12", "2017-01"));
        assert!(turbulent.volatility > 1.5 * calm.volatility);
    }
}

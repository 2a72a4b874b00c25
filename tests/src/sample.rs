//! Bars and requests that tests share.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::repository;

/// Hourly EUR/USD: the sample that ships with the repository.
///
/// # Panics
/// When it is not there.
pub fn eurusd() -> Vec<u8> {
    fs_err::read(repository().join("examples/data/eurusd_1h.csv")).expect("the sample data is part of the repository")
}

/// The header of a CSV of bars.
pub const HEADER: &str = "timestamp,open,high,low,close,volume\n";

/// Hourly bars from 2024-01-01, as CSV: a price that swings with two periods and a little noise, the same every time.
pub fn swinging(rows: usize) -> Vec<u8> {
    let mut text = HEADER.to_owned();
    let mut before = 100.0;
    for row in 0..rows {
        let (open, close) = (before, price(row));
        let (high, low) = (f64::max(open, close) * 1.001, f64::min(open, close) * 0.999);
        writeln!(text, "{},{open:.6},{high:.6},{low:.6},{close:.6},{}", 1_704_067_200_i64 + row as i64 * 3600, 10 + row % 7)
            .expect("a string takes everything");
        before = close;
    }
    text.into_bytes()
}

fn price(row: usize) -> f64 {
    let hour = row as f64;
    // A linear congruence: noise that needs no generator.
    let noise =
        ((row as u64).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 40) as f64 / f64::from(1 << 24);
    100.0 + 3.0 * (hour / 40.0).sin() + (1.0 + (hour / 300.0).sin()) * (noise - 0.5)
}

/// A training request for `har` with short lags: a second of work.
pub fn har(symbol: &str) -> Value {
    json!({
        "model_type": "har",
        "symbol": symbol,
        "target": {"kind": "realized-volatility", "horizon": 24},
        "features": ["realized-volatility(6)", "realized-volatility(24)", "realized-volatility(168)"],
    })
}

/// A training request for the smallest `lstm`, with gates that let it pass.
pub fn lstm(symbol: &str, epochs: u32) -> Value {
    json!({
        "model_type": "lstm",
        "symbol": symbol,
        "target": {"kind": "realized-volatility", "horizon": 24},
        "features": ["log-return", "realized-volatility(24)"],
        "sequence_length": 8,
        "config": {"lstm_units": [4], "epochs": epochs},
        "gates": {"min_skill": null, "max_mse_vs_champion": null},
    })
}

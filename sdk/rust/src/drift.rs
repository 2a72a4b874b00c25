//! Drift tests (two samples at once) and drift detectors (value by value).
use crate::Result;
use crate::bindings::drift_detector::exports::bellwether::drift::detector;
use crate::bindings::drift_test::exports::bellwether::drift::test;
use crate::bindings::shared::bellwether::host::data::Frame as HostFrame;
use crate::data::{ColumnKind, Frame};
use crate::plugin::{Plugin, enter, read_config};

pub use detector::{Advance, Event, Severity};
pub use test::{Acceptance, Outcome, Scope};

/// A test of current data against a baseline made from reference data.
pub trait DriftTest: Plugin {
    /// What the test can be given; the host checks it before calling. One numeric column with at least 30 values a side
    /// unless it says otherwise.
    fn accepts() -> Acceptance {
        Acceptance::univariate(30)
    }

    /// Condenses reference data to bytes the host stores with the model version. Called once, at training.
    fn baseline(reference: &Frame, config: &Self::Config) -> Result<Vec<u8>>;

    /// Compares current data with a baseline this plugin made. The same arguments must give the same outcome.
    fn test(baseline: &[u8], current: &Frame, config: &Self::Config) -> Result<Outcome>;
}

impl Acceptance {
    /// One numeric column at a time, with at least `least_rows` present values on either side.
    pub fn univariate(least_rows: u32) -> Acceptance {
        Acceptance { scope: Scope::Univariate, kinds: vec![ColumnKind::Numeric], least_rows }
    }

    /// All numeric columns together, with at least `least_rows` present values on either side.
    pub fn multivariate(least_rows: u32) -> Acceptance {
        Acceptance { scope: Scope::Multivariate, ..Acceptance::univariate(least_rows) }
    }
}

impl<T: DriftTest> test::Guest for T {
    fn accepts() -> Acceptance {
        enter();
        <T as DriftTest>::accepts()
    }

    fn baseline(reference: &HostFrame, config: String) -> Result<Vec<u8>> {
        enter();
        <T as DriftTest>::baseline(&Frame::host(reference), &read_config::<T>(&config)?)
    }

    fn test(baseline: Vec<u8>, current: &HostFrame, config: String) -> Result<Outcome> {
        enter();
        <T as DriftTest>::test(&baseline, &Frame::host(current), &read_config::<T>(&config)?)
    }
}

/// A detector that sees one value after another. Its state travels as bytes ([`state`](crate::state)), so it survives
/// restarts.
pub trait DriftDetector: Plugin {
    /// The state before any value.
    fn start(config: &Self::Config) -> Result<Vec<u8>>;

    /// Takes some values in order. Splitting a list over several calls must give the same events.
    fn update(state: &[u8], values: &[f64], config: &Self::Config) -> Result<Advance>;
}

impl<T: DriftDetector> detector::Guest for T {
    fn start(config: String) -> Result<Vec<u8>> {
        enter();
        <T as DriftDetector>::start(&read_config::<T>(&config)?)
    }

    fn update(state: Vec<u8>, values: Vec<f64>, config: String) -> Result<Advance> {
        enter();
        <T as DriftDetector>::update(&state, &values, &read_config::<T>(&config)?)
    }
}

//! Stands in for the host in a plugin's own tests, natively: `cargo test` needs no WebAssembly.
//!
//! ```
//! use bellwether_sdk::testing;
//!
//! let frame = testing::frame(&[("rsi(14)", &[30.0, f64::NAN, 70.0])]);
//! let column = frame.only_column()?;
//! assert_eq!(column.present(), [30.0, 70.0]);
//! # Ok::<(), bellwether_sdk::Error>(())
//! ```
//! Secrets, the time and HTTP answers are set per thread, so tests that run side by side do not meet.
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::data::{Column, ColumnKind, Frame, Windows, memory};
use crate::deploy::{Measurement, Rollout, Side};
use crate::http::{Failure, FailureKind, Request, Response};
use crate::serde_json::{Map, Value};
use crate::{Plugin, plugin};

mod model;

pub use model::{check_search_space, network, outline, plan};

/// A numeric column.
pub fn column(name: &str, values: &[f64]) -> Column {
    Column::memory(memory_column(name, values))
}

/// A frame of numeric columns, each `(name, values)`.
///
/// # Panics
/// When the columns differ in length.
pub fn frame(columns: &[(&str, &[f64])]) -> Frame<'static> {
    assert!(columns.windows(2).all(|pair| pair[0].1.len() == pair[1].1.len()), "the columns of a frame have one length");
    Frame::memory(columns.iter().map(|(name, values)| memory_column(name, values)).collect())
}

/// Windows: `values` row-major [sample, step, feature], and one target per sample (none when predicting).
///
/// # Panics
/// When the numbers do not fill whole samples, or the targets are neither none nor one per sample.
pub fn windows(features: &[&str], steps: u32, values: &[f64], targets: &[f64]) -> Windows<'static> {
    let width = features.len() * steps as usize;
    assert!(width > 0 && values.len().is_multiple_of(width), "{} numbers are no windows of {width}", values.len());
    assert!(targets.is_empty() || targets.len() == values.len() / width, "one target per sample");
    let features = features.iter().map(|name| (*name).to_owned()).collect();
    Windows::memory(memory::Windows { features, steps, values: values.to_vec(), targets: targets.to_vec() })
}

/// A rollout that just began, at noon of 6 December 2024 UTC: `candidate` against `stable`, nothing measured.
pub fn rollout(stable: Option<&str>, candidate: &str) -> Rollout {
    let nothing = || Measurement { requests: 0, errors: 0, latency_p50_ms: None, latency_p99_ms: None, metrics: Vec::new() };
    let side = |id: &str, share: f64| Side { model_id: id.to_owned(), share, shadow: 0.0, measured: nothing() };
    Rollout {
        id: "rollout-1".to_owned(),
        endpoint: "BTC-USDT".to_owned(),
        stable: stable.map(|id| side(id, 1.0)),
        candidate: side(candidate, 0.0),
        steps: Vec::new(),
        elapsed_seconds: 0.0,
        now_ms: 1_733_486_400_000,
        health: None,
        analysis: None,
        approved: false,
        state: Vec::new(),
    }
}

/// The configuration a plugin gets when the operator gives `given`: the schema's defaults filled in as the host does,
/// then parsed and checked. Errors: as the plugin's own.
pub fn config<P: Plugin>(given: &Value) -> crate::Result<P::Config> {
    let schema: Value = serde_json::from_str(P::CONFIG_SCHEMA).expect("the schema is JSON: see check_schema");
    let mut filled = Map::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(default) = property.get("default") {
            filled.insert(name.clone(), default.clone());
        }
    }
    filled.extend(given.as_object().expect("a configuration is an object").clone());
    plugin::read_config::<P>(&Value::Object(filled).to_string())
}

/// Checks a plugin's schema the way the host will: an object that names every property, describes it, and whose defaults
/// with `required` (the properties without a default) make a configuration the plugin can read.
///
/// # Panics
/// When something is wrong, saying what.
pub fn check_schema<P: Plugin>(required: &Value) {
    let schema: Value = serde_json::from_str(P::CONFIG_SCHEMA).expect("CONFIG_SCHEMA is no JSON");
    assert_eq!(schema["type"], "object", "CONFIG_SCHEMA must describe an object");
    assert_eq!(schema["additionalProperties"], false, "CONFIG_SCHEMA must refuse unknown properties");
    for (name, property) in schema["properties"].as_object().expect("CONFIG_SCHEMA has `properties`") {
        assert!(property["description"].is_string(), "property `{name}` has no description");
    }
    if let Err(error) = config::<P>(required) {
        panic!("the defaults of CONFIG_SCHEMA are no configuration: {error:?}");
    }
}

thread_local! {
    static SECRETS: RefCell<HashMap<String, String>> = RefCell::new(HashMap::new());
    static NOW: Cell<i64> = const { Cell::new(0) };
    static RESPONDER: RefCell<Option<Rc<Responder>>> = const { RefCell::new(None) };
}

type Responder = dyn Fn(&Request) -> Result<Response, Failure>;

/// Sets a secret for this thread.
pub fn set_secret(name: &str, value: &str) {
    SECRETS.with_borrow_mut(|secrets| secrets.insert(name.to_owned(), value.to_owned()));
}

/// Sets the time for this thread, milliseconds since 1970-01-01T00:00:00Z.
pub fn set_now_ms(now: i64) {
    NOW.set(now);
}

/// Answers this thread's HTTP requests.
pub fn respond_with(responder: impl Fn(&Request) -> Result<Response, Failure> + 'static) {
    RESPONDER.set(Some(Rc::new(responder)));
}

pub(crate) fn secret(name: &str) -> Option<String> {
    SECRETS.with_borrow(|secrets| secrets.get(name).cloned())
}

pub(crate) fn now_ms() -> i64 {
    NOW.get()
}

pub(crate) fn answer(request: &Request) -> Result<Response, Failure> {
    let responder = RESPONDER.with_borrow(Clone::clone);
    responder.map_or_else(|| Err(Failure::new(FailureKind::Refused, "no responder is set for this test")), |respond| respond(request))
}

fn memory_column(name: &str, values: &[f64]) -> memory::Column {
    memory::Column { name: name.to_owned(), kind: ColumnKind::Numeric, values: values.into() }
}

#[cfg(test)]
mod tests {
    use super::{column, frame, windows};

    #[test]
    fn columns_answer_as_the_host_does() {
        let numbers = column("a", &[3.0, f64::NAN, 1.0, 2.0]);
        assert_eq!((numbers.len(), numbers.present()), (4, vec![3.0, 1.0, 2.0]));
        let moments = numbers.moments();
        assert_eq!((moments.count, moments.missing, moments.mean, moments.minimum, moments.maximum), (3, 1, 2.0, 1.0, 3.0));
        assert!((moments.variance - 2.0 / 3.0).abs() < 1e-15);
        assert_eq!(numbers.quantiles(&[0.0, 0.25, 1.0]), [1.0, 1.5, 3.0]);
        assert!(numbers.quantiles(&[1.5])[0].is_nan() && column("b", &[]).quantiles(&[0.5])[0].is_nan());
        assert_eq!(numbers.histogram(&[1.0, 3.0]), [0, 2, 1]);
    }

    #[test]
    fn long_columns_come_in_pieces() {
        let values: Vec<f64> = (0..150_000).map(f64::from).collect();
        let numbers = column("a", &values);
        assert_eq!(numbers.chunks().map(|chunk| chunk.len()).collect::<Vec<_>>(), [65_536, 65_536, 18_928]);
        assert_eq!(numbers.values(), values);
    }

    #[test]
    fn windows_come_in_whole_samples() {
        let values: Vec<f64> = (0..180_000).map(f64::from).collect();
        let inputs = windows(&["a", "b", "c"], 20, &values, &vec![1.0; 3000]);
        let chunks: Vec<_> = inputs.chunks().collect();
        assert_eq!(chunks.iter().map(|chunk| chunk.first).collect::<Vec<_>>(), [0, 1092, 2184]);
        assert_eq!(chunks.iter().flat_map(|chunk| chunk.values.clone()).collect::<Vec<_>>(), values);
        let last: Vec<f64> = inputs.last_rows().flat_map(|chunk| chunk.values).collect();
        assert_eq!((last.len(), &last[..4]), (9000, &[57.0, 58.0, 59.0, 117.0][..]));
        assert_eq!(inputs.targets().len(), 3000);
    }

    #[test]
    fn a_univariate_frame_has_one_column() {
        assert!(frame(&[("a", &[1.0])]).only_column().is_ok());
        let message = frame(&[("a", &[1.0]), ("b", &[2.0])]).only_column().err().unwrap();
        assert_eq!(message.message(), "one column expected, 2 given: a, b");
        assert!(frame(&[]).only_column().is_err());
    }
}

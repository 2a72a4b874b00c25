//! Model types: what a model is, and, where it is not a network, how it learns.
//!
//! A model type that plans a network ([`network`](crate::network)) or an ensemble never sees data: the host trains and
//! serves it natively. One that plans [`TrainingPlan::Guest`] implements [`Estimator`] too.
use crate::Result;
use crate::bindings::estimator::exports::bellwether::model::estimator;
use crate::bindings::planner::exports::bellwether::model::planner;
use crate::bindings::shared::bellwether::host::data::Windows as HostWindows;
use crate::data::Windows;
use crate::plugin::{Plugin, enter, read_config};
use crate::serde_json::Value;

mod rows;

pub use rows::{Rows, check_features, read_targets, task_of};

pub use planner::{Combination, Ensemble, GuestModel, HyperParameter, InputShape, Member, Range, Requirements, Target, Task, TrainingPlan};

/// A model type.
pub trait ModelType: Plugin {
    /// What the model needs under a configuration: the features and the window it wants when the job names none, and the
    /// least training samples.
    fn requires(config: &Self::Config) -> Result<Requirements>;

    /// What to train under a configuration. Pure.
    fn plan(config: &Self::Config, input: &InputShape, target: &Target) -> Result<TrainingPlan>;

    /// Settings worth tuning, with their ranges. None unless it says otherwise.
    fn search_space() -> Vec<HyperParameter> {
        Vec::new()
    }
}

impl<T: ModelType> planner::Guest for T {
    fn requires(config: String) -> Result<Requirements> {
        enter();
        <T as ModelType>::requires(&read_config::<T>(&config)?)
    }

    fn plan(config: String, input: InputShape, target: Target) -> Result<TrainingPlan> {
        enter();
        <T as ModelType>::plan(&read_config::<T>(&config)?, &input, &target)
    }

    fn search_space() -> Vec<HyperParameter> {
        enter();
        <T as ModelType>::search_space()
    }
}

/// A model type that fits itself.
pub trait Estimator: ModelType {
    /// Learns from `train`; `validation` comes later in time and may steer stopping. Returns the state
    /// [`predict`](Estimator::predict) reads ([`state`](crate::state)).
    fn fit(train: &Windows, validation: &Windows, config: &Self::Config) -> Result<Vec<u8>>;

    /// Predicts each sample of `inputs`, in order, in the target's unit (for a binary task a probability).
    fn predict(state: &[u8], inputs: &Windows, config: &Self::Config) -> Result<Vec<f64>>;
}

impl<T: Estimator> estimator::Guest for T {
    fn fit(train: &HostWindows, validation: &HostWindows, config: String) -> Result<Vec<u8>> {
        enter();
        <T as Estimator>::fit(&Windows::host(train), &Windows::host(validation), &read_config::<T>(&config)?)
    }

    fn predict(state: Vec<u8>, inputs: &HostWindows, config: String) -> Result<Vec<f64>> {
        enter();
        <T as Estimator>::predict(&state, &Windows::host(inputs), &read_config::<T>(&config)?)
    }
}

/// Features that say where a market stands and have kept their scale over years: returns, ranges and volatilities instead
/// of prices and volumes, which no model can know beyond those it has seen. A good default for any model type.
pub const STATIONARY_FEATURES: &[&str] = &[
    "log-return",
    "log-range",
    "body",
    "realized-volatility(6)",
    "realized-volatility(24)",
    "realized-volatility(168)",
    "volume-zscore(24)",
    "hour-sin",
    "hour-cos",
];

impl Requirements {
    /// These features in windows of so many steps, and at least so many samples.
    pub fn new<'a>(features: impl IntoIterator<Item = &'a &'a str>, sequence_length: u32, least_rows: u32) -> Requirements {
        let features = features.into_iter().map(|feature| (*feature).to_owned()).collect();
        Requirements { features, sequence_length, least_rows }
    }
}

impl HyperParameter {
    /// Whole numbers from `low` to `high`, evenly.
    pub fn whole(name: &str, low: i64, high: i64) -> HyperParameter {
        HyperParameter { name: name.to_owned(), values: Range::Whole((low, high, false)) }
    }

    /// Whole numbers from `low` to `high`, by ratio.
    pub fn whole_log(name: &str, low: i64, high: i64) -> HyperParameter {
        HyperParameter { name: name.to_owned(), values: Range::Whole((low, high, true)) }
    }

    /// Real numbers from `low` to `high`, evenly.
    pub fn real(name: &str, low: f64, high: f64) -> HyperParameter {
        HyperParameter { name: name.to_owned(), values: Range::Real((low, high, false)) }
    }

    /// Real numbers from `low` to `high`, by ratio.
    pub fn real_log(name: &str, low: f64, high: f64) -> HyperParameter {
        HyperParameter { name: name.to_owned(), values: Range::Real((low, high, true)) }
    }

    /// One of these values.
    pub fn choice(name: &str, values: impl IntoIterator<Item = impl Into<Value>>) -> HyperParameter {
        let values = values.into_iter().map(|value| value.into().to_string()).collect();
        HyperParameter { name: name.to_owned(), values: Range::Choice(values) }
    }
}

//! A version ready to answer: windows of raw features, or raw bars, in; numbers in the target's unit out.
//!
//! Training judges with the same code that serves, so that what was measured is what is served.

use bellwether_domain::Result;
use bellwether_domain::bars::Bars;
use bellwether_domain::model::ModelSpec;
use bellwether_domain::time::Timestamp;
use bellwether_plugin::PluginHost;

use crate::artifact::Artifact;

/// A loaded version. Shared between requests.
#[derive(Debug)]
pub struct Predictor {}

/// Raw features of several windows.
#[derive(Debug, Clone, PartialEq)]
pub struct RawWindows {
    /// Row-major [window, step, feature].
    pub values: Vec<f64>,
    /// Number of windows.
    pub count: usize,
    /// Last close before each prediction, needed for the target `price` only.
    pub last_close: Option<Vec<f64>>,
}

impl Predictor {
    /// Compiles the network or finds the guest's plugin. Errors: `Invalid` for an artifact that does not fit together;
    /// `Unavailable` when the guest's plugin is not loaded; a plugin of another version is accepted, of another name not.
    pub fn load(artifact: Artifact, plugins: &PluginHost) -> Result<Predictor> {
        let _ = (artifact, plugins);
        todo!()
    }

    /// What it is.
    pub fn spec(&self) -> &ModelSpec {
        todo!()
    }

    /// Bytes of memory it takes.
    pub fn size_bytes(&self) -> usize {
        todo!()
    }

    /// Bars `predict_bars` needs for one prediction: window and warm-up of the features.
    pub fn bars_needed(&self) -> usize {
        todo!()
    }

    /// True when predicting blocks on CPU work in this process (a network) rather than waiting for a plugin.
    pub fn is_native(&self) -> bool {
        todo!()
    }

    /// Predicts windows of raw features: a number each, in the target's unit (direction: a probability). Every answer is
    /// finite, else `Internal`. Errors: `Invalid` with field `windows` for a wrong shape (wanted and got) or a value that is not finite.
    pub async fn predict(&self, windows: RawWindows) -> Result<Vec<f64>> {
        let _ = windows;
        todo!()
    }

    /// The same for networks, on the calling thread. Errors: `Conflict` when it is not native.
    pub fn predict_native(&self, windows: &RawWindows) -> Result<Vec<f64>> {
        let _ = windows;
        todo!()
    }

    /// The raw window that ends at the last bar. Errors: `Invalid` with field `bars`: too few (needs and has), a gap inside.
    pub fn window_of(&self, bars: &Bars) -> Result<(RawWindows, Timestamp)> {
        let _ = bars;
        todo!()
    }
}

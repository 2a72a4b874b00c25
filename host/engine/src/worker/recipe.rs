//! What will be trained: the plugin's requirements under the job's wishes, and its plan.

use std::sync::Arc;

use bellwether_domain::feature::Feature;
use bellwether_domain::job::TrainingRequest;
use bellwether_domain::model::PluginStamp;
use bellwether_domain::{Error, Result};
use bellwether_plugin::{InputShape, ModelPlugin, Plan, PluginHost};
use serde_json::Value;

use crate::worker::voice::Voice;

/// Most steps of a window.
const STEPS_MAX: u32 = 10_000;
/// Most features of a model.
const FEATURES_MAX: usize = 1_000;

/// Everything decided before the first sample is made.
pub(crate) struct Recipe {
    pub(crate) plugin: Arc<ModelPlugin>,
    pub(crate) stamp: PluginStamp,
    pub(crate) config: Value,
    pub(crate) features: Vec<Feature>,
    pub(crate) steps: u32,
    pub(crate) least_samples: u64,
    pub(crate) plan: Plan,
}

impl Recipe {
    /// Asks the plugin. Errors: `NotFound` for the model type, `Invalid` naming the setting, `Plugin` for the plugin's own.
    pub(crate) async fn make(request: &TrainingRequest, plugins: &PluginHost, voice: &mut Voice<'_>) -> Result<Recipe> {
        let plugin = plugins.model(&request.model_type)?;
        let config = plugins.configure(&request.model_type, &Value::Object(request.config.clone()))?;
        let stamp = plugins.stamp(&request.model_type)?;
        let needs = plugin.requirements(&config).await?;
        let features = request.features.clone().unwrap_or(needs.features);
        check_features(&features)?;
        let mut steps = request.sequence_length.unwrap_or(needs.sequence_length);
        if !(1..=STEPS_MAX).contains(&steps) {
            return Err(Error::invalid("sequence_length", format!("is {steps}; it must be 1 to {STEPS_MAX}")));
        }
        let names: Vec<String> = features.iter().map(ToString::to_string).collect();
        let input = InputShape { sequence_length: steps, features: names.clone() };
        let plan = plugin.plan(&config, &input, request.target).await?;
        if let Plan::Members(..) = plan {
            let why =
                format!("`{}` plans an ensemble, which this host does not train yet; train its members one by one", request.model_type);
            return Err(Error::invalid("model_type", why));
        }
        if let (Plan::Guest { last_step_only: true, .. }, 2..) = (&plan, steps) {
            voice.log(format!("`{}` reads only the last step: windows of 1 step instead of {steps}", request.model_type))?;
            steps = 1;
        }
        voice.log(format!("{} {} for {}; windows of {steps} steps of {}", stamp.name, stamp.version, request.target, names.join(", ")))?;
        Ok(Recipe { plugin, stamp, config, features, steps, least_samples: u64::from(needs.least_rows), plan })
    }
}

fn check_features(features: &[Feature]) -> Result<()> {
    if !(1..=FEATURES_MAX).contains(&features.len()) {
        return Err(Error::invalid("features", format!("there are {}; 1 to {FEATURES_MAX} are allowed", features.len())));
    }
    match features.iter().enumerate().find(|(place, feature)| features[..*place].contains(feature)) {
        Some((_, twice)) => Err(Error::invalid("features", format!("`{twice}` is named twice"))),
        None => Ok(()),
    }
}

//! What will be trained: the plugin's requirements under the job's wishes, and its plan. An ensemble's members are planned
//! each by its own plugin.

use std::sync::Arc;

use bellwether_domain::feature::Feature;
use bellwether_domain::job::TrainingRequest;
use bellwether_domain::model::PluginStamp;
use bellwether_domain::network::Network;
use bellwether_domain::{Error, Result};
use bellwether_plugin::{Bundled, InputShape, ModelPlugin, Plan, PluginHost, Requirements};
use serde_json::Value;

use crate::worker::categorical;
use crate::worker::combine::Combine;
use crate::worker::voice::Voice;
use crate::worker::{Order, open_plugins};

mod members;

pub(crate) use members::of_member;

/// Most steps of a window.
const STEPS_MAX: u32 = 10_000;
/// Most features of a model.
const FEATURES_MAX: usize = 1_000;

/// Everything decided before the first sample is made.
pub(crate) struct Recipe {
    /// The plugin of the model type.
    pub(crate) stamp: PluginStamp,
    pub(crate) config: Value,
    /// Everything any learner reads.
    pub(crate) features: Vec<Feature>,
    /// The longest window any learner reads.
    pub(crate) steps: u32,
    pub(crate) least_samples: u64,
    /// One, or the members of an ensemble.
    pub(crate) learners: Vec<Learner>,
    /// How members are combined, with the plan's weights.
    pub(crate) combine: Option<(Combine, Vec<f64>)>,
    /// A host with every plugin that the learners need.
    pub(crate) plugins: PluginHost,
}

/// One model to fit.
pub(crate) struct Learner {
    pub(crate) model_type: String,
    pub(crate) plugin: Arc<ModelPlugin>,
    pub(crate) stamp: PluginStamp,
    pub(crate) config: Value,
    /// Places of its features in the recipe's.
    pub(crate) columns: Vec<usize>,
    /// Its features, in its own order.
    pub(crate) features: Vec<Feature>,
    /// Steps it reads: the last ones of a window.
    pub(crate) steps: u32,
    pub(crate) seed: u64,
    pub(crate) plan: Single,
}

/// What is fitted.
pub(crate) enum Single {
    /// A network; `embedded` says which features it reads as categories.
    Network {
        network: Box<Network>,
        embedded: Vec<bool>,
    },
    Guest {
        scaled: bool,
    },
}

impl Recipe {
    /// Asks the plugins. Errors: `NotFound` for the model type, `Invalid` naming the setting, `Plugin` for the plugin's own.
    pub(crate) async fn make(order: &Order, bundled: &[Bundled], plugins: &PluginHost, voice: &mut Voice<'_>) -> Result<Recipe> {
        let request = &order.request;
        let plugin = plugins.model(&request.model_type)?;
        let config = plugins.configure(&request.model_type, &Value::Object(request.config.clone()))?;
        let needs = plugin.requirements(&config).await?;
        let (features, steps) = shape(request, &needs);
        // An ensemble may leave features and window to its members; it is shown what the job names.
        check_shape(&features, steps).or_else(|error| if needs.features.is_empty() { Ok(()) } else { Err(error) })?;
        let input = InputShape { sequence_length: steps, features: features.iter().map(ToString::to_string).collect() };
        let plan = plugin.plan(&config, &input, request.target).await?;
        let stamp = plugins.stamp(&request.model_type)?;
        let recipe = match plan {
            Plan::Members(members, combine) => {
                // Which model types they are is known only now, and a wrong name shall be told the nearest one of all.
                let plugins = open_plugins(order, bundled, Vec::new()).await?;
                let own = Own { stamp, config, needs };
                members::recipe(request, own, members, Combine::named(&combine)?, plugins).await?
            }
            single @ (Plan::Network(_) | Plan::Guest { .. }) => {
                check_shape(&features, steps)?;
                let columns = (0..features.len()).collect();
                let (steps, plan) = single_plan(single, &features, steps)?;
                let (model_type, seed, least) = (request.model_type.clone(), request.seed, u64::from(needs.least_rows));
                let learner = Learner {
                    model_type,
                    plugin,
                    stamp: stamp.clone(),
                    config: config.clone(),
                    columns,
                    features: features.clone(),
                    steps,
                    seed,
                    plan,
                };
                let plugins = plugins.clone();
                Recipe { stamp, config, features, steps, least_samples: least, learners: vec![learner], combine: None, plugins }
            }
        };
        recipe.check_weights(request)?;
        recipe.describe(request, &input, voice)?;
        Ok(recipe)
    }

    /// Every plugin behind it, its own first.
    pub(crate) fn stamps(&self) -> Vec<&PluginStamp> {
        std::iter::once(&self.stamp).chain(self.learners.iter().map(|learner| &learner.stamp)).collect()
    }

    /// Guests are fitted by their plugins, and the contract hands them no weights: better refused than left out in silence.
    fn check_weights(&self, request: &TrainingRequest) -> Result<()> {
        let guest = self.learners.iter().find(|learner| matches!(learner.plan, Single::Guest { .. }));
        match guest.filter(|_| !request.sample_weights.is_none()) {
            None => Ok(()),
            Some(guest) => {
                let why = format!(
                    "`{}` is fitted by its plugin, and the plugin contract carries no sample weights; leave them out or use a network",
                    guest.model_type
                );
                Err(Error::invalid("sample_weights", why))
            }
        }
    }

    fn describe(&self, request: &TrainingRequest, asked: &InputShape, voice: &mut Voice<'_>) -> Result<()> {
        let names = |features: &[Feature]| features.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let (stamp, steps) = (&self.stamp, self.steps);
        for (place, learner) in self.learners.iter().enumerate().filter(|_| self.combine.is_some()) {
            let of = format!("member {} of {}", place + 1, self.learners.len());
            voice.log(format!(
                "{of}: {} {}, {} steps of {}",
                learner.model_type,
                learner.stamp.version,
                learner.steps,
                names(&learner.features)
            ))?;
        }
        if self.combine.is_none() && steps < asked.sequence_length {
            voice.log(format!(
                "`{}` reads only the last step: windows of 1 step instead of {}",
                request.model_type, asked.sequence_length
            ))?;
        }
        for learner in &self.learners {
            if let Single::Network { embedded, .. } = &learner.plan
                && embedded.contains(&true)
            {
                let read = learner.features.iter().zip(embedded).filter(|(_, embedded)| **embedded).map(|(feature, _)| feature.clone());
                voice.log(format!("`{}` embeds {} as they are, unscaled", learner.model_type, names(&read.collect::<Vec<_>>())))?;
            }
        }
        voice.log(format!("{} {} for {}; windows of {steps} steps of {}", stamp.name, stamp.version, request.target, names(&self.features)))
    }
}

/// What the model type itself says.
struct Own {
    stamp: PluginStamp,
    config: Value,
    needs: Requirements,
}

/// Features and steps: the job's, else the plugin's.
fn shape(request: &TrainingRequest, needs: &Requirements) -> (Vec<Feature>, u32) {
    let features = request.features.clone().unwrap_or_else(|| needs.features.clone());
    (features, request.sequence_length.unwrap_or(needs.sequence_length))
}

/// The plan of one model, and the steps that it reads.
fn single_plan(plan: Plan, features: &[Feature], steps: u32) -> Result<(u32, Single)> {
    match plan {
        Plan::Network(network) => {
            let embedded = categorical::embedded(&network, features)?;
            Ok((steps, Single::Network { network: Box::new(network), embedded }))
        }
        Plan::Guest { scaled, last_step_only } => Ok((if last_step_only { 1 } else { steps }, Single::Guest { scaled })),
        Plan::Members(..) => {
            Err(Error::invalid("model_type", "is an ensemble itself; members are single models: list its members instead"))
        }
    }
}

fn check_shape(features: &[Feature], steps: u32) -> Result<()> {
    if !(1..=STEPS_MAX).contains(&steps) {
        return Err(Error::invalid("sequence_length", format!("is {steps}; it must be 1 to {STEPS_MAX}")));
    }
    if !(1..=FEATURES_MAX).contains(&features.len()) {
        return Err(Error::invalid("features", format!("there are {}; 1 to {FEATURES_MAX} are allowed", features.len())));
    }
    match features.iter().enumerate().find(|(place, feature)| features[..*place].contains(feature)) {
        Some((_, twice)) => Err(Error::invalid("features", format!("`{twice}` is named twice"))),
        None => Ok(()),
    }
}

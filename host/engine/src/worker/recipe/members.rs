//! The recipe of an ensemble: every member planned by its own plugin, over one set of samples.
//!
//! Features and window are the job's; else the ensemble's; else, where it names no feature, each member has its own, the
//! ensemble's features are all of them and its window is the longest. A member reads its columns and its last steps.

use bellwether_domain::feature::Feature;
use bellwether_domain::job::TrainingRequest;
use bellwether_domain::model::MEMBERS_MAX;
use bellwether_domain::{Error, Result};
use bellwether_plugin::{InputShape, PluginHost};
use serde_json::Value;

use crate::worker::combine::Combine;
use crate::worker::recipe::{Learner, Own, Recipe, check_shape, shape, single_plan};

/// What the plan says of one member: model type, configuration, weight.
type Planned = (String, Value, f64);

/// Plans every member. Errors: `Invalid` with field `config.members.<place>`, from 0, naming the member and what is wrong.
pub(super) async fn recipe(
    request: &TrainingRequest,
    own: Own,
    members: Vec<Planned>,
    combine: Combine,
    plugins: PluginHost,
) -> Result<Recipe> {
    if members.len() > MEMBERS_MAX {
        return Err(Error::invalid("config.members", format!("there are {}; at most {MEMBERS_MAX} are trained together", members.len())));
    }
    let (mut features, mut steps, mut least, mut weights, mut learners) =
        (Vec::new(), 1, u64::from(own.needs.least_rows), Vec::new(), Vec::new());
    for (place, (model_type, wishes, weight)) in members.into_iter().enumerate() {
        let named = |error| of_member(error, place, &model_type);
        let (learner, least_rows) = member(request, &own, place, &model_type, &wishes, &plugins).await.map_err(named)?;
        for feature in &learner.features {
            if !features.contains(feature) {
                features.push(feature.clone());
            }
        }
        steps = steps.max(learner.steps);
        least = least.max(u64::from(least_rows));
        weights.push(weight);
        learners.push(learner);
    }
    for learner in &mut learners {
        learner.columns = learner.features.iter().filter_map(|feature| features.iter().position(|other| other == feature)).collect();
    }
    let Own { stamp, config, .. } = own;
    Ok(Recipe { stamp, config, features, steps, least_samples: least, learners, combine: Some((combine, weights)), plugins })
}

/// One member, without its columns, and the least training samples it wants.
async fn member(
    request: &TrainingRequest,
    own: &Own,
    place: usize,
    model_type: &str,
    wishes: &Value,
    plugins: &PluginHost,
) -> Result<(Learner, u32)> {
    let plugin = plugins.model(model_type)?;
    let config = plugins.configure(model_type, wishes)?;
    let needs = plugin.requirements(&config).await?;
    let said = if own.needs.features.is_empty() { &needs } else { &own.needs };
    let (features, steps): (Vec<Feature>, u32) = shape(request, said);
    check_shape(&features, steps)?;
    let input = InputShape { sequence_length: steps, features: features.iter().map(ToString::to_string).collect() };
    let (steps, plan) = single_plan(plugin.plan(&config, &input, request.target).await?, &features, steps)?;
    let stamp = plugins.stamp(model_type)?;
    // Members of one kind shall differ at least in their seeds; the first has the job's own.
    let seed = request.seed.wrapping_add(place as u64);
    let learner = Learner { model_type: model_type.to_owned(), plugin, stamp, config, columns: Vec::new(), features, steps, seed, plan };
    Ok((learner, needs.least_rows))
}

/// An error of a member, naming it. A plugin's own fault keeps its kind.
pub(crate) fn of_member(error: Error, place: usize, model_type: &str) -> Error {
    let field = format!("config.members.{place}");
    match error {
        Error::Invalid { field: inner, why } => Error::invalid(field, format!("member `{model_type}`: {inner}: {why}")),
        Error::NotFound { .. } => Error::invalid(field, error.to_string()),
        Error::Unavailable(why) => Error::Unavailable(format!("{field}: member `{model_type}`: {why}")),
        other => other,
    }
}

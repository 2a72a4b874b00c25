//! For tests of model types: what they plan, and whether what they offer to tune can be set.
use crate::model::{InputShape, ModelType, Range, Target, Task, TrainingPlan};
use crate::network::{Network, Operation};
use crate::serde_json::{Value, json};
use crate::testing::config;

/// What a model type plans under a configuration for windows of `steps` × `features`: a return or, for a binary task, a
/// direction one bar ahead. Errors: as the plugin's own.
pub fn plan<P: ModelType>(given: &Value, steps: u32, features: &[&str], task: Task) -> crate::Result<TrainingPlan> {
    let config = config::<P>(given)?;
    let input = InputShape { sequence_length: steps, features: features.iter().map(|name| (*name).to_owned()).collect() };
    let kind = if task == Task::Binary { "direction" } else { "return" };
    P::plan(&config, &input, &Target { kind: kind.to_owned(), horizon: 1, task })
}

/// The same for a model type that plans networks.
///
/// # Panics
/// When it plans something else.
pub fn network<P: ModelType>(given: &Value, steps: u32, features: &[&str], task: Task) -> crate::Result<Network> {
    match plan::<P>(given, steps, features, task)? {
        TrainingPlan::Network(network) => Ok(network),
        other => panic!("a network expected: {other:?}"),
    }
}

/// A network for people: a line `name <- what it reads` per node but the input, with the width or share that the operation
/// has, as in `dense_1(1) <- dropout_2`.
pub fn outline(network: &Network) -> Vec<String> {
    let line = |node: &crate::network::raw::Node| {
        let inputs: Vec<&str> = node.inputs.iter().map(|input| network.nodes[*input as usize].name.as_str()).collect();
        format!("{}{} <- {}", node.name, number(&node.operation), inputs.join(", "))
    };
    network.nodes.iter().filter(|node| !node.inputs.is_empty()).map(line).collect()
}

fn number(operation: &Operation) -> String {
    match operation {
        Operation::Dense(dense) => format!("({})", dense.units),
        Operation::Lstm(layer) | Operation::Gru(layer) => format!("({})", layer.units),
        Operation::Conv1d(conv) => format!("({})", conv.filters),
        Operation::Attention(attention) => format!("({})", attention.heads),
        Operation::Dropout(share) => format!("({share})"),
        Operation::Activation(function) => format!("({})", format!("{function:?}").to_lowercase().replace("activation::", "")),
        Operation::Reshape(axes) => format!("({axes:?})"),
        _ => String::new(),
    }
}

/// Checks that every setting a model type offers to tune is a property of its schema, and that its bounds and choices make
/// configurations the plugin takes, each over the settings in `required`.
///
/// # Panics
/// When something is wrong, saying what.
pub fn check_search_space<P: ModelType>(required: &Value) {
    let schema: Value = serde_json::from_str(P::CONFIG_SCHEMA).expect("the schema is JSON: see check_schema");
    for parameter in P::search_space() {
        let name = &parameter.name;
        assert!(schema["properties"][name].is_object(), "`{name}` is no property of CONFIG_SCHEMA");
        let values: Vec<Value> = match &parameter.values {
            Range::Whole((low, high, _)) => vec![json!(low), json!(high)],
            Range::Real((low, high, _)) => vec![json!(low), json!(high)],
            Range::Choice(values) => values.iter().map(|value| serde_json::from_str(value).expect("a choice is JSON")).collect(),
        };
        for value in values {
            let mut given = required.clone();
            given[name] = value.clone();
            if let Err(error) = config::<P>(&given) {
                panic!("`{name}` = {value}, offered for tuning, is refused: {error:?}");
            }
        }
    }
}

//! Features that a network reads as categories: `slice` and `reshape` of the input that end in an `embedding`.
//!
//! An embedding looks its whole numbers up in a table, so the host hands them over unscaled. Which columns these are is
//! found by walking the network: slices of the feature axis narrow the set, everything else that only moves numbers keeps it.

use bellwether_domain::feature::Feature;
use bellwether_domain::network::{Network, Node, Operation};
use bellwether_domain::{Error, Result};

/// For each feature, whether an embedding reads it. Errors: `Invalid` naming the node that embeds a feature which is no
/// category, or which has more categories than the node's table.
pub(crate) fn embedded(network: &Network, features: &[Feature]) -> Result<Vec<bool>> {
    let mut embedded = vec![false; features.len()];
    let mut reaching: Vec<Vec<usize>> = Vec::with_capacity(network.nodes.len());
    for node in &network.nodes {
        let reads: Vec<usize> = node.inputs.iter().filter_map(|place| reaching.get(*place as usize)).flatten().copied().collect();
        if let Operation::Embedding(table) = &node.operation {
            for place in &reads {
                check(node, &features[*place], table.categories)?;
                embedded[*place] = true;
            }
        }
        reaching.push(passes(&node.operation, reads, features.len(), network, node));
    }
    Ok(embedded)
}

/// Places of the features whose own numbers are in a node's value.
fn passes(operation: &Operation, reads: Vec<usize>, features: usize, network: &Network, node: &Node) -> Vec<usize> {
    match operation {
        Operation::Input => (0..features).collect(),
        Operation::Slice(slice) if slice.axis == 1 && is_input(network, node) => {
            let (first, count) = (slice.start as usize, slice.length as usize);
            (first.min(features)..first.saturating_add(count).min(features)).collect()
        }
        // The last axis of the input's last step, or of a slice: which numbers these are is not followed any further.
        Operation::Slice(_) | Operation::Reshape(_) | Operation::Concat(_) | Operation::Dropout(_) | Operation::TimePooling(_) => reads,
        Operation::Dense(_)
        | Operation::Lstm(_)
        | Operation::Gru(_)
        | Operation::Conv1d(_)
        | Operation::LayerNorm(_)
        | Operation::BatchNorm(_)
        | Operation::Attention(_)
        | Operation::PositionalEncoding(_)
        | Operation::Embedding(_)
        | Operation::Activation(_)
        | Operation::Add
        | Operation::Multiply
        | Operation::Custom(_) => Vec::new(),
    }
}

/// The node reads the whole input, cut in time at most.
fn is_input(network: &Network, node: &Node) -> bool {
    let read = node.inputs.first().and_then(|place| network.nodes.get(*place as usize));
    read.is_some_and(|read| match &read.operation {
        Operation::Input => true,
        Operation::Slice(slice) => slice.axis == 0 && is_input(network, read),
        _ => false,
    })
}

fn check(node: &Node, feature: &Feature, table: u32) -> Result<()> {
    let wrong = |why: String| Err(Error::invalid(format!("network.{}", node.name), why));
    match feature.categories() {
        None => wrong(format!("embeds `{feature}`, which is an amount and no category; embed `hour-of-day` or `day-of-week`")),
        Some(categories) if table < categories => {
            wrong(format!("has a table of {table} categories and `{feature}` has {categories}; make it at least as large"))
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Nodes as (operation, inputs).
    fn network(nodes: &[(Value, &[u32])]) -> Network {
        let training = json!({"epochs": 1, "batch_size": 1, "learning_rate": 0.1, "optimizer": {"kind": "sgd", "with":
            {"momentum": 0.0, "nesterov": false, "weight_decay": 0.0}}, "schedule": {"kind": "constant"}, "clip_norm": null, "early_stopping": null});
        let node = |(place, (operation, inputs)): (usize, &(Value, &[u32]))| json!({"name": format!("n{place}"), "operation": operation, "inputs": inputs});
        let nodes: Vec<Value> = nodes.iter().enumerate().map(node).collect();
        serde_json::from_value(json!({"nodes": nodes, "outputs": [], "training": training})).expect("network")
    }

    fn slice(axis: u32, start: u32, length: u32) -> Value {
        json!({"op": "slice", "with": {"axis": axis, "start": start, "length": length}})
    }

    fn embedding(categories: u32) -> Value {
        json!({"op": "embedding", "with": {"categories": categories, "width": 4}})
    }

    fn features(names: &[&str]) -> Vec<Feature> {
        names.iter().map(|name| name.parse().expect("feature")).collect()
    }

    #[test]
    fn the_walk_ends_in_embeddings() {
        let input = json!({"op": "input"});
        let reshape = json!({"op": "reshape", "with": [5]});
        let names = features(&["log-return", "hour-of-day", "rsi(14)", "day-of-week"]);
        let check = |nodes: &[(Value, &[u32])], expected: Result<[bool; 4], &str>| match (embedded(&network(nodes), &names), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            other => panic!("{other:?}"),
        };
        let one = |first: u32, categories: u32| {
            [
                (input.clone(), &[][..]),
                (slice(1, first, 1), &[0][..]),
                (reshape.clone(), &[1][..]),
                (embedding(categories), &[2][..]),
                (slice(1, 0, 3), &[0][..]),
                (json!({"op": "concat", "with": 1}), &[3, 4][..]),
            ]
        };
        check(&one(1, 24), Ok([false, true, false, false]));
        check(&one(3, 7), Ok([false, false, false, true]));
        check(&one(3, 6), Err("network.n3: has a table of 6 categories and `day-of-week` has 7"));
        check(&one(2, 24), Err("network.n3: embeds `rsi(14)`, which is an amount"));
        let dense = json!({"op": "dense", "with": {"units": 2, "bias": true, "kernel": {"kind": "standard"}}});
        check(&[(input.clone(), &[]), (slice(1, 1, 1), &[0]), (dense, &[1])], Ok([false; 4]));
        // The hour of the last step only: cut in time, then in features.
        let last =
            [(input, &[][..]), (slice(0, 4, 1), &[0][..]), (slice(1, 1, 1), &[1][..]), (reshape, &[2][..]), (embedding(24), &[3][..])];
        check(&last, Ok([false, true, false, false]));
    }
}

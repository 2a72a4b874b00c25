//! The decoded file made walkable: who makes which value, in what order, and the attributes of a node.
//!
//! Only what the first output needs is walked, in an order where every node comes after all it reads; a cycle, a value
//! that nobody makes and a value made twice are refused here, so the mapping can rely on their absence.

use std::collections::HashMap;

use prost::Message;

use crate::proto::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};
use crate::scan;
use bellwether_domain::{Error, Result};

/// Operator sets whose meaning is known here.
const OPSETS: std::ops::RangeInclusive<i64> = 9..=25;

/// A file's graph.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) opset: i64,
    proto: GraphProto,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    /// An input that the caller feeds.
    Input,
    Initializer(&'a TensorProto),
    /// A node, by its place.
    Node(usize),
}

impl Graph {
    /// Decodes a file.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Graph> {
        if bytes.is_empty() {
            return Err(Error::invalid("model", "the file is empty"));
        }
        scan::check(bytes).map_err(|why| Error::invalid("model", why))?;
        let model =
            ModelProto::decode(bytes).map_err(|error| Error::invalid("model", format!("is not an ONNX model, or cut short: {error}")))?;
        let proto = model.graph.ok_or_else(|| Error::invalid("model", "holds no graph; is it an ONNX model?"))?;
        let own = |domain: &str| domain.is_empty() || domain == "ai.onnx";
        let opset = model.opset_import.iter().find(|set| own(&set.domain)).map(|set| set.version);
        let opset = opset.ok_or_else(|| Error::invalid("model", "does not say which version of the ONNX operators it uses"))?;
        if !OPSETS.contains(&opset) {
            let why = format!("uses version {opset} of the ONNX operators; {} to {} are read", OPSETS.start(), OPSETS.end());
            return Err(Error::invalid("model", why));
        }
        if proto.output.is_empty() {
            return Err(Error::invalid("model", "has no output"));
        }
        Ok(Graph { opset, proto })
    }

    pub(crate) fn nodes(&self) -> &[NodeProto] {
        &self.proto.node
    }

    pub(crate) fn outputs(&self) -> &[ValueInfoProto] {
        &self.proto.output
    }

    /// The one input that is not an initialiser.
    pub(crate) fn input(&self) -> Result<&ValueInfoProto> {
        let constant: std::collections::HashSet<&str> = self.proto.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        let mut fed = self.proto.input.iter().filter(|input| !constant.contains(input.name.as_str()));
        let first = fed.next().ok_or_else(|| Error::invalid("model", "has no input; one reads the feature window"))?;
        match fed.next() {
            None => Ok(first),
            Some(second) => {
                let why = format!("is a second input beside `{}`; a model reads one feature window", shown(&first.name));
                Err(Error::invalid(format!("model.{}", shown(&second.name)), why))
            }
        }
    }

    /// Where every value comes from.
    pub(crate) fn sources(&self) -> Result<HashMap<&str, Source<'_>>> {
        let mut sources = HashMap::new();
        for input in &self.proto.input {
            sources.insert(input.name.as_str(), Source::Input);
        }
        for tensor in &self.proto.initializer {
            if let Some(Source::Initializer(_)) = sources.insert(tensor.name.as_str(), Source::Initializer(tensor)) {
                return Err(Error::invalid(format!("model.{}", shown(&tensor.name)), "is the name of two initialisers"));
            }
        }
        for (place, node) in self.proto.node.iter().enumerate() {
            for output in node.output.iter().filter(|name| !name.is_empty()) {
                if sources.insert(output, Source::Node(place)).is_some() {
                    return Err(Error::invalid(field(node), format!("makes the value `{}`, which exists already", shown(output))));
                }
            }
        }
        Ok(sources)
    }

    /// Places of the nodes that `output` needs, each after all it reads.
    pub(crate) fn order(&self, output: &str, sources: &HashMap<&str, Source<'_>>) -> Result<Vec<usize>> {
        let made_by = |name: &str| match sources.get(name) {
            Some(Source::Node(place)) => Ok(Some(*place)),
            Some(Source::Input | Source::Initializer(_)) => Ok(None),
            None => Err(format!("reads `{}`, which nothing in the file makes", shown(name))),
        };
        let mut order = Vec::new();
        let start = made_by(output).map_err(|_| Error::invalid(format!("model.{}", shown(output)), "is an output that no node makes"))?;
        let Some(start) = start else { return Ok(order) };
        // 0: not seen, 1: what it reads is being visited, 2: done. The stack holds (node, next input), never the call stack.
        let mut state = vec![0_u8; self.proto.node.len()];
        let mut stack = vec![(start, 0)];
        state[start] = 1;
        while let Some((place, next)) = stack.pop() {
            let node = &self.proto.node[place];
            let Some(name) = node.input.get(next) else {
                state[place] = 2;
                order.push(place);
                continue;
            };
            stack.push((place, next + 1));
            if name.is_empty() {
                continue;
            }
            let Some(maker) = made_by(name).map_err(|why| Error::invalid(field(node), format!("{} {why}", shown(&node.op_type))))? else {
                continue;
            };
            match state[maker] {
                0 => {
                    state[maker] = 1;
                    stack.push((maker, 0));
                }
                1 => {
                    return Err(Error::invalid(
                        field(node),
                        format!("{} reads its own result; the graph has a cycle", shown(&node.op_type)),
                    ));
                }
                _ => {}
            }
        }
        Ok(order)
    }
}

/// `model.<name of the node, or of its first output>`.
pub(crate) fn field(node: &NodeProto) -> String {
    let first = node.output.iter().find(|name| !name.is_empty()).map_or("", String::as_str);
    format!("model.{}", shown(if node.name.is_empty() { first } else { &node.name }))
}

/// A name of the file, short and without control characters.
pub(crate) fn shown(name: &str) -> String {
    let plain: String = name.chars().take(120).map(|letter| if letter.is_control() { '?' } else { letter }).collect();
    if name.chars().nth(120).is_some() { format!("{plain}…") } else { plain }
}

/// Attributes by name, with the defaults of the operators.
pub(crate) trait Attributes {
    fn attribute(&self, name: &str) -> Option<&AttributeProto>;
    fn integer(&self, name: &str, default: i64) -> i64;
    fn real(&self, name: &str, default: f32) -> f32;
    fn integers(&self, name: &str) -> Option<&[i64]>;
    fn text(&self, name: &str, default: &'static str) -> String;
}

impl Attributes for NodeProto {
    fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.attribute.iter().find(|attribute| attribute.name == name)
    }

    fn integer(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |attribute| attribute.i)
    }

    fn real(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).map_or(default, |attribute| attribute.f)
    }

    fn integers(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|attribute| attribute.ints.as_slice())
    }

    fn text(&self, name: &str, default: &'static str) -> String {
        self.attribute(name).map_or_else(|| default.to_owned(), |attribute| String::from_utf8_lossy(&attribute.s).into_owned())
    }
}

//! The nodes of a file, one after the other, become pieces of a network.
//!
//! A value is known (folded), or a signal: a piece seen with some axes. Each topic below takes an operator with its inputs
//! and gives its results, or says in words why it cannot be mapped; the walk adds the node's name. A value that exists in
//! the file but has no meaning here (a cell state, a dropout mask) is only an error where it is read.

mod attention;
mod conv;
mod dense;
mod norm;
mod pointwise;
mod pooling;
mod recurrent;
mod select;
mod shape;
mod written;

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use bellwether_domain::network::{Activation, Operation};
use bellwether_domain::{Error, Result};

use crate::fold::{self, Known};
use crate::graph::{Attributes, Graph, Source, field, shown};
use crate::layout::{Dim, Signal, batch};
use crate::pieces::{Op, Parameter, Piece};
use crate::proto::NodeProto;
use crate::tensor::{self, Budget, Constant, Number};

pub(crate) use attention::attend;

/// Most pieces; a network has at most 10 000 nodes, and a node of ours is a few pieces.
const PIECES_MAX: usize = 50_000;

/// Most numbers of one value. What stays in the network has the stricter limit of `shape::VALUES_MAX`.
const NUMBERS_MAX: usize = 1 << 30;

/// A value of the file.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Known(Known),
    Signal(Signal),
    /// Exists, but cannot be read; the text says why.
    Closed(&'static str),
}

/// The growing network.
#[derive(Debug)]
pub(crate) struct Mapper {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) budget: Budget,
    pub(crate) batch: Number,
    pub(crate) narrowed: Cell<bool>,
    opset: i64,
    origin: Rc<(String, String)>,
}

/// One node with what it reads.
pub(crate) struct Call<'a> {
    node: &'a NodeProto,
    inputs: Vec<Option<Value>>,
}

type Mapped<T = Vec<Value>> = Result<T, String>;

impl Mapper {
    /// An empty network that reads windows of `[steps, features]` as piece 0.
    pub(crate) fn new(steps: usize, features: usize, batch: Number, opset: i64, budget: Budget) -> Mapper {
        let origin = Rc::new(("model".to_owned(), "input".to_owned()));
        let input =
            Piece { op: Op::Ours(Operation::Input), inputs: vec![], shape: vec![steps, features], weights: vec![], origin: origin.clone() };
        Mapper { pieces: vec![input], budget, batch, narrowed: Cell::new(false), opset, origin }
    }

    /// Walks the graph and gives the signal of `output`.
    pub(crate) fn walk(&mut self, graph: &Graph, input: &str, window: Signal, output: &str) -> Result<Signal> {
        let sources = graph.sources()?;
        let order = graph.order(output, &sources)?;
        let mut values: HashMap<&str, Value> = HashMap::from([(input, Value::Signal(window))]);
        for place in order {
            let node = &graph.nodes()[place];
            let kind = shown(&node.op_type);
            let fault = |why: String| Error::invalid(field(node), format!("{kind} {why}"));
            self.origin = Rc::new((field(node), kind.clone()));
            for name in node.input.iter().filter(|name| !name.is_empty()) {
                if let (false, Some(Source::Initializer(tensor))) = (values.contains_key(name.as_str()), sources.get(name.as_str())) {
                    let read = tensor::decode(tensor, &self.budget, &self.narrowed);
                    let constant = read.map_err(|why| Error::invalid(format!("model.{}", shown(name)), why))?;
                    values.insert(name, Value::Known(Known::Constant(constant)));
                }
            }
            let inputs = node.input.iter().map(|name| values.get(name.as_str()).cloned()).collect();
            let results = self.apply(&Call { node, inputs }).map_err(fault)?;
            for (name, value) in node.output.iter().zip(results) {
                values.insert(name, value);
            }
        }
        match values.remove(output) {
            Some(Value::Signal(signal)) => Ok(signal),
            Some(Value::Known(_)) => {
                Err(Error::invalid(format!("model.{}", shown(output)), "is a constant; it does not depend on the window"))
            }
            Some(Value::Closed(why)) => Err(Error::invalid(format!("model.{}", shown(output)), why)),
            None => Err(Error::invalid(format!("model.{}", shown(output)), "is an output that no node makes")),
        }
    }

    fn apply(&mut self, call: &Call<'_>) -> Mapped {
        let node = call.node;
        if !node.domain.is_empty() && node.domain != "ai.onnx" {
            return Err(format!("is of the operator set `{}`; only the standard ONNX operators are mapped", shown(&node.domain)));
        }
        if let Some(why) = call.inputs.iter().flatten().find_map(|value| if let Value::Closed(why) = value { Some(*why) } else { None }) {
            return Err(why.to_owned());
        }
        if node.op_type == "Constant" {
            return self.constant(node);
        }
        let known: Option<Vec<Option<&Known>>> = call
            .inputs
            .iter()
            .map(|input| match input {
                None => Some(None),
                Some(Value::Known(known)) => Some(Some(known)),
                Some(_) => None,
            })
            .collect();
        if let Some(known) = known {
            return Ok(fold::fold(node, &known, self.opset, &self.budget)?.into_iter().map(Value::Known).collect());
        }
        self.map(call)
    }

    /// Operators that read the window.
    fn map(&mut self, call: &Call<'_>) -> Mapped {
        match call.node.op_type.as_str() {
            "MatMul" => self.matmul(call),
            "Gemm" => self.gemm(call),
            "LSTM" | "GRU" => self.recurrent(call),
            "Conv" => self.conv(call),
            "Pad" => self.pad(call),
            "LayerNormalization" => self.layer_norm(call),
            "BatchNormalization" => self.batch_norm(call),
            "Add" | "Sub" | "Mul" | "Div" => self.arithmetic(call),
            "Where" => self.choose(call),
            "Greater" => self.above(call),
            "Softmax" => self.softmax(call),
            "Relu" => self.activation(call, Activation::Relu),
            "Tanh" => self.activation(call, Activation::Tanh),
            "Sigmoid" => self.activation(call, Activation::Sigmoid),
            "Softplus" => self.activation(call, Activation::Softplus),
            "Swish" if call.node.real("alpha", 1.0) == 1.0 => self.activation(call, Activation::Silu),
            "Gelu" => self.gelu(call),
            "Erf" | "Neg" => self.simple(call),
            "Identity" | "Dropout" | "Cast" => self.passed(call),
            "Shape" | "Transpose" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Expand" => self.reshape_family(call),
            "Slice" => self.slice(call),
            "Gather" => self.gather(call),
            "Split" => self.split(call),
            "Concat" => self.concat(call),
            "ReduceMean" | "ReduceMax" | "ReduceSum" | "GlobalAveragePool" | "GlobalMaxPool" => self.pool(call),
            "If" | "Loop" | "Scan" => Err("runs other graphs inside; export the model without data-dependent control flow".to_owned()),
            _ => Err("cannot be mapped onto a network description".to_owned()),
        }
    }

    fn constant(&self, node: &NodeProto) -> Mapped {
        let Some(attribute) = node.attribute.first() else { return Err("has no value".to_owned()) };
        let count = attribute.ints.len().max(attribute.floats.len());
        self.budget.take(count)?;
        let whole = |list: &[i64]| list.iter().copied().map(Number::known).collect::<Vec<_>>();
        let constant = match (attribute.name.as_str(), &attribute.t) {
            ("value", Some(tensor)) => tensor::decode(tensor, &self.budget, &self.narrowed)?,
            ("value_float", _) => Constant::floats(vec![], vec![attribute.f]),
            ("value_floats", _) => Constant::floats(vec![count], attribute.floats.clone()),
            ("value_int", _) => Constant::numbers(vec![], whole(&[attribute.i])),
            ("value_ints", _) => Constant::numbers(vec![count], whole(&attribute.ints)),
            (other, _) => return Err(format!("has its value in the attribute `{}`, which is not read", shown(other))),
        };
        Ok(vec![Value::Known(Known::Constant(constant))])
    }

    /// Adds a piece.
    pub(crate) fn add(&mut self, op: Op, inputs: &[usize], shape: &[usize], weights: Vec<Parameter>) -> Mapped<usize> {
        if self.pieces.len() >= PIECES_MAX {
            return Err(format!("makes the network larger than {PIECES_MAX} pieces"));
        }
        if fold::product(shape).is_none_or(|numbers| numbers > NUMBERS_MAX) {
            return Err(format!("makes a value of shape {shape:?}, more than {NUMBERS_MAX} numbers for one window"));
        }
        self.pieces.push(Piece { op, inputs: inputs.to_vec(), shape: shape.to_vec(), weights, origin: self.origin.clone() });
        Ok(self.pieces.len() - 1)
    }

    /// The same layout over a new piece of the same shape.
    fn over(&mut self, signal: &Signal, op: Op) -> Mapped<Signal> {
        let shape = self.pieces[signal.piece].shape.clone();
        let piece = self.add(op, &[signal.piece], &shape, vec![])?;
        Ok(Signal { piece, dims: signal.dims.clone() })
    }

    /// The axis of the batch.
    fn batch_dim(&self) -> Dim {
        batch(self.batch)
    }
}

impl Call<'_> {
    /// The first input, computed from the window.
    fn signal(&self, place: usize) -> Mapped<&Signal> {
        match self.inputs.get(place) {
            Some(Some(Value::Signal(signal))) => Ok(signal),
            Some(Some(_)) => Err(format!("reads a constant as input {place}, where a value computed from the window is expected")),
            _ => Err(format!("lacks input {place}")),
        }
    }

    /// A known input; none where it is left out.
    fn known(&self, place: usize) -> Mapped<Option<&Known>> {
        match self.inputs.get(place) {
            None | Some(None) => Ok(None),
            Some(Some(Value::Known(known))) => Ok(Some(known)),
            Some(Some(_)) => Err(format!("computes its input {place} from the window; it must be a constant")),
        }
    }

    /// A constant input; none where it is left out.
    fn constant(&self, place: usize) -> Mapped<Option<&Constant>> {
        match self.known(place)? {
            None => Ok(None),
            Some(Known::Constant(constant)) => Ok(Some(constant)),
            Some(Known::Splat(_)) => Err(format!("reads a constant whose shape holds the batch size as input {place}")),
        }
    }

    /// A constant input that must be there.
    fn weights(&self, place: usize, what: &str) -> Mapped<&Constant> {
        self.constant(place)?.ok_or_else(|| format!("lacks its {what} (input {place})"))
    }
}

fn one(signal: Signal) -> Mapped {
    Ok(vec![Value::Signal(signal)])
}

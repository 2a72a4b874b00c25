//! LSTM and GRU.
//!
//! ONNX keeps W [directions, gates·u, in], R [directions, gates·u, u] and B [directions, 2·gates·u]: input biases, then
//! recurrent ones. Its gates are i, o, f, c (LSTM) and z, r, h (GRU); ours are i, f, g, o and r, z, n, with kernels
//! [in, gates·u]. The two biases of a gate only ever appear as a sum, except for the GRU's candidate with
//! `linear_before_reset`, n = tanh(x·Wn + bn + r · (h·Rn + cn)), where c stays apart as our recurrent bias.

use std::rc::Rc;

use bellwether_domain::network::{Initializer, Operation, Recurrent, Slice, TimePooling};

use super::{Call, Mapped, Mapper, Value};
use crate::fold::Known;
use crate::graph::Attributes;
use crate::layout::{Signal, part, whole};
use crate::pieces::{Op, Parameter};
use crate::proto::NodeProto;
use crate::tensor::Constant;

/// Place in ONNX of each of our gates.
const LSTM_GATES: &[usize] = &[0, 2, 3, 1];
const GRU_GATES: &[usize] = &[1, 0, 2];

struct Cell<'a> {
    gates: &'a [usize],
    units: usize,
    width: usize,
    directions: usize,
}

impl Mapper {
    pub(super) fn recurrent(&mut self, call: &Call<'_>) -> Mapped {
        let (node, lstm) = (call.node, call.node.op_type == "LSTM");
        let directions = check_attributes(node, lstm)?;
        let source = self.sequence(call.signal(0)?, 0, 2)?;
        let [steps, width] = self.pieces[source].shape[..] else { return Err("reads a value that is not a sequence".to_owned()) };
        let kernel = call.weights(1, "weights")?;
        let recurrent = call.weights(2, "recurrent weights")?;
        let units = recurrent.shape.get(2).copied().unwrap_or(0);
        let cell = Cell { gates: if lstm { LSTM_GATES } else { GRU_GATES }, units, width, directions };
        let all = cell.gates.len().saturating_mul(units);
        if units == 0 || kernel.shape != [directions, all, width] || recurrent.shape != [directions, all, units] {
            return Err(format!(
                "has weights {:?} and {:?} for an input of {width} features and {directions} direction(s); [{directions}, {all}, {width}] and [{directions}, {all}, {units}] are expected",
                kernel.shape, recurrent.shape
            ));
        }
        let bias = call.constant(3)?;
        if let Some(bias) = bias.filter(|bias| bias.shape != [directions, 2 * all]) {
            return Err(format!("has biases of shape {:?}; [{directions}, {}] is expected", bias.shape, 2 * all));
        }
        self.check_states(call, lstm, steps)?;
        let weights = self.cell_weights(&cell, kernel, recurrent, bias)?;
        let layer = Recurrent {
            units: u32::try_from(units).unwrap_or(u32::MAX),
            layers: 1,
            bidirectional: directions == 2,
            return_sequences: true,
            kernel: Initializer::Standard,
            recurrent_kernel: Initializer::Standard,
        };
        let op = if lstm { Operation::Lstm(layer) } else { Operation::Gru(layer) };
        let piece = self.add(Op::Ours(op), &[source], &[steps, directions * units], weights)?;
        let batch = self.batch_dim();
        let dims = vec![whole(0, steps), part(1, directions, units), batch.clone(), part(1, units, 1)];
        let last = self.last_state(piece, steps, units, directions)?;
        let state = Signal { piece: last, dims: vec![part(0, directions, units), batch, part(0, units, 1)] };
        let cells = "reads the cell state of an LSTM, which a network description does not give";
        Ok(vec![Value::Signal(Signal { piece, dims }), Value::Signal(state), Value::Closed(cells)])
    }

    /// The state after the last step; backwards in time that is the first step.
    fn last_state(&mut self, piece: usize, steps: usize, units: usize, directions: usize) -> Mapped<usize> {
        if directions == 1 {
            return self.add(Op::Ours(Operation::TimePooling(TimePooling::Last)), &[piece], &[units], vec![]);
        }
        let narrow = |start: usize| {
            let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
            Op::Ours(Operation::Slice(Slice { axis: 1, start: number(start), length: number(units) }))
        };
        let forward = self.add(narrow(0), &[piece], &[steps, units], vec![])?;
        let forward = self.add(Op::Ours(Operation::TimePooling(TimePooling::Last)), &[forward], &[units], vec![])?;
        let backward = self.add(narrow(units), &[piece], &[steps, units], vec![])?;
        let backward = self.add(Op::Ours(Operation::Slice(Slice { axis: 0, start: 0, length: 1 })), &[backward], &[1, units], vec![])?;
        let flat = Op::Ours(Operation::Reshape(vec![u32::try_from(units).unwrap_or(u32::MAX)]));
        let backward = self.add(flat, &[backward], &[units], vec![])?;
        self.add(Op::Ours(Operation::Concat(0)), &[forward, backward], &[2 * units], vec![])
    }

    /// Initial states must be zero, lengths all of the window.
    fn check_states(&self, call: &Call<'_>, lstm: bool, steps: usize) -> Mapped<()> {
        if let Some(lengths) = call.constant(4)?
            && lengths.as_integers()?.iter().any(|length| usize::try_from(*length) != Ok(steps))
        {
            return Err(format!("reads sequences of other lengths than the {steps} steps of the window"));
        }
        for (place, name) in [(5, "hidden"), (6, "cell")].into_iter().take(if lstm { 2 } else { 1 }) {
            let zero = match call.known(place)? {
                None => true,
                Some(Known::Splat(value)) => *value == 0.0,
                Some(Known::Constant(constant)) => constant.as_floats()?.iter().all(|value| *value == 0.0),
            };
            if !zero {
                return Err(format!("begins with an initial {name} state that is not zero; a network description always begins at zero"));
            }
        }
        if lstm && call.known(7)?.is_some() {
            return Err("has peephole weights, which a network description has not".to_owned());
        }
        Ok(())
    }

    fn cell_weights(&self, cell: &Cell<'_>, kernel: &Constant, recurrent: &Constant, bias: Option<&Constant>) -> Mapped<Vec<Parameter>> {
        let (units, gates) = (cell.units, cell.gates.len());
        let all = gates * units;
        self.budget.take(kernel.len().saturating_add(recurrent.len()).saturating_add(4 * all))?;
        let (kernel, recurrent) = (kernel.as_floats()?, recurrent.as_floats()?);
        let bias: Option<Rc<[f32]>> = bias.map(Constant::as_floats).transpose()?;
        let mut weights = Vec::new();
        for (direction, suffix) in ["0", "0-reverse"].iter().take(cell.directions).enumerate() {
            // Row (gate, unit) of ONNX becomes column (our gate, unit) of ours.
            let turned = |values: &[f32], width: usize| -> Vec<f32> {
                let values = &values[direction * all * width..(direction + 1) * all * width];
                let column = |column: usize| cell.gates[column / units] * units + column % units;
                (0..width).flat_map(|row| (0..all).map(move |at| (row, at))).map(|(row, at)| values[column(at) * width + row]).collect()
            };
            let given = |half: usize, gate: usize, unit: usize| {
                bias.as_ref().map_or(0.0, |bias| bias[direction * 2 * all + half * all + cell.gates[gate] * units + unit])
            };
            let sum = |gate: usize, unit: usize| match (gates, gate) {
                (3, 2) => given(0, gate, unit),
                _ => given(0, gate, unit) + given(1, gate, unit),
            };
            let sums: Vec<f32> = (0..all).map(|at| sum(at / units, at % units)).collect();
            weights.push(Parameter::new(format!("kernel-{suffix}"), &[cell.width, all], turned(&kernel, cell.width)));
            weights.push(Parameter::new(format!("recurrent-kernel-{suffix}"), &[units, all], turned(&recurrent, units)));
            weights.push(Parameter::new(format!("bias-{suffix}"), &[all], sums));
            if gates == 3 {
                let inner: Vec<f32> = (0..units).map(|unit| given(1, 2, unit)).collect();
                weights.push(Parameter::new(format!("recurrent-bias-{suffix}"), &[units], inner));
            }
        }
        Ok(weights)
    }
}

/// Number of directions, after checking what else would change the formula.
fn check_attributes(node: &NodeProto, lstm: bool) -> Mapped<usize> {
    let direction = node.text("direction", "forward");
    let directions = match direction.as_str() {
        "forward" => 1,
        "bidirectional" => 2,
        other => return Err(format!("runs in the direction `{}`; forward and bidirectional are mapped", crate::graph::shown(other))),
    };
    if node.integer("layout", 0) != 0 {
        return Err("has layout 1; layout 0 (time first) is mapped, as exporters write it".to_owned());
    }
    if node.integer("input_forget", 0) != 0 || node.attribute("clip").is_some() {
        return Err("couples gates or clips them, which a network description does not".to_owned());
    }
    let wanted: &[&str] = if lstm { &["sigmoid", "tanh", "tanh"] } else { &["sigmoid", "tanh"] };
    if let Some(given) = node.attribute("activations").map(|attribute| &attribute.strings).filter(|given| !given.is_empty()) {
        let same = given.len() == wanted.len() * directions
            && given.iter().enumerate().all(|(at, name)| name.eq_ignore_ascii_case(wanted[at % wanted.len()].as_bytes()));
        if !same {
            return Err("has other activations than sigmoid and tanh".to_owned());
        }
    }
    if !lstm && node.integer("linear_before_reset", 0) == 0 {
        return Err("has linear_before_reset = 0: the reset gate multiplies the state before its product, another formula than that of \
                    PyTorch, Keras and cuDNN, which a network description uses; export with linear_before_reset = 1"
            .to_owned());
    }
    Ok(directions)
}

//! Trees as bytes and as predictions.
//!
//! A tree is stored in the order root, left, right: a split in three bytes (column, and number of the cut among those of the
//! column that are used anywhere), a leaf in six (a mark and its answer in single precision). Reading checks everything:
//! what comes back may be foreign.
use bellwether_sdk::data::Windows;
use bellwether_sdk::model::{Rows, Task, check_features};
use bellwether_sdk::state::{Reader, Writer};
use bellwether_sdk::{Error, Result};

use crate::binning::Cuts;
use crate::grow::{Node, Tree};
use crate::objective::probability;

/// Tag and version of the state.
const STATE: (&str, u32) = ("gbdt", 1);

/// In place of a column: a leaf.
const LEAF: u16 = u16::MAX;

/// Rows that a tree is asked for at once.
const BLOCK: usize = 64;

/// The shapes of rows and the tasks, by their number in a state.
const SHAPES: [Rows; 3] = [Rows::LastStep, Rows::Summary, Rows::Flatten];
const TASKS: [Task; 2] = [Task::Regression, Task::Binary];

/// What trees are read on and answer in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    pub(crate) features: Vec<String>,
    pub(crate) steps: u32,
    pub(crate) rows: Rows,
    pub(crate) task: Task,
    /// Score before the first tree.
    pub(crate) start: f64,
    /// A score in the target's unit: shift + scale · score.
    pub(crate) shift: f64,
    pub(crate) scale: f64,
}

/// Trees to predict with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Forest {
    frame: Frame,
    /// All trees, each in the order root, left, right.
    nodes: Vec<Step>,
    /// First node of each tree.
    roots: Vec<usize>,
}

/// A split: at most `number` goes to the next node, more to `right`. A leaf: the answer `number`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    number: f64,
    column: u16,
    right: u32,
}

/// The state of a fitted model.
pub(crate) fn write(frame: &Frame, cuts: &Cuts, trees: &[Tree]) -> Vec<u8> {
    let place = |found: Option<usize>| found.unwrap_or(0) as u64;
    let mut writer = Writer::new(STATE.0, STATE.1);
    writer.texts(&frame.features);
    writer.u64(u64::from(frame.steps));
    writer.u64(place(SHAPES.iter().position(|shape| *shape == frame.rows)));
    writer.u64(place(TASKS.iter().position(|task| *task == frame.task)));
    writer.numbers(&[frame.start, frame.shift, frame.scale]);

    let mut used: Vec<Vec<u8>> = vec![Vec::new(); cuts.0.len()];
    for node in trees.iter().flat_map(|tree| &tree.0) {
        if let Node::Split { column, bin, .. } = node {
            used[usize::from(*column)].push(*bin);
        }
    }
    writer.u64(used.len() as u64);
    for (bins, cuts) in used.iter_mut().zip(&cuts.0) {
        bins.sort_unstable();
        bins.dedup();
        writer.numbers(&bins.iter().map(|bin| cuts[usize::from(*bin)]).collect::<Vec<f64>>());
    }
    let mut bytes = Vec::new();
    for tree in trees {
        let mut waiting = vec![0];
        while let Some(place) = waiting.pop() {
            match tree.0[place] {
                Node::Leaf { value } => {
                    bytes.extend(LEAF.to_le_bytes());
                    bytes.extend((value as f32).to_le_bytes());
                }
                Node::Split { column, bin, left, right } => {
                    bytes.extend(column.to_le_bytes());
                    bytes.push(used[usize::from(column)].partition_point(|used| *used < bin) as u8);
                    waiting.extend([right as usize, left as usize]);
                }
            }
        }
    }
    writer.u64(trees.len() as u64);
    writer.bytes(&bytes);
    writer.finish()
}

fn damaged(what: &str) -> Error {
    Error::invalid_input(format!("the `gbdt` state is damaged: {what}"))
}

impl Forest {
    /// Reads a state. Errors: [`Error::InvalidInput`] for a foreign or damaged one.
    pub(crate) fn read(bytes: &[u8]) -> Result<Forest> {
        let mut reader = Reader::open(bytes, STATE.0, STATE.1)?;
        let features = reader.texts()?;
        let steps = u32::try_from(reader.u64()?).map_err(|_| damaged("its windows are too long"))?;
        let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let rows = *SHAPES.get(place(reader.u64()?)).ok_or_else(|| damaged("its rows have no known shape"))?;
        let task = *TASKS.get(place(reader.u64()?)).ok_or_else(|| damaged("its task is not known"))?;
        let numbers = reader.numbers()?;
        let [start, shift, scale] = numbers[..] else { return Err(damaged("it has not three numbers of scale")) };
        let columns = reader.u64()?;
        if columns >= u64::from(LEAF) {
            return Err(damaged("it has too many columns"));
        }
        let cuts = (0..columns).map(|_| reader.numbers()).collect::<Result<Vec<Vec<f64>>>>()?;
        let (count, bytes) = (reader.u64()?, reader.bytes()?);
        reader.finish()?;
        if !numbers.iter().chain(cuts.iter().flatten()).all(|number| number.is_finite()) {
            return Err(damaged("a number is not finite"));
        }
        let mut forest = Forest { frame: Frame { features, steps, rows, task, start, shift, scale }, nodes: Vec::new(), roots: Vec::new() };
        let mut rest = bytes;
        while !rest.is_empty() {
            forest.roots.push(forest.nodes.len());
            rest = forest.read_tree(&cuts, rest)?;
        }
        if forest.roots.len() as u64 != count {
            return Err(damaged("it has not as many trees as it says"));
        }
        Ok(forest)
    }

    /// Reads one tree off the front; what is left.
    fn read_tree<'b>(&mut self, cuts: &[Vec<f64>], mut bytes: &'b [u8]) -> Result<&'b [u8]> {
        let cut_short = || damaged("a tree ends before its last leaf");
        // Splits whose left side is being read.
        let mut open = Vec::new();
        loop {
            let (head, rest) = bytes.split_first_chunk::<2>().ok_or_else(cut_short)?;
            let column = u16::from_le_bytes(*head);
            if column != LEAF {
                let (cut, rest) = rest.split_first().ok_or_else(cut_short)?;
                let number = cuts.get(usize::from(column)).and_then(|cuts| cuts.get(usize::from(*cut)));
                let number = *number.ok_or_else(|| damaged("a split names a cut that is not there"))?;
                open.push(self.nodes.len());
                self.nodes.push(Step { number, column, right: 0 });
                bytes = rest;
                continue;
            }
            let (value, rest) = rest.split_first_chunk::<4>().ok_or_else(cut_short)?;
            let number = f64::from(f32::from_le_bytes(*value));
            if !number.is_finite() {
                return Err(damaged("a leaf is not finite"));
            }
            self.nodes.push(Step { number, column: LEAF, right: 0 });
            let Some(split) = open.pop() else { return Ok(rest) };
            self.nodes[split].right = u32::try_from(self.nodes.len()).map_err(|_| damaged("it has too many nodes"))?;
            bytes = rest;
        }
    }

    /// Predicts. Errors: [`Error::InvalidInput`] for other features or steps than the trees learned from.
    pub(crate) fn predict(&self, inputs: &Windows) -> Result<Vec<f64>> {
        let frame = &self.frame;
        check_features(frame.rows, &frame.features, frame.steps, inputs)?;
        let width = frame.rows.width(inputs.steps(), frame.features.len());
        let split_on = |step: &Step| step.column != LEAF && usize::from(step.column) >= width;
        if self.nodes.iter().any(split_on) {
            return Err(damaged("a split is on a column that rows do not have"));
        }
        let mut predictions = Vec::new();
        let mut block = Vec::with_capacity(BLOCK * width);
        frame.rows.for_each(inputs, |_, row| {
            block.extend_from_slice(row);
            if block.len() == BLOCK * width {
                self.score(&block, width, &mut predictions);
                block.clear();
            }
        })?;
        self.score(&block, width, &mut predictions);
        for score in &mut predictions {
            *score = match frame.task {
                Task::Binary => probability(*score),
                Task::Regression => frame.shift + frame.scale * *score,
            };
        }
        Ok(predictions)
    }

    /// Appends the scores of some rows: tree after tree, so that a tree is read once for all of them. Each row's sum is made in
    /// the order of the trees, alone or in company.
    fn score(&self, rows: &[f64], width: usize, scores: &mut Vec<f64>) {
        let first = scores.len();
        scores.resize(first + rows.len() / width.max(1), self.frame.start);
        for root in &self.roots {
            for (score, row) in scores[first..].iter_mut().zip(rows.chunks_exact(width.max(1))) {
                *score += self.answer(*root, row);
            }
        }
    }

    /// A tree's answer for a row. It moves forward at each step, so it ends.
    fn answer(&self, root: usize, row: &[f64]) -> f64 {
        let mut place = root;
        loop {
            let step = &self.nodes[place];
            if step.column == LEAF {
                return step.number;
            }
            place = if row[usize::from(step.column)] <= step.number { place + 1 } else { step.right as usize };
        }
    }
}

//! Boosting: tree after tree on the derivatives of what the trees before left over (Friedman 2001), each on a share of rows
//! and columns (Friedman 2002, "Stochastic Gradient Boosting").
use bellwether_sdk::{Error, Result, progress};

use crate::binning::{Cuts, Table};
use crate::dice::Dice;
use crate::grow::{Grower, Leaf, Node, Rules, Tree};
use crate::objective::{Objective, quantile};

/// Values read between two reports: about a tenth of a second.
const REPORT: usize = 1 << 25;

/// Trees in a row without a split after which there is nothing left to learn.
const BARREN: u32 = 10;

/// How to boost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Settings {
    pub(crate) objective: Objective,
    pub(crate) trees: u32,
    pub(crate) learning_rate: f64,
    pub(crate) patience: u32,
    pub(crate) row_share: f64,
    pub(crate) feature_share: f64,
    pub(crate) rules: Rules,
}

/// Samples with their scores so far.
pub(crate) struct Part<'a> {
    pub(crate) table: &'a Table,
    pub(crate) targets: &'a [f64],
    scores: Vec<f64>,
}

impl<'a> Part<'a> {
    pub(crate) fn new(table: &'a Table, targets: &'a [f64]) -> Part<'a> {
        Part { table, targets, scores: Vec::new() }
    }
}

/// The first score and the trees up to the best validation loss. Stops early when the host says so. Errors:
/// [`Error::InvalidInput`] when a loss is not finite.
pub(crate) fn boost<'a>(
    cuts: &Cuts,
    mut train: Part<'a>,
    mut validation: Part<'a>,
    settings: &Settings,
    dice: &mut Dice,
) -> Result<(f64, Vec<Tree>)> {
    let objective = settings.objective;
    let start = objective.start(train.targets);
    for part in [&mut train, &mut validation] {
        part.scores = vec![start; part.targets.len()];
    }
    let judged = !validation.targets.is_empty() && settings.patience > 0;
    let mut best = (objective.loss(&validation.scores, validation.targets), 0);
    let mut grower = Grower::new(cuts, train.table, settings.rules);
    let mut trees: Vec<Tree> = Vec::new();
    let (mut rows, mut columns, mut drawn) = (Vec::new(), Vec::new(), vec![false; train.table.rows()]);
    let mut slopes = vec![[0.0; 2]; train.targets.len()];
    let (mut barren, mut read) = (0, 0);
    for round in 1..=settings.trees {
        objective.slopes(&train.scores, train.targets, &mut slopes);
        dice.choose(train.table.rows(), settings.row_share, &mut rows);
        dice.choose(cuts.0.len(), settings.feature_share, &mut columns);
        let (mut tree, leaves) = grower.grow(&mut rows, &columns, &slopes);
        barren = if leaves.len() > 1 { 0 } else { barren + 1 };
        if barren >= BARREN {
            break;
        }
        if barren == 0 {
            answer(&mut tree, &leaves, &rows, &train, settings);
            advance(&tree, &leaves, &rows, &mut drawn, &mut train);
            for (row, score) in validation.scores.iter_mut().enumerate() {
                *score += tree.answer(validation.table, row);
            }
            trees.push(tree);
        }
        let told = objective.loss(&validation.scores, validation.targets);
        if judged && told < best.0 {
            best = (told, trees.len());
        }
        read += rows.len() * columns.len();
        let stops = judged && trees.len() >= best.1 + settings.patience as usize;
        if read >= REPORT || round == settings.trees || stops {
            read = 0;
            let loss = objective.loss(&train.scores, train.targets);
            if !loss.is_finite() || (judged && !told.is_finite()) {
                return Err(Error::invalid_input(format!(
                    "after {round} trees the loss is {loss}, on the validation part {told}: scale the target"
                )));
            }
            if !progress::report(round, settings.trees, loss, told) || stops {
                break;
            }
        }
    }
    if judged {
        trees.truncate(best.1);
    }
    Ok((start, trees))
}

/// Leaves answer times the learning rate, in the precision they are stored in; where the loss has no curvature by the
/// quantile of what is left.
fn answer(tree: &mut Tree, leaves: &[Leaf], rows: &[u32], train: &Part, settings: &Settings) {
    for leaf in leaves {
        let Node::Leaf { value } = &mut tree.0[leaf.node] else { continue };
        if let Some(probability) = settings.objective.renewed_by() {
            let left = |row: &u32| train.targets[*row as usize] - train.scores[*row as usize];
            *value = quantile(&mut rows[leaf.rows.clone()].iter().map(left).collect::<Vec<f64>>(), probability);
        }
        *value = f64::from((*value * settings.learning_rate) as f32);
    }
}

/// Adds a tree's answers to the scores of the training part: by leaf for the rows it was grown on, else by its splits.
fn advance(tree: &Tree, leaves: &[Leaf], rows: &[u32], drawn: &mut [bool], train: &mut Part) {
    drawn.fill(false);
    for leaf in leaves {
        let Node::Leaf { value } = tree.0[leaf.node] else { continue };
        for row in &rows[leaf.rows.clone()] {
            train.scores[*row as usize] += value;
            drawn[*row as usize] = true;
        }
    }
    if rows.len() < drawn.len() {
        for (row, score) in train.scores.iter_mut().enumerate().filter(|(row, _)| !drawn[*row]) {
            *score += tree.answer(train.table, row);
        }
    }
}

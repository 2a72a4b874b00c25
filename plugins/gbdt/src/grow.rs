//! One tree, grown split by split.
//!
//! Rows stand in one list in which each leaf is a range; a split parts its range in place. Of a leaf's two children the
//! smaller one's histogram is summed up, the larger one's is what remains of the parent's (Ke et al. 2017, "LightGBM").
//! Histograms of open leaves are kept within a budget; a leaf beyond it pays with two sums later.
use std::ops::Range;

use serde::Deserialize;

use crate::binning::{Cuts, Table};
use crate::histogram::{Histogram, Split, SplitRules};
use crate::objective::Slope;

/// Bytes of histograms kept at once.
const KEPT: usize = 64 << 20;

/// Which leaf is split next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Growth {
    /// The one that gains most.
    LeafWise,
    /// The shallowest.
    DepthWise,
}

/// How a tree may grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rules {
    pub(crate) growth: Growth,
    pub(crate) max_leaves: usize,
    pub(crate) max_depth: u32,
    pub(crate) split: SplitRules,
}

/// A node: its children stand behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Node {
    Split { column: u16, bin: u8, left: u32, right: u32 },
    Leaf { value: f64 },
}

/// A tree, the root first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree(pub(crate) Vec<Node>);

/// A leaf of a tree just grown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Leaf {
    /// Its place in the tree.
    pub(crate) node: usize,
    /// Its range of the rows.
    pub(crate) rows: Range<usize>,
}

impl Tree {
    /// The answer for a row of a table.
    pub(crate) fn answer(&self, table: &Table, row: usize) -> f64 {
        let mut place = 0;
        loop {
            match self.0[place] {
                Node::Leaf { value } => return value,
                Node::Split { column, bin, left, right } => {
                    let goes_left = table.column(usize::from(column))[row] <= bin;
                    place = if goes_left { left } else { right } as usize;
                }
            }
        }
    }
}

/// Grows trees on one table.
pub(crate) struct Grower<'a> {
    cuts: &'a Cuts,
    table: &'a Table,
    rules: Rules,
    /// Derivatives of a leaf's rows, in their order.
    ordered: Vec<Slope>,
    /// Rows that go right while a range is parted.
    aside: Vec<u32>,
    spare: Vec<Histogram>,
}

/// A leaf that may still be split.
struct Open {
    node: usize,
    rows: Range<usize>,
    depth: u32,
    sums: Slope,
    split: Option<Split>,
    histogram: Option<Histogram>,
}

/// What one tree is grown from.
struct Ground<'b> {
    columns: &'b [u32],
    slopes: &'b [Slope],
    /// Histograms that may be kept.
    budget: usize,
}

impl<'a> Grower<'a> {
    pub(crate) fn new(cuts: &'a Cuts, table: &'a Table, rules: Rules) -> Grower<'a> {
        Grower { cuts, table, rules, ordered: Vec::new(), aside: Vec::new(), spare: Vec::new() }
    }

    /// A tree on these rows and columns, its leaves answering −G / (H + l2). `rows` end up in the order of the leaves.
    pub(crate) fn grow(&mut self, rows: &mut [u32], columns: &[u32], slopes: &[Slope]) -> (Tree, Vec<Leaf>) {
        self.spare.retain(|histogram| histogram.columns() == columns.len());
        let ground = Ground { columns, slopes, budget: (KEPT / Histogram::size(columns.len()).max(1)).max(2) };
        let sums = rows.iter().fold([0.0; 2], |sum: Slope, row| {
            let slope = slopes[*row as usize];
            [sum[0] + slope[0], sum[1] + slope[1]]
        });
        let mut root = Open { node: 0, rows: 0..rows.len(), depth: 0, sums, split: None, histogram: None };
        if self.may_split(&root) {
            root.histogram = Some(self.sum(rows, &ground));
            self.look(&mut root, &ground);
        }
        let mut nodes = vec![Node::Leaf { value: 0.0 }];
        let mut open = vec![root];
        while open.len() < self.rules.max_leaves {
            let Some(place) = self.next(&open) else { break };
            let leaf = open.swap_remove(place);
            let kept = open.iter().filter(|leaf| leaf.histogram.is_some()).count();
            let last = open.len() + 2 >= self.rules.max_leaves;
            open.extend(self.divide(leaf, rows, &ground, &mut nodes, kept, last));
        }
        let mut leaves = Vec::with_capacity(open.len());
        for leaf in open {
            nodes[leaf.node] = Node::Leaf { value: -leaf.sums[0] / (leaf.sums[1] + self.rules.split.l2) };
            leaves.push(Leaf { node: leaf.node, rows: leaf.rows });
            self.spare.extend(leaf.histogram);
        }
        (Tree(nodes), leaves)
    }

    /// Place of the leaf to split next.
    fn next(&self, open: &[Open]) -> Option<usize> {
        let gains = open.iter().enumerate().filter_map(|(place, leaf)| leaf.split.map(|split| (place, leaf, split.gain)));
        let best = match self.rules.growth {
            // Of equal gains the older leaf.
            Growth::LeafWise => gains.max_by(|one, other| one.2.total_cmp(&other.2).then(other.1.node.cmp(&one.1.node))),
            // Nodes are numbered as they are made: level by level.
            Growth::DepthWise => gains.min_by_key(|(_, leaf, _)| leaf.node),
        };
        best.map(|(place, _, _)| place)
    }

    /// Splits a leaf: both children, or the leaf again when all its rows are on one side (its sums were rounding).
    fn divide(&mut self, mut leaf: Open, rows: &mut [u32], ground: &Ground, nodes: &mut Vec<Node>, kept: usize, last: bool) -> Vec<Open> {
        let Some(split) = leaf.split.take() else { return vec![leaf] };
        let middle = leaf.rows.start + self.part(&mut rows[leaf.rows.clone()], &split);
        if middle == leaf.rows.start || middle == leaf.rows.end {
            return vec![leaf];
        }
        let (left, right) = (nodes.len(), nodes.len() + 1);
        nodes.extend([Node::Leaf { value: 0.0 }; 2]);
        nodes[leaf.node] = Node::Split { column: split.column as u16, bin: split.bin, left: left as u32, right: right as u32 };
        let depth = leaf.depth + 1;
        let child = |node, rows, sums| Open { node, rows, depth, sums, split: None, histogram: None };
        let rest = [leaf.sums[0] - split.left[0], leaf.sums[1] - split.left[1]];
        let mut children = [child(left, leaf.rows.start..middle, split.left), child(right, middle..leaf.rows.end, rest)];
        if last {
            self.spare.extend(leaf.histogram);
            return children.into();
        }
        let wanted = children.each_ref().map(|child| self.may_split(child));
        let small = usize::from(children[0].rows.len() > children[1].rows.len());
        if let Some(mut whole) = leaf.histogram {
            if wanted[0] || wanted[1] {
                let part = self.sum(&rows[children[small].rows.clone()], ground);
                whole.subtract(&part);
                children[small].histogram = Some(part);
                children[1 - small].histogram = Some(whole);
            } else {
                self.spare.push(whole);
            }
        } else {
            for place in 0..2 {
                if wanted[place] {
                    children[place].histogram = Some(self.sum(&rows[children[place].rows.clone()], ground));
                }
            }
        }
        for (place, child) in children.iter_mut().enumerate() {
            if wanted[place] {
                self.look(child, ground);
            }
            if child.split.is_none() || kept + place >= ground.budget {
                self.spare.extend(child.histogram.take());
            }
        }
        children.into()
    }

    fn may_split(&self, leaf: &Open) -> bool {
        leaf.depth < self.rules.max_depth && leaf.rows.len() >= 2 && leaf.sums[1] >= 2.0 * self.rules.split.min_child_weight
    }

    /// Finds a leaf's split in its histogram.
    fn look(&self, leaf: &mut Open, ground: &Ground) {
        let histogram = leaf.histogram.as_ref();
        leaf.split = histogram.and_then(|histogram| histogram.best(self.cuts, ground.columns, leaf.sums, &self.rules.split));
    }

    /// The histogram of some rows.
    fn sum(&mut self, rows: &[u32], ground: &Ground) -> Histogram {
        self.ordered.clear();
        self.ordered.extend(rows.iter().map(|row| ground.slopes[*row as usize]));
        let mut histogram = self.spare.pop().unwrap_or_else(|| Histogram::new(ground.columns.len()));
        histogram.fill(self.table, ground.columns, rows, &self.ordered);
        histogram
    }

    /// Parts rows in place, keeping their order on both sides; how many go left.
    fn part(&mut self, rows: &mut [u32], split: &Split) -> usize {
        let bins = self.table.column(split.column);
        self.aside.clear();
        let mut left = 0;
        for place in 0..rows.len() {
            let row = rows[place];
            if bins[row as usize] <= split.bin {
                rows[left] = row;
                left += 1;
            } else {
                self.aside.push(row);
            }
        }
        rows[left..].copy_from_slice(&self.aside);
        left
    }
}

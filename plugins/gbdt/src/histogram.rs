//! Sums of derivatives per bin, and the best split they show.
//!
//! A split into L and R gains G_L²/(H_L + l2) + G_R²/(H_R + l2) − G²/(H + l2) (Chen and Guestrin 2016, "XGBoost", eq. 7),
//! G and H sums of first and second derivatives.
use crate::binning::{Cuts, Table};
use crate::objective::Slope;

/// Bins per column: as many as a byte can name, so that a bin number needs no check.
const BINS: usize = 256;

/// Least gain: below it differences are rounding.
const LEAST_GAIN: f64 = 1e-10;

/// Sums per bin for some columns, in their order.
#[derive(Debug, Clone)]
pub(crate) struct Histogram(Vec<[Slope; BINS]>);

/// Where a leaf is cut in two: bins up to `bin` of `column` go left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Split {
    pub(crate) gain: f64,
    pub(crate) column: usize,
    pub(crate) bin: u8,
    /// Sums of what goes left.
    pub(crate) left: Slope,
}

/// What a split must keep to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SplitRules {
    pub(crate) min_child_weight: f64,
    pub(crate) l2: f64,
    pub(crate) min_gain: f64,
}

impl Histogram {
    /// Of so many columns.
    pub(crate) fn new(columns: usize) -> Histogram {
        Histogram(vec![[[0.0; 2]; BINS]; columns])
    }

    /// Number of columns.
    pub(crate) fn columns(&self) -> usize {
        self.0.len()
    }

    /// Bytes of one.
    pub(crate) fn size(columns: usize) -> usize {
        columns * size_of::<[Slope; BINS]>()
    }

    /// Sums of these rows, whose derivatives stand in `slopes` in the same order.
    pub(crate) fn fill(&mut self, table: &Table, columns: &[u32], rows: &[u32], slopes: &[Slope]) {
        for (sums, column) in self.0.iter_mut().zip(columns) {
            *sums = [[0.0; 2]; BINS];
            let bins = table.column(*column as usize);
            for (row, slope) in rows.iter().zip(slopes) {
                let sum = &mut sums[usize::from(bins[*row as usize])];
                sum[0] += slope[0];
                sum[1] += slope[1];
            }
        }
    }

    /// Takes away the sums of a part of the rows.
    pub(crate) fn subtract(&mut self, part: &Histogram) {
        for (sum, part) in self.0.as_flattened_mut().iter_mut().zip(part.0.as_flattened()) {
            sum[0] -= part[0];
            sum[1] -= part[1];
        }
    }

    /// The split that gains most; the first of equal ones. None when no split gains enough.
    pub(crate) fn best(&self, cuts: &Cuts, columns: &[u32], whole: Slope, rules: &SplitRules) -> Option<Split> {
        let parent = whole[0] * whole[0] / (whole[1] + rules.l2);
        let mut best: Option<Split> = None;
        let mut least = parent + rules.min_gain.max(LEAST_GAIN);
        for (sums, column) in self.0.iter().zip(columns) {
            let mut left = [0.0; 2];
            let bins = cuts.bins(*column as usize);
            for (bin, sum) in sums[..bins - 1].iter().enumerate() {
                if sum[1] == 0.0 {
                    continue;
                }
                left = [left[0] + sum[0], left[1] + sum[1]];
                let right = [whole[0] - left[0], whole[1] - left[1]];
                if right[1] < rules.min_child_weight || right[1] <= 0.0 {
                    break;
                }
                if left[1] < rules.min_child_weight || left[1] <= 0.0 {
                    continue;
                }
                // Both fractions over one denominator, compared without dividing: most bins are not better.
                let (low, high) = (left[1] + rules.l2, right[1] + rules.l2);
                let (above, below) = (left[0] * left[0] * high + right[0] * right[0] * low, low * high);
                if above > least * below {
                    least = above / below;
                    best = Some(Split { gain: least - parent, column: *column as usize, bin: bin as u8, left });
                }
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use bellwether_sdk::model::Rows;
    use bellwether_sdk::testing::windows;

    use super::{Histogram, SplitRules};
    use crate::binning::Cuts;

    #[test]
    fn the_best_split_by_hand() {
        let part = windows(&["a", "b"], 1, &[0.0, 1.0, 1.0, 0.0, 2.0, 1.0, 3.0, 0.0], &[]);
        let cuts = Cuts::find(Rows::LastStep, &part, 256).unwrap();
        let table = cuts.table(Rows::LastStep, &part).unwrap();
        let slopes = [[1.0, 1.0], [1.0, 1.0], [-1.0, 1.0], [-2.0, 1.0]];
        let mut whole = Histogram::new(2);
        whole.fill(&table, &[0, 1], &[0, 1, 2, 3], &slopes);
        let rules = SplitRules { min_child_weight: 1.0, l2: 0.0, min_gain: 0.0 };
        let split = whole.best(&cuts, &[0, 1], [-1.0, 4.0], &rules).unwrap();
        // {1, 1} and {-1, -2}: 4/2 + 9/2 - 1/4.
        assert_eq!((split.column, split.bin, split.left), (0, 1, [2.0, 2.0]));
        assert!((split.gain - 6.25).abs() < 1e-12);
        // With a penalty of 2 on each leaf: 4/4 + 9/4 - 1/6.
        let split = whole.best(&cuts, &[0, 1], [-1.0, 4.0], &SplitRules { l2: 2.0, ..rules }).unwrap();
        assert!((split.gain - (3.25 - 1.0 / 6.0)).abs() < 1e-12);
        assert!(whole.best(&cuts, &[0, 1], [-1.0, 4.0], &SplitRules { min_gain: 6.3, ..rules }).is_none());
        assert!(whole.best(&cuts, &[0, 1], [-1.0, 4.0], &SplitRules { min_child_weight: 3.0, ..rules }).is_none());

        let mut part = Histogram::new(2);
        part.fill(&table, &[0, 1], &[0, 1], &slopes);
        whole.subtract(&part);
        let split = whole.best(&cuts, &[0, 1], [-3.0, 2.0], &rules).unwrap();
        assert_eq!((split.column, split.bin, split.left), (0, 2, [-1.0, 1.0]));
    }
}

//! Windows over a column: the sum of each window and its spread, for all rows together, each window by itself.
//!
//! A window of n values is put together from windows of 1, 2, 4, … values as the bits of n say, so that a row costs some
//! log₂ n operations instead of n, and the operations of neighbouring rows are the same: the compiler turns them into vector
//! instructions. Nothing is carried from row to row; the same window gives the same bits wherever it lies, and rounding does
//! not grow along the series as it does where values are added at one end and taken off at the other.
//!
//! Source for joining spreads: Chan, Golub and LeVeque, *Updating Formulae and a Pairwise Algorithm for Computing Sample
//! Variances* (1979).

/// Deviations below this share of the mean are rounding, not spread.
const SPREAD_LEAST: f64 = 1e-10;
/// Rows worked on at a time, so that what lies in between stays in the nearest cache.
pub(crate) const BLOCK: usize = 512;

/// A whole window: what a rule may read of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// Row on which it ends.
    pub(crate) row: usize,
    /// Value of that row.
    pub(crate) last: f64,
    /// Sum of its values.
    pub(crate) sum: f64,
    /// Sum of squared distances from the mean; 0 unless asked for.
    spread: f64,
}

/// `rule(window)` on each row that ends a whole window of `bars` rows, NaN before; `finish` then changes what it gave, a block
/// at a time.
pub(crate) fn sums(column: &[f64], bars: usize, to: &mut [f64], rule: impl FnMut(Window) -> f64, finish: impl Fn(&mut [f64])) {
    each::<false>(column, bars, to, rule, finish);
}

/// (last − mean) / population standard deviation on each row that ends a whole window, NaN before; 0 where the window has
/// no spread. Everything is multiplied by `scale`.
pub(crate) fn scores(column: &[f64], bars: usize, scale: f64, to: &mut [f64]) {
    let count = bars as f64;
    let score = |window: Window| {
        let mean = window.sum / count;
        let deviation = (window.spread / count).sqrt();
        let score = scale * (window.last - mean) / deviation;
        if deviation > SPREAD_LEAST * mean.abs() { score } else { 0.0 }
    };
    each::<true>(column, bars, to, score, |_| {});
}

/// The windows of one length that end on each place of a block.
#[derive(Debug, Default)]
struct Windows {
    length: usize,
    sums: Vec<f64>,
    spreads: Vec<f64>,
}

impl Windows {
    fn begin<const SPREAD: bool>(&mut self, values: &[f64]) {
        self.length = 1;
        self.sums.clear();
        self.sums.extend_from_slice(values);
        if SPREAD {
            self.spreads.clear();
            self.spreads.resize(values.len(), 0.0);
        }
    }

    /// Windows of `late`, each lengthened backwards by the window of `early` that ends right before it. Places without room
    /// for a whole window hold anything.
    fn join<const SPREAD: bool>(&mut self, late: &Windows, early: &Windows) {
        let (shift, places) = (late.length, late.sums.len());
        self.length = late.length + early.length;
        self.sums.resize(places, 0.0);
        let before = &early.sums[..places - shift];
        for ((to, late), early) in self.sums[shift..].iter_mut().zip(&late.sums[shift..]).zip(before) {
            *to = late + early;
        }
        if SPREAD {
            let (many, few) = (early.length as f64, late.length as f64);
            let share = 1.0 / (many * few * (many + few));
            self.spreads.resize(places, 0.0);
            let sums = late.sums[shift..].iter().zip(before);
            let spreads = late.spreads[shift..].iter().zip(&early.spreads[..places - shift]);
            for ((to, (late, early)), (one, other)) in self.spreads[shift..].iter_mut().zip(sums).zip(spreads) {
                let apart = many * late - few * early;
                *to = (one + other) + apart * apart * share;
            }
        }
    }
}

fn each<const SPREAD: bool>(column: &[f64], bars: usize, to: &mut [f64], mut rule: impl FnMut(Window) -> f64, finish: impl Fn(&mut [f64])) {
    let lead = bars - 1;
    to[..lead.min(column.len())].fill(f64::NAN);
    let (mut doubled, mut whole, mut spare) = (Windows::default(), Windows::default(), Windows::default());
    // A block shorter than its window would spend most of its work on the rows before it.
    let block = BLOCK.max(bars);
    for first in (lead..column.len()).step_by(block) {
        let rows = first..column.len().min(first + block);
        doubled.begin::<SPREAD>(&column[first - lead..rows.end]);
        whole.length = 0;
        let mut rest = bars;
        loop {
            if rest & 1 == 1 && whole.length == 0 {
                whole.length = doubled.length;
                whole.sums.clone_from(&doubled.sums);
                whole.spreads.clone_from(&doubled.spreads);
            } else if rest & 1 == 1 {
                spare.join::<SPREAD>(&whole, &doubled);
                std::mem::swap(&mut whole, &mut spare);
            }
            rest >>= 1;
            if rest == 0 {
                break;
            }
            spare.join::<SPREAD>(&doubled, &doubled);
            std::mem::swap(&mut doubled, &mut spare);
        }
        let values = to[rows.clone()].iter_mut().zip(&column[rows.clone()]).zip(&whole.sums[lead..]);
        if SPREAD {
            for (row, (((to, last), sum), spread)) in rows.clone().zip(values.zip(&whole.spreads[lead..])) {
                *to = rule(Window { row, last: *last, sum: *sum, spread: *spread });
            }
        } else {
            for (row, ((to, last), sum)) in rows.clone().zip(values) {
                *to = rule(Window { row, last: *last, sum: *sum, spread: 0.0 });
            }
        }
        finish(&mut to[rows]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(rows: usize) -> Vec<f64> {
        (0..rows).map(|place| ((place * 7919) % 1009) as f64 * 10.0 + 1e5).collect()
    }

    fn scored(column: &[f64], bars: usize) -> Vec<f64> {
        let mut found = vec![0.0; column.len()];
        scores(column, bars, 1.0, &mut found);
        found
    }

    #[test]
    fn sums_and_scores_are_those_of_the_definition() {
        let column = column(2000);
        for bars in [1, 2, 3, 7, 8, 9, 20, 33, 168, 513, 1999, 2000, 2001] {
            let mut sums_found = vec![0.0; column.len()];
            sums(&column, bars, &mut sums_found, |window| window.sum, |_| {});
            let scores_found = scored(&column, bars);
            for row in 0..column.len() {
                let Some(first) = (row + 1).checked_sub(bars) else {
                    assert!(sums_found[row].is_nan() && scores_found[row].is_nan(), "{bars} {row}");
                    continue;
                };
                let window = &column[first..=row];
                let sum: f64 = window.iter().sum();
                let mean = sum / bars as f64;
                let deviation = (window.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / bars as f64).sqrt();
                let score = if bars == 1 { 0.0 } else { (column[row] - mean) / deviation };
                assert!((sums_found[row] - sum).abs() <= 1e-12 * sum, "{bars} {row}: {} is not {sum}", sums_found[row]);
                assert!((scores_found[row] - score).abs() < 1e-10, "{bars} {row}: {} is not {score}", scores_found[row]);
            }
        }
    }

    #[test]
    fn a_window_gives_the_same_bits_wherever_it_lies() {
        let column = column(3000);
        for bars in [5, 20, 100, 600] {
            let whole = scored(&column, bars);
            for first in [1, 17, 511, 512, 1300] {
                let part = scored(&column[first..], bars);
                for row in bars - 1..part.len() {
                    assert_eq!(part[row].to_bits(), whole[first + row].to_bits(), "{bars} {first} {row}");
                }
            }
        }
    }

    #[test]
    fn no_spread_scores_zero() {
        for (value, bars) in [(0.1, 7), (1e9 / 3.0, 20), (0.0, 5), (4.2, 1), (0.1 + 0.2, 1000)] {
            assert_eq!(scored(&vec![value; bars], bars)[bars - 1], 0.0, "{value} {bars}");
        }
        assert_eq!(scored(&[1.0, 3.0], 2)[1], 1.0);
    }

    #[test]
    fn a_small_spread_far_from_zero_is_kept() {
        // Squares subtracted from squares would lose all of it.
        let column: Vec<f64> = (0..40).map(|place| 1e8 + f64::from(place % 2)).collect();
        assert!((scored(&column, 20)[39] - 1.0).abs() < 1e-6, "{:?}", scored(&column, 20)[39]);
    }
}

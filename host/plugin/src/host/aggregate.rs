//! What the host computes over a column so that its numbers need not cross: moments, quantiles, histogram.
//!
//! NaN is a missing value throughout. Quantiles are type 7 of Hyndman and Fan (1996), the default of NumPy and R.
//!
//! No epoch interrupts the host: what may be long is done in pieces, and between two of them it is asked whether the call's
//! time is over.

use std::time::Instant;

use wasmtime::Trap;

/// Values of one piece: a few milliseconds of sorting.
const PIECE: usize = 1 << 16;

/// The trap of a guest that runs past its time, if the time is over.
fn in_time(deadline: Instant) -> Result<(), Trap> {
    if Instant::now() < deadline { Ok(()) } else { Err(Trap::Interrupt) }
}

/// Sums over the present values of a column; see `bellwether:host/data`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moments {
    pub(crate) count: u64,
    pub(crate) missing: u64,
    pub(crate) mean: f64,
    pub(crate) variance: f64,
    pub(crate) minimum: f64,
    pub(crate) maximum: f64,
}

/// Two passes: the mean first, then the squares about it, so that a large mean costs no digits.
pub(crate) fn moments(values: &[f64], deadline: Instant) -> Result<Moments, Trap> {
    let (mut count, mut sum) = (0_u64, 0.0);
    let (mut minimum, mut maximum) = (f64::NAN, f64::NAN);
    for piece in values.chunks(PIECE) {
        in_time(deadline)?;
        for value in piece.iter().copied().filter(|value| !value.is_nan()) {
            count += 1;
            sum += value;
            // `min` and `max` take the other side of a NaN: the first value replaces it.
            minimum = value.min(minimum);
            maximum = value.max(maximum);
        }
    }
    let missing = values.len() as u64 - count;
    if count == 0 {
        return Ok(Moments { count, missing, mean: f64::NAN, variance: f64::NAN, minimum, maximum });
    }
    let mean = sum / count as f64;
    let (mut squares, mut rest) = (0.0, 0.0);
    for piece in values.chunks(PIECE) {
        in_time(deadline)?;
        for value in piece.iter().copied().filter(|value| !value.is_nan()) {
            let distance = value - mean;
            squares += distance * distance;
            rest += distance;
        }
    }
    // `rest` is what rounding left of the mean (Chan, Golub and LeVeque 1983).
    let variance = ((squares - rest * rest / count as f64) / count as f64).max(0.0);
    Ok(Moments { count, missing, mean, variance, minimum, maximum })
}

pub(crate) fn quantiles(values: &[f64], probabilities: &[f64], deadline: Instant) -> Result<Vec<f64>, Trap> {
    let mut present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    sort(&mut present, deadline)?;
    Ok(probabilities.iter().map(|probability| quantile(&present, *probability)).collect())
}

/// Sorts in runs that double. The standard library's stable sort finds two sorted runs and merges them, so that all passes
/// together cost what one sort does, and each is short enough to ask for the time before it.
fn sort(values: &mut [f64], deadline: Instant) -> Result<(), Trap> {
    for piece in values.chunks_mut(PIECE) {
        in_time(deadline)?;
        piece.sort_unstable_by(f64::total_cmp);
    }
    let mut run = PIECE;
    while run < values.len() {
        for pair in values.chunks_mut(2 * run) {
            in_time(deadline)?;
            pair.sort_by(f64::total_cmp);
        }
        run *= 2;
    }
    Ok(())
}

fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    if !(0.0..=1.0).contains(&probability) {
        return f64::NAN;
    }
    let place = probability * last as f64;
    let below = (place.floor() as usize).min(last);
    let share = place - below as f64;
    if share == 0.0 || below == last {
        return sorted[below];
    }
    // Rounding may lift the sum past the upper neighbour; held down, quantiles of ascending probabilities ascend.
    (sorted[below] + share * (sorted[below + 1] - sorted[below])).min(sorted[below + 1])
}

/// Counts in the n + 1 bins between n ascending edges; none when the edges do not ascend.
pub(crate) fn histogram(values: &[f64], edges: &[f64], deadline: Instant) -> Result<Option<Vec<u64>>, Trap> {
    if edges.iter().any(|edge| edge.is_nan()) || edges.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Ok(None);
    }
    let mut counts = vec![0; edges.len() + 1];
    for piece in values.chunks(PIECE) {
        in_time(deadline)?;
        for value in piece.iter().filter(|value| !value.is_nan()) {
            counts[edges.partition_point(|edge| edge <= value)] += 1;
        }
    }
    Ok(Some(counts))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(3600)
    }

    #[test]
    fn sorting_in_pieces_is_sorting() {
        let mut values: Vec<f64> = (0..5 * PIECE + 17).map(|place| ((place * 7919) % 100_003) as f64).collect();
        let mut expected = values.clone();
        expected.sort_by(f64::total_cmp);
        sort(&mut values, far()).expect("in time");
        assert_eq!(values, expected);
    }

    #[test]
    fn a_call_whose_time_is_over_is_interrupted_in_the_host_too() {
        let (values, over) = (vec![1.0; 3 * PIECE], Instant::now());
        assert_eq!(quantiles(&values, &[0.5], over), Err(Trap::Interrupt));
        assert_eq!(histogram(&values, &[0.5], over), Err(Trap::Interrupt));
        assert_eq!(moments(&values, over), Err(Trap::Interrupt));
    }

    /// Expected values from NumPy 2: `np.quantile(x, p)`, `np.var(x)`.
    #[test]
    fn quantiles_are_numpys() {
        let values = [3.0, 1.0, f64::NAN, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0];
        let found = quantiles(&values, &[0.0, 0.1, 0.25, 0.5, 0.9, 1.0], far()).expect("in time");
        for (found, expected) in found.iter().zip([1.0, 1.0, 1.75, 3.5, 6.9, 9.0]) {
            assert!((found - expected).abs() < 1e-12, "{found} against {expected}");
        }
        assert!(quantiles(&values, &[-0.1, 1.1, f64::NAN], far()).expect("in time").iter().all(|value| value.is_nan()));
        assert!(quantiles(&[f64::NAN], &[0.5], far()).expect("in time")[0].is_nan());
        assert_eq!(
            quantiles(&[f64::NEG_INFINITY, 1.0, f64::INFINITY], &[0.0, 0.5, 1.0], far()).expect("in time"),
            [f64::NEG_INFINITY, 1.0, f64::INFINITY]
        );
    }

    #[test]
    fn quantiles_of_ascending_probabilities_ascend() {
        let values: Vec<f64> = (0..10_007).map(|place| f64::from((place * 7919) % 10_007) / 10_007.0).collect();
        let probabilities: Vec<f64> = (0..=20_000).map(|place| f64::from(place) / 20_000.0).collect();
        assert!(quantiles(&values, &probabilities, far()).expect("in time").is_sorted());
    }

    #[test]
    fn moments_survive_a_large_mean() {
        let values: Vec<f64> = [1.0, 2.0, 3.0, 4.0, f64::NAN].iter().map(|value| value + 1e9).collect();
        let found = moments(&values, far()).expect("in time");
        assert_eq!((found.count, found.missing, found.mean, found.variance), (4, 1, 1e9 + 2.5, 1.25));
        assert_eq!((found.minimum, found.maximum), (1e9 + 1.0, 1e9 + 4.0));
        let none = moments(&[f64::NAN, f64::NAN], far()).expect("in time");
        assert_eq!((none.count, none.missing), (0, 2));
        assert!([none.mean, none.variance, none.minimum, none.maximum].iter().all(|value| value.is_nan()));
    }

    #[test]
    fn a_value_on_an_edge_counts_to_its_right() {
        assert_eq!(histogram(&[0.0, 1.0, 1.5, 2.0, 3.0, f64::NAN, -1.0], &[1.0, 2.0], far()).expect("in time"), Some(vec![2, 2, 2]));
        assert_eq!(histogram(&[f64::INFINITY, f64::NEG_INFINITY], &[0.0], far()).expect("in time"), Some(vec![1, 1]));
        assert_eq!(histogram(&[1.0, 2.0], &[], far()).expect("in time"), Some(vec![2]));
        assert_eq!(
            (
                histogram(&[1.0], &[2.0, 1.0], far()).expect("in time"),
                histogram(&[1.0], &[f64::NAN], far()).expect("in time"),
                histogram(&[1.0], &[1.0, 1.0], far()).expect("in time")
            ),
            (None, None, None)
        );
    }
}

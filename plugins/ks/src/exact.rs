//! D of two samples and its exact probability, by counting lattice paths.
//!
//! The two samples, merged, are a path from (0, 0) to (n, m). |F(x) - G(x)| is |i/n - j/m| at the point (i, j), so D is
//! h / lcm(n, m) with a whole h, and P(D ≥ d) is the share of paths that leave the band |i/n - j/m| < h / lcm (Hodges 1958).
//! Both recursions are SciPy's (`ks_2samp(mode="exact")`), in the same order of operations, for the same bits.

/// The larger sample's size to which paths are counted; SciPy's `auto` changes there too.
pub(crate) const MOST: u64 = 10_000;

/// D of two ascending samples, and h where paths can be counted.
pub(crate) fn distance(reference: &[f64], current: &[f64]) -> (f64, Option<u64>) {
    let (n, m) = (reference.len() as u64, current.len() as u64);
    let (mut i, mut j, mut furthest) = (0_usize, 0_usize, 0_u64);
    // Behind the last value comes none: the values are finite.
    let at = |values: &[f64], place: usize| values.get(place).copied().unwrap_or(f64::INFINITY);
    let (mut left, mut right) = (at(reference, 0), at(current, 0));
    // Which side comes next is chance: without a branch there is nothing to guess wrong.
    while i < reference.len() && j < current.len() {
        let value = if left < right { left } else { right };
        i += usize::from(left <= value);
        j += usize::from(right <= value);
        (left, right) = (at(reference, i), at(current, j));
        // Equal values are passed on both sides before looking: the functions jump together.
        let passed = u64::from(left > value) & u64::from(right > value);
        furthest = furthest.max(passed * (i as u64 * m).abs_diff(j as u64 * n));
    }
    let divisor = greatest_common_divisor(n, m);
    let (steps, multiple) = (furthest / divisor, n / divisor * m);
    (steps as f64 / multiple as f64, (n.max(m) <= MOST).then_some(steps))
}

/// P(D ≥ h / lcm(n, m)) when both samples come from one continuous distribution.
pub(crate) fn p_value(n: u64, m: u64, steps: u64) -> f64 {
    if steps == 0 {
        return 1.0;
    }
    let divisor = greatest_common_divisor(n, m);
    let distance = steps as f64 / (n / divisor * m) as f64;
    // Below the smallest double by the inequality of Dvoretzky, Kiefer and Wolfowitz; the widest bands are the slowest.
    if 2.0 * (n as f64 * m as f64 / (n + m) as f64) * distance * distance > 708.0 {
        return 0.0;
    }
    let probability = if n == m { outside_square(n, steps) } else { outside_band(n.max(m), n.min(m), divisor, steps) };
    probability.clamp(0.0, 1.0)
}

/// n = m: the reflection principle gives a sum with few terms.
fn outside_square(n: u64, steps: u64) -> f64 {
    let mut probability = 0.0;
    for k in (0..=n / steps).rev() {
        let mut term = 1.0;
        for j in 0..steps {
            // Signed, for with k·h + j > n the factor is zero or below.
            let above = n as f64 - (k * steps) as f64 - j as f64;
            term = above * term / ((n + k * steps + j + 1) as f64);
        }
        probability = term * (1.0 - probability);
    }
    2.0 * probability
}

/// n > m: the share of paths outside the band, column by column over a sliding window of rows.
fn outside_band(n: u64, m: u64, divisor: u64, steps: u64) -> f64 {
    let (n_part, m_part) = (n / divisor, m / divisor);
    let (mut first, mut past) = (0, steps.div_ceil(n_part).min(m + 1));
    let mut shares = vec![1.0; (2 * past + 2).min(m + 1) as usize];
    // The first column goes straight up: inside the band until it leaves.
    shares[..past as usize].fill(0.0);
    for i in 1..=n {
        let (last_first, last_length) = (first, past - first);
        let below = (m_part * i).checked_sub(steps);
        first = below.map_or(0, |below| below / n_part + 1).min(m);
        past = (m_part * i + steps).div_ceil(n_part).min(m + 1);
        if past <= first {
            return 1.0;
        }
        let length = past - first;
        let mut share = if first == 0 { 0.0 } else { 1.0 };
        for place in 0..length {
            let j = place + first;
            share = (shares[(j - last_first) as usize] * i as f64 + share * j as f64) / (i + j) as f64;
            shares[place as usize] = share;
        }
        if last_length > length {
            // Rows that left the window are outside the band: every path through them counts.
            shares[length as usize..last_length as usize].fill(1.0);
        }
    }
    shares[(past - first - 1) as usize]
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::{distance, p_value};

    #[test]
    fn distances_are_exact_fractions() {
        let check = |a: &[f64], b: &[f64], expected: (f64, u64)| assert_eq!(distance(a, b), (expected.0, Some(expected.1)), "{a:?} {b:?}");
        check(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], (0.0, 0));
        check(&[1.0, 2.0], &[3.0, 4.0, 5.0], (1.0, 6));
        check(&[1.0, 1.0, 2.0], &[1.0, 2.0, 2.0], (1.0 / 3.0, 1));
        check(&[5.0; 4], &[5.0; 6], (0.0, 0));
    }

    #[test]
    fn every_path_is_counted() {
        // All 10 orders of 2 and 3 values, by hand: 2 of them reach D = 1.
        assert!((p_value(2, 3, 6) - 0.2).abs() < 1e-15);
        // All 20 orders of 3 and 3: 2 reach D = 1, 20 reach D ≥ 1/3.
        assert!((p_value(3, 3, 3) - 0.1).abs() < 1e-15);
        assert!((p_value(3, 3, 1) - 1.0).abs() < 1e-15);
        assert_eq!(p_value(5, 7, 0), 1.0);
        // scipy.stats.ks_2samp of two samples of 10 000 with D = 0.0361, to the last bit.
        assert_eq!(p_value(10_000, 10_000, 361), 4.368_316_420_107_002e-6);
        assert_eq!(p_value(10_000, 9_999, 9_999 * 10_000), 0.0);
    }
}

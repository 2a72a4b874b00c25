//! Weights as they begin, drawn from one ChaCha8 stream in the order of the list.
//!
//! Orthogonal weights (Saxe et al. 2014) come from Gram and Schmidt's method on a normal matrix, twice for accuracy, in
//! 64 bits: rows orthonormal where there are fewer rows than columns, else columns.

use bellwether_domain::network::Initializer;
use bellwether_domain::network::weight::{Start, Weight};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Fills `to` with the weight's first values.
pub(crate) fn fill(weight: &Weight, to: &mut [f32], random: &mut ChaCha8Rng) {
    let (fan_in, fan_out) = weight.fans();
    let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
    match weight.start {
        Start::LstmBias => {
            to.fill(0.0);
            let units = to.len() / 4;
            to[units..2 * units].fill(1.0);
        }
        Start::Initializer(initializer) => match initializer {
            Initializer::Zeros => to.fill(0.0),
            Initializer::Ones => to.fill(1.0),
            Initializer::Constant(value) => to.fill(value as f32),
            Initializer::Uniform(bound) => uniform(to, bound, random),
            Initializer::Normal(deviation) => normal(to, deviation, random),
            // The list holds no `Standard`; were it there, this is the standard of most operations.
            Initializer::GlorotUniform | Initializer::Standard => uniform(to, (6.0 / (fan_in + fan_out)).sqrt(), random),
            Initializer::GlorotNormal => normal(to, (2.0 / (fan_in + fan_out)).sqrt(), random),
            Initializer::HeUniform => uniform(to, (6.0 / fan_in).sqrt(), random),
            Initializer::LecunUniform => uniform(to, (3.0 / fan_in).sqrt(), random),
            Initializer::LecunNormal => normal(to, fan_in.recip().sqrt(), random),
            Initializer::FanInUniform => uniform(to, fan_in.recip().sqrt(), random),
            Initializer::TruncatedNormal(deviation) => to.iter_mut().for_each(|value| *value = (truncated(random) * deviation) as f32),
            Initializer::HeNormal => normal(to, (2.0 / fan_in).sqrt(), random),
            Initializer::Orthogonal => {
                let columns = weight.shape.last().copied().unwrap_or(1);
                orthogonal(to, columns, random);
            }
        },
    }
}

fn uniform(to: &mut [f32], bound: f64, random: &mut ChaCha8Rng) {
    to.iter_mut().for_each(|value| *value = ((2.0 * random.random::<f64>() - 1.0) * bound) as f32);
}

fn normal(to: &mut [f32], deviation: f64, random: &mut ChaCha8Rng) {
    to.iter_mut().for_each(|value| *value = (gauss(random) * deviation) as f32);
}

/// A standard normal number by Box and Muller's method.
fn gauss(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

/// A standard normal number within ±2.
fn truncated(random: &mut ChaCha8Rng) -> f64 {
    loop {
        let number = gauss(random);
        if number.abs() <= 2.0 {
            return number;
        }
    }
}

fn orthogonal(to: &mut [f32], columns: usize, random: &mut ChaCha8Rng) {
    let rows = to.len() / columns;
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    while basis.len() < count {
        let mut vector: Vec<f64> = (0..length).map(|_| gauss(random)).collect();
        for other in basis.iter().chain(&basis) {
            let along: f64 = vector.iter().zip(other).map(|(a, b)| a * b).sum();
            vector.iter_mut().zip(other).for_each(|(value, direction)| *value -= along * direction);
        }
        let norm = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
        // A vector within the others' span is drawn anew; with normal numbers that practically never happens.
        if norm > 1e-6 {
            vector.iter_mut().for_each(|value| *value /= norm);
            basis.push(vector);
        }
    }
    for (place, value) in to.iter_mut().enumerate() {
        let (row, column) = (place / columns, place % columns);
        *value = if rows <= columns { basis[row][column] } else { basis[column][row] } as f32;
    }
}

#[cfg(test)]
mod tests {
    use bellwether_domain::network::weight::Weight;
    use rand::SeedableRng;

    use super::*;

    fn filled(initializer: Initializer, shape: &[usize]) -> Vec<f32> {
        let weight = Weight { node: 0, name: "w".to_owned(), shape: shape.to_vec(), trained: true, start: Start::Initializer(initializer) };
        let mut values = vec![0.0; weight.len()];
        fill(&weight, &mut values, &mut ChaCha8Rng::seed_from_u64(7));
        values
    }

    #[test]
    fn spreads_are_those_of_the_fans() {
        let (rows, columns) = (200, 100);
        for (initializer, variance) in [
            (Initializer::Uniform(0.3), 0.09 / 3.0),
            (Initializer::Normal(0.3), 0.09),
            (Initializer::GlorotUniform, 2.0 / 300.0),
            (Initializer::GlorotNormal, 2.0 / 300.0),
            (Initializer::HeUniform, 2.0 / 200.0),
            (Initializer::HeNormal, 2.0 / 200.0),
            (Initializer::LecunUniform, 1.0 / 200.0),
            (Initializer::LecunNormal, 1.0 / 200.0),
            (Initializer::FanInUniform, 1.0 / 600.0),
            // The variance of a standard normal cut at ±2 is 1 - 4φ(2) / (2Φ(2) - 1).
            (Initializer::TruncatedNormal(0.3), 0.09 * 0.773_741),
        ] {
            let values = filled(initializer, &[rows, columns]);
            let measured = values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / values.len() as f64;
            assert!((measured / variance - 1.0).abs() < 0.05, "{initializer:?}: {measured} is not near {variance}");
        }
        assert_eq!(filled(Initializer::Constant(0.5), &[2, 2]), [0.5; 4]);
    }

    #[test]
    fn orthogonal_rows_or_columns_are_orthonormal() {
        for (rows, columns) in [(8, 32), (32, 8), (8, 8)] {
            let values = filled(Initializer::Orthogonal, &[rows, columns]);
            let at = |vector: usize, k: usize| {
                f64::from(if rows <= columns { values[vector * columns + k] } else { values[k * columns + vector] })
            };
            for a in 0..rows.min(columns) {
                for b in 0..=a {
                    let product: f64 = (0..rows.max(columns)).map(|k| at(a, k) * at(b, k)).sum();
                    assert!((product - if a == b { 1.0 } else { 0.0 }).abs() < 1e-6, "{rows}×{columns}: {a}·{b} = {product}");
                }
            }
        }
    }
}

//! `bellwether:host/random`: ChaCha8, seeded per call, so that the same call draws the same numbers.
//!
//! Uniform numbers take the upper 53 bits of each 64-bit word. Normal numbers come from the polar method
//! (Marsaglia and Bray 1964), both of each pair in order.

use rand::RngCore;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::bindings::base::bellwether::host::random::Host;
use crate::host::NUMBERS;
use crate::state::State;

impl Host for State {
    fn uniform(&mut self, count: u32) -> wasmtime::Result<Vec<f64>> {
        self.host_calls.one_more()?;
        let count = checked(count)?;
        let dice = self.dice();
        Ok((0..count).map(|_| uniform(dice)).collect())
    }

    fn normal(&mut self, count: u32) -> wasmtime::Result<Vec<f64>> {
        self.host_calls.one_more()?;
        let count = checked(count)?;
        let dice = self.dice();
        let mut numbers = Vec::with_capacity(count + 1);
        while numbers.len() < count {
            numbers.extend(normal_pair(dice));
        }
        numbers.truncate(count);
        Ok(numbers)
    }
}

impl State {
    fn dice(&mut self) -> &mut ChaCha8Rng {
        let seed = self.seed;
        self.dice.get_or_insert_with(|| ChaCha8Rng::seed_from_u64(seed))
    }
}

fn checked(count: u32) -> wasmtime::Result<usize> {
    let count = count as usize;
    if count <= NUMBERS {
        Ok(count)
    } else {
        Err(wasmtime::Error::msg(format!("{count} numbers were drawn in one call; at most {NUMBERS}")))
    }
}

fn uniform(dice: &mut ChaCha8Rng) -> f64 {
    (dice.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

fn normal_pair(dice: &mut ChaCha8Rng) -> [f64; 2] {
    loop {
        let (x, y) = (2.0 * uniform(dice) - 1.0, 2.0 * uniform(dice) - 1.0);
        let square = x * x + y * y;
        if square > 0.0 && square < 1.0 {
            let factor = (-2.0 * square.ln() / square).sqrt();
            return [x * factor, y * factor];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence_of_the_right_shape() {
        let draw = |seed| {
            let mut dice = ChaCha8Rng::seed_from_u64(seed);
            (0..20_000).flat_map(|_| normal_pair(&mut dice)).collect::<Vec<f64>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let numbers = draw(7);
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let variance = numbers.iter().map(|number| number * number).sum::<f64>() / numbers.len() as f64;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        assert!((0..10_000).map(|_| uniform(&mut dice)).all(|number| (0.0..1.0).contains(&number)));
    }
}

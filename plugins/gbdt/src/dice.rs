//! Draws of rows and columns: SplitMix64 (Steele, Lea and Flood 2014), begun from the host's seeded randomness, so that a job's
//! seed decides every tree without a call to the host per sample.
use bellwether_sdk::random;

/// A generator.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Begun by the host.
    pub(crate) fn new() -> Dice {
        // Each number carries 53 bits.
        let bits: Vec<u64> = random::uniform(2).iter().map(|number| (number * (1u64 << 53) as f64) as u64).collect();
        Dice(bits.iter().fold(0, |seed: u64, bits| seed.rotate_left(32) ^ bits))
    }

    /// Uniform in [0, 1).
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A share of `0..count`, rounded and at least one, ascending, into `chosen` (selection sampling, Fan et al. 1962).
    pub(crate) fn choose(&mut self, count: usize, share: f64, chosen: &mut Vec<u32>) {
        let mut wanted = ((count as f64 * share).round() as usize).clamp(count.min(1), count);
        chosen.clear();
        for place in 0..count {
            let left = count - place;
            if wanted == left || self.unit() * (left as f64) < wanted as f64 {
                chosen.push(place as u32);
                wanted -= 1;
                if wanted == 0 {
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn as_many_as_asked_for_each_as_often() {
        let mut dice = Dice(7);
        let mut chosen = Vec::new();
        let mut counts = [0; 10];
        for _ in 0..2000 {
            dice.choose(10, 0.3, &mut chosen);
            assert!(chosen.len() == 3 && chosen.is_sorted());
            chosen.iter().for_each(|place| counts[*place as usize] += 1);
        }
        assert!(counts.iter().all(|count| (500..700).contains(count)), "{counts:?}");
        dice.choose(10, 1.0, &mut chosen);
        assert_eq!(chosen.len(), 10);
        dice.choose(10, 0.001, &mut chosen);
        assert_eq!(chosen.len(), 1);
        dice.choose(0, 0.5, &mut chosen);
        assert!(chosen.is_empty());
    }
}

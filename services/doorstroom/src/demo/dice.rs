//! Chance that is the same on every machine: a seed decides the whole life of the demo.

/// A SplitMix64 generator (Steele, Lea and Flood, 2014). For stories, not for secrets.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as the seed says.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A fraction from 0 up to, not including, 1.
    pub fn fraction(&mut self) -> f64 {
        (self.throw() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i32, high: i32) -> i32 {
        let span = u64::from(high.abs_diff(low)) + 1;
        low + (self.throw() % span) as i32
    }

    /// Yes, with that chance.
    pub fn chance(&mut self, chance: f64) -> bool {
        self.fraction() < chance
    }

    /// A waiting time with that mean: exponential, as most stays are short and a few long.
    pub fn wait(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.fraction()).ln()
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, several: &'a [T]) -> &'a T {
        &several[self.throw() as usize % several.len()]
    }

    /// The place of one of several, each with its own weight.
    pub fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.fraction() * weights.clone().sum::<f64>();
        let mut last = 0;
        for (place, weight) in weights.enumerate() {
            if left < weight {
                return place;
            }
            left -= weight;
            last = place;
        }
        last
    }

    /// A fresh id in the form of a UUIDv4.
    pub fn uuid(&mut self) -> kernel::Uuid {
        let (high, low) = (u128::from(self.throw()), u128::from(self.throw()));
        uuid_v4(high << 64 | low)
    }
}

fn uuid_v4(bits: u128) -> kernel::Uuid {
    const VERSION: u128 = 0xf << 76;
    const VARIANT: u128 = 0x3 << 62;
    kernel::Uuid::from_u128(bits & !VERSION & !VARIANT | 0x4 << 76 | 0x2 << 62)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides() {
        let (mut one, mut other) = (Dice::new(7), Dice::new(7));
        assert!((0..100).all(|_| one.throw() == other.throw()));
        assert_ne!(Dice::new(8).throw(), Dice::new(7).throw());
        assert!((0..1000).all(|_| (3..=5).contains(&one.between(3, 5))));
        assert_eq!(one.uuid().get_version_num(), 4);
        let mean = (0..10_000).map(|_| one.wait(50.0)).sum::<f64>() / 10_000.0;
        assert!((45.0..55.0).contains(&mean));
    }
}

//! Identifiers from one seed: the same calls in the same order get the same names.

use std::sync::{Mutex, PoisonError};

/// Where random parts of names come from.
#[derive(Debug)]
pub struct Ids {
    random: Mutex<fastrand::Rng>,
}

impl Ids {
    pub fn new(seed: u64) -> Self {
        Ids { random: Mutex::new(fastrand::Rng::with_seed(seed)) }
    }

    /// A UUID (version 4 by its form).
    pub fn uuid(&self) -> String {
        let bits = self.draw(|random| random.u128(..));
        let (high, low) = ((bits >> 64) as u64, bits as u64);
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff
        )
    }

    /// Lower-case hexadecimal digits, as in `vpc-0a1b…`.
    pub fn hex(&self, length: usize) -> String {
        self.pick(length, b"0123456789abcdef")
    }

    /// Letters of both cases and digits, as at the end of a role's name.
    pub fn alphanumeric(&self, length: usize) -> String {
        self.pick(length, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    }

    /// Lower-case letters and digits, as at the end of a bucket's name.
    pub fn lower(&self, length: usize) -> String {
        self.pick(length, b"abcdefghijklmnopqrstuvwxyz0123456789")
    }

    /// Upper-case letters and digits, as a distribution's id has them.
    pub fn upper(&self, length: usize) -> String {
        self.pick(length, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    }

    /// Decimal digits, the first not zero.
    pub fn digits(&self, length: usize) -> String {
        let mut digits = self.pick(1, b"123456789");
        digits.push_str(&self.pick(length.saturating_sub(1), b"0123456789"));
        digits
    }

    /// A number from `0` up to `bound`, which must be above zero.
    pub fn below(&self, bound: u64) -> u64 {
        self.draw(|random| random.u64(0..bound.max(1)))
    }

    fn pick(&self, length: usize, from: &[u8]) -> String {
        self.draw(|random| (0..length).filter_map(|_| random.choice(from)).map(|byte| char::from(*byte)).collect())
    }

    fn draw<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_names() {
        let names = |seed| {
            let ids = Ids::new(seed);
            [ids.uuid(), ids.hex(17), ids.alphanumeric(12), ids.lower(13), ids.upper(14), ids.digits(6)]
        };
        assert_eq!(names(7), names(7));
        assert_ne!(names(7), names(8));
        assert_eq!(names(7).map(|name| name.len()), [36, 17, 12, 13, 14, 6]);
    }
}

//! The one source of randomness: identifiers and jitter come from here, so that a run with a given seed can be replayed.

use std::sync::{Mutex, PoisonError};

static SOURCE: Mutex<Option<fastrand::Rng>> = Mutex::new(None);

/// Makes everything that follows the same at every run. For tests and rehearsals.
pub fn seed(seed: u64) {
    *SOURCE.lock().unwrap_or_else(PoisonError::into_inner) = Some(fastrand::Rng::with_seed(seed));
}

fn with<T>(draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
    draw(SOURCE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(fastrand::Rng::new))
}

/// A random UUID (RFC 9562, version 4).
pub fn uuid() -> String {
    let bits = with(|source| source.u128(..));
    let bits = bits & !(0xf << 76) & !(0b11 << 62) | 0x4 << 76 | 0b10 << 62;
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Between 0 (included) and 1 (not included), evenly.
pub fn fraction() -> f64 {
    with(fastrand::Rng::f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_of_version_4_and_follow_the_seed() {
        seed(7);
        let first = uuid();
        let bytes = first.as_bytes();
        assert_eq!((first.len(), bytes[14]), (36, b'4'));
        assert!(b"89ab".contains(&bytes[19]), "{first}");
        assert_ne!(uuid(), first);
        seed(7);
        assert_eq!(uuid(), first);
    }
}

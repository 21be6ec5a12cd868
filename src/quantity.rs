//! Durations and sizes as people write them: a number and its unit (`30s`, `20GiB`). A number without a unit is refused.

use std::time::Duration;

/// The form that [`duration`] reads, as a regular expression.
pub const DURATION_PATTERN: &str = "^[0-9]+(s|m|h|d)$";

/// The form that [`bytes`] reads, as a regular expression.
pub const SIZE_PATTERN: &str = "^[0-9]+(B|KiB|MiB|GiB|TiB)$";

/// `30s`, `5m`, `1h`, `7d`.
pub fn duration(text: &str) -> Option<Duration> {
    let (count, unit) = split(text)?;
    let seconds_each = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    count.checked_mul(seconds_each).map(Duration::from_secs)
}

/// For a sentence: `30 min`, `90 s`.
pub fn in_words(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds >= 60 && seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

/// Bytes of `512MiB`, `20GiB`. Units are powers of 1,024 and say so.
pub fn bytes(text: &str) -> Option<u64> {
    let (count, unit) = split(text)?;
    let shift = match unit {
        "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return None,
    };
    count.checked_mul(1 << shift)
}

fn split(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let seconds = |text| duration(text).map(|duration| duration.as_secs());
        assert_eq!(
            ["30s", "5m", "1h", "7d", "0s"].map(seconds),
            [Some(30), Some(300), Some(3_600), Some(604_800), Some(0)]
        );
        for wrong in ["", "30", "s", "1.5h", "-1s", "1 h", "1w", "99999999999999999999s", "300000000000000000d"] {
            assert_eq!(duration(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn durations_in_sentences() {
        let words = [30, 60, 90, 5400].map(|seconds| in_words(Duration::from_secs(seconds)));
        assert_eq!(words, ["30 s", "1 min", "90 s", "90 min"]);
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes("512MiB"), Some(512 * 1024 * 1024));
        assert_eq!(bytes("1TiB"), Some(1 << 40));
        assert_eq!(bytes("7B"), Some(7));
        for wrong in ["", "512", "512MB", "512 MiB", "1.5GiB", "99999999999TiB"] {
            assert_eq!(bytes(wrong), None, "{wrong:?}");
        }
    }
}

//! Runtimes of AWS Lambda that it makes no functions with any more.
//!
//! Source: "Lambda runtimes" in the AWS Lambda developer guide, table "Deprecated runtimes", column "Block function
//! create". Runtimes whose block AWS has put off again and again (`nodejs16.x`, `python3.8`, `dotnet6` and later ones) are
//! left out: nobody can say from a table when it comes.

/// Runtime and the first day on which no function is created with it, sorted by name.
const REFUSED: &[(&str, &str)] = &[
    ("dotnetcore1.0", "2019-06-27"),
    ("dotnetcore2.0", "2019-05-30"),
    ("dotnetcore2.1", "2022-01-05"),
    ("dotnetcore3.1", "2023-04-03"),
    ("go1.x", "2024-02-08"),
    ("java8", "2024-02-08"),
    ("nodejs", "2016-10-31"),
    ("nodejs10.x", "2021-07-30"),
    ("nodejs12.x", "2023-08-31"),
    ("nodejs14.x", "2024-01-09"),
    ("nodejs4.3", "2020-02-03"),
    ("nodejs4.3-edge", "2019-03-31"),
    ("nodejs6.10", "2019-07-12"),
    ("nodejs8.10", "2020-02-03"),
    ("provided", "2024-02-08"),
    ("python2.7", "2021-07-15"),
    ("python3.6", "2022-08-17"),
    ("python3.7", "2024-01-09"),
    ("ruby2.5", "2021-07-30"),
    ("ruby2.7", "2024-01-09"),
];

/// The first day (`2021-07-15`) on which Lambda creates no function with a runtime; `None` for those that it takes.
pub fn refused_since(runtime: &str) -> Option<&'static str> {
    let at = REFUSED.binary_search_by(|(name, _)| (*name).cmp(runtime)).ok()?;
    Some(REFUSED[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_are_found() {
        assert!(REFUSED.is_sorted());
        assert_eq!(refused_since("python2.7"), Some("2021-07-15"));
        assert_eq!(refused_since("python3.13"), None);
    }
}

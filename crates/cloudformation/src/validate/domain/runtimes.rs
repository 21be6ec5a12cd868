//! Runtimes that Lambda no longer makes functions with.

use super::{Subject, plain};
use crate::validate::facts::Spot;
use crate::validate::finding::Finding;
use crate::validate::rules;

/// Runtime, the day from which on Lambda makes no function with it, and what to take instead. Source: "Lambda runtimes",
/// "Deprecated runtimes", of the Lambda Developer Guide, as of December 2026.
const RETIRED: [(&str, &str, &str); 20] = [
    ("dotnetcore1.0", "2019-06-30", "dotnet10"),
    ("dotnetcore2.0", "2019-04-30", "dotnet10"),
    ("dotnetcore2.1", "2022-01-05", "dotnet10"),
    ("dotnetcore3.1", "2023-04-03", "dotnet10"),
    ("go1.x", "2024-02-08", "provided.al2023"),
    ("java8", "2024-02-08", "java25"),
    ("nodejs", "2016-09-30", "nodejs24.x"),
    ("nodejs4.3", "2020-02-03", "nodejs24.x"),
    ("nodejs4.3-edge", "2019-03-31", "nodejs24.x"),
    ("nodejs6.10", "2019-07-12", "nodejs24.x"),
    ("nodejs8.10", "2020-02-04", "nodejs24.x"),
    ("nodejs10.x", "2021-07-30", "nodejs24.x"),
    ("nodejs12.x", "2023-03-31", "nodejs24.x"),
    ("nodejs14.x", "2024-01-09", "nodejs24.x"),
    ("provided", "2024-02-08", "provided.al2023"),
    ("python2.7", "2021-07-15", "python3.14"),
    ("python3.6", "2022-07-18", "python3.14"),
    ("python3.7", "2024-01-09", "python3.14"),
    ("ruby2.5", "2021-07-30", "ruby4.0"),
    ("ruby2.7", "2024-01-09", "ruby4.0"),
];

/// Since when Lambda makes no functions with a runtime (`2021-07-15`), and what to take instead.
pub fn retired(runtime: &str) -> Option<(&'static str, &'static str)> {
    RETIRED.iter().find(|(name, ..)| *name == runtime).map(|(_, since, instead)| (*since, *instead))
}

pub fn check(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    for Spot { value, path, .. } in subject.at("Runtime") {
        let Some(runtime) = plain(value) else { continue };
        if let Some((since, instead)) = retired(runtime) {
            let message = format!("Lambda makes no functions with the runtime {runtime} any more, since {since}");
            let finding = subject.finding(rules::RUNTIME, message, value.span, &path);
            found.push(finding.with_remedy(format!("Take `{instead}`.")));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::{Options, validate_text};

    #[test]
    fn retired_runtimes_are_errors() {
        let errors = |runtime: &str| {
            let text = format!(
                "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      Runtime: {runtime}\n      Handler: index.h\n      Role: arn:aws:iam::111122223333:role/x\n      Code: {{ZipFile: x}}\n"
            );
            let found = validate_text(&text, &Options::default());
            found.into_iter().filter(|finding| finding.rule.id == "runtime").count()
        };
        for (runtime, expected) in
            [("python2.7", 1), ("go1.x", 1), ("nodejs14.x", 1), ("python3.13", 0), ("nodejs22.x", 0)]
        {
            assert_eq!(errors(runtime), expected, "{runtime}");
        }
    }
}

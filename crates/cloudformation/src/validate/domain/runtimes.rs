//! Runtimes that Lambda no longer makes functions with.

use super::{Subject, plain};
use crate::lambda::refused_since;
use crate::validate::facts::Spot;
use crate::validate::finding::Finding;
use crate::validate::rules;

pub fn check(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    for Spot { value, path, .. } in subject.at("Runtime") {
        let Some(runtime) = plain(value) else { continue };
        if let Some(since) = refused_since(runtime) {
            let message = format!("Lambda makes no functions with the runtime {runtime} any more, since {since}");
            found.push(subject.finding(rules::RUNTIME, message, value.span, &path));
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

//! What validation found: a rule that does not hold, where, and what to do.

use crate::source::Span;
use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// CloudFormation or the service refuses this, now or during the deployment.
    Error,
    /// It deploys, but hardly means what its author thinks.
    Warning,
}

/// A rule that a template can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Stable, for configuration and machines: `missing-property`.
    pub id: &'static str,
    pub severity: Severity,
    /// The rule of `cfn-lint` that is about the same, where there is one: `E3003`.
    pub cfn_lint: Option<&'static str>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub rule: Rule,
    /// In CloudFormation's words where CloudFormation would say it.
    pub message: String,
    pub span: Span,
    /// Where in the template: `/Resources/Bucket/Properties/BucketName`.
    pub path: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// A second place that belongs to the matter.
    pub related: Option<(String, Span)>,
}

impl Finding {
    pub fn new(rule: Rule, message: impl Into<String>, span: Span, path: impl Into<String>) -> Self {
        Finding { rule, message: message.into(), span, path: path.into(), remedy: None, related: None }
    }

    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    pub fn is_error(&self) -> bool {
        self.rule.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.span.start;
        write!(f, "line {}, column {}: {} [{}]", at.line, at.column, self.message, self.rule.id)
    }
}

/// The one of `names` that `wrong` was probably meant to be.
pub fn nearest<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let lower = wrong.to_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&lower, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.86)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// ``Did you mean `Name`?`` when something is near enough.
pub fn did_you_mean<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
    nearest(wrong, names).map(|name| format!("Did you mean `{name}`?"))
}

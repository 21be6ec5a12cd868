//! Conditions, globals and the console's interface as they are declared.

use super::facts::Facts;
use super::finding::Finding;
use super::references::is_open;
use super::rules;
use crate::template::{Expr, Function};

pub fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    conditions(facts, found);
    interface(facts, found);
    globals(facts, found);
}

/// `Globals` are for the serverless transform; CloudFormation itself knows no such section.
fn globals(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let section = facts.template.root.entry("Globals").filter(|_| facts.template.macros().next().is_none());
    found.extend(section.map(|section| {
        let message = "Invalid template property or properties [Globals]";
        let finding = Finding::new(rules::GLOBALS, message, section.key_span, "/Globals");
        finding.with_remedy("Add `Transform: AWS::Serverless-2016-10-31`.")
    }));
}

/// A condition is a boolean function, under a logical id.
fn conditions(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for (name, condition) in &facts.template.conditions {
        let path = format!("/Conditions/{name}");
        // `&` and `_` are taken, whatever the user guide says of logical ids.
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '&' | '_')) {
            let message = format!("The name of the condition {name} may have letters and digits only");
            found.push(Finding::new(rules::CONDITION, message, condition.name_span, path.clone()));
        }
        if !is_boolean(&condition.expr) && !is_open(facts) {
            let message = "Template format error: Conditions can only be boolean operations on parameters and other \
                           conditions";
            let finding = Finding::new(rules::CONDITION, message, condition.expr.span, path);
            found.push(finding.with_remedy("Compare the value: `!Equals [VALUE, \"true\"]`."));
        }
    }
}

fn is_boolean(expr: &Expr) -> bool {
    match expr.as_call() {
        Some(function) => matches!(
            function,
            Function::And(_)
                | Function::Or(_)
                | Function::Not(_)
                | Function::Equals(..)
                | Function::Condition(_)
                | Function::Malformed { .. }
                | Function::Transform(_)
        ),
        None => super::facts::text(expr).is_some_and(|text| matches!(text.to_lowercase().as_str(), "true" | "false")),
    }
}

/// `AWS::CloudFormation::Interface`: what the console does not read.
fn interface(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    const INTERFACE: &str = "AWS::CloudFormation::Interface";
    let Some(interface) = facts.template.metadata.as_ref().and_then(|metadata| metadata.get(INTERFACE)) else { return };
    let base = format!("/Metadata/{INTERFACE}");
    let mut unknown = |value: &Expr, allowed: &[&str], path: &str| {
        for member in value.as_map().unwrap_or_default().iter().filter(|it| !allowed.contains(&it.key.as_str())) {
            let message = format!("The console reads no {} here", member.key);
            let finding = Finding::new(rules::INTERFACE, message, member.key_span, format!("{path}/{}", member.key));
            found.push(finding.with_remedy(format!("It reads {}.", allowed.join(" and "))));
        }
    };
    unknown(interface, &["ParameterGroups", "ParameterLabels"], &base);
    let groups = interface.get("ParameterGroups").and_then(Expr::as_list).unwrap_or_default();
    for (at, group) in groups.iter().enumerate() {
        let path = format!("{base}/ParameterGroups/{at}");
        unknown(group, &["Label", "Parameters"], &path);
        group.get("Label").iter().for_each(|label| unknown(label, &["default"], &format!("{path}/Label")));
    }
    for label in interface.get("ParameterLabels").and_then(Expr::as_map).unwrap_or_default() {
        unknown(&label.value, &["default"], &format!("{base}/ParameterLabels/{}", label.key));
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::{Options, validate_text};

    fn found(head: &str) -> Vec<(&'static str, String)> {
        let text =
            format!("{head}\nParameters: {{P: {{Type: String}}}}\nResources: {{T: {{Type: AWS::SNS::Topic}}}}\n");
        let found = validate_text(&text, &Options::default());
        let of_rules = found.iter().filter(|one| matches!(one.rule.id, "condition" | "interface" | "globals"));
        of_rules.map(|one| (one.rule.id, one.path.clone())).collect()
    }

    #[test]
    fn a_condition_is_a_boolean_function() {
        let cases = [
            ("C: !Equals [!Ref P, a]", None),
            ("C: !Not [!Equals [!Ref P, a]]", None),
            ("C: !Ref P", Some("/Conditions/C")),
            ("C: foobar", Some("/Conditions/C")),
            ("A-B: !Equals [!Ref P, a]", Some("/Conditions/A-B")),
            ("A_B: !Equals [!Ref P, a]", None),
        ];
        for (condition, path) in cases {
            let expected: Vec<_> = path.into_iter().map(|path| ("condition", path.to_owned())).collect();
            assert_eq!(found(&format!("Conditions: {{{condition}}}")), expected, "{condition}");
        }
        assert_eq!(found("Transform: Own\nConditions: {C: {Mine: x}}"), []);
    }

    #[test]
    fn globals_need_their_transform() {
        let globals = "Globals: {Function: {Timeout: 3}}";
        assert_eq!(found(globals), [("globals", "/Globals".to_owned())]);
        assert_eq!(found(&format!("Transform: AWS::Serverless-2016-10-31\n{globals}")), []);
    }

    #[test]
    fn what_the_console_does_not_read_is_said() {
        let of = |interface: &str| found(&format!("Metadata: {{AWS::CloudFormation::Interface: {interface}}}"));
        assert_eq!(
            of("{ParameterGroups: [{Label: {default: a}, Parameters: [P]}], ParameterLabels: {P: {default: x}}}"),
            []
        );
        let path = "/Metadata/AWS::CloudFormation::Interface/ParameterLabels/P/Description";
        assert_eq!(of("{ParameterLabels: {P: {default: x, Description: y}}}"), [("interface", path.to_owned())]);
    }
}

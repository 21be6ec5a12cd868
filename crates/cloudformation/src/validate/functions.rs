//! Functions in places where CloudFormation's documentation does not allow them.

use super::facts::Facts;
use super::finding::Finding;
use super::rules;
use crate::template::{Expr, Function, Kind};

pub fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for (name, resource) in &facts.template.resources {
        let path = format!("/Resources/{name}/Properties");
        resource.properties.iter().for_each(|properties| walk(facts, properties, &path, found));
    }
    for (name, output) in &facts.template.outputs {
        walk(facts, &output.value, &format!("/Outputs/{name}/Value"), found);
    }
}

fn walk(facts: &Facts<'_>, expr: &Expr, path: &str, found: &mut Vec<Finding>) {
    match &expr.kind {
        Kind::Literal(_) => {}
        Kind::List(items) => {
            items.iter().enumerate().for_each(|(at, item)| walk(facts, item, &format!("{path}/{at}"), found));
        }
        Kind::Map(members) => {
            members.iter().for_each(|member| walk(facts, &member.value, &format!("{path}/{}", member.key), found));
        }
        Kind::Call(function) => {
            let path = format!("{path}/{}", function.name());
            if let Function::Select { index, .. } = function.as_ref() {
                select_index(facts, index, &path, found);
            }
            function.arguments().into_iter().for_each(|argument| walk(facts, argument, &path, found));
        }
    }
}

/// "For the Fn::Select index value, you can use the Ref and Fn::FindInMap functions" (user guide, `Fn::Select`); with
/// the language extensions `Fn::Length` too.
fn select_index(facts: &Facts<'_>, index: &Expr, path: &str, found: &mut Vec<Finding>) {
    let Some(function) = index.as_call() else { return };
    let allowed = match function {
        Function::Ref(_) | Function::FindInMap { .. } => true,
        Function::Length(_) => facts.template.has_language_extensions(),
        // What a malformed function or a macro is, is said elsewhere.
        Function::Malformed { .. } | Function::Transform(_) => true,
        _ => false,
    };
    if !allowed {
        let message =
            format!("The index of Fn::Select may be a number, a Ref or a Fn::FindInMap, not {}", function.name());
        found.push(Finding::new(rules::SELECT_INDEX, message, index.span, format!("{path}/0")));
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::{Options, validate_text};

    #[test]
    fn an_index_is_a_number_or_looked_up() {
        let errors = |head: &str, index: &str| {
            let text = format!(
                "{head}Parameters: {{N: {{Type: Number}}}}\nMappings: {{M: {{a: {{b: 1}}}}}}\nResources: {{T: {{Type: \
                 AWS::SNS::Topic, Properties: {{DisplayName: !Select [{index}, [a, b, c]]}}}}}}\n"
            );
            let found = validate_text(&text, &Options::default());
            found.iter().filter(|one| one.is_error()).map(|one| one.path.clone()).collect::<Vec<_>>()
        };
        let wrong = ["/Resources/T/Properties/DisplayName/Fn::Select/0"];
        assert_eq!(errors("", "1"), [""; 0]);
        assert_eq!(errors("", "!Ref N"), [""; 0]);
        assert_eq!(errors("", "!FindInMap [M, a, b]"), [""; 0]);
        assert_eq!(errors("", "!Select [0, !Split [',', '1,2']]"), wrong);
        assert_eq!(errors("", "!Join ['', ['1']]"), wrong);
        assert_eq!(errors("Transform: AWS::LanguageExtensions\n", "!Length [a]"), [""; 0]);
    }
}

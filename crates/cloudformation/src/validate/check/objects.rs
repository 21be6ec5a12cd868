//! Maps against a schema.

use super::{Checker, Expr, Keyword, Member, Schema, Span};
use crate::schema::{Named, Text, named};
use crate::template::{FOR_EACH, Kind};
use crate::validate::conditions::Assumed;
use crate::validate::finding::{did_you_mean, nearest};
use crate::validate::rules;

impl Checker<'_, '_> {
    /// The members that are there under what is assumed.
    pub fn present_members<'e>(&self, members: &'e [Member], assumed: &Assumed) -> Vec<&'e Member> {
        let there = |member: &&Member| {
            let branches = || self.facts.branches(&member.value, assumed);
            self.literal || branches().iter().any(|(branch, _)| branch.is_some())
        };
        members.iter().filter(there).collect()
    }

    pub fn map_keyword(
        &mut self,
        present: &[&Member],
        map: &Expr,
        keyword: &Keyword,
        schema: &Schema,
        assumed: &Assumed,
    ) {
        let find = |name: &str| present.iter().find(|member| member.key == name).copied();
        // A macro or a loop among the members may add any other.
        let open = present.iter().any(|member| member.key == "Fn::Transform" || member.key.starts_with(FOR_EACH));
        match keyword {
            Keyword::Properties(properties) => {
                for member in present {
                    if let Some(schema) = named(properties, &member.key) {
                        self.below(&member.key, &member.value, schema, assumed);
                    }
                }
            }
            Keyword::PatternProperties(patterns) => {
                for member in present {
                    for (pattern, schema) in patterns {
                        match pattern.matches(&member.key) {
                            Some(true) => self.below(&member.key, &member.value, schema, assumed),
                            Some(false) => {}
                            None => self.unknown = true,
                        }
                    }
                }
            }
            Keyword::AdditionalProperties(more) => {
                for member in present.iter().filter(|member| !is_named(schema, &member.key)) {
                    match more.forbids_all() {
                        true if !open => self.extraneous(member, schema),
                        true => {}
                        false => self.below(&member.key, &member.value, more, assumed),
                    }
                }
            }
            Keyword::PropertyNames(schema) => {
                for member in present {
                    let scalar = crate::source::Scalar { text: member.key.clone(), style: crate::source::Style::Text };
                    let name = Expr::new(Kind::Literal(scalar), member.key_span);
                    self.below(&member.key, &name, schema, assumed);
                }
            }
            _ if open => {}
            Keyword::Required(names) => {
                for name in names.iter().filter(|name| find(name).is_none()) {
                    self.missing(name, present, map.span);
                }
            }
            Keyword::RequiredXor(names) => self.exactly_one(names, present, map.span),
            Keyword::RequiredOr(names) if !names.iter().any(|name| find(name).is_some()) => {
                let message = format!("required key [{}] not found", names.join("] or ["));
                self.wrong(rules::AT_LEAST_ONE, message, map.span);
            }
            Keyword::DependentRequired(needs) => self.dependent(needs, present),
            Keyword::DependentExcluded(excluded) => {
                for (name, others) in excluded.iter().filter(|(name, _)| find(name).is_some()) {
                    for member in others.iter().filter_map(|other| find(other)) {
                        let message = format!("extraneous key [{}] is not permitted with [{name}]", member.key);
                        let remedy = Some(format!("Remove `{}` or `{name}`.", member.key));
                        self.wrong_below(&member.key, rules::EXCLUDED, message, member.key_span, remedy);
                    }
                }
            }
            Keyword::DependentSchemas(schemas) => {
                for (_, schema) in schemas.iter().filter(|(name, _)| find(name).is_some()) {
                    self.branch(map, schema, assumed);
                }
            }
            Keyword::MinProperties(least) if (present.len() as u64) < *least => {
                let message = format!("minimum size: [{least}], found: [{}]", present.len());
                self.wrong(rules::LIST_SIZE, message, map.span);
            }
            Keyword::MaxProperties(most) if present.len() as u64 > *most => {
                let message = format!("maximum size: [{most}], found: [{}]", present.len());
                self.wrong(rules::LIST_SIZE, message, map.span);
            }
            _ => {}
        }
    }

    fn extraneous(&mut self, member: &Member, schema: &Schema) {
        let names = schema.properties().into_iter().flatten().map(|(name, _)| name.as_ref());
        let remedy = (!self.composite).then(|| did_you_mean(&member.key, names)).flatten();
        let message = format!("extraneous key [{}] is not permitted", member.key);
        self.wrong_below(&member.key, rules::UNKNOWN_PROPERTY, message, member.key_span, remedy);
    }

    fn missing(&mut self, name: &str, present: &[&Member], span: Span) {
        let given = present.iter().map(|member| member.key.as_str());
        let near = (!self.composite).then(|| nearest(name, given)).flatten();
        let remedy = match near {
            Some(near) => format!("Add `{name}`; `{near}` is near to it, but another name."),
            None => format!("Add `{name}`."),
        };
        self.wrong_with(rules::MISSING_PROPERTY, format!("required key [{name}] not found"), span, Some(remedy));
    }

    fn exactly_one(&mut self, names: &[Text], present: &[&Member], span: Span) {
        let given: Vec<&&Member> =
            present.iter().filter(|member| names.iter().any(|name| *name == member.key)).collect();
        let all = names.join(", ");
        if given.is_empty() {
            let remedy = Some(format!("Add one of {all}."));
            self.wrong_with(rules::EXACTLY_ONE, format!("exactly one of [{all}] is required"), span, remedy);
        }
        for member in given.iter().filter(|_| given.len() > 1) {
            let remedy = Some(format!("Keep one of {all}."));
            let message = format!("exactly one of [{all}] is required");
            self.wrong_below(&member.key, rules::EXACTLY_ONE, message, member.key_span, remedy);
        }
    }

    fn dependent(&mut self, needs: &Named<Vec<Text>>, present: &[&Member]) {
        let find = |name: &str| present.iter().find(|member| member.key == name);
        for (name, others) in needs {
            let Some(member) = find(name) else { continue };
            for other in others.iter().filter(|other| find(other).is_none()) {
                let message = format!("property [{other}] is required with [{name}]");
                self.wrong_with(rules::DEPENDENT, message, member.key_span, Some(format!("Add `{other}`.")));
            }
        }
    }
}

/// Whether the schema has words of its own for a property.
fn is_named(schema: &Schema, name: &str) -> bool {
    schema.keywords.iter().any(|keyword| match keyword {
        Keyword::Properties(properties) => named(properties, name).is_some(),
        Keyword::PatternProperties(patterns) => {
            patterns.iter().any(|(pattern, _)| pattern.matches(name) != Some(false))
        }
        _ => false,
    })
}

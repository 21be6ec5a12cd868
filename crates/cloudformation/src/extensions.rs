//! The transform `AWS::LanguageExtensions`, as far as it rewrites a template: `Fn::ForEach`.
//!
//! The other extensions (`Fn::Length`, `Fn::ToJsonString`, functions in more places) are functions like any other and
//! are evaluated where they stand.

use crate::evaluate::{Environment, Evaluator, Facts, ParameterValue, Resources, Value};
use crate::source::{Entry, Limits, Node, Scalar, Span, Style, Value as Tree};
use crate::template::{FOR_EACH, Problem, Template, read_value};
use indexmap::IndexMap;

/// Replaces every loop of a template by what it stands for. The places in the text stay those of the loop's body.
///
/// # Errors
/// What is wrong with the loops and with the template that they make.
pub fn expand(
    template: &Template,
    parameters: &IndexMap<String, ParameterValue>,
    environment: &Environment,
    facts: &Facts,
) -> Result<Template, Vec<Problem>> {
    let evaluator = Evaluator::new(template, parameters, environment, facts);
    let mut expander = Expander { evaluator, problems: Vec::new(), nodes: 0, bytes: 0, path: String::new() };
    let root = expander.node(&template.root);
    if !expander.problems.is_empty() {
        return Err(expander.problems);
    }
    match Template::from_node(root) {
        (template, problems) if problems.is_empty() => Ok(template),
        (_, problems) => Err(problems),
    }
}

struct Expander<'a> {
    evaluator: Evaluator<'a>,
    problems: Vec<Problem>,
    /// Nodes and bytes of text that were made so far, also those that later loops were made from.
    nodes: usize,
    bytes: usize,
    path: String,
}

/// Bytes of text that loops may make: as much as an evaluation may.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// A loop may run over parameters and mappings, not over resources.
struct NoResources;

impl Resources for NoResources {
    fn reference(&self, _: &str) -> Option<Value> {
        None
    }

    fn attribute(&self, _: &str, _: &str) -> Option<Value> {
        None
    }
}

impl Expander<'_> {
    fn node(&mut self, node: &Node) -> Node {
        self.nodes += 1;
        let value = match &node.value {
            Tree::Scalar(scalar) => Tree::Scalar(scalar.clone()),
            Tree::List(items) => Tree::List(items.iter().map(|item| self.node(item)).collect()),
            Tree::Map(entries) => Tree::Map(self.entries(entries)),
        };
        Node { span: node.span, tag: node.tag.clone(), value }
    }

    fn entries(&mut self, entries: &[Entry]) -> Vec<Entry> {
        let mut expanded: IndexMap<String, Entry> = IndexMap::with_capacity(entries.len());
        for entry in entries {
            let length = self.path.len();
            self.path.push('/');
            self.path.push_str(&entry.key);
            let made = match entry.key.strip_prefix(FOR_EACH) {
                Some(name) => self.looped(name, entry),
                None => vec![Entry { value: self.node(&entry.value), ..entry.clone_key() }],
            };
            self.path.truncate(length);
            for entry in made {
                if expanded.contains_key(&entry.key) {
                    let message = format!("Template format error: the key {} stands here a second time", entry.key);
                    self.problem(message, entry.key_span);
                }
                expanded.insert(entry.key.clone(), entry);
            }
        }
        expanded.into_values().collect()
    }

    fn looped(&mut self, name: &str, entry: &Entry) -> Vec<Entry> {
        let parts = entry.value.as_list().filter(|_| entry.value.tag.is_none());
        let Some([identifier, collection, body]) = parts else {
            return self.malformed(name, "must have three elements: an identifier, a collection and a body", entry);
        };
        let (Some(identifier), Some(body)) = (identifier.as_str(), body.as_map()) else {
            return self.malformed(name, "must have a string as identifier and a map as body", entry);
        };
        let Some(values) = self.collection(collection) else {
            return self.malformed(name, "must have a list of strings that is known as collection", entry);
        };
        let mut made = Vec::new();
        for value in values {
            let filler = Filler::new(identifier, &value);
            let size = filler.size(&entry.value);
            self.nodes = self.nodes.saturating_add(size.nodes);
            self.bytes = self.bytes.saturating_add(size.bytes);
            if self.nodes > Limits::default().nodes || self.bytes > MAX_BYTES {
                return self.malformed(name, "makes the template too large", entry);
            }
            let filled: Vec<Entry> = body.iter().map(|entry| filler.entry(entry)).collect();
            made.extend(self.entries(&filled));
        }
        made
    }

    fn collection(&mut self, node: &Node) -> Option<Vec<String>> {
        let expr = read_value(node, &self.path, &mut self.problems);
        match self.evaluator.evaluate(&expr, &NoResources, &self.path).value.reveal() {
            Value::List(items) => items.iter().map(Value::as_text).collect(),
            _ => None,
        }
    }

    fn malformed(&mut self, name: &str, what: &str, entry: &Entry) -> Vec<Entry> {
        let message = format!("Transform AWS::LanguageExtensions failed with: Fn::ForEach::{name} {what}");
        self.problem(message, entry.key_span);
        Vec::new()
    }

    fn problem(&mut self, message: String, span: Span) {
        if self.problems.len() < 100 {
            self.problems.push(Problem::new(message, span, &self.path));
        }
    }
}

/// Puts the value of a loop's identifier into its body.
struct Filler<'l> {
    identifier: &'l str,
    value: &'l str,
    /// `${Identifier}`: the value.
    exact: String,
    /// `&{Identifier}`: its letters and digits, for logical ids.
    plain: String,
    plain_value: String,
}

struct Size {
    nodes: usize,
    bytes: usize,
}

impl<'l> Filler<'l> {
    fn new(identifier: &'l str, value: &'l str) -> Self {
        Filler {
            identifier,
            value,
            exact: format!("${{{identifier}}}"),
            plain: format!("&{{{identifier}}}"),
            plain_value: value.chars().filter(char::is_ascii_alphanumeric).collect(),
        }
    }

    /// How large the body will be, at most: known before it is made.
    fn size(&self, node: &Node) -> Size {
        let text = |text: &str| match text.contains('{') {
            false => text.len(),
            true => {
                text.len() + (text.matches(&self.exact).count() + text.matches(&self.plain).count()) * self.value.len()
            }
        };
        let mut size = Size { nodes: 0, bytes: 0 };
        let mut todo = vec![node];
        while let Some(node) = todo.pop() {
            size.nodes += 1;
            match &node.value {
                Tree::Scalar(scalar) => size.bytes += text(&scalar.text),
                Tree::List(items) => todo.extend(items),
                Tree::Map(entries) => {
                    size.bytes += entries.iter().map(|entry| text(&entry.key)).sum::<usize>();
                    todo.extend(entries.iter().map(|entry| &entry.value));
                }
            }
        }
        size
    }

    fn entry(&self, entry: &Entry) -> Entry {
        Entry { key: self.text(&entry.key), key_span: entry.key_span, value: self.node(&entry.value) }
    }

    fn node(&self, node: &Node) -> Node {
        let text = |text: &str| Tree::Scalar(Scalar { text: text.to_owned(), style: Style::Text });
        let is_identifier = |node: &Node| node.as_scalar().is_some_and(|scalar| scalar.text == self.identifier);
        let whole = match &node.value {
            Tree::Scalar(_) => node.tag.as_deref() == Some("Ref") && is_identifier(node),
            Tree::Map(entries) => {
                matches!(entries.as_slice(), [only] if only.key == "Ref" && is_identifier(&only.value))
            }
            Tree::List(_) => false,
        };
        if whole {
            return Node { span: node.span, tag: None, value: text(self.value) };
        }
        let value = match &node.value {
            Tree::Scalar(scalar) => match self.text(&scalar.text) {
                same if same == scalar.text => Tree::Scalar(scalar.clone()),
                // What came of a loop is text, even if it looks like a number.
                filled => text(&filled),
            },
            Tree::List(items) => Tree::List(items.iter().map(|item| self.node(item)).collect()),
            Tree::Map(entries) => Tree::Map(entries.iter().map(|entry| self.entry(entry)).collect()),
        };
        Node { span: node.span, tag: node.tag.clone(), value }
    }

    fn text(&self, text: &str) -> String {
        match text.contains('{') {
            true => text.replace(&self.exact, self.value).replace(&self.plain, &self.plain_value),
            false => text.to_owned(),
        }
    }
}

impl Entry {
    /// The entry's key with a null as value.
    fn clone_key(&self) -> Entry {
        let nothing = Scalar { text: String::new(), style: Style::Plain };
        let value = Node { span: self.value.span, tag: None, value: Tree::Scalar(nothing) };
        Entry { key: self.key.clone(), key_span: self.key_span, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn expanded(text: &str, parameters: &[(&str, &str)]) -> Result<serde_json::Value, Vec<Problem>> {
        let (template, problems) = Template::read(text).expect("a tree");
        assert_eq!(problems, []);
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        expand(&template, &parameters, &Environment::default(), &Facts::default()).map(|template| template.to_json())
    }

    #[test]
    fn loops_run_over_literals_and_parameters() {
        let text = "\
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList}}
Resources:
  Fn::ForEach::Topics:
    - Name
    - !Ref Names
    - 'Topic&{Name}':
        Type: AWS::SNS::Topic
        Properties:
          TopicName: !Ref Name
          Fn::ForEach::Props: [P, [DisplayName], {'${P}': !Sub '${Name} of ${AWS::Region}'}]
";
        let json = expanded(text, &[("Names", "a-1, b")]).expect("right");
        let topic = |name: &str| {
            json!({"Type": "AWS::SNS::Topic", "Properties": {
                "TopicName": name, "DisplayName": {"Fn::Sub": format!("{name} of ${{AWS::Region}}")}}})
        };
        assert_eq!(json["Resources"], json!({"Topica1": topic("a-1"), "Topicb": topic("b")}));
    }

    #[test]
    fn inner_loops_see_outer_ones() {
        let text = "\
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Outer:
    - A
    - [X, Y]
    - Fn::ForEach::Inner: [B, ['1', '2'], {'R${A}${B}': {Type: 'T::${A}'}}]
";
        let json = expanded(text, &[]).expect("right");
        let keys: Vec<&String> = json["Resources"].as_object().expect("resources").keys().collect();
        assert_eq!(keys, ["RX1", "RX2", "RY1", "RY2"]);
        assert_eq!(json["Resources"]["RY2"]["Type"], "T::Y");
    }

    #[test]
    fn what_is_no_loop_is_refused() {
        for body in [
            "[A, [x]]",
            "[A, {x: y}, {'R${A}': {Type: T}}]",
            "[A, !Ref Nothing, {R: {Type: T}}]",
            "[A, [x, y], {R: {Type: T}}]",
        ] {
            let text = format!("Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::L: {body}\n");
            assert!(expanded(&text, &[]).is_err(), "{body}");
        }
    }

    #[test]
    fn growth_is_bounded() {
        let list = vec!["x"; 300].join(", ");
        let inner = format!("Fn::ForEach::C: [C, [{list}], {{'R${{C}}': {{Type: T}}}}]");
        let middle = format!("Fn::ForEach::B: [B, [{list}], {{{inner}}}]");
        let text =
            format!("Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::A: [A, [{list}], {{{middle}}}]\n");
        assert!(expanded(&text, &[]).is_err());
    }
}

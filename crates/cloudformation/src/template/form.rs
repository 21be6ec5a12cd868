//! From tree to expression: which maps and tags are functions, and whether their arguments have the right shape.

use super::expr::{Expr, Function, Kind, Member, SubPart, Text};
use super::problem::Problem;
use crate::source::{Node, Scalar, Span, Style, Value};

/// Every function: long name, and the tag of the short form (without `!`).
pub const FUNCTIONS: [(&str, &str); 27] = [
    ("Ref", "Ref"),
    ("Condition", "Condition"),
    ("Fn::GetAtt", "GetAtt"),
    ("Fn::Sub", "Sub"),
    ("Fn::Join", "Join"),
    ("Fn::Select", "Select"),
    ("Fn::Split", "Split"),
    ("Fn::If", "If"),
    ("Fn::And", "And"),
    ("Fn::Or", "Or"),
    ("Fn::Not", "Not"),
    ("Fn::Equals", "Equals"),
    ("Fn::FindInMap", "FindInMap"),
    ("Fn::Base64", "Base64"),
    ("Fn::Cidr", "Cidr"),
    ("Fn::GetAZs", "GetAZs"),
    ("Fn::ImportValue", "ImportValue"),
    ("Fn::Length", "Length"),
    ("Fn::ToJsonString", "ToJsonString"),
    ("Fn::GetStackOutput", "GetStackOutput"),
    ("Fn::Transform", "Transform"),
    ("Fn::Contains", "Contains"),
    ("Fn::EachMemberEquals", "EachMemberEquals"),
    ("Fn::EachMemberIn", "EachMemberIn"),
    ("Fn::RefAll", "RefAll"),
    ("Fn::ValueOf", "ValueOf"),
    ("Fn::ValueOfAll", "ValueOfAll"),
];

const RULE_FUNCTIONS: [&str; 6] =
    ["Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll"];

/// Reads a value in which `Condition` is an ordinary key, as everywhere but in conditions.
pub fn read_value(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Expr {
    Reader { problems, conditions: false, path: path.to_owned() }.expr(node)
}

/// Reads a condition: `Condition: Name` is a reference to another one.
pub fn read_expr(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Expr {
    Reader { problems, conditions: true, path: path.to_owned() }.expr(node)
}

struct Reader<'p> {
    problems: &'p mut Vec<Problem>,
    /// Whether `Condition` is a function here.
    conditions: bool,
    path: String,
}

impl Reader<'_> {
    fn expr(&mut self, node: &Node) -> Expr {
        if let Some(tag) = &node.tag {
            return self.tagged(tag, node);
        }
        match &node.value {
            Value::Scalar(scalar) => {
                if scalar.is_null() {
                    let message = format!("[{}] 'null' values are not allowed in templates", self.path);
                    self.problem(message, node.span);
                }
                Expr::new(Kind::Literal(scalar.clone()), node.span)
            }
            Value::List(items) => Expr::new(Kind::List(self.list(items)), node.span),
            Value::Map(entries) => {
                if let [only] = entries.as_slice()
                    && let Some(name) = self.function_named(&only.key)
                {
                    let function = self.within(name, |reader| reader.call(name, &only.value, node.span));
                    return Expr::new(Kind::Call(Box::new(function)), node.span);
                }
                Expr::new(Kind::Map(self.members(node)), node.span)
            }
        }
    }

    fn list(&mut self, items: &[Node]) -> Vec<Expr> {
        items.iter().enumerate().map(|(at, item)| self.within(&at.to_string(), |reader| reader.expr(item))).collect()
    }

    fn members(&mut self, node: &Node) -> Vec<Member> {
        let entries = node.as_map().unwrap_or_default();
        let read = |reader: &mut Self, entry: &crate::source::Entry| Member {
            key: entry.key.clone(),
            key_span: entry.key_span,
            value: reader.within(&entry.key, |reader| reader.expr(&entry.value)),
        };
        entries.iter().map(|entry| read(self, entry)).collect()
    }

    fn function_named(&self, key: &str) -> Option<&'static str> {
        let (name, _) = FUNCTIONS.iter().find(|(name, _)| *name == key)?;
        (*name != "Condition" || self.conditions).then_some(*name)
    }

    /// `!Sub x` and `!Fn::Sub x` mean `Fn::Sub: x`. An unknown tag is a problem; its value is kept.
    fn tagged(&mut self, tag: &str, node: &Node) -> Expr {
        let known = FUNCTIONS.iter().find(|(name, short)| *short == tag || *name == tag);
        // A tag on nothing is a tag on the empty text: `!GetAZs` alone is this region's zones.
        let value = match &node.value {
            Value::Scalar(scalar) if scalar.text.is_empty() => {
                Value::Scalar(Scalar { text: String::new(), style: Style::Text })
            }
            value => value.clone(),
        };
        let bare = Node { tag: None, span: node.span, value };
        let Some((name, _)) = known else {
            self.problem(format!("Template format error: YAML not well-formed. Unknown tag !{tag}"), node.span);
            return self.expr(&bare);
        };
        let function = self.within(name, |reader| reader.call(name, &bare, node.span));
        Expr::new(Kind::Call(Box::new(function)), node.span)
    }

    fn call(&mut self, name: &'static str, argument: &Node, span: Span) -> Function {
        match self.well_formed(name, argument) {
            Ok(function) => function,
            Err(message) => {
                self.problem(message, span);
                let conditions = std::mem::replace(&mut self.conditions, false);
                let argument = self.expr(argument);
                self.conditions = conditions;
                Function::Malformed { name, argument }
            }
        }
    }

    fn well_formed(&mut self, name: &'static str, argument: &Node) -> Result<Function, String> {
        match name {
            "Ref" => self.reference(argument),
            "Condition" => match text(argument) {
                Some(name) => Ok(Function::Condition(name)),
                None => Err("Template error: every Condition object must have a single string value.".to_owned()),
            },
            "Fn::GetAtt" => self.get_att(argument),
            "Fn::Sub" => self.sub(argument),
            "Fn::Join" => match self.arguments(argument) {
                Some([delimiter, items]) => Ok(Function::Join { delimiter, items }),
                _ => Err(
                    "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) \
                          a list of strings to be joined or a function that returns a list of strings (such as \
                          Fn::GetAZs) to be joined."
                        .to_owned(),
                ),
            },
            "Fn::Select" => match self.arguments(argument) {
                Some([index, items]) => Ok(Function::Select { index, items }),
                _ => Err(SELECT.to_owned()),
            },
            "Fn::Split" => match self.arguments(argument) {
                Some([delimiter, text]) => Ok(Function::Split { delimiter, text }),
                _ => Err("Template error: every Fn::Split object requires two parameters, (1) a string delimiter and \
                          (2) a string to be split or a function that returns a string to be split."
                    .to_owned()),
            },
            "Fn::If" => self.condition_choice(argument),
            "Fn::And" | "Fn::Or" => self.all_or_any(name, argument),
            "Fn::Not" => {
                match self.arguments(argument) {
                    Some([negated]) => Ok(Function::Not(negated)),
                    _ => Err("Template error: Fn::Not requires a list argument with exactly one function parameter."
                        .to_owned()),
                }
            }
            "Fn::Equals" => match self.arguments(argument) {
                Some([left, right]) => Ok(Function::Equals(left, right)),
                _ => Err("Template error: every Fn::Equals object requires a list of 2 string parameters.".to_owned()),
            },
            "Fn::FindInMap" => self.find_in_map(argument),
            "Fn::Cidr" => self.cidr(argument),
            "Fn::Base64" => Ok(Function::Base64(self.expr(argument))),
            "Fn::GetAZs" => Ok(Function::GetAzs(self.expr(argument))),
            "Fn::ImportValue" => Ok(Function::ImportValue(self.expr(argument))),
            "Fn::Length" => Ok(Function::Length(self.expr(argument))),
            "Fn::ToJsonString" => Ok(Function::ToJsonString(self.expr(argument))),
            "Fn::GetStackOutput" => match argument.get("StackName").and(argument.get("OutputName")) {
                Some(_) => Ok(Function::GetStackOutput(self.expr(argument))),
                None => {
                    Err("Template error: every Fn::GetStackOutput object requires StackName and OutputName.".to_owned())
                }
            },
            "Fn::Transform" => Ok(Function::Transform(self.expr(argument))),
            name if RULE_FUNCTIONS.contains(&name) => Ok(Function::Rule { name, argument: self.expr(argument) }),
            name => Err(format!("Template error: {name} is not a function")),
        }
    }

    fn reference(&mut self, argument: &Node) -> Result<Function, String> {
        match &argument.value {
            Value::Scalar(scalar) if argument.tag.is_none() && !scalar.is_null() => {
                let scalar = Scalar { text: scalar.text.clone(), style: Style::Text };
                Ok(Function::Ref(Expr::new(Kind::Literal(scalar), argument.span)))
            }
            _ => {
                let name = self.expr(argument);
                match name.as_call() {
                    Some(_) => Ok(Function::Ref(name)),
                    None => Err("Template format error: Every Ref object must have a single String value.".to_owned()),
                }
            }
        }
    }

    /// `[Resource, Attribute]`, or `Resource.Attribute` where the attribute may have dots itself.
    fn get_att(&mut self, argument: &Node) -> Result<Function, String> {
        let wrong = "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and \
                     the resource attribute";
        let both = match &argument.value {
            Value::Scalar(scalar) => scalar
                .text
                .split_once('.')
                .map(|(resource, attribute)| [string(resource, argument.span), string(attribute, argument.span)]),
            Value::List(_) => self.arguments(argument),
            Value::Map(_) => None,
        };
        let Some([resource, attribute]) = both else { return Err(wrong.to_owned()) };
        let filled = |expr: &Expr| expr.as_call().is_some() || expr.as_str().is_some_and(|text| !text.is_empty());
        if filled(&resource) && filled(&attribute) {
            Ok(Function::GetAtt { resource, attribute })
        } else {
            Err(wrong.to_owned())
        }
    }

    fn sub(&mut self, argument: &Node) -> Result<Function, String> {
        let wrong = "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify \
                     a string as first argument, and an optional second argument to specify a mapping of values to \
                     replace in the string";
        let (template, variables) = match &argument.value {
            Value::Scalar(_) => (argument, Vec::new()),
            Value::List(items) => match items.as_slice() {
                [template] => (template, Vec::new()),
                [template, variables] if variables.as_map().is_some() && variables.tag.is_none() => {
                    (template, self.within("1", |reader| reader.members(variables)))
                }
                _ => return Err(wrong.to_owned()),
            },
            Value::Map(_) => return Err(wrong.to_owned()),
        };
        match (template.tag.as_deref(), template.as_scalar()) {
            (None, Some(scalar)) => {
                let parts = sub_parts(&scalar.text);
                let template = Text { value: scalar.text.clone(), span: template.span };
                Ok(Function::Sub { template, parts, variables })
            }
            _ => Err(wrong.to_owned()),
        }
    }

    fn condition_choice(&mut self, argument: &Node) -> Result<Function, String> {
        let wrong = "Template error: Fn::If requires a list argument with three elements";
        let Some([condition, then, otherwise]) = argument.as_list() else { return Err(wrong.to_owned()) };
        let named = match text(condition) {
            Some(name) => Some(name),
            // `!Condition Name` as the first argument is accepted too.
            None => condition.get("Condition").and_then(text),
        };
        let Some(condition) = named else { return Err(wrong.to_owned()) };
        let then = self.within("1", |reader| reader.expr(then));
        let otherwise = self.within("2", |reader| reader.expr(otherwise));
        Ok(Function::If { condition, then, otherwise })
    }

    fn all_or_any(&mut self, name: &'static str, argument: &Node) -> Result<Function, String> {
        let items = argument.as_list().filter(|items| (2..=10).contains(&items.len()));
        let Some(items) = items else {
            return Err(format!(
                "Template error: every {name} object requires a list of at least 2 and at most 10 boolean parameters."
            ));
        };
        let items = self.list(items);
        Ok(if name == "Fn::And" { Function::And(items) } else { Function::Or(items) })
    }

    fn find_in_map(&mut self, argument: &Node) -> Result<Function, String> {
        let wrong = "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and \
                     the attribute for return value";
        let items = argument.as_list().filter(|_| argument.tag.is_none()).unwrap_or_default();
        let (Some([map, first, second]), rest) = (items.first_chunk::<3>(), items.get(3..).unwrap_or_default()) else {
            return Err(wrong.to_owned());
        };
        let default = match rest {
            [] => None,
            [options] => match options.get("DefaultValue") {
                Some(value) => Some(self.within("3", |reader| reader.expr(value))),
                None => return Err(wrong.to_owned()),
            },
            _ => return Err(wrong.to_owned()),
        };
        Ok(Function::FindInMap { map: self.expr(map), first: self.expr(first), second: self.expr(second), default })
    }

    fn cidr(&mut self, argument: &Node) -> Result<Function, String> {
        let items = argument.as_list().filter(|_| argument.tag.is_none()).unwrap_or_default();
        match items {
            [block, count] => Ok(Function::Cidr { block: self.expr(block), count: self.expr(count), bits: None }),
            [block, count, bits] => {
                Ok(Function::Cidr { block: self.expr(block), count: self.expr(count), bits: Some(self.expr(bits)) })
            }
            _ => Err("Template error: every Fn::Cidr object requires two parameters, (1) a CIDR block and (2) the \
                      number of subnets, and an optional third parameter, the number of subnet bits"
                .to_owned()),
        }
    }

    /// A list of exactly `N` expressions.
    fn arguments<const N: usize>(&mut self, argument: &Node) -> Option<[Expr; N]> {
        let items = argument.as_list().filter(|items| argument.tag.is_none() && items.len() == N)?;
        self.list(items).try_into().ok()
    }

    fn within<T>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(step);
        let result = read(self);
        self.path.truncate(length);
        result
    }

    fn problem(&mut self, message: String, span: Span) {
        self.problems.push(Problem::new(message, span, &self.path));
    }
}

/// What CloudFormation says of a bad index, no list, and an index out of range alike.
pub const SELECT: &str =
    "Template error: Fn::Select requires a list argument with two elements: an integer index and a list";

fn text(node: &Node) -> Option<Text> {
    let scalar = node.as_scalar().filter(|scalar| !scalar.is_null())?;
    let allowed = node.tag.is_none() || node.tag.as_deref() == Some("Condition");
    allowed.then(|| Text { value: scalar.text.clone(), span: node.span })
}

fn string(text: &str, span: Span) -> Expr {
    Expr::new(Kind::Literal(Scalar { text: text.to_owned(), style: Style::Text }), span)
}

/// Splits the text of `Fn::Sub`. An unclosed `${` and an empty `${}` are text.
fn sub_parts(text: &str) -> Vec<SubPart> {
    let mut parts = Vec::new();
    let mut kept = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let name = &rest[start + 2..start + length];
        kept.push_str(&rest[..start]);
        rest = &rest[start + length + 1..];
        if let Some(literal) = name.strip_prefix('!') {
            kept.push_str("${");
            kept.push_str(literal);
            kept.push('}');
        } else if name.trim().is_empty() {
            kept.push_str("${}");
        } else {
            if !kept.is_empty() {
                parts.push(SubPart::Text(std::mem::take(&mut kept)));
            }
            parts.push(SubPart::Name(name.trim().to_owned()));
        }
    }
    kept.push_str(rest);
    if !kept.is_empty() {
        parts.push(SubPart::Text(kept));
    }
    parts
}

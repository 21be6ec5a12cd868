//! Expressions: values that may contain intrinsic functions.

use crate::source::{Scalar, Span};

/// A value of a template with its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub span: Span,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Null, a boolean, a number or a string.
    Literal(Scalar),
    List(Vec<Expr>),
    /// In the order of the text; keys are unique.
    Map(Vec<Member>),
    Call(Box<Function>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub key: String,
    pub key_span: Span,
    pub value: Expr,
}

/// A piece of text with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    pub value: String,
    pub span: Span,
}

/// A piece of the first argument of `Fn::Sub`. Spans are those of the whole text.
#[derive(Debug, Clone, PartialEq)]
pub enum SubPart {
    /// Text to keep; `${!Literal}` has become `${Literal}`.
    Text(String),
    /// `${Name}` or `${Name.Attribute}`: the name as written, without spaces around it.
    Name(String),
}

/// An intrinsic function with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub enum Function {
    /// The name is a literal but for the language extensions.
    Ref(Expr),
    /// The resource is a literal but for the language extensions; the attribute may be a `Ref` to a parameter.
    GetAtt {
        resource: Expr,
        attribute: Expr,
    },
    /// `variables` is empty for the short form.
    Sub {
        template: Text,
        parts: Vec<SubPart>,
        variables: Vec<Member>,
    },
    Join {
        delimiter: Expr,
        items: Expr,
    },
    Select {
        index: Expr,
        items: Expr,
    },
    Split {
        delimiter: Expr,
        text: Expr,
    },
    If {
        condition: Text,
        then: Expr,
        otherwise: Expr,
    },
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Expr),
    Equals(Expr, Expr),
    /// `Condition: Name` inside a condition; elsewhere `Condition` is an ordinary key.
    Condition(Text),
    FindInMap {
        map: Expr,
        first: Expr,
        second: Expr,
        default: Option<Expr>,
    },
    Base64(Expr),
    Cidr {
        block: Expr,
        count: Expr,
        bits: Option<Expr>,
    },
    GetAzs(Expr),
    ImportValue(Expr),
    Length(Expr),
    ToJsonString(Expr),
    /// A map with `StackName`, `OutputName` and optionally `Region`, `RoleArn`.
    GetStackOutput(Expr),
    /// A macro at this place, which only CloudFormation can run.
    Transform(Expr),
    /// Functions that are allowed in `Rules` only: `Fn::Contains`, `Fn::EachMemberIn`, `Fn::RefAll` …
    Rule {
        name: &'static str,
        argument: Expr,
    },
    /// A known function with arguments of a wrong shape (a problem says so), kept as written.
    Malformed {
        name: &'static str,
        argument: Expr,
    },
}

impl Expr {
    pub fn new(kind: Kind, span: Span) -> Self {
        Expr { span, kind }
    }

    /// The text of a literal string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Literal(scalar) if scalar.is_string() => Some(&scalar.text),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&[Member]> {
        match &self.kind {
            Kind::Map(members) => Some(members),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Expr]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn as_call(&self) -> Option<&Function> {
        match &self.kind {
            Kind::Call(function) => Some(function),
            _ => None,
        }
    }

    /// The value under `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Expr> {
        self.as_map()?.iter().find(|member| member.key == key).map(|member| &member.value)
    }

    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Literal(scalar) if scalar.is_null())
    }

    /// Calls `visit` with this expression and all below it, parents first.
    pub fn walk<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        visit(self);
        match &self.kind {
            Kind::Literal(_) => {}
            Kind::List(items) => items.iter().for_each(|item| item.walk(visit)),
            Kind::Map(members) => members.iter().for_each(|member| member.value.walk(visit)),
            Kind::Call(function) => function.arguments().into_iter().for_each(|argument| argument.walk(visit)),
        }
    }
}

impl Function {
    /// The long name, as `Fn::Join`.
    pub fn name(&self) -> &'static str {
        match self {
            Function::Ref(_) => "Ref",
            Function::GetAtt { .. } => "Fn::GetAtt",
            Function::Sub { .. } => "Fn::Sub",
            Function::Join { .. } => "Fn::Join",
            Function::Select { .. } => "Fn::Select",
            Function::Split { .. } => "Fn::Split",
            Function::If { .. } => "Fn::If",
            Function::And(_) => "Fn::And",
            Function::Or(_) => "Fn::Or",
            Function::Not(_) => "Fn::Not",
            Function::Equals(..) => "Fn::Equals",
            Function::Condition(_) => "Condition",
            Function::FindInMap { .. } => "Fn::FindInMap",
            Function::Base64(_) => "Fn::Base64",
            Function::Cidr { .. } => "Fn::Cidr",
            Function::GetAzs(_) => "Fn::GetAZs",
            Function::ImportValue(_) => "Fn::ImportValue",
            Function::Length(_) => "Fn::Length",
            Function::ToJsonString(_) => "Fn::ToJsonString",
            Function::GetStackOutput(_) => "Fn::GetStackOutput",
            Function::Transform(_) => "Fn::Transform",
            Function::Rule { name, .. } | Function::Malformed { name, .. } => name,
        }
    }

    /// All expressions that are arguments, in the order of the text.
    pub fn arguments(&self) -> Vec<&Expr> {
        match self {
            Function::Condition(_) => Vec::new(),
            Function::Ref(one)
            | Function::Not(one)
            | Function::Base64(one)
            | Function::GetAzs(one)
            | Function::ImportValue(one)
            | Function::Length(one)
            | Function::ToJsonString(one)
            | Function::GetStackOutput(one)
            | Function::Transform(one)
            | Function::Rule { argument: one, .. }
            | Function::Malformed { argument: one, .. } => vec![one],
            Function::GetAtt { resource: first, attribute: second }
            | Function::Join { delimiter: first, items: second }
            | Function::Select { index: first, items: second }
            | Function::Split { delimiter: first, text: second }
            | Function::If { then: first, otherwise: second, .. }
            | Function::Equals(first, second) => vec![first, second],
            Function::And(all) | Function::Or(all) => all.iter().collect(),
            Function::Sub { variables, .. } => variables.iter().map(|member| &member.value).collect(),
            Function::FindInMap { map, first, second, default } => {
                [map, first, second].into_iter().chain(default.as_ref()).collect()
            }
            Function::Cidr { block, count, bits } => [block, count].into_iter().chain(bits.as_ref()).collect(),
        }
    }
}

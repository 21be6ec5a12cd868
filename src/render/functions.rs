//! What templates can call, and how values are printed: the rule of [`super::safety`] at work.

use super::marks::{self, JSON_END, JSON_START};
use super::safety::is_plain;
use ipnet::IpNet;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use serde_json::{Map, Value as Json};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Steps that one rendering may take: many times what a template of 10,000 lines needs, and less than a second.
pub const FUEL: u64 = 2_000_000;

/// Subnets that one call may give.
const MOST_SUBNETS: u64 = 4_096;

/// A value that cannot stand where it is printed: what our own functions and the printer say, kept apart from what the
/// engine says.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub message: String,
    /// A few words under the place.
    pub label: String,
    pub help: Option<String>,
    /// The value, where one was refused.
    pub value: Option<Json>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

/// An engine with our rules and functions, and no template yet.
pub fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    // A tag on a line of its own leaves no line behind. The builder refuses only delimiters, and these are the usual ones.
    engine.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().unwrap_or_default());
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    // Makes macros give text that is known to be safe, as everything in it was printed by our printer.
    engine.set_auto_escape_callback(|_| AutoEscape::Custom("yaml".into()));
    engine.set_formatter(print);
    engine.set_fuel(Some(FUEL));
    // Costs nothing until there is an error; then it names what was undefined.
    engine.set_debug(true);
    for unsafe_filter in ["safe", "escape", "e", "urlize", "pprint"] {
        engine.remove_filter(unsafe_filter);
    }
    engine.add_filter("tojson", tojson);
    engine.add_filter("pascal", pascal);
    engine.add_filter("indent", indent);
    engine.add_function("cidr_subnet", |block: &str, prefix: u8, index: u64| {
        subnets(block, prefix, index, 1).map(|mut s| s.remove(0))
    });
    engine.add_function("cidr_subnets", |block: &str, prefix: u8, count: u64| subnets(block, prefix, 0, count));
    engine.add_function("cidr_contains", contains);
    engine
}

fn refusal(refusal: Refusal) -> Error {
    Error::new(ErrorKind::InvalidOperation, refusal.message.clone()).with_source(refusal)
}

fn refused(message: impl Into<String>, label: impl Into<String>) -> Error {
    refusal(Refusal { message: message.into(), label: label.into(), help: None, value: None })
}

/// Prints a value if its text, as a plain scalar, means the same value.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = match value.kind() {
        ValueKind::Undefined => return minijinja::escape_formatter(out, state, value),
        ValueKind::String if value.is_safe() => value.as_str().unwrap_or_default().to_owned(),
        ValueKind::String => marks::without(value.as_str().unwrap_or_default()).into_owned(),
        // The engine would write `True`, as Python does.
        ValueKind::Bool => value.is_true().to_string(),
        ValueKind::Number if number_is_plain(&value.to_string()) => value.to_string(),
        _ => String::new(),
    };
    let safe = value.is_safe()
        || matches!(value.kind(), ValueKind::Bool)
        || !text.is_empty()
            && match value.kind() {
                ValueKind::Number => true,
                _ => is_plain(&text),
            };
    if safe {
        return out.write_str(&text).map_err(Error::from);
    }
    let json = to_json(value)?;
    let quoted = json.to_string();
    let (message, label) = match value.kind() {
        ValueKind::None => ("null is printed here".to_owned(), "YAML would read it as no value".to_owned()),
        ValueKind::Seq | ValueKind::Iterable => {
            ("a list cannot be printed as it is".to_owned(), "this is a list".to_owned())
        }
        ValueKind::Map => ("a map cannot be printed as it is".to_owned(), "this is a map".to_owned()),
        _ => {
            let shown: String = quoted.chars().take(60).collect();
            let more = if quoted.chars().count() > 60 { "…" } else { "" };
            (format!("{shown}{more} cannot be printed as it is"), why_not_plain(&text).to_owned())
        }
    };
    Err(refusal(Refusal { message, label, help: None, value: Some(json) }))
}

fn number_is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.starts_with(|c: char| c.is_ascii_digit())
}

fn why_not_plain(text: &str) -> &'static str {
    if text.is_empty() {
        "YAML would read nothing as null"
    } else if text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/:-".contains(&b)) {
        "YAML could read this text as something else"
    } else {
        "only letters, digits and ._/:- can be printed without quotes"
    }
}

/// A value as JSON, which is YAML, too. Characters that YAML reads differently from JSON are escaped.
fn tojson(value: &Value) -> Result<Value, Error> {
    let json = serde_json::to_string(&to_json(value)?)
        .map_err(|error| refused("this value cannot be written as JSON", error.to_string()))?;
    let mut text = String::with_capacity(json.len() + 8);
    text.push(JSON_START);
    for c in json.chars() {
        match c {
            // Line breaks for YAML 1.1, and characters that are not printable in any YAML.
            '\u{7F}'..='\u{9F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}' => {
                text.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => text.push(c),
        }
    }
    text.push(JSON_END);
    Ok(Value::from_safe_string(text))
}

/// A value without marks; undefined parts are errors, where serialization would make them null.
pub fn to_json(value: &Value) -> Result<Json, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::None => Ok(Json::Null),
        ValueKind::String => Ok(Json::String(marks::without(value.as_str().unwrap_or_default()).into_owned())),
        ValueKind::Seq | ValueKind::Iterable => value.try_iter()?.map(|item| to_json(&item)).collect(),
        ValueKind::Map => {
            let mut map = Map::new();
            for key in value.try_iter()? {
                let name = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                map.insert(marks::without(&name).into_owned(), to_json(&value.get_item(&key)?)?);
            }
            Ok(Json::Object(map))
        }
        _ => serde_json::to_value(value)
            .map_err(|error| refused("this value cannot be written as JSON", error.to_string())),
    }
}

/// Letters and digits only, each part with a capital first: `fastapi-a` is `FastapiA`.
fn pascal(text: &str) -> String {
    let text = marks::without(text);
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(|part| format!("{}{}", part[..1].to_ascii_uppercase(), &part[1..])).collect()
}

/// The lines of a text but the first, moved to the right; what is safe stays safe.
fn indent(value: &Value, width: usize) -> Result<Value, Error> {
    let Some(text) = value.as_str() else { return Err(refused("only text can be indented", "")) };
    let line_break = format!("\n{}", " ".repeat(width.min(100)));
    let indented = text.replace('\n', &line_break);
    Ok(if value.is_safe() { Value::from_safe_string(indented) } else { Value::from(indented) })
}

fn network(text: &str) -> Result<IpNet, Error> {
    text.parse()
        .map_err(|_| refused(format!("`{text}` is no network in CIDR notation"), "expected one, such as 10.0.0.0/16"))
}

/// `count` networks of `prefix` bits within `block`, from the one numbered `first` on.
fn subnets(block: &str, prefix: u8, first: u64, count: u64) -> Result<Vec<String>, Error> {
    let net = network(block)?;
    let longest = net.max_prefix_len();
    if prefix < net.prefix_len() || prefix > longest {
        let label = format!("expected a prefix from {} to {longest}", net.prefix_len());
        return Err(refused(format!("{block} cannot be cut into /{prefix}"), label));
    }
    let there_are = 1_u128 << (prefix - net.prefix_len()).min(127);
    if count > MOST_SUBNETS || u128::from(first) + u128::from(count) > there_are {
        let wanted = if count == 1 { format!("number {first} (counting from 0)") } else { format!("{count} of them") };
        let message = format!("{block} has {there_are} networks of /{prefix}: there is no {wanted}");
        return Err(refused(message, "too many"));
    }
    let bits = |index: u64| u128::from(index) << (longest - prefix).min(127);
    let address = |index: u64| match net.network() {
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from(u32::from(address) | bits(index) as u32)),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) | bits(index))),
    };
    Ok((first..first + count).map(|index| format!("{}/{prefix}", address(index))).collect())
}

/// Whether all addresses of `inner` are in `outer`.
fn contains(outer: &str, inner: &str) -> Result<bool, Error> {
    match (network(outer)?, network(inner)?) {
        (IpNet::V4(outer), IpNet::V4(inner)) => Ok(outer.contains(&inner)),
        (IpNet::V6(outer), IpNet::V6(inner)) => Ok(outer.contains(&inner)),
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;

    fn rendered(source: &str, x: Value) -> Result<String, String> {
        let result = engine().render_str(source, context! { x });
        result
            .map(|text| marks::without(&text).into_owned())
            .map_err(|error| error.detail().unwrap_or_default().to_owned())
    }

    fn ok(source: &str) -> String {
        rendered(source, Value::from("x")).unwrap_or_else(|error| panic!("{source}: {error}"))
    }

    fn refused(source: &str) -> String {
        rendered(source, Value::from("x")).expect_err(source)
    }

    #[test]
    fn subnets_are_cut_in_order() {
        assert_eq!(ok("{{ cidr_subnet('10.0.0.0/16', 24, 3) }}"), "10.0.3.0/24");
        assert_eq!(ok("{{ cidr_subnets('10.1.0.0/16', 20, 2) | tojson }}"), r#"["10.1.0.0/20","10.1.16.0/20"]"#);
        assert_eq!(ok("{{ cidr_subnet('2001:db8::/56', 64, 255) | tojson }}"), r#""2001:db8:0:ff::/64""#);
        assert_eq!(ok("{{ cidr_subnet('10.0.0.0/16', 16, 0) }}"), "10.0.0.0/16");
        assert_eq!(
            refused("{{ cidr_subnet('10.0.0.0/24', 26, 4) }}"),
            "10.0.0.0/24 has 4 networks of /26: there is no number 4 (counting from 0)"
        );
        assert_eq!(refused("{{ cidr_subnet('10.0.0.0/24', 20, 0) }}"), "10.0.0.0/24 cannot be cut into /20");
        assert_eq!(
            refused("{{ cidr_subnets('10.0.0.0/8', 30, 5000) }}"),
            "10.0.0.0/8 has 4194304 networks of /30: there is no 5000 of them"
        );
        assert_eq!(refused("{{ cidr_subnet('tomato', 20, 0) }}"), "`tomato` is no network in CIDR notation");
    }

    #[test]
    fn containment() {
        assert_eq!(ok("{{ cidr_contains('10.0.0.0/8', '10.2.0.0/16') }}"), "true");
        assert_eq!(ok("{{ cidr_contains('10.2.0.0/16', '10.0.0.0/8') }}"), "false");
        assert_eq!(ok("{{ cidr_contains('10.0.0.0/8', '2001:db8::/32') }}"), "false");
    }

    #[test]
    fn logical_ids() {
        assert_eq!(ok("{{ 'fastapi-a' | pascal }}{{ 'my_big.thing 2' | pascal }}"), "FastapiAMyBigThing2");
    }

    #[test]
    fn printing() {
        assert_eq!(ok("{{ 1 }} {{ -2 }} {{ 1.5 }} {{ true }} {{ 'a-b/c.d' }}"), "1 -2 1.5 true a-b/c.d");
        for source in [
            "{{ 'yes' }}",
            "{{ 'a b' }}",
            "{{ '' }}",
            "{{ none }}",
            "{{ [1] }}",
            "{{ {'a': 1} }}",
            "{{ 'x' ~ ': y' }}",
            "{{ 1e300 * 1e300 }}",
        ] {
            assert!(!refused(source).is_empty(), "{source}");
        }
        assert_eq!(refused("{{ '12' }}"), "\"12\" cannot be printed as it is");
    }

    #[test]
    fn macros_give_text_that_needs_no_second_check() {
        let source = "{% macro m(a) %}- {Key: {{ a }}}\n{% endmacro %}{{ m('b') }}";
        assert_eq!(ok(source), "- {Key: b}\n");
        assert_eq!(
            refused("{% macro m(a) %}k: {{ a }}{% endmacro %}{{ m('b: c') }}"),
            "\"b: c\" cannot be printed as it is"
        );
        // What is made of safe text is checked again.
        assert!(!refused("{% macro m() %}a: b{% endmacro %}{{ m() ~ 'x' }}").is_empty());
        assert_eq!(ok("{% macro m() %}a: b{% endmacro %}{{ (m() ~ 'x') | tojson }}"), r#""a: bx""#);
    }

    #[test]
    fn json_is_yaml() {
        assert_eq!(ok("{{ {'b': [1, none, 'ä\"\\n'], 'a': x} | tojson }}"), r#"{"b":[1,null,"ä\"\n"],"a":"x"}"#);
        assert_eq!(
            rendered("{{ x | tojson }}", Value::from("a\u{85}\u{2028}\u{7f}")),
            Ok(r#""a\u0085\u2028\u007f""#.to_owned())
        );
        assert!(rendered("{{ x.missing | tojson }}", context! {}).is_err());
        assert!(rendered("{{ [x.missing] | tojson }}", context! {}).is_err());
    }

    #[test]
    fn ways_around_the_printer_are_closed() {
        for source in [
            "{{ x | safe }}",
            "{{ 'a: b' | escape }}",
            "{{ 'a: b' | e }}",
            "{% autoescape false %}{{ 'a: b' }}{% endautoescape %}",
        ] {
            assert!(rendered(source, Value::from("a: b")).is_err(), "{source}");
        }
    }

    #[test]
    fn endless_loops_run_out_of_fuel() {
        let error =
            engine().render_str("{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}", ());
        assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::OutOfFuel));
    }
}

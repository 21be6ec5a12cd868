//! Findings in words for people: what the registry's validator says in terms of schemas, said of the property.
//!
//! The embedded AWS answers in CloudFormation's own words; whoever reads `validate` or a plan wrote the template, and
//! wants to know what fits.

/// What is before the validator's own message.
const VALIDATION: &str = "Properties validation failed for resource ";

/// The message of a finding, as a sentence about the property that it is about.
pub(super) fn message(text: &str) -> String {
    if let Some((resource, rest)) = text.strip_prefix(VALIDATION).and_then(|rest| rest.split_once(" with message: #")) {
        let (path, what) = rest.split_once(": ").unwrap_or(("", rest));
        return format!("{}: {}", property(resource, path), said(what));
    }
    // A constraint across properties: the sentence says it all, but for the scenario.
    if let Some((sentence, rest)) = text.split_once(" (#") {
        let scenario = rest.rfind(" (where ").map_or("", |at| &rest[at..]);
        return format!("{sentence}{scenario}");
    }
    text.to_owned()
}

/// What to do about it, where that quotes the validator.
pub(super) fn remedy(text: &str) -> String {
    const NEAREST: &str = "The nearest alternative: #";
    match text.strip_prefix(NEAREST).and_then(|rest| rest.split_once(": ")) {
        Some((path, what)) => format!("What comes nearest: {}: {}.", property("this", path), said(what)),
        None => text.to_owned(),
    }
}

/// `Table.KeySchema[0].KeyType`.
fn property(resource: &str, path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty()).fold(resource.to_owned(), |text, part| {
        match part.bytes().all(|byte| byte.is_ascii_digit()) {
            true => format!("{text}[{part}]"),
            false => format!("{text}.{part}"),
        }
    })
}

fn said(what: &str) -> String {
    let (what, scenario) = match what.rfind(" (where ") {
        Some(at) => what.split_at(at),
        None => (what, ""),
    };
    let between = |before: &str, after: &str| Some(what.strip_prefix(before)?.strip_suffix(after)?.to_owned());
    let pair = |before: &str, middle: &str| {
        let (one, two) = what.strip_prefix(before)?.split_once(middle)?;
        Some((one.to_owned(), two.trim_matches(['[', ']']).to_owned()))
    };
    let counted = |least: bool, number: &str, found: &str, of: &str| {
        let bound = if least { "at least" } else { "at most" };
        format!("it takes {bound} {number} {of}, and has {found}")
    };
    let words = if let Some(key) = between("extraneous key [", "] is not permitted") {
        format!("there is no property `{key}` here")
    } else if let Some((key, other)) = pair("extraneous key [", "] is not permitted with ") {
        format!("`{key}` cannot stand beside `{other}`")
    } else if let Some(key) = between("required key [", "] not found") {
        format!("`{}` is missing", key.replace("] or [", "` or `"))
    } else if let Some((expected, found)) = pair("expected type: ", ", found: ") {
        format!("it must be {}, and is {}", kinds(&expected), kinds(&found))
    } else if let Some((text, pattern)) = pair("string [", "] does not match pattern ") {
        let form = form(&pattern).map_or_else(String::new, |form| format!("; it takes {form}"));
        format!("`{text}` is not of the form that it must have{form}")
    } else if let Some(text) = between("", " is not a valid enum value") {
        format!("`{text}` is none of the values that it takes")
    } else if let Some((least, found)) = pair("expected minLength: ", ", actual: ") {
        counted(true, &least, &found, "characters")
    } else if let Some((most, found)) = pair("expected maxLength: ", ", actual: ") {
        counted(false, &most, &found, "characters")
    } else if let Some((least, found)) = pair("expected minimum item count: ", ", found: ") {
        counted(true, &least, &found, "items")
    } else if let Some((most, found)) = pair("expected maximum item count: ", ", found: ") {
        counted(false, &most, &found, "items")
    } else if let Some((least, found)) = pair("minimum size: [", "], found: ") {
        counted(true, &least, &found, "properties")
    } else if let Some((most, found)) = pair("maximum size: [", "], found: ") {
        counted(false, &most, &found, "properties")
    } else if what.starts_with("no subschema matched") || what.starts_with("0 subschemas matched") {
        "it is none of the things that it may be".to_owned()
    } else if what.ends_with("subschemas matched instead of one") {
        "it is several of the things of which it may be only one".to_owned()
    } else if what == "subject must not be valid against the schema" {
        "this is not allowed here".to_owned()
    } else {
        what.to_owned()
    };
    words + scenario
}

/// Types of a schema as things.
fn kinds(types: &str) -> String {
    let kind = |name: &str| match name.to_ascii_lowercase().as_str() {
        "string" => "a text".to_owned(),
        "integer" => "a whole number".to_owned(),
        "number" => "a number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" | "jsonarray" => "a list".to_owned(),
        "object" | "jsonobject" => "a map".to_owned(),
        "null" => "nothing".to_owned(),
        _ => name.to_owned(),
    };
    match types.split_once(", which ") {
        Some((function, gives)) => format!("{function}, which {gives}"),
        None => types.split(", ").map(kind).collect::<Vec<_>>().join(" or "),
    }
}

/// A pattern of one set of characters with a length, in words; none for any other.
fn form(pattern: &str) -> Option<String> {
    let inner = pattern.strip_prefix('^').unwrap_or(pattern);
    let inner = inner.strip_suffix('$').unwrap_or(inner).strip_prefix('[')?;
    let (set, counts) = inner.split_once(']')?;
    if set.starts_with('^') || set.contains(['\\', '[', '&']) {
        return None;
    }
    let count = match counts {
        "+" | "*" => String::new(),
        "" => "one of ".to_owned(),
        counts => match counts.strip_prefix('{')?.strip_suffix('}')?.split_once(',') {
            Some((least, "")) if least.parse::<u32>().is_ok() => format!("at least {least} of "),
            Some((least, most)) if least.parse::<u32>().is_ok() && most.parse::<u32>().is_ok() => {
                format!("{least} to {most} of ")
            }
            _ => return None,
        },
    };
    let mut rest = set.to_owned();
    let mut names = Vec::new();
    for (range, name) in [
        ("a-zA-Z", "letters"),
        ("A-Za-z", "letters"),
        ("a-z", "small letters"),
        ("A-Z", "capital letters"),
        ("0-9", "digits"),
    ] {
        if rest.contains(range) {
            rest = rest.replacen(range, "", 1);
            names.push(name.to_owned());
        }
    }
    let open_range = rest.char_indices().any(|(at, c)| c == '-' && at > 0 && at + 1 < rest.len());
    if open_range {
        return None;
    }
    if !rest.is_empty() {
        names.push(format!("`{rest}`"));
    }
    Some(format!("{count}{}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_said_in_words() {
        let of = |what: &str| message(&format!("{VALIDATION}Thing with message: {what}"));
        for (what, expected) in [
            (
                "#/Treshold: extraneous key [Treshold] is not permitted",
                "Thing.Treshold: there is no property `Treshold` here",
            ),
            ("#: required key [Type] not found", "Thing: `Type` is missing"),
            (
                "#/Tags/0/Key: expected type: String, found: JSONArray",
                "Thing.Tags[0].Key: it must be a text, and is a list",
            ),
            (
                "#/Name: string [a b] does not match pattern ^[a-zA-Z0-9_-]{1,64}$",
                "Thing.Name: `a b` is not of the form that it must have; it takes 1 to 64 of letters, digits, `_-`",
            ),
            (
                "#/Name: string [a b] does not match pattern ^(?!x).*$",
                "Thing.Name: `a b` is not of the form that it must have",
            ),
            ("#/Name: expected maxLength: 64, actual: 80", "Thing.Name: it takes at most 64 characters, and has 80"),
            ("#: no subschema matched out of the total 2 subschemas", "Thing: it is none of the things that it may be"),
            (
                "#: 2 subschemas matched instead of one",
                "Thing: it is several of the things of which it may be only one",
            ),
            (
                "#/KeySchema: expected minimum item count: 2, found: 1 (where HasIndex is true)",
                "Thing.KeySchema: it takes at least 2 items, and has 1 (where HasIndex is true)",
            ),
        ] {
            assert_eq!(of(what), expected);
        }
        assert_eq!(
            message("A task needs both (#/Cpu: 256 is not a valid enum value) (where Big is true)"),
            "A task needs both (where Big is true)"
        );
        assert_eq!(
            remedy("The nearest alternative: #/A/B: required key [C] not found"),
            "What comes nearest: this.A.B: `C` is missing."
        );
        assert_eq!(message("Unresolved resource dependencies [X]"), "Unresolved resource dependencies [X]");
    }
}

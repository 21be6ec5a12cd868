//! The keys of a template's manifest.

use crate::document::{Format, Key, Section, Shape};

const NAME: Format =
    Format { expects: "letters, digits and underscores", pattern: "^[A-Za-z_][A-Za-z0-9_]*$", longest: 128 };
/// CloudFormation's logical ids are alphanumeric.
const LOGICAL_ID: Format =
    Format { expects: "letters and digits, as CloudFormation wants it", pattern: "^[A-Za-z0-9]+$", longest: 255 };
const PROSE: Format = Format { expects: "a sentence", pattern: "\\S", longest: 4_000 };
const TYPE: Format = Format {
    expects: "string, integer, number, boolean, enum, list, map, cidr, duration, size, arn, domain, port, percent or any",
    pattern: "^(string|integer|number|boolean|enum|list|map|cidr|duration|size|arn|domain|port|percent|any)$",
    longest: 10,
};
const PATTERN: Format = Format { expects: "a regular expression", pattern: "", longest: 1_000 };

pub static MANIFEST: Section = Section {
    of: "a manifest",
    keys: &[
        Key {
            name: "description",
            shape: Shape::Text(&PROSE),
            required: true,
            about: "What the template is for, in a sentence.",
        },
        Key {
            name: "inputs",
            shape: Shape::Named { name: &NAME, entry: &Shape::Keys(&INPUT) },
            required: false,
            about: "What an environment may set.",
        },
        Key {
            name: "needs",
            shape: Shape::Named { name: &LOGICAL_ID, entry: &Shape::Any },
            required: false,
            about: "CloudFormation parameters and where their values come from.",
        },
        Key {
            name: "outputs",
            shape: Shape::Named { name: &LOGICAL_ID, entry: &Shape::Text(&PROSE) },
            required: false,
            about: "What other stacks may use, each with a description.",
        },
    ],
};

pub static NEED: Section = Section {
    of: "a need",
    keys: &[
        Key {
            name: "from",
            shape: Shape::Text(&PROSE),
            required: true,
            about: "`stack.Output` or `image:name`; may use inputs, project and environment.",
        },
        Key {
            name: "when",
            shape: Shape::Text(&PROSE),
            required: false,
            about: "An expression; where it is false the parameter is not wired.",
        },
    ],
};

const LENGTH: Shape = Shape::Integer { min: 0, max: 1_000_000 };

pub static INPUT: Section = Section {
    of: "an input",
    keys: &[
        Key { name: "type", shape: Shape::Text(&TYPE), required: true, about: "What values it takes." },
        Key { name: "description", shape: Shape::Text(&PROSE), required: false, about: "What it means." },
        Key {
            name: "default",
            shape: Shape::Any,
            required: false,
            about: "The value where none is given; null for an input that may be left out. Without it a value is required.",
        },
        Key {
            name: "nullable",
            shape: Shape::Boolean,
            required: false,
            about: "Whether null may be given although the default is something else.",
        },
        Key { name: "min", shape: Shape::Any, required: false, about: "The least value." },
        Key { name: "max", shape: Shape::Any, required: false, about: "The greatest value." },
        Key {
            name: "pattern",
            shape: Shape::Text(&PATTERN),
            required: false,
            about: "A regular expression that text must match.",
        },
        Key { name: "min_length", shape: LENGTH, required: false, about: "The fewest characters, items or entries." },
        Key { name: "max_length", shape: LENGTH, required: false, about: "The most characters, items or entries." },
        Key {
            name: "values",
            shape: Shape::List(&Shape::Any),
            required: false,
            about: "The only values that are right.",
        },
        Key {
            name: "one_of",
            shape: Shape::List(&Shape::Text(&NAME)),
            required: false,
            about: "Fields of a map of which exactly one is given.",
        },
        Key {
            name: "fields",
            shape: Shape::Named { name: &NAME, entry: &Shape::Keys(&INPUT) },
            required: false,
            about: "The known keys of a map.",
        },
        Key {
            name: "items",
            shape: Shape::Keys(&INPUT),
            required: false,
            about: "What each item of a list, or each value of a map, is.",
        },
    ],
};

/// Constraints beyond `description`, `default` and `nullable` that a type has a use for.
pub fn constraints_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "string" => &["pattern", "min_length", "max_length", "values"],
        "integer" | "number" => &["min", "max", "values"],
        "port" | "percent" | "duration" | "size" => &["min", "max"],
        "enum" => &["values"],
        "list" => &["items", "min_length", "max_length"],
        "map" => &["fields", "items", "min_length", "max_length", "one_of"],
        _ => &[],
    }
}

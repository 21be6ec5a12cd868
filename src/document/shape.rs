//! What a map may say: tables of keys, which checks and JSON Schemas are made from, so that the two cannot disagree.

/// What a value must look like.
pub enum Shape {
    Text(&'static Format),
    /// Text, or bare digits that YAML reads as a number (`account: 111122223333`).
    Digits(&'static Format),
    /// A text, or a list of such texts with at least one.
    OneOrMore(&'static Format),
    Boolean,
    Integer {
        min: i64,
        max: i64,
    },
    /// A number that is not negative: 2, 0.5.
    Quantity {
        max: u32,
    },
    /// Whatever YAML can say; somebody else knows what is right.
    Any,
    List(&'static Shape),
    /// A map of known keys.
    Keys(&'static Section),
    /// A map from names of the user's choice.
    Named {
        name: &'static Format,
        entry: &'static Shape,
    },
    /// A key of the file format that this version does not know what to do with yet: the reason.
    Refused(&'static str),
}

/// A map with known keys.
pub struct Section {
    /// "an environment file", "a stack": for messages.
    pub of: &'static str,
    pub keys: &'static [Key],
}

pub struct Key {
    pub name: &'static str,
    pub shape: Shape,
    /// Whether a file with all that it extends must have it.
    pub required: bool,
    /// For editors and documentation.
    pub about: &'static str,
}

/// A kind of text.
pub struct Format {
    /// Completes "expected …".
    pub expects: &'static str,
    /// A regular expression that Rust's `regex` and ECMAScript read alike.
    pub pattern: &'static str,
    /// At most this many characters.
    pub longest: usize,
}

pub const REGION: Format = Format {
    expects: "an AWS region, such as us-east-1",
    pattern: "^(af|ap|ca|cn|eu|eu-isoe|eusc-de|il|me|mx|sa|us|us-gov|us-iso|us-isob|us-isof)-\
              (central|north|south|east|west|northeast|northwest|southeast|southwest)-[1-9]$",
    longest: 30,
};

/// Regions that exist as this is written; another one that is well-formed gives a warning.
pub const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-isoe-west-1",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "me-west-1",
    "mx-central-1",
    "sa-east-1",
    "sa-west-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

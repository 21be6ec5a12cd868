//! The keys of an environment file: one table that the loader checks with and that the JSON Schema is generated from,
//! so that the two cannot disagree.

use crate::document::{Format, Key, REGION, Section, Shape};
use crate::quantity;

pub const ENVIRONMENT_NAME: Format = Format {
    expects: "letters, digits and hyphens, at most 26",
    pattern: "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$",
    longest: 26,
};
pub const PROJECT: Format = Format {
    expects: "letters, digits and single hyphens, a letter first, at most 40",
    pattern: "^[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*$",
    longest: 40,
};
/// With project, environment and two hyphens at most 128 characters: CloudFormation's limit.
pub const STACK_NAME: Format = Format {
    expects: "letters, digits and single hyphens, at most 60",
    pattern: "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$",
    longest: 60,
};
pub const TEMPLATE_NAME: Format = Format {
    expects: "the name of a template: letters, digits, hyphens",
    pattern: "^[A-Za-z0-9][A-Za-z0-9-]*$",
    longest: 60,
};
pub const ACCOUNT: Format = Format { expects: "an account id: twelve digits", pattern: "^[0-9]{12}$", longest: 12 };
pub const ROLE_ARN: Format = Format {
    expects: "the ARN of an IAM role",
    pattern: "^arn:aws(-[a-z]+)*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$",
    longest: 2048,
};
/// AWS allows letters of all scripts; what is left out here are ASCII's other signs and control characters.
const TAG_PATTERN: &str = "^[A-Za-z0-9 _.:/=+@\\u00A1-\\uD7FF-]*$";
const TAG_KEY_PATTERN: &str = "^[A-Za-z0-9 _.:/=+@\\u00A1-\\uD7FF-]+$";
/// Limits of CloudFormation's tags: 128 characters for keys, 256 for values; `aws:` belongs to AWS.
pub const TAG_KEY: Format =
    Format { expects: "letters, digits, spaces and _.:/=+-@, at most 128", pattern: TAG_KEY_PATTERN, longest: 128 };
pub const TAG_VALUE: Format =
    Format { expects: "letters, digits, spaces and _.:/=+-@, at most 256", pattern: TAG_PATTERN, longest: 256 };
pub const IMAGE_NAME: Format = Format {
    expects: "letters, digits and single hyphens, at most 60",
    pattern: "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$",
    longest: 60,
};
pub const IMAGE_REF: Format = Format {
    expects: "an image by its digest: repository@sha256:<64 hexadecimal digits>",
    pattern: "^[a-z0-9][A-Za-z0-9._:/-]*@sha256:[0-9a-f]{64}$",
    longest: 512,
};
pub const PLATFORM: Format = Format {
    expects: "a platform, such as linux/amd64 or linux/arm64",
    pattern: "^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?$",
    longest: 60,
};
pub const BUILDER: Format =
    Format { expects: "docker, podman or buildah", pattern: "^(docker|podman|buildah)$", longest: 10 };
pub const PATH: Format =
    Format { expects: "a path that does not begin with a slash", pattern: "^[^/~].*$", longest: 1024 };
pub const STAGE: Format =
    Format { expects: "the name of a stage of the Dockerfile", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$", longest: 128 };
pub const VARIABLE: Format = Format {
    expects: "letters, digits and underscores, no digit first",
    pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
    longest: 255,
};
pub const SECRET_ID: Format =
    Format { expects: "letters, digits and _.-", pattern: "^[A-Za-z0-9_][A-Za-z0-9_.-]*$", longest: 128 };
pub const BUILD_ARGUMENT: Format = Format { expects: "a text of one line", pattern: "^.*$", longest: 4096 };
pub const INPUT_NAME: Format =
    Format { expects: "letters, digits and underscores", pattern: "^[A-Za-z_][A-Za-z0-9_]*$", longest: 128 };
/// CloudFormation's logical ids are alphanumeric.
pub const PARAMETER_NAME: Format = Format {
    expects: "the name of a CloudFormation parameter: letters and digits",
    pattern: "^[A-Za-z0-9]+$",
    longest: 255,
};
pub const NEED: Format = Format {
    expects: "`stack.Output`, `image:name`, or `package:name` with `.bucket` or `.key`",
    pattern: "^([A-Za-z0-9-]+\\.[A-Za-z0-9]+|image:[A-Za-z0-9-]+|package:[A-Za-z0-9-]+(\\.(bucket|key))?)$",
    longest: 400,
};
pub const BUCKET: Format = Format {
    expects: "the name of an S3 bucket: 3 to 63 lower-case letters, digits, dots and hyphens",
    pattern: "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
    longest: 63,
};
pub const TABLE: Format = Format {
    expects: "the name of a DynamoDB table: 3 to 255 letters, digits and _.-",
    pattern: "^[A-Za-z0-9_.-]{3,255}$",
    longest: 255,
};
pub const RULE: Format = Format {
    expects: "the name of a rule: letters, digits and underscores",
    pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
    longest: 200,
};
pub const REASON: Format = Format { expects: "a reason, in one line", pattern: "^.*[^ ].*$", longest: 1000 };
pub const DATE: Format =
    Format { expects: "a date, such as 2027-01-31", pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", longest: 10 };
pub const DURATION: Format =
    Format { expects: "a duration, such as 30s, 5m, 1h or 7d", pattern: quantity::DURATION_PATTERN, longest: 20 };

/// `environments/<name>.yaml`.
pub const ENVIRONMENT: Section = Section {
    of: "an environment file",
    keys: &[
        Key {
            name: "extends",
            shape: Shape::Text(&ENVIRONMENT_NAME),
            required: false,
            about: "The environment file that this one starts from: maps merge, lists and scalars replace, null removes.",
        },
        Key {
            name: "project",
            shape: Shape::Text(&PROJECT),
            required: true,
            about: "The project's name: the first part of every stack's name and the tag `Project`.",
        },
        Key {
            name: "account",
            shape: Shape::Digits(&ACCOUNT),
            required: true,
            about: "The AWS account: twelve digits. Credentials of another account are refused before anything happens.",
        },
        Key {
            name: "region",
            shape: Shape::Text(&REGION),
            required: true,
            about: "The AWS region of all stacks that do not name another.",
        },
        Key {
            name: "tags",
            shape: Shape::Named { name: &TAG_KEY, entry: &Shape::Text(&TAG_VALUE) },
            required: false,
            about: "Tags of every stack and resource, besides `Project`, `Environment` and `ManagedBy`.",
        },
        Key {
            name: "protect",
            shape: Shape::Boolean,
            required: false,
            about: "Termination protection, and stack policies that keep stateful resources. Default: false.",
        },
        Key {
            name: "images",
            shape: Shape::Named { name: &IMAGE_NAME, entry: &Shape::Keys(&super::images::IMAGE) },
            required: false,
            about: "Container images by name.",
        },
        Key {
            name: "packages",
            shape: Shape::Named { name: &IMAGE_NAME, entry: &Shape::Keys(&super::packages::PACKAGE) },
            required: false,
            about: "Code of functions by name: a folder and its dependencies, packed for Lambda.",
        },
        Key {
            name: "stacks",
            shape: Shape::Named { name: &STACK_NAME, entry: &Shape::Keys(&STACK) },
            required: false,
            about: "The stacks by name; null removes one that an extended file has.",
        },
        Key {
            name: "state",
            shape: Shape::Keys(&STATE),
            required: false,
            about: "Where state and lock live, if not at their usual places.",
        },
        Key {
            name: "waivers",
            shape: Shape::List(&Shape::Keys(&super::waivers::WAIVER)),
            required: false,
            about: "Rules of `policies/` that do not count somewhere, with the reason, until a date.",
        },
        Key {
            name: "scan",
            shape: Shape::Keys(&super::scan::SCAN),
            required: false,
            about: "What ECR may find in images before anything that runs them is touched. Default: nobody looks.",
        },
        Key { name: "apply", shape: Shape::Keys(&APPLY), required: false, about: "How stacks are applied." },
        Key {
            name: "usage",
            shape: Shape::Keys(&super::usage::USAGE),
            required: false,
            about: "What AWS bills by use, for `infra cost`: each figure for every resource of its kind.",
        },
        Key {
            name: "drift",
            shape: Shape::Keys(&super::drift::DRIFT),
            required: false,
            about: "What `infra drift` passes over.",
        },
        Key {
            name: "local",
            shape: Shape::Keys(&LOCAL),
            required: false,
            about: "This environment lives on the AWS that is embedded in infra, below `.infra/local/`: no credentials, no network.",
        },
    ],
};

/// Seconds of the embedded AWS that pass in a second, if nothing else is said: the ten minutes that a whole system takes
/// become ten seconds.
pub const SPEED: u32 = 60;
/// Faster than this a resource takes no time that anybody could see.
pub const SPEED_LIMIT: u32 = 3600;

const SIGNALS: Format = Format { expects: "one of succeed, fail, none", pattern: "^(succeed|fail|none)$", longest: 40 };

const LOCAL: Section = Section {
    of: "`local`",
    keys: &[
        Key {
            name: "speed",
            shape: Shape::Integer { min: 1, max: SPEED_LIMIT as i64 },
            required: false,
            about: "How much faster than on AWS its resources come and go: 1 for AWS's own pace. Default: 60.",
        },
        Key {
            name: "signals",
            shape: Shape::Text(&SIGNALS),
            required: false,
            about: "What those resources get that wait for signals (`CreationPolicy`, wait conditions), as nothing runs that could send them: `succeed`, `fail` or `none`. Default: succeed.",
        },
    ],
};

const STACK: Section = Section {
    of: "a stack",
    keys: &[
        Key {
            name: "template",
            shape: Shape::Text(&TEMPLATE_NAME),
            required: false,
            about: "The template: one of the project's `templates/` or of the catalog. Default: the stack's own name.",
        },
        Key {
            name: "inputs",
            shape: Shape::Named { name: &INPUT_NAME, entry: &Shape::Any },
            required: false,
            about: "Values for the template's inputs.",
        },
        Key {
            name: "needs",
            shape: Shape::Named { name: &PARAMETER_NAME, entry: &Shape::Text(&NEED) },
            required: false,
            about: "CloudFormation parameters and where their values come from (`stack.Output`, `image:name`, `package:name.key`), where this \
                    differs from the template's own wiring.",
        },
        Key {
            name: "files",
            shape: Shape::Text(&PATH),
            required: false,
            about: "A folder, relative to the project, whose files are put into the stack's bucket (output BucketName) after the \
                    stack; the distribution in front of it (output DistributionId) forgets what changed.",
        },
        Key {
            name: "after",
            shape: Shape::List(&Shape::Text(&STACK_NAME)),
            required: false,
            about: "Stacks that come first although no value flows from them.",
        },
        Key {
            name: "region",
            shape: Shape::Text(&REGION),
            required: false,
            about: "The stack's region. Default: the environment's.",
        },
        Key {
            name: "account",
            shape: Shape::Digits(&ACCOUNT),
            required: false,
            about: "The stack's account. Default: the environment's.",
        },
        Key {
            name: "role",
            shape: Shape::Text(&ROLE_ARN),
            required: false,
            about: "The IAM role to assume for this stack, as another account needs it.",
        },
    ],
};

const STATE: Section = Section {
    of: "`state`",
    keys: &[
        Key {
            name: "bucket",
            shape: Shape::Text(&BUCKET),
            required: false,
            about: "The S3 bucket of the state. Default: `infra-state-<account>-<region>`.",
        },
        Key {
            name: "table",
            shape: Shape::Text(&TABLE),
            required: false,
            about: "The DynamoDB table of the lock. Default: `infra-locks`.",
        },
        Key {
            name: "region",
            shape: Shape::Text(&REGION),
            required: false,
            about: "The region of both. Default: the environment's.",
        },
        Key {
            name: "reader",
            shape: Shape::Text(&ROLE_ARN),
            required: false,
            about: "The IAM role that environments of other accounts assume to read what this one runs, for `from`: its state, \
                    images and packages.",
        },
    ],
};

/// Stacks in flight, by default and at most.
pub const CONCURRENCY: usize = 8;
const CONCURRENCY_LIMIT: i64 = 100;

const APPLY: Section = Section {
    of: "`apply`",
    keys: &[
        Key {
            name: "concurrency",
            shape: Shape::Integer { min: 1, max: CONCURRENCY_LIMIT },
            required: false,
            about: "Stacks that are worked on at the same time. Default: 8.",
        },
        Key {
            name: "timeout",
            shape: Shape::Text(&DURATION),
            required: false,
            about: "How long one stack may take before the run stops waiting for it. Default: 60m.",
        },
        Key {
            name: "rollout_timeout",
            shape: Shape::Text(&DURATION),
            required: false,
            about: "How long an ECS service may take to become stable before its update is cancelled and rolled back. Default: 30m.",
        },
        Key {
            name: "lock_lease",
            shape: Shape::Text(&DURATION),
            required: false,
            about: "After so long without a sign of life of the run that holds the lock, another may take it. Default: 60s; at least 3s.",
        },
    ],
};

/// Tags that `infra` sets itself.
pub const RESERVED_TAGS: [&str; 3] = ["Project", "Environment", "ManagedBy"];

/// CloudFormation takes 50 tags a stack.
pub const MOST_TAGS: usize = 50 - RESERVED_TAGS.len();

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{REGIONS, matches};
    use regex::Regex;

    #[test]
    fn every_pattern_compiles_and_every_known_region_matches() {
        for format in [
            &ENVIRONMENT_NAME,
            &PROJECT,
            &STACK_NAME,
            &TEMPLATE_NAME,
            &ACCOUNT,
            &REGION,
            &ROLE_ARN,
            &TAG_KEY,
            &TAG_VALUE,
            &IMAGE_NAME,
            &IMAGE_REF,
            &PLATFORM,
            &BUILDER,
            &PATH,
            &STAGE,
            &VARIABLE,
            &SECRET_ID,
            &BUILD_ARGUMENT,
            &INPUT_NAME,
            &PARAMETER_NAME,
            &NEED,
            &BUCKET,
            &TABLE,
            &RULE,
            &REASON,
            &DATE,
            &DURATION,
        ] {
            assert!(Regex::new(format.pattern).is_ok(), "{}", format.pattern);
        }
        for region in REGIONS {
            assert!(matches(&REGION, region), "{region}");
        }
    }

    #[test]
    fn forms() {
        let cases = [
            (&ACCOUNT, "111122223333", true),
            (&ACCOUNT, "11112222333", false),
            (&REGION, "us-esat-1", false),
            (&REGION, "us-east-9", true),
            (&STACK_NAME, "fastapi-a", true),
            (&STACK_NAME, "fastapi_a", false),
            (&STACK_NAME, "-a", false),
            (&STACK_NAME, "a--b", false),
            (&TAG_VALUE, "Müller & Co", false),
            (&TAG_VALUE, "Müller/日本 a+b@c.de", true),
            (&NEED, "network.VpcId", true),
            (&NEED, "image:api", true),
            (&NEED, "package:emailer", true),
            (&NEED, "package:emailer.key", true),
            (&NEED, "package:emailer.size", false),
            (&NEED, "network", false),
            (&IMAGE_REF, "api:latest", false),
            (&ROLE_ARN, "arn:aws:iam::111122223333:role/deploy/x", true),
        ];
        for (format, text, expected) in cases {
            assert_eq!(matches(format, text), expected, "{text:?}");
        }
        assert!(!matches(&STACK_NAME, &"a".repeat(61)));
    }
}

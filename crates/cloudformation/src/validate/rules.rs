//! The rules, one constant each. Ids never change their meaning.

use super::finding::{Rule, Severity};

const fn error(id: &'static str, cfn_lint: &'static str) -> Rule {
    Rule { id, severity: Severity::Error, cfn_lint: Some(cfn_lint) }
}

const fn warning(id: &'static str, cfn_lint: &'static str) -> Rule {
    Rule { id, severity: Severity::Warning, cfn_lint: Some(cfn_lint) }
}

// The template as a whole.
pub const SYNTAX: Rule = error("syntax", "E0000");
pub const STRUCTURE: Rule = error("structure", "E1001");
pub const RESOURCE_STRUCTURE: Rule = error("resource-structure", "E3001");
pub const TOO_LARGE: Rule = error("too-large", "E1002");
pub const TOO_LARGE_INLINE: Rule = warning("too-large-inline", "I1002");
pub const TOO_MANY_RESOURCES: Rule = error("too-many-resources", "E3010");
pub const TOO_MANY_PARAMETERS: Rule = error("too-many-parameters", "E2010");
pub const TOO_MANY_OUTPUTS: Rule = error("too-many-outputs", "E6010");
pub const TOO_MANY_MAPPINGS: Rule = error("too-many-mappings", "E7010");
pub const NAME_TOO_LONG: Rule = error("name-too-long", "E3011");
pub const DESCRIPTION_TOO_LONG: Rule = error("description-too-long", "E1003");
pub const SAME_NAME: Rule = error("same-name", "E3007");

// References.
pub const UNRESOLVED_REFERENCE: Rule = error("unresolved-reference", "E1020");
pub const UNRESOLVED_GETATT: Rule = error("unresolved-getatt", "E1010");
pub const UNKNOWN_ATTRIBUTE: Rule = error("unknown-attribute", "E1010");
pub const UNRESOLVED_SUB: Rule = error("unresolved-sub", "E1019");
pub const UNRESOLVED_DEPENDS_ON: Rule = error("unresolved-depends-on", "E3005");
pub const GOES_WITH_DEPENDENCY: Rule = warning("goes-with-dependency", "E3005");
pub const UNRESOLVED_CONDITION: Rule = error("unresolved-condition", "E8007");
pub const UNRESOLVED_MAPPING: Rule = error("unresolved-mapping", "E1011");
pub const MAY_NOT_EXIST: Rule = warning("may-not-exist", "W1001");
pub const CIRCULAR_DEPENDENCY: Rule = error("circular-dependency", "E3004");
pub const CIRCULAR_CONDITION: Rule = error("circular-condition", "E8001");
pub const FUNCTION_TYPE: Rule = error("function-type", "E1010");
pub const SELECT_INDEX: Rule = error("select-index", "E1017");
pub const CONDITION: Rule = error("condition", "E8001");

// Leftovers.
pub const UNUSED_PARAMETER: Rule = warning("unused-parameter", "W2001");
pub const UNUSED_CONDITION: Rule = warning("unused-condition", "W8001");
pub const UNUSED_MAPPING: Rule = warning("unused-mapping", "W7001");

// Parameters.
pub const PARAMETER_DEFAULT: Rule = error("parameter-default", "E2015");

// Resources.
pub const UNKNOWN_TYPE: Rule = error("unknown-type", "E3006");
pub const NEEDS_TRANSFORM: Rule = error("needs-transform", "E3038");
pub const GLOBALS: Rule = error("globals", "E3724");
pub const LIFECYCLE_END: Rule = error("service-ended", "E3710");
pub const DELETION_POLICY: Rule = error("deletion-policy", "E3035");
pub const UPDATE_REPLACE_POLICY: Rule = error("update-replace-policy", "E3036");
pub const UPDATE_POLICY: Rule = error("update-policy", "E3016");
pub const CREATION_POLICY: Rule = error("creation-policy", "E3055");
pub const METADATA_INIT: Rule = error("metadata-init", "E3009");
pub const SAME_IDENTIFIER: Rule = error("same-identifier", "E3019");

// Properties against the schema of their type.
pub const UNKNOWN_PROPERTY: Rule = error("unknown-property", "E3002");
pub const MISSING_PROPERTY: Rule = error("missing-property", "E3003");
pub const WRONG_TYPE: Rule = error("wrong-type", "E3012");
pub const ORDER: Rule = error("list-order", "E3008");
pub const EXACTLY_ONE: Rule = error("exactly-one-property", "E3014");
pub const ANY_OF: Rule = error("no-alternative", "E3017");
pub const ONE_OF: Rule = error("not-one-alternative", "E3018");
pub const EXCLUDED: Rule = error("excluded-property", "E3020");
pub const DEPENDENT: Rule = error("dependent-property", "E3021");
pub const TAGS: Rule = error("tags", "E3024");
pub const VALUE: Rule = error("value-not-allowed", "E3030");
pub const PATTERN: Rule = error("pattern", "E3031");
pub const LIST_SIZE: Rule = error("list-size", "E3032");
pub const TEXT_LENGTH: Rule = error("text-length", "E3033");
pub const NUMBER_RANGE: Rule = error("number-range", "E3034");
pub const UNIQUE: Rule = error("unique-items", "E3037");
pub const READ_ONLY: Rule = error("read-only-property", "E3040");
pub const READ_ONLY_WITHIN: Rule = warning("read-only-within", "E3040");
pub const AT_LEAST_ONE: Rule = error("at-least-one-property", "E3058");
pub const FORMAT: Rule = error("format", "E1103");
pub const REFERENCE_FORMAT: Rule = error("reference-format", "E1041");
pub const SECURE_STRING: Rule = error("secure-string", "E1027");
pub const UNIQUE_COUNT: Rule = error("unique-count", "E3065");

// What the schema cannot say of one resource or of several together.
pub const ALIAS: Rule = error("cloudfront-alias", "E3013");
pub const ROUTE_TABLE_ASSOCIATION: Rule = error("route-table-association", "E3022");
pub const SCHEDULE: Rule = error("schedule-expression", "E3027");
pub const KEY_ATTRIBUTES: Rule = error("key-attributes", "E3039");
pub const RECORD_NAME: Rule = error("record-name", "E3041");
pub const DYNAMIC_PORT: Rule = error("dynamic-port", "E3049");
pub const HOST_PORT: Rule = error("awsvpc-host-port", "E3053");
pub const HEALTH_CHECK_TYPES: Rule = error("health-check-types", "E3056");
pub const TARGET_ORIGIN: Rule = error("target-origin", "E3057");
pub const SUBNET_OUTSIDE: Rule = error("subnet-outside-vpc", "E3059");
pub const SUBNET_OVERLAP: Rule = error("subnet-overlap", "E3060");
pub const TIERING_DAYS: Rule = error("tiering-days", "E3061");
pub const DETECTOR: Rule = error("detector-exclusive", "E3063");
pub const PRIVATE_DNS: Rule = error("private-dns-twice", "E3064");
pub const VALIDATION_DOMAIN: Rule = error("validation-domain", "E3503");
pub const BACKUP_LIFECYCLE: Rule = error("backup-lifecycle", "E3504");
pub const ROLE_ARN: Rule = error("role-arn", "E3511");
pub const POLICY_ARN: Rule = error("policy-arn", "E3514");
pub const IMAGE_ID: Rule = error("image-id", "E3673");
pub const ENVIRONMENT_SIZE: Rule = error("environment-size", "E3697");
pub const NETWORK_SIZE: Rule = error("network-size", "E3059");
pub const RUNTIME_ENDED: Rule = error("runtime-ended", "E2531");
pub const CAPACITY_RANGE: Rule = error("capacity-range", "E3706");
pub const SAME_PRIORITY: Rule = error("same-priority", "E3019");
pub const RULE_DESCRIPTION: Rule = error("rule-description", "E3031");
pub const CACHE_FAILOVER: Rule = error("cache-failover", "E3026");
pub const INTERFACE: Rule = warning("interface", "E4001");
pub const PARTITION: Rule = error("partition", "I3042");

//! Names that say that what they name is secret. A name is taken apart into words (`MasterUserPassword`,
//! `DB_PASSWORD`, `api-key`); its last word tells what it is: a `SecretArn` is an ARN, a `PasswordPolicy` a policy.

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// All of it is secret, with everything inside.
    Secret,
    /// A single text may be; maps and lists under such a name are settings (`Auth`).
    Text,
    /// A secret may be inside of it (a connection string).
    Inside,
    Nothing,
}

/// Last words that make a name a secret's. Longer words that end in one of them count too: `PGPASSWORD`.
const SECRETS: [&str; 10] =
    ["password", "passwords", "passwd", "pwd", "passphrase", "passcode", "secret", "token", "apikey", "privatekey"];
/// The same, only as whole words.
const WHOLE_SECRETS: [&str; 11] = [
    "pass",
    "secrets",
    "tokens",
    "credential",
    "credentials",
    "keytab",
    "accesskey",
    "secretkey",
    "sharedkey",
    "creds",
    "pat",
];
/// The same, of two words.
const PAIRS: [(&str, &str); 22] = [
    ("private", "key"),
    ("private", "keys"),
    ("secret", "key"),
    ("access", "key"),
    ("api", "key"),
    ("api", "keys"),
    ("auth", "key"),
    ("shared", "key"),
    ("account", "key"),
    ("storage", "key"),
    ("signing", "key"),
    ("encryption", "key"),
    ("license", "key"),
    ("activation", "key"),
    ("master", "key"),
    ("ssh", "key"),
    ("host", "key"),
    ("deploy", "key"),
    ("client", "key"),
    ("cookie", "key"),
    ("key", "material"),
    ("pass", "phrase"),
];
/// Names of texts that carry a secret among other things.
const CARRIERS: [&[&str]; 8] = [
    &["connection", "string"],
    &["conn", "string"],
    &["connection", "url"],
    &["connection", "uri"],
    &["database", "url"],
    &["db", "url"],
    &["jdbc", "url"],
    &["dsn"],
];
/// Say in which form a value is, not what it is.
const FORMS: [&str; 30] = [
    "string",
    "value",
    "text",
    "plaintext",
    "plain",
    "data",
    "base64",
    "b64",
    "encoded",
    "json",
    "raw",
    "literal",
    "body",
    "content",
    "pem",
    "base",
    "bytes",
    "prod",
    "production",
    "dev",
    "development",
    "staging",
    "stage",
    "test",
    "old",
    "new",
    "current",
    "primary",
    "secondary",
    "backup",
];
/// First words of settings about secrets: `GenerateSecret`, `MaxTokens`.
const SWITCHES: [&str; 31] = [
    "generate", "manage", "require", "requires", "required", "use", "uses", "enable", "enables", "enabled", "allow",
    "allows", "disable", "disabled", "has", "is", "include", "exclude", "ignore", "min", "max", "minimum", "maximum",
    "no", "reset", "rotate", "revoke", "validate", "number", "num", "count",
];
/// Tokens that open nothing: places in lists, requests told apart, the version of a service's protocol.
const HARMLESS: [&str; 17] = [
    "nexttoken",
    "pagetoken",
    "nextpagetoken",
    "paginationtoken",
    "continuationtoken",
    "clienttoken",
    "clientrequesttoken",
    "idempotencytoken",
    "httptokens",
    "httptoken",
    "resumetoken",
    "synctoken",
    "changetoken",
    "locktoken",
    "tasktoken",
    "updatetoken",
    "maxtokens",
];
/// Last words that tell something about a secret, or about anything, and give nothing away.
const ABOUT: [&str; 76] = [
    "arn",
    "arns",
    "id",
    "ids",
    "identifier",
    "identifiers",
    "name",
    "names",
    "version",
    "versions",
    "stage",
    "stages",
    "policy",
    "length",
    "size",
    "type",
    "types",
    "kind",
    "mode",
    "status",
    "state",
    "region",
    "regions",
    "bucket",
    "key",
    "uri",
    "uris",
    "url",
    "urls",
    "path",
    "prefix",
    "suffix",
    "location",
    "from",
    "parameter",
    "ref",
    "reference",
    "user",
    "username",
    "usernames",
    "users",
    "email",
    "host",
    "hostname",
    "hosts",
    "address",
    "addresses",
    "port",
    "description",
    "comment",
    "message",
    "format",
    "algorithm",
    "provider",
    "source",
    "destination",
    "endpoint",
    "strategy",
    "method",
    "action",
    "label",
    "option",
    "options",
    "scope",
    "scopes",
    "time",
    "date",
    "schedule",
    "window",
    "zone",
    "class",
    "group",
    "role",
    "subdirectory",
    "engine",
    "behavior",
];

/// Whether a name says that its value is secret, or holds a secret.
pub fn is_name(name: &str) -> bool {
    says(name) != Says::Nothing
}

pub(super) fn says(name: &str) -> Says {
    // Of a path the last part is the name: `/shop/db/password`.
    let name = name.trim_end_matches('/').rsplit('/').next().unwrap_or(name);
    let all = words(name);
    let whole: String = all.concat();
    if HARMLESS.contains(&whole.as_str())
        || all.first().is_some_and(|first| all.len() > 1 && SWITCHES.contains(&first.as_str()))
        || all.iter().any(|word| word == "public")
    {
        return Says::Nothing;
    }
    let ends = |words: &[&str]| {
        all.len() >= words.len() && all[all.len() - words.len()..].iter().zip(words).all(|(one, other)| one == other)
    };
    if CARRIERS.iter().any(|carrier| ends(carrier) || whole.ends_with(&carrier.concat()) && carrier.len() > 1) {
        return Says::Inside;
    }
    let is_form = |word: &String| FORMS.contains(&word.as_str()) || word.bytes().all(|byte| byte.is_ascii_digit());
    let kept = all.iter().rposition(|word| !is_form(word)).map_or(0, |at| at + 1);
    let (Some(last), before) = (all[..kept].last(), all[..kept].iter().rev().nth(1)) else { return Says::Nothing };
    let pair = |(one, other): &(&str, &str)| last == other && before.is_some_and(|before| before == one);
    if SECRETS.iter().any(|secret| last.ends_with(secret))
        || WHOLE_SECRETS.contains(&last.as_str())
        || PAIRS.iter().any(pair)
    {
        return Says::Secret;
    }
    match last.as_str() {
        "auth" | "authorization" | "basicauth" => Says::Text,
        _ => Says::Nothing,
    }
}

/// Whether the name is one of what tells about things: `SecretArn`, `Name`, `ValueFrom`.
pub(super) fn is_about(name: &str) -> bool {
    words(name).last().is_some_and(|last| ABOUT.contains(&last.as_str()))
}

/// The words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (at, letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            continue;
        }
        let before = at.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(at + 1);
        // `dbPassword`, and the last capital of `DBPassword`.
        let starts = letter.is_uppercase()
            && (before.is_some_and(|before| before.is_lowercase() || before.is_numeric())
                || (before.is_some_and(char::is_uppercase) && after.is_some_and(|after| after.is_lowercase())));
        // `password2`
        let number =
            letter.is_numeric() && before.is_some_and(char::is_alphabetic) && !word.eq_ignore_ascii_case("base");
        if (starts || number) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        word.extend(letter.to_lowercase());
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        let secret = [
            "MasterUserPassword",
            "SecretString",
            "DB_PASSWORD",
            "DBPassword",
            "PGPASSWORD",
            "db-pass",
            "AuthToken",
            "token",
            "PrivateKey",
            "PRIVATE_KEY_PEM",
            "KeyMaterial",
            "apiKey",
            "API_KEY",
            "APIKEY",
            "ApiKeyValue",
            "ClientSecret",
            "AWS_SECRET_ACCESS_KEY",
            "SecretAccessKey",
            "password2",
            "SECRET_KEY_BASE",
            "PreSharedKey",
            "Passwords",
            "OAuthToken",
            "GITHUB_TOKEN",
            "JwtSecret",
            "StripeSecretKey",
            "/shop/db/password",
            "credentials",
            "LicenseKey",
            "PasswordHash_not",
            "password_base64",
            "userPassword",
            "SaslPassword",
            "MYSQL_PWD",
            "EncryptionKey",
        ];
        for name in secret.into_iter().filter(|name| !name.ends_with("_not")) {
            assert_eq!(says(name), Says::Secret, "{name}");
        }
        for name in ["ConnectionString", "DATABASE_URL", "connectionstring", "SENTRY_DSN"] {
            assert_eq!(says(name), Says::Inside, "{name}");
        }
        for name in ["BASIC_AUTH", "Authorization"] {
            assert_eq!(says(name), Says::Text, "{name}");
        }
    }

    #[test]
    fn names_of_what_is_about_secrets() {
        for name in [
            "TokenValidityUnits",
            "KeyId",
            "SecretArn",
            "PasswordPolicy",
            "NextToken",
            "PasswordLength",
            "AccessKeyId",
            "SecretName",
            "SecretId",
            "HttpTokens",
            "ClientToken",
            "ClientRequestToken",
            "ManageMasterUserPassword",
            "GenerateSecret",
            "GenerateSecretString",
            "RequireNumbers",
            "PasswordResetRequired",
            "AccessTokenValidity",
            "SecretStringTemplate",
            "PublicKeyMaterial",
            "PublicKey",
            "KmsKeyId",
            "KeyName",
            "S3Key",
            "PartitionKey",
            "AuthType",
            "AuthorizationType",
            "ApiKeyRequired",
            "ApiKeySourceType",
            "CredentialsParameter",
            "TokenKeyId",
            "SecretsManagerConfiguration",
            "MasterUserAuthenticationType",
            "TemporaryPasswordValidityDays",
            "MaxTokens",
            "bypass",
            "Compass",
            "Author",
            "Key",
            "Name",
            "PASSWORD_FILE",
            "TOKEN_URL",
            "Secretary",
            "KeyPolicy",
            "IdentityTokenType",
            "Encryption",
            "TokenTTL",
            "RotationSecretName",
            "PasswordHistorySize",
        ] {
            assert_eq!(says(name), Says::Nothing, "{name}");
        }
        assert!(is_about("SecretArn") && is_about("ValueFrom") && !is_about("Value") && !is_about("SecretString"));
    }
}

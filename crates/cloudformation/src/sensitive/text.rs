//! Secrets inside of texts: in JSON documents, in URLs, in connection strings, in lines of settings and scripts, in Base64.

use super::names::{Says, says};
use super::tree::Properties;
use super::{HIDDEN, has_reference};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fancy_regex::{Captures, Regex};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::sync::LazyLock;

/// `scheme://user:password@host`; the password is all up to the last `@` before the host.
static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?P<head>[A-Za-z][A-Za-z0-9+.\-]*://[^\s/:@"'<>]*:)(?P<secret>[^\s/"'<>]+)(?=@)"#).ok()
});
/// `scheme://token@host`: a user's name of this length is no name.
static URL_TOKEN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?P<head>[A-Za-z][A-Za-z0-9+.\-]*://)(?P<secret>[^\s/:@"'<>]{20,})(?=@)"#).ok());
/// `?token=…`, `&X-Amz-Signature=…`
static QUERY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?P<head>[?&](?P<key>[A-Za-z][A-Za-z0-9_.\-]*)=)(?P<secret>[^\s&"'<>#]+)"#).ok());
static PRIVATE_KEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?P<head>-----BEGIN [A-Z ]*PRIVATE KEY-----)(?P<secret>[\s\S]*?)(?=-----END [A-Z ]*PRIVATE KEY-----|\z)",
    )
    .ok()
});
/// `KEY=value`, `key: value`, `"key": "value"`; what follows a colon goes on to the end of its line.
static SETTING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        (?P<head> (?P<key>[A-Za-z][A-Za-z0-9_.\-]*) \\? ["']? (?P<sign> [\ \t]* (?: := | =>? ) [\ \t]* | [\ \t]* : [\ \t]+ | (?<=["']) : ) )
        (?P<secret>
            \\?" (?: [^"\\\n] | \\[^"\n] | \\" (?= [^\s,}\]] ) )* \\?"
          | ' (?: [^'\n] | '' )* '
          | [^\s"'\\{\[|>&*!][^\n]*
        )"#,
    )
    .ok()
});

/// `--password value`
static OPTION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?P<head>--(?P<key>[A-Za-z][A-Za-z0-9_\-]*)[ ])(?P<secret>"[^"\n]+"|'[^'\n]+'|[^\s"'\-][^\s"']*)"#)
        .ok()
});

/// The text with what is secret inside of it hidden; borrowed where nothing is.
pub fn hide(text: &str) -> Cow<'_, str> {
    hide_with(text, &mut |_| {})
}

/// The same, for lines of files: `password: hunter2` counts whatever is around it.
pub fn hide_settings(text: &str) -> Cow<'_, str> {
    hide_lines(text, &mut |_| {})
}

/// What is secret in the lines of a file.
pub fn secrets_of_settings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let _ = hide_lines(text, &mut |secret| found.push(secret.to_owned()));
    found
}

/// URLs alone: what may be hidden in any text at all.
pub fn hide_urls(text: &str) -> Cow<'_, str> {
    urls(text, &mut |_| {})
}

/// The same, and says what it hides.
pub fn urls<'t>(text: &'t str, found: &mut dyn FnMut(&str)) -> Cow<'t, str> {
    if !text.contains("://") && !text.contains('?') {
        return Cow::Borrowed(text);
    }
    let text = replace(Cow::Borrowed(text), &URL, &mut |captures| secret_of(captures, found));
    let text = replace(text, &URL_TOKEN, &mut |captures| secret_of(captures, found));
    replace(text, &QUERY, &mut |captures| {
        let key = captures.name("key")?.as_str();
        let is_secret =
            says(key) == Says::Secret || key.eq_ignore_ascii_case("x-amz-signature") || key.eq_ignore_ascii_case("sig");
        if is_secret { secret_of(captures, found) } else { None }
    })
}

pub(super) fn hide_with<'t>(text: &'t str, found: &mut dyn FnMut(&str)) -> Cow<'t, str> {
    if text.len() < 6 {
        return Cow::Borrowed(text);
    }
    if let Some(hidden) = document(text, found).or_else(|| encoded(text, found)) {
        return Cow::Owned(hidden);
    }
    hide_lines(text, found)
}

fn hide_lines<'t>(text: &'t str, found: &mut dyn FnMut(&str)) -> Cow<'t, str> {
    let text = replace(Cow::Borrowed(text), &PRIVATE_KEY, &mut |captures| secret_of(captures, found));
    let text = match text {
        Cow::Borrowed(text) => urls(text, found),
        Cow::Owned(text) => Cow::Owned(urls(&text, found).into_owned()),
    };
    let text = match text.contains("--") {
        true => replace(text, &OPTION, &mut |captures| {
            if says(captures.name("key")?.as_str()) == Says::Secret { secret_of(captures, found) } else { None }
        }),
        false => text,
    };
    if !text.lines().any(may_have_settings) {
        return text;
    }
    let mut changed = false;
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match may_have_settings(line).then(|| settings(line, found)) {
            Some(Cow::Owned(hidden)) => {
                changed = true;
                out.push_str(&hidden);
            }
            _ => out.push_str(line),
        }
    }
    if changed { Cow::Owned(out) } else { text }
}

/// Saves most texts from the expression.
fn may_have_settings(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    line.contains([':', '='])
        && ["pass", "pwd", "secret", "token", "key", "cred", "auth", "pat"].iter().any(|part| lower.contains(part))
}

/// Not one pass of the expression: what follows `a: b: c` may be a setting of its own.
fn settings<'t>(text: &'t str, found: &mut dyn FnMut(&str)) -> Cow<'t, str> {
    let Some(expression) = SETTING.as_ref() else { return Cow::Borrowed(text) };
    let mut out = String::new();
    let (mut from, mut copied) = (0, 0);
    while let Ok(Some(captures)) = expression.captures_from_pos(text, from) {
        let (Some(head), Some(key), Some(sign), Some(value)) =
            (captures.name("head"), captures.name("key"), captures.name("sign"), captures.name("secret"))
        else {
            break;
        };
        if says(key.as_str()) != Says::Secret && !(says(key.as_str()) == Says::Text && key.as_str().len() > 4) {
            from = head.end().max(from + 1);
            continue;
        }
        let value = written(value.as_str(), sign.as_str().trim() == ":", &text[..head.start()]);
        let bare = value.trim_matches(['\\', '"', '\'']);
        from = head.end() + value.len().max(1);
        if !is_open(bare) && !bare.eq_ignore_ascii_case("string") {
            found(bare);
            let quote = value.len() - value.trim_start_matches(['\\', '"', '\'']).len();
            let end = value.len() - value.trim_end_matches(['\\', '"', '\'']).len();
            out.push_str(&text[copied..head.end() + quote]);
            out.push_str(HIDDEN);
            copied = head.end() + value.len() - end;
        }
        if from > text.len() || !text.is_char_boundary(from) {
            break;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// As much of what follows a name as is its value.
fn written<'v>(value: &'v str, colon: bool, before: &str) -> &'v str {
    if value.starts_with(['"', '\'', '\\']) {
        return value;
    }
    let line = before.rsplit('\n').next().unwrap_or_default();
    let in_map = line.matches('{').count() > line.matches('}').count();
    let ends: &[char] = match (colon, in_map) {
        (true, false) => &['\n'],
        (true, true) => &[',', '}', '\n'],
        (false, _) => &[' ', '\t', ';', '&', ',', '"', '\'', '\n'],
    };
    let end = value.find(ends).unwrap_or(value.len());
    let end = value[..end].find(" #").unwrap_or(end);
    value[..end].trim_end()
}

/// A JSON document in a text: its members by their names.
fn document(text: &str, found: &mut dyn FnMut(&str)) -> Option<String> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let document: Json = serde_json::from_str(text).ok()?;
    let hidden = Properties::of_nothing().hide_with(&document, found);
    (hidden != document).then(|| hidden.to_string())
}

/// Base64 of a text that holds a secret (user data): none of it is shown.
fn encoded(text: &str, found: &mut dyn FnMut(&str)) -> Option<String> {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if text.len() < 16 || !text.len().is_multiple_of(4) || !text.bytes().all(letters) {
        return None;
    }
    let inner = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    match hide_with(&inner, found) {
        Cow::Owned(_) => Some(HIDDEN.to_owned()),
        Cow::Borrowed(_) => None,
    }
}

/// Whether a text under a secret's name gives nothing away: nothing is in it, it refers to where the secret is, or it stands
/// for a value that is put in later.
pub fn is_open(text: &str) -> bool {
    let text = text.trim();
    let word = text.to_ascii_lowercase();
    matches!(word.as_str(), "" | "true" | "false" | "null" | "~" | "none" | "n/a" | "no_auth" | "aws_iam" | "-")
        || text.starts_with("arn:")
        || text.starts_with("alias/")
        || text.starts_with("(known after apply)")
        || [HIDDEN, "****", "{{changeSet:KNOWN_AFTER_APPLY}}"].contains(&text)
        || has_reference(text)
        || text.starts_with("{{resolve:")
        || text.starts_with('<') && text.ends_with('>')
        || only_placeholders(text)
        || is_variable(text)
}

/// The name of an environment variable, which tells where a secret goes: `secrets: [API_SIGNING_KEY]`.
fn is_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.contains('_')
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// `${Secret}`, `$SECRET`, `{{ inputs.secret | tojson }}`, and several of them with what stands between.
fn only_placeholders(text: &str) -> bool {
    if text.starts_with("{{") && text.ends_with("}}") || text.starts_with("{%") {
        return true;
    }
    if let Some(name) = text.strip_prefix('$').filter(|name| !name.starts_with('{')) {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        return !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(is_name);
    }
    let mut rest = text;
    let mut several = false;
    while let Some(at) = rest.find("${") {
        let Some(end) = rest[at..].find('}') else { return false };
        if rest[..at].chars().any(char::is_alphanumeric) {
            return false;
        }
        several = true;
        rest = &rest[at + end + 1..];
    }
    several && !rest.chars().any(char::is_alphanumeric)
}

/// The match without its secret; none to leave it as it is.
fn secret_of(captures: &Captures<'_>, found: &mut dyn FnMut(&str)) -> Option<String> {
    let (head, secret) = (captures.name("head")?.as_str(), captures.name("secret")?.as_str());
    if is_open(secret) || secret.starts_with(HIDDEN) || only_placeholders(secret) {
        return None;
    }
    found(secret.trim());
    Some(format!("{head}{HIDDEN}"))
}

fn replace<'t>(
    text: Cow<'t, str>,
    expression: &LazyLock<Option<Regex>>,
    with: &mut dyn FnMut(&Captures<'_>) -> Option<String>,
) -> Cow<'t, str> {
    let Some(expression) = expression.as_ref() else { return text };
    let mut out = String::new();
    let mut copied = 0;
    for captures in expression.captures_iter(&text) {
        let Ok(captures) = captures else { break };
        let (Some(all), Some(new)) = (captures.get(0), with(&captures)) else { continue };
        out.push_str(&text[copied..all.start()]);
        out.push_str(&new);
        copied = all.end();
    }
    if copied == 0 {
        return text;
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_inside_of_texts() {
        for (text, hidden) in [
            ("postgres://app:hunter2@db:5432/app", "postgres://app:(sensitive)@db:5432/app"),
            (
                "see https://user:p@ss@host/x and redis://:pw@h",
                "see https://user:(sensitive)@host/x and redis://:(sensitive)@h",
            ),
            ("https://x-access-token-abcdefgh1234@github.com/a", "https://(sensitive)@github.com/a"),
            ("https://h/?a=1&token=abc123&b=2", "https://h/?a=1&token=(sensitive)&b=2"),
            (
                "Server=db;User Id=sa;Password=hunter2;Encrypt=true",
                "Server=db;User Id=sa;Password=(sensitive);Encrypt=true",
            ),
            (
                "#!/bin/sh\nexport DB_PASSWORD='hunter 2'\necho x\n",
                "#!/bin/sh\nexport DB_PASSWORD='(sensitive)'\necho x\n",
            ),
            (r#"{"user":"app","password":"hunter2"}"#, r#"{"user":"app","password":"(sensitive)"}"#),
            ("cli --password hunter2 --host h", "cli --password (sensitive) --host h"),
            ("ZXhwb3J0IFRPS0VOPWh1bnRlcjIK", "(sensitive)"),
        ] {
            assert_eq!(hide(text), hidden);
        }
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----";
        assert_eq!(hide(key), "-----BEGIN RSA PRIVATE KEY-----(sensitive)-----END RSA PRIVATE KEY-----");
    }

    #[test]
    fn what_is_shown() {
        for text in [
            "https://github.com/a/b",
            "ssh://git@host/x",
            "https://host:8443/a@b",
            "postgres://${User}:${Pw}@h/d",
            "{{resolve:secretsmanager:s:SecretString:password}}",
            "Password={{resolve:ssm-secure:p:1}}",
            "TOKEN=$TOKEN",
            "password: !Ref Password",
            r#"{"Version":"2012-10-17","Statement":[]}"#,
            "aGVsbG8gd29ybGQhISEh",
            "PasswordPolicy: strong",
            "a=b;c=d",
            "passwordLength=12",
        ] {
            assert_eq!(hide(text), text);
        }
        assert!(is_open("API_SIGNING_KEY") && is_open("$TOKEN") && !is_open("AKIAEXAMPLE") && !is_open("a_b"));
    }

    #[test]
    fn lines_of_files() {
        let file = "inputs:\n  password: correct horse battery  # mine\n  api_token: \"abc def\"\n  size: 3\n  secret: !Ref X\n  \
                    flow: {token: abc123, n: 1}\n  token: {type: string}\n";
        assert_eq!(secrets_of_settings(file), ["correct horse battery", "abc def", "abc123"]);
        assert_eq!(hide_settings("  password: hunter2"), "  password: (sensitive)");
    }
}

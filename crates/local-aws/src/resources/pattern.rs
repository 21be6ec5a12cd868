//! Texts that a schema takes: whether one fits, and making one from a pattern.

use crate::ids::Ids;
use cloudformation::schema::{Keyword, Schema};
use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::Value as Json;

/// Repetitions without an upper bound are made this much longer than they must be, at most.
const EXTRA: u32 = 4;
/// How often a text is made anew that does not fit.
const TRIES: usize = 24;

/// Whether a text is as the schema's own keywords want it.
pub(super) fn fits(schema: &Schema, text: &str) -> bool {
    let length = text.chars().count() as u64;
    schema.keywords.iter().all(|keyword| match keyword {
        Keyword::Pattern(pattern) => pattern.matches(text) != Some(false),
        Keyword::MinLength(least) => length >= *least,
        Keyword::MaxLength(most) => length <= *most,
        Keyword::Enum(allowed) => allowed.iter().any(|one| one.as_str() == Some(text)),
        Keyword::EnumCaseInsensitive(allowed) => {
            allowed.iter().filter_map(Json::as_str).any(|one| one.eq_ignore_ascii_case(text))
        }
        Keyword::Const(only) => only.as_str() == Some(text),
        Keyword::AllOf(all) => all.iter().all(|schema| fits(schema, text)),
        Keyword::AnyOf(any) | Keyword::OneOf(any) => any.iter().any(|schema| fits(schema, text)),
        _ => true,
    })
}

/// A text that fits the schema, made from its pattern; `None` if the schema has none, or none that can be made from.
pub(super) fn text(schema: &Schema, ids: &Ids) -> Option<String> {
    let bounds = |length: u64| usize::try_from(length).ok();
    let mut least = 0;
    let mut most = 255;
    let mut patterns = Vec::new();
    collect(schema, &mut |keyword| match keyword {
        Keyword::Pattern(pattern) => patterns.push(pattern.text()),
        Keyword::MinLength(length) => least = bounds(*length).unwrap_or(least),
        Keyword::MaxLength(length) => most = bounds(*length).unwrap_or(most),
        _ => {}
    });
    let hir = patterns.iter().find_map(|pattern| parse(pattern));
    if let Some(hir) = hir {
        for attempt in 0..TRIES {
            let mut made = String::new();
            generate(&hir, ids, least, u32::try_from(attempt).unwrap_or(0), &mut made);
            // A pattern that is not anchored may be padded in front of it and after it.
            let padded: String =
                made.chars().chain(std::iter::repeat('a')).take(least.max(made.chars().count())).collect();
            let cut: String = made.chars().take(most).collect();
            if let Some(fit) = [made, padded, cut].into_iter().find(|text| fits(schema, text)) {
                return Some(fit);
            }
        }
        return None;
    }
    (patterns.is_empty() && least > 0).then(|| ids.lower(least))
}

fn collect<'s>(schema: &'s Schema, each: &mut impl FnMut(&'s Keyword)) {
    for keyword in &schema.keywords {
        each(keyword);
        if let Keyword::AllOf(all) = keyword {
            for schema in all {
                schema.keywords.iter().for_each(&mut *each);
            }
        }
        if let Keyword::AnyOf(any) | Keyword::OneOf(any) = keyword
            && let Some(first) = any.first()
        {
            first.keywords.iter().for_each(&mut *each);
        }
    }
}

/// Assertions about what surrounds a place cannot be made from: they are left out, and what was made is checked.
fn parse(pattern: &str) -> Option<Hir> {
    let mut plain = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(start) = rest.find("(?") {
        let inside = &rest[start + 2..];
        plain.push_str(&rest[..start]);
        if inside.starts_with(['!', '=']) || inside.starts_with("<!") || inside.starts_with("<=") {
            rest = &rest[start + closing(&rest[start..])?..];
        } else {
            plain.push_str("(?");
            rest = inside;
        }
    }
    plain.push_str(rest);
    regex_syntax::ParserBuilder::new().utf8(true).build().parse(&plain.replace("\\/", "/").replace("\\Z", "$")).ok()
}

/// The length of the group that `text` starts with.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut escaped, mut class) = (0_usize, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

fn generate(hir: &Hir, ids: &Ids, least: usize, attempt: u32, made: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => made.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => made.extend(pick(class, ids)),
        HirKind::Capture(capture) => generate(&capture.sub, ids, least, attempt, made),
        HirKind::Concat(all) => all.iter().for_each(|hir| generate(hir, ids, least, attempt, made)),
        HirKind::Alternation(any) => {
            let at = usize::try_from(ids.below(any.len() as u64)).unwrap_or(0);
            generate(&any[at], ids, least, attempt, made);
        }
        HirKind::Repetition(repetition) => {
            // What must be long is made long where there is room for it.
            let wanted = u32::try_from(least.saturating_sub(made.len())).unwrap_or(0).min(512);
            let bound = repetition.max.unwrap_or(u32::MAX);
            let extra = u32::try_from(ids.below(u64::from(EXTRA.min(attempt) + 1))).unwrap_or(0);
            let wish = repetition.min.saturating_add(extra).max(if attempt % 2 == 1 { wanted } else { 0 });
            let wish = if repetition.min == 0 && attempt.is_multiple_of(3) { wish } else { wish.max(1) };
            for _ in 0..wish.clamp(repetition.min, bound) {
                generate(&repetition.sub, ids, least, attempt, made);
            }
        }
    }
}

/// A character of a class; a letter or digit where the class has one.
fn pick(class: &Class, ids: &Ids) -> Option<char> {
    const LIKED: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let contains = |character: char| match class {
        Class::Unicode(class) => class.iter().any(|range| (range.start()..=range.end()).contains(&character)),
        Class::Bytes(class) => class
            .iter()
            .any(|range| u8::try_from(character).is_ok_and(|byte| (range.start()..=range.end()).contains(&byte))),
    };
    let liked: Vec<char> = LIKED.chars().filter(|character| contains(*character)).collect();
    if liked.is_empty() {
        return match class {
            Class::Unicode(class) => class.iter().next().map(|range| range.start()),
            Class::Bytes(class) => class.iter().next().map(|range| char::from(range.start())),
        };
    }
    let at = usize::try_from(ids.below(liked.len() as u64)).unwrap_or(0);
    liked.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudformation::schema::resource_type;

    #[test]
    fn texts_are_made_from_patterns() {
        let ids = Ids::new(3);
        let cases = [
            ("AWS::WAFv2::WebACL", "Id"),
            ("AWS::WAFv2::WebACL", "LabelNamespace"),
            ("AWS::Lambda::CodeSigningConfig", "CodeSigningConfigArn"),
            ("AWS::Events::Connection", "SecretArn"),
            ("AWS::CodeArtifact::Domain", "Name"),
        ];
        for (name, path) in cases {
            let property = resource_type(name).and_then(|known| known.property(path)).expect("a property");
            let made = text(property.schema, &ids).unwrap_or_else(|| panic!("{name} {path}"));
            assert!(fits(property.schema, &made), "{made}");
        }
    }
}

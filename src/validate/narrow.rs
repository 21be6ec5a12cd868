//! From the line of a resource to the line of one of its properties: the text below it is searched for the property's
//! name. A template may be made by loops; what is not found as it is named leaves the place as near as it was found.

/// Lines from one to before another, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Block {
    start: usize,
    end: usize,
}

/// The line and the characters in it (from, to) of what `path` names below the resource on line `resource` (from 0).
/// `Properties` comes first in the path; items of lists are numbers. None where not even the first name is found.
pub(super) fn place(text: &str, resource: usize, path: &[&str]) -> Option<(usize, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut block = Block { start: resource, end: end_of(&lines, resource) };
    let mut found = None;
    for part in path {
        let next = match part.parse::<usize>() {
            Ok(index) => item(&lines, block, index).map(|line| (line, None)),
            Err(_) => key(&lines, block, part).map(|(line, from, to)| (line, Some((from, to)))),
        };
        let Some((line, place)) = next else { break };
        if let Some((from, to)) = place {
            found = Some((line, from, to));
        }
        block = Block { start: line, end: end_of(&lines, line).min(block.end).max(line + 1) };
    }
    found
}

fn indent(line: &str) -> usize {
    line.chars().take_while(|c| *c == ' ').count()
}

/// The first line behind what the line begins: not deeper than it, and not empty.
fn end_of(lines: &[&str], line: usize) -> usize {
    let own = lines.get(line).map_or(0, |text| indent(text));
    let deeper = |text: &&str| text.trim().is_empty() || text.trim_start().starts_with('{') || indent(text) > own;
    // The items of a list may stand as deep as its key.
    let item = |text: &&str| indent(text) == own && text.trim_start().starts_with("- ");
    let is_item = lines.get(line).is_some_and(|text| text.trim_start().starts_with("- "));
    let rest = lines.iter().skip(line + 1);
    line + 1 + rest.take_while(|text| deeper(text) || (!is_item && item(text))).count()
}

/// The outermost line that has the key, else the first; with the key's characters.
fn key(lines: &[&str], block: Block, name: &str) -> Option<(usize, usize, usize)> {
    let on = |line: usize| {
        let text = lines.get(line)?;
        let starts = text.match_indices(name).map(|(at, _)| at);
        let fits = |at: &usize| {
            let before = text[..*at].chars().next_back().is_none_or(|c| " {,\"'".contains(c));
            let after = text[at + name.len()..].trim_start_matches(['"', '\'']);
            before && (after.starts_with(':') && after[1..].chars().next().is_none_or(char::is_whitespace))
        };
        let at = starts.into_iter().find(fits)?;
        let from = text[..at].chars().count();
        Some((line, from, from + name.chars().count()))
    };
    let found: Vec<(usize, usize, usize)> = (block.start..block.end.min(lines.len())).filter_map(on).collect();
    found.into_iter().min_by_key(|(line, from, _)| (*from, *line))
}

/// The line on which an item of the list begins.
fn item(lines: &[&str], block: Block, index: usize) -> Option<usize> {
    let begins = |line: &usize| lines.get(*line).is_some_and(|text| text.trim_start().starts_with("- "));
    let all: Vec<usize> = (block.start + 1..block.end.min(lines.len())).filter(begins).collect();
    let least = all.iter().map(|line| indent(lines[*line])).min()?;
    all.into_iter().filter(|line| indent(lines[*line]) == least).nth(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
Resources:
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Dimensions:
      - Name: a
        Value: b
      - {Name: c, Value: d}
      Threshold: 1
  Other:
    Type: T
    Properties: {Threshold: 2, Tags: [{Key: k}]}
";

    #[test]
    fn a_property_is_found_below_its_resource() {
        let of = |resource: usize, path: &[&str]| {
            let (line, from, to) = place(TEXT, resource, path)?;
            Some((line, TEXT.lines().nth(line)?.get(from..to)?.to_owned()))
        };
        let found = |line: usize, text: &str| Some((line, text.to_owned()));
        assert_eq!(of(1, &["Properties", "Threshold"]), found(8, "Threshold"));
        assert_eq!(of(1, &["Properties", "Dimensions", "0", "Value"]), found(6, "Value"));
        assert_eq!(of(1, &["Properties", "Dimensions", "1", "Value"]), found(7, "Value"));
        assert_eq!(of(9, &["Properties", "Threshold"]), found(11, "Threshold"));
        assert_eq!(of(9, &["Properties", "Tags", "0", "Key"]), found(11, "Tags"));
        assert_eq!(of(1, &["Properties", "Absent"]), found(3, "Properties"));
        assert_eq!(of(1, &["Absent"]), None);
    }
}

//! Names and physical ids: making them, and telling from a physical id what it was made of.

use super::draft::Draft;
use super::facts::{NameRule, form, name_rule};
use super::model;
use cloudformation::schema::{Keyword, PropertyPath, Reference, ResourceType, Type, reference};
use serde_json::Value as Json;

/// CloudFormation's own names may be this long where nothing says otherwise.
const LONGEST_NAME: usize = 255;
/// Random characters at the end of a name.
const TAIL: usize = 12;

/// Where the physical id of a type comes from.
enum Source {
    /// It has a form of its own, or is this property or attribute.
    Form(&'static str),
    Property(PropertyPath),
    /// The parts of the primary identifier, joined.
    Joined(Vec<PropertyPath>),
}

/// Fills in the names that the template left out, then makes the physical id.
pub(super) fn make(draft: &mut Draft<'_>) -> String {
    name_all(draft);
    let physical_id = match source(draft) {
        Source::Form(form) => draft.fill(form),
        Source::Property(path) => part(draft, &path),
        Source::Joined(paths) => {
            Some(paths.iter().map(|path| part(draft, path).unwrap_or_default()).collect::<Vec<_>>().join("|"))
        }
    };
    // A form that asks for what an unchecked resource does not have: a name still identifies it.
    let physical_id = physical_id.filter(|id| !id.is_empty()).unwrap_or_else(|| usual_name(draft));
    draft.physical_id = Some(physical_id.clone());
    physical_id
}

/// Takes a physical id that is known and puts what it was made of into the draft.
pub(super) fn recall(draft: &mut Draft<'_>, physical_id: &str) {
    draft.physical_id = Some(physical_id.to_owned());
    let forms = match source(draft) {
        Source::Form(form) => vec![(form, physical_id.to_owned())],
        Source::Property(path) => {
            put(draft, &path, physical_id);
            form_of(draft, &path).map(|form| (form, physical_id.to_owned())).into_iter().collect()
        }
        Source::Joined(paths) => {
            let parts = physical_id.split('|').map(str::to_owned);
            paths.iter().zip(parts).for_each(|(path, part)| put(draft, path, &part));
            Vec::new()
        }
    };
    for (form, text) in forms {
        for (name, value) in super::form::read(form, &text).unwrap_or_default() {
            if draft.known.property(name).is_some() {
                put(draft, &PropertyPath::new(name), &value);
            }
        }
    }
    name_all(draft);
}

fn put(draft: &mut Draft<'_>, path: &PropertyPath, value: &str) {
    if model::get(&draft.properties, path).is_none() && !value.is_empty() {
        let types = draft.known.property(&path.dotted()).map(|property| property.types()).unwrap_or_default();
        let number = value.parse().ok().filter(|_| !types.any() && !types.contains(Type::String));
        let value = number.map_or_else(|| Json::String(value.to_owned()), Json::Number);
        model::set(&mut draft.properties, path, value);
    }
}

fn source(draft: &Draft<'_>) -> Source {
    let known = draft.known;
    if draft.type_name == "AWS::EC2::SecurityGroup" {
        let named = draft.text("VpcId").is_none();
        return Source::Property(PropertyPath::new(if named { "GroupName" } else { "GroupId" }));
    }
    // (AWS::Events::Rule, return values: "Ref returns … event_bus_name|rule_name" for a bus of one's own.)
    if draft.type_name == "AWS::Events::Rule" && draft.value("bus").is_some_and(|bus| !bus.is_empty()) {
        return Source::Form("{event_bus}|{Name}");
    }
    if let Some(form) = form(draft.type_name, "") {
        return Source::Form(form);
    }
    let told = match reference(draft.type_name) {
        Some(Reference::Property(path) | Reference::Arn(path) | Reference::Id(path)) => Some(path),
        Some(Reference::Url) | None => None,
    };
    match (told.filter(|path| known.property(path).is_some()), known.primary_identifier()) {
        (Some(path), _) => Source::Property(PropertyPath::new(path)),
        (None, [only]) => Source::Property(only.clone()),
        (None, several) => Source::Joined(several.to_vec()),
    }
}

/// A part of an identifier: given, or made now.
fn part(draft: &Draft<'_>, path: &PropertyPath) -> Option<String> {
    let dotted = path.dotted();
    if let Some(text) = draft.text(&dotted) {
        return Some(text);
    }
    if !draft.known.is_read_only(&dotted) && form_of(draft, path).is_none() {
        return None;
    }
    match super::attributes::attribute(draft, path) {
        Json::String(text) => Some(text),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn form_of(draft: &Draft<'_>, path: &PropertyPath) -> Option<&'static str> {
    form(draft.type_name, &path.segments().collect::<Vec<_>>().join("/"))
}

/// Names what the template does not name.
fn name_all(draft: &mut Draft<'_>) {
    if let Some(rule) = name_rule(draft.type_name) {
        if draft.text(rule.property).is_none() {
            let name = named(draft, rule);
            model::set(&mut draft.properties, &PropertyPath::new(rule.property), Json::String(name));
        }
        return;
    }
    let missing: Vec<PropertyPath> =
        nameless(draft.known).filter(|path| draft.text(&path.dotted()).is_none()).collect();
    for path in missing {
        let name = fitting_name(draft, &path);
        model::set(&mut draft.properties, &path, Json::String(name));
    }
}

/// The properties that CloudFormation names: what identifies a resource and can be set but need not be.
fn nameless(known: &'static ResourceType) -> impl Iterator<Item = PropertyPath> {
    let kind = known.name().rsplit("::").next().unwrap_or_default();
    let usual = [format!("{kind}Name"), "Name".to_owned()].into_iter().map(|name| PropertyPath::new(&name));
    let identifying = known.primary_identifier().iter().filter(|path| {
        ["Name", "Identifier", "Id"].iter().any(|end| path.top().ends_with(end))
            || known.primary_identifier().len() == 1
    });
    let mut taken: Vec<PropertyPath> = Vec::new();
    usual.chain(identifying.cloned()).filter(move |path| {
        let dotted = path.dotted();
        let settable = known.property(&dotted).is_some_and(|property| property.types().contains(Type::String));
        let made = settable
            && path.segments().len() == 1
            && !known.is_read_only(&dotted)
            && !known.required().any(|name| name == dotted)
            && !taken.contains(path);
        if made {
            taken.push(path.clone());
        }
        made
    })
}

fn usual_name(draft: &Draft<'_>) -> String {
    shortened(draft, super::facts::USUAL, LONGEST_NAME)
}

fn named(draft: &Draft<'_>, rule: NameRule) -> String {
    let name = shortened(draft, rule.form, rule.longest);
    let name = if rule.lower_case { name.to_lowercase() } else { name };
    // A queue or topic that keeps order says so in its name.
    match draft.text("FifoQueue").or_else(|| draft.text("FifoTopic")).as_deref() {
        Some("true") => format!("{}.fifo", name.chars().take(rule.longest - ".fifo".len()).collect::<String>()),
        _ => name,
    }
}

/// A name that the schema of its property takes.
fn fitting_name(draft: &Draft<'_>, path: &PropertyPath) -> String {
    let Some(property) = draft.known.property(&path.dotted()) else { return usual_name(draft) };
    let longest = property.schema.keywords.iter().find_map(|keyword| match keyword {
        Keyword::MaxLength(most) => usize::try_from(*most).ok(),
        _ => None,
    });
    let name = shortened(draft, super::facts::USUAL, longest.unwrap_or(LONGEST_NAME).min(LONGEST_NAME));
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let candidates = [name.clone(), name.to_lowercase(), name.replace('-', "_"), plain.clone(), plain.to_lowercase()];
    let fits = |name: &String| super::pattern::fits(property.schema, name);
    candidates.into_iter().find(fits).or_else(|| super::pattern::text(property.schema, draft.ids)).unwrap_or(name)
}

/// Fills in a form with stack and logical id cut so that the whole has at most `longest` characters. What one of them
/// does not need, the other may have.
fn shortened(draft: &Draft<'_>, form: &str, longest: usize) -> String {
    let (stack, logical) = (draft.owner.stack_name.as_str(), draft.owner.logical_id.as_str());
    let fixed = super::form::fill(form, draft.ids, |_| Some(String::new())).map_or(TAIL, |text| text.len());
    let room = longest.saturating_sub(fixed);
    let half = room / 2;
    let both = form.contains("{stack}") && form.contains("{logical}");
    let (for_stack, for_logical) = match both {
        true if stack.len() <= half => (stack.len(), room - stack.len()),
        true if logical.len() <= half => (room - logical.len(), logical.len()),
        true => (half, room - half),
        false => (room, room),
    };
    let cut = |text: &str, length: usize| text.chars().take(length).collect::<String>();
    let filled = super::form::fill(form, draft.ids, |name| match name {
        "stack" => Some(cut(stack, for_stack).trim_end_matches('-').to_owned()),
        "logical" => Some(cut(logical, for_logical)),
        _ => draft.value(name),
    });
    let name = filled.unwrap_or_else(|| draft.ids.alphanumeric(TAIL));
    cut(name.trim_start_matches('-'), longest.max(1))
}

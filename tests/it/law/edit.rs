//! Random projects, and one random edit at a time, as people make them: in files, and behind the back of the files.

use super::project::{KINDS, Kind, Parameter, Project, Resource, SSM_NAMES, Stack, TEXTS, Text};
use fastrand::Rng;
use std::collections::BTreeMap;

/// A project of one to three stacks.
pub fn project(random: &mut Rng) -> Project {
    let mut project = Project {
        stacks: Vec::new(),
        tags: BTreeMap::from([("owner".to_owned(), "platform".to_owned())]),
        ssm: SSM_NAMES.iter().map(|name| ((*name).to_owned(), text(random))).collect(),
        nested_delay: random.u16(0..4),
    };
    for name in ["alpha", "beta", "gamma"].into_iter().take(random.usize(1..=3)) {
        project.stacks.push(Stack::new(name));
        let last = project.stacks.len() - 1;
        for _ in 0..random.usize(0..4) {
            add_parameter(random, &mut project, last);
        }
        if random.bool() {
            add_condition(random, &mut project.stacks[last]);
        }
        for _ in 0..random.usize(1..4) {
            add_resource(random, &mut project.stacks[last]);
        }
        for _ in 0..random.usize(0..3) {
            add_output(random, &mut project.stacks[last]);
        }
    }
    project
}

/// The project after one more edit. Where the draw has no place in this project, it is the same.
pub fn edit(random: &mut Rng, project: &Project) -> Project {
    let mut project = project.clone();
    let at = random.usize(..project.stacks.len());
    match random.u8(0..19) {
        0 | 1 => change_text(random, &mut project.stacks[at]),
        2 => {
            if let Some(resource) = any_of(random, &mut project.stacks[at].resources) {
                resource.number = random.u16(0..15);
            }
        }
        3 => project.stacks[at].description = random.bool().then(|| text(random)),
        4 | 5 => change_parameter(random, &mut project.stacks[at]),
        6 => add_parameter(random, &mut project, at),
        7 => remove_parameter(&mut project.stacks[at]),
        8 => add_resource(random, &mut project.stacks[at]),
        9 => remove_resource(random, &mut project.stacks[at]),
        10 => rename_resource(random, &mut project.stacks[at]),
        11 => move_resource(random, &mut project, at),
        12 => {
            let name = random.choice(SSM_NAMES).unwrap_or(SSM_NAMES[0]);
            project.ssm.insert(name.to_owned(), text(random));
        }
        13 => project.nested_delay = random.u16(0..4),
        14 => add_output(random, &mut project.stacks[at]),
        15 => remove_output(random, &mut project, at),
        16 => {
            project
                .tags
                .insert("owner".to_owned(), random.choice(["platform", "search"]).unwrap_or("search").to_owned());
        }
        17 => add_condition(random, &mut project.stacks[at]),
        _ => {
            let stack = &mut project.stacks[at];
            match random.bool() {
                true => stack.mapping = random.bool().then(|| text(random)),
                false => stack.metadata = random.bool().then(|| text(random)),
            }
        }
    }
    project
}

fn text(random: &mut Rng) -> String {
    random.choice(TEXTS).unwrap_or(TEXTS[0]).to_owned()
}

/// What NoEcho parameters are given; the last stands elsewhere, too.
pub fn secrets() -> impl Iterator<Item = String> {
    (0..4).map(|n| format!("pass-phrase {n}")).chain(["🚀 off".to_owned()])
}

fn secret(random: &mut Rng) -> String {
    secrets().nth(random.usize(..5)).unwrap_or_default()
}

fn any_of<'a, T>(random: &mut Rng, map: &'a mut BTreeMap<String, T>) -> Option<&'a mut T> {
    let count = map.len();
    map.values_mut().nth(random.usize(..count.max(1)))
}

fn any_key<T>(random: &mut Rng, map: &BTreeMap<String, T>) -> Option<String> {
    map.keys().nth(random.usize(..map.len().max(1))).cloned()
}

/// A name that the map has not yet.
fn fresh<T>(prefix: &str, map: &BTreeMap<String, T>) -> String {
    (0..).map(|n| format!("{prefix}{n}")).find(|name| !map.contains_key(name)).unwrap_or_default()
}

fn add_parameter(random: &mut Rng, project: &mut Project, at: usize) {
    let before: Vec<(String, String)> = project.stacks[..at]
        .iter()
        .flat_map(|stack| stack.outputs.keys().map(|output| (stack.name.clone(), output.clone())))
        .collect();
    let parameter = match random.u8(0..6) {
        0 => Parameter::Number(random.u16(0..9)),
        1 => Parameter::List(vec![random.u8(0..9).to_string(), "b".to_owned()]),
        2 => Parameter::Ssm(random.choice(SSM_NAMES).unwrap_or(SSM_NAMES[0]).to_owned()),
        3 => Parameter::NoEcho(secret(random)),
        4 if !before.is_empty() => {
            let (stack, output) = before[random.usize(..before.len())].clone();
            Parameter::Output(stack, output)
        }
        _ => Parameter::Text(text(random)),
    };
    let parameters = &mut project.stacks[at].parameters;
    parameters.insert(fresh("Value", parameters), parameter);
}

fn change_parameter(random: &mut Rng, stack: &mut Stack) {
    match any_of(random, &mut stack.parameters) {
        Some(Parameter::Text(value)) => *value = text(random),
        Some(Parameter::NoEcho(value)) => *value = secret(random),
        Some(Parameter::Number(value)) => *value = random.u16(0..9),
        Some(Parameter::List(items)) => items[0] = random.u8(0..9).to_string(),
        Some(Parameter::Ssm(name)) => *name = random.choice(SSM_NAMES).unwrap_or(SSM_NAMES[0]).to_owned(),
        Some(Parameter::Output(..)) | None => {}
    }
}

fn remove_parameter(stack: &mut Stack) {
    if let Some(name) = stack.parameters.keys().find(|name| !stack.uses(name)).cloned() {
        stack.parameters.remove(&name);
    }
}

fn add_condition(random: &mut Rng, stack: &mut Stack) {
    let plain = stack.parameters.iter().filter_map(|(name, parameter)| match parameter {
        Parameter::Text(value) => Some((name.clone(), value.clone())),
        Parameter::Number(value) => Some((name.clone(), value.to_string())),
        _ => None,
    });
    let plain: Vec<(String, String)> = plain.collect();
    if plain.is_empty() {
        return;
    }
    let (name, value) = plain[random.usize(..plain.len())].clone();
    let value = if random.bool() { value } else { "never".to_owned() };
    let conditions = &mut stack.conditions;
    let condition = match conditions.len() {
        0..2 => fresh("Is", conditions),
        _ => "Is0".to_owned(),
    };
    conditions.insert(condition, (name, value));
}

/// A text for a property of the resource `of`, or of an output where there is none. Resources refer only to those that
/// stand before them, so that no circle comes about.
fn way(random: &mut Rng, stack: &Stack, of: Option<&str>) -> Text {
    match random.u8(0..9) {
        0 | 1 => any_key(random, &stack.parameters).map(Text::Parameter),
        2 => any_key(random, &stack.parameters).map(|name| Text::Sub(text(random), name)),
        3 | 4 => any_key(random, &stack.conditions).map(|name| Text::If(name, text(random), text(random))),
        5 => {
            let before = stack.resources.keys().filter(|id| of.is_none_or(|of| id.as_str() < of));
            let before: Vec<String> = before.cloned().collect();
            (!before.is_empty()).then(|| Text::Resource(before[random.usize(..before.len())].clone()))
        }
        6 if of.is_some() => Some(Text::Dynamic(random.choice(SSM_NAMES).unwrap_or(SSM_NAMES[0]).to_owned())),
        _ => None,
    }
    .unwrap_or_else(|| Text::Plain(text(random)))
}

fn add_resource(random: &mut Rng, stack: &mut Stack) {
    let id = fresh("Thing", &stack.resources);
    let kind = random.choice(KINDS).unwrap_or(Kind::Queue);
    let name = (random.u8(0..4) == 0).then(|| format!("shop-{}-{}", stack.name, id.to_lowercase()));
    let text = way(random, stack, Some(&id));
    let resource = Resource { kind, name, text, number: random.u16(0..15) };
    stack.resources.insert(id, resource);
}

fn change_text(random: &mut Rng, stack: &mut Stack) {
    let Some(id) = any_key(random, &stack.resources) else { return };
    let text = way(random, stack, Some(&id));
    if let Some(resource) = stack.resources.get_mut(&id) {
        resource.text = text;
    }
}

fn remove_resource(random: &mut Rng, stack: &mut Stack) {
    if let Some(id) = any_key(random, &stack.resources)
        && stack.resources.len() > 1
        && !stack.uses(&id)
    {
        stack.resources.remove(&id);
    }
}

/// The logical id ends in another letter, so that the order of resources stays.
fn rename_resource(random: &mut Rng, stack: &mut Stack) {
    let Some(from) = any_key(random, &stack.resources) else { return };
    let to = format!("{from}x");
    let Some(resource) = stack.resources.remove(&from) else { return };
    stack.resources.insert(to.clone(), resource);
    stack.resources.values_mut().for_each(|resource| resource.text.rename(&from, &to));
    stack.outputs.values_mut().for_each(|output| output.rename(&from, &to));
}

fn move_resource(random: &mut Rng, project: &mut Project, at: usize) {
    let to = random.usize(..project.stacks.len());
    let Some(id) = any_key(random, &project.stacks[at].resources) else { return };
    if to == at || project.stacks[at].uses(&id) || project.stacks[at].resources.len() == 1 {
        return;
    }
    let Some(mut resource) = project.stacks[at].resources.remove(&id) else { return };
    if !matches!(resource.text, Text::Plain(_) | Text::Dynamic(_)) {
        resource.text = Text::Plain(TEXTS[random.usize(..3)].to_owned());
    }
    let resources = &mut project.stacks[to].resources;
    resources.insert(fresh("Moved", resources), resource);
}

fn add_output(random: &mut Rng, stack: &mut Stack) {
    // What a NoEcho parameter or a dynamic reference holds is no output: `infra` refuses secrets there.
    let value = match way(random, stack, None) {
        Text::Parameter(name) | Text::Sub(_, name)
            if matches!(stack.parameters.get(&name), Some(Parameter::NoEcho(_))) =>
        {
            Text::Plain(text(random))
        }
        other => other,
    };
    let name = if stack.outputs.len() < 3 { fresh("Out", &stack.outputs) } else { "Out0".to_owned() };
    stack.outputs.insert(name, value);
}

fn remove_output(random: &mut Rng, project: &mut Project, at: usize) {
    let stack = project.stacks[at].name.clone();
    let Some(output) = any_key(random, &project.stacks[at].outputs) else { return };
    let needed = Parameter::Output(stack, output.clone());
    if !project.stacks.iter().any(|stack| stack.parameters.values().any(|parameter| *parameter == needed)) {
        project.stacks[at].outputs.remove(&output);
    }
}

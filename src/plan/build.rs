//! From wanted and deployed to steps, in the order of needs: what a stack will give is known before those that take it
//! are looked at.

use super::assets;
use super::changes::{self, Side, Sides};
use super::differences::{Differences, Flow, equivalent, resolve, restored};
use super::document::{Action, Change, ChangeAction, Finding, FindingSeverity, Plan, StackStep};
use super::findings;
use super::head::{Head, with_defaults};
use super::lookups::{self, Lookups, shown_ssm};
use super::moves;
use super::nested::STACK;
use super::outputs;
use super::removal;
use super::request::Request;
use super::sections;
use super::situation::Situation;
use crate::error::{Error, Kind, Result};
use crate::graph::{Edge, Graph};
use crate::model::{Deployed, Parameter, RenderedStack, StackRecord, sensitive::MASKED, shows};
use crate::problem::nearest;
use cloudformation::predict::Deployment;
use std::collections::{BTreeMap, BTreeSet};

/// Outputs of a stack, each with its value where that is known.
type Given = BTreeMap<String, Option<String>>;

/// What `apply` would do to make the account what the files say.
///
/// # Errors
/// [`Kind::Usage`]: a target that is neither in the file nor in the state.
pub fn plan(request: &Request) -> Result<Plan> {
    let graph = Graph::of_stacks(request.wanted);
    let chosen = chosen(request, &graph)?;
    let (mut steps, mut risks) = steps(request, &graph, &chosen)?;
    let mut moves = moves::moves(request, &steps);
    let joining = moves::joining(&moves);
    if !joining.is_empty() {
        // What moves to another stack is known now: everything is looked at again with that.
        let mut options = request.options.clone();
        for (stack, resources) in joining {
            options.existing.entry(stack).or_default().extend(resources);
        }
        (steps, risks) = self::steps(&Request { options: &options, ..*request }, &graph, &chosen)?;
        moves = moves::moves(request, &steps);
    }
    risks.extend(moves::settle(&mut steps, &moves));
    risks.extend(moves::renamed_by_nothing(request, &steps));
    risks.extend(moves::taken_twice(&steps));
    risks.extend(left_out(request, &graph, &chosen)?);
    let mut plan = assemble(request, steps);
    plan.findings = findings::findings(request, &plan.steps, risks);
    Ok(plan)
}

/// The steps of the chosen stacks, and what their changes put at risk.
fn steps(request: &Request, graph: &Graph, chosen: &BTreeSet<String>) -> Result<(Vec<StackStep>, Vec<Finding>)> {
    let wanted: BTreeMap<&str, &RenderedStack> =
        request.wanted.iter().map(|stack| (stack.name.as_str(), stack)).collect();
    let mut flow = Flow::new();
    let mut steps = Vec::new();
    let mut risks = Vec::new();
    let mut lossy = BTreeMap::new();
    let mut lookups = Lookups::default();
    for name in graph.order() {
        if let Some(wanted) = wanted.get(name).filter(|_| chosen.contains(name)) {
            let (step, outputs, found) = step(request, wanted, &flow, &mut lookups)?;
            risks.extend(found);
            risks.extend(findings::lost_text(wanted, &lossy));
            lossy.insert(name.to_owned(), outputs::lossy(wanted, &resolve(wanted, &flow)));
            flow.insert(name.to_owned(), outputs);
            steps.push(step);
        }
    }
    if !lookups.problems.is_empty() {
        return Err(unresolved(lookups.problems).into());
    }
    risks.extend(findings::unseen_nested(request));
    let gone = recorded_only(request).filter(|(name, _)| chosen.contains(*name));
    steps.extend(gone.map(|(name, record)| removal::step(request, name, record)));
    removal::wait_for_users(&mut steps, &removal::needs_of_records(request));
    Ok((steps, risks))
}

/// What the chosen stacks take from stacks that were not chosen: it would be there twice.
fn left_out(request: &Request, graph: &Graph, chosen: &BTreeSet<String>) -> Result<Vec<Finding>> {
    if request.options.targets.is_empty() {
        return Ok(Vec::new());
    }
    let all = recorded_only(request).map(|(name, _)| name.to_owned());
    let all: BTreeSet<String> = all.chain(request.wanted.iter().map(|stack| stack.name.clone())).collect();
    let (steps, _) = steps(request, graph, &all)?;
    let moves = moves::moves(request, &steps);
    Ok(moves::left_out(&steps, &moves, chosen))
}

/// CloudFormation would refuse every change set of these stacks.
fn unresolved(problems: Vec<String>) -> Error {
    let error = Error::new(Kind::Configuration, "SSM parameters cannot be looked up");
    problems.into_iter().fold(error, Error::detail).hint(
        "make them (`aws ssm put-parameter --type String --name NAME --value VALUE`), or let a stack of this environment make \
         them: stacks that read them come after it",
    )
}

/// The stacks whose present template must be at hand for [`plan`]: those that change, those that may change because of
/// them, and those that go. All others need no GetTemplate.
pub fn needs_template(request: &Request) -> BTreeSet<String> {
    let graph = Graph::of_stacks(request.wanted);
    let (live, lookups) = (lookups::live(request.deployed), Lookups::default());
    let mut needed = BTreeSet::new();
    for wanted in request.wanted {
        let Some(deployed) = Situation::of(request.deployed.get(&wanted.name)).comparable() else {
            // Its outputs will be others, so that those who take them may change.
            needed.extend(graph.dependents(&wanted.name).into_iter().map(str::to_owned));
            continue;
        };
        let values = resolve(wanted, &live);
        let head = Head::of(&wanted.template);
        let resolved = lookups.resolve(request, wanted, &values, &head);
        if !Differences::between(deployed, request.record(&wanted.name), wanted, &values, &resolved, &head).is_empty() {
            needed.insert(wanted.name.clone());
            needed.extend(graph.dependents(&wanted.name).into_iter().map(str::to_owned));
        }
    }
    needed.extend(recorded_only(request).map(|(name, _)| name.to_owned()));
    needed.extend(
        request.deployed.iter().filter(|(_, stack)| stack.status.must_be_recreated()).map(|(name, _)| name.clone()),
    );
    needed.retain(|name| request.deployed.contains_key(name));
    needed
}

/// A plan of these steps, without findings.
pub(super) fn assemble(request: &Request, steps: Vec<StackStep>) -> Plan {
    let steps = in_order(steps);
    Plan {
        format_version: Plan::FORMAT_VERSION.to_owned(),
        infra_version: env!("CARGO_PKG_VERSION").to_owned(),
        created: request.now,
        project: request.scope.project.clone(),
        environment: request.scope.environment.clone(),
        account: request.scope.account.clone(),
        region: request.scope.region.clone(),
        lineage: request.state.map(|state| state.lineage.clone()),
        serial: request.state.map_or(0, |state| state.serial),
        targets: request.options.targets.clone(),
        assets: [assets::images(&steps), assets::packages(&steps), assets::leftovers(&steps, request.state)].concat(),
        steps,
        findings: Vec::new(),
        cost: None,
    }
}

/// Each step after those that it waits on.
fn in_order(mut steps: Vec<StackStep>) -> Vec<StackStep> {
    let edges = steps
        .iter()
        .flat_map(|step| step.waits_on.iter().map(|to| Edge { from: step.stack.clone(), to: to.clone(), at: None }));
    let graph = Graph::new(steps.iter().map(|step| step.stack.clone()), edges.collect::<Vec<Edge>>());
    let rank: BTreeMap<String, usize> =
        graph.order().into_iter().enumerate().map(|(rank, name)| (name.to_owned(), rank)).collect();
    steps.sort_by_key(|step| rank.get(&step.stack).copied().unwrap_or(usize::MAX));
    steps
}

/// Stacks of the state that are no longer in the file.
pub(super) fn recorded_only<'a>(request: &Request<'a>) -> impl Iterator<Item = (&'a str, &'a StackRecord)> {
    let wanted: BTreeSet<&str> = request.wanted.iter().map(|stack| stack.name.as_str()).collect();
    let records = request.state.into_iter().flat_map(|state| &state.stacks);
    records.filter(move |(name, _)| !wanted.contains(name.as_str())).map(|(name, record)| (name.as_str(), record))
}

pub(super) fn chosen(request: &Request, graph: &Graph) -> Result<BTreeSet<String>> {
    let gone: BTreeSet<&str> = recorded_only(request).map(|(name, _)| name).collect();
    let known: BTreeSet<&str> = request.wanted.iter().map(|stack| stack.name.as_str()).chain(gone).collect();
    let targets = &request.options.targets;
    if targets.is_empty() {
        return Ok(known.into_iter().map(str::to_owned).collect());
    }
    if let Some(unknown) = targets.iter().find(|target| !known.contains(target.as_str())) {
        let environment = &request.scope.environment;
        let error = Error::new(Kind::Usage, format!("there is no stack `{unknown}` in environment `{environment}`"));
        let names: Vec<&str> = known.iter().copied().collect();
        let error = match nearest(unknown, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `--target {near}`?")),
            None => error.hint(format!("its stacks: {}", names.join(", "))),
        };
        return Err(error.into());
    }
    let needs = graph.with_needs(targets.iter().map(String::as_str));
    Ok(needs.into_iter().map(str::to_owned).chain(targets.iter().cloned()).collect())
}

/// One stack's step, what the stack will give afterwards, and what its changes put at risk.
fn step(
    request: &Request,
    wanted: &RenderedStack,
    flow: &Flow,
    lookups: &mut Lookups,
) -> Result<(StackStep, Given, Vec<Finding>)> {
    let deployed = request.deployed.get(&wanted.name);
    let record = request.record(&wanted.name);
    let situation = Situation::of(deployed);
    let head = Head::of(&wanted.template);
    let values = resolve(wanted, flow);
    lookups.check(request, wanted, &values, &head);
    let resolved = lookups.resolve(request, wanted, &values, &head);
    let differences = match situation.comparable() {
        Some(deployed) => Differences::between(deployed, record, wanted, &values, &resolved, &head),
        None => Differences::creation(wanted, &values, &head),
    };
    let action = match situation {
        Situation::Absent | Situation::Leaving(_) => Action::Create,
        Situation::Broken(_) => Action::Recreate,
        Situation::Stuck(_) => Action::Update,
        Situation::Present(_) | Situation::Busy(_) if differences.is_empty() => Action::Nothing,
        Situation::Present(_) | Situation::Busy(_) => Action::Update,
    };
    let mut step = StackStep::new(&wanted.name, &wanted.stack_name, &wanted.target, action);
    step.reason = situation.reason().or_else(|| lost(situation, record));
    let is_known = |deployed: &Deployed| {
        is_known(deployed, record, wanted)
            && (!differences.is_empty()
                || record.is_some_and(|record| record.template_digest == wanted.template_digest)
                || equivalent(deployed, record, wanted, &values, &head).is_some())
    };
    step.adopt = situation.comparable().is_some_and(|deployed| !is_known(deployed));
    step.waits_on = wanted.waits_on();
    step.waits_on.retain(|need| flow.contains_key(need));
    step.fingerprint = deployed.filter(|_| situation != Situation::Absent).map(Deployed::fingerprint);
    step.resources = head.resources();
    let busy = deployed.is_some_and(|deployed| deployed.status.in_progress());
    let nothing = BTreeMap::new();
    let nested = request.options.nested.get(&wanted.name).unwrap_or(&nothing);
    let restored = deployed.and_then(|it| restored(it.template.as_deref()?, record, wanted));
    let read = |step: &StackStep, parameters: BTreeMap<String, Option<String>>| -> Result<Sides> {
        let before = situation.comparable();
        let before =
            before.map(|deployed| before_of(deployed, wanted, differences.template, &resolved.facts)).transpose()?;
        let before = before.map(|side| Side { template: restored.as_deref().unwrap_or(side.template), ..side });
        let after = Side { template: &wanted.template, parameters, ssm: resolved.facts.clone() };
        Sides::read(step, before, after, deployed)
    };
    step.tags.clone_from(&differences.tags);
    if action == Action::Nothing && !nested.is_empty() {
        // With its secrets taken to be what they are: alone they make no update.
        let sides = read(&step, masked(values.clone(), situation, &head))?;
        let changes = match changes::macros(&sides) {
            Some(_) => Vec::new(),
            None => changes::changes(&step, &sides, nested)?,
        };
        let changes_inside = |change: &Change| {
            change.resource_type == STACK && matches!(change.action, ChangeAction::Modify | ChangeAction::MayModify)
        };
        if changes.iter().any(changes_inside) {
            step.action = Action::Update;
        }
    }
    let action = step.action;
    if action != Action::Nothing || step.adopt || busy {
        step.wanted = Some(without_secrets(wanted, &head));
    }
    if action == Action::Nothing {
        let live = situation.comparable().into_iter().flat_map(|deployed| &deployed.outputs);
        let stale = lookups.stale(wanted, &step);
        return Ok((step, live.map(|(key, value)| (key.clone(), Some(value.clone()))).collect(), stale));
    }
    let mut sides = read(&step, unseen(values.clone(), situation, &head))?;
    let existing = request.options.existing.get(&wanted.name).into_iter().flatten();
    sides.after.imports = existing.map(|(id, identifier)| (id.clone(), identifier.clone())).collect();
    if let Some(macros) = changes::macros(&sides) {
        let given = sides.after.template.outputs.keys().map(|key| (key.clone(), None)).collect();
        let unseen = unseen_macros(&step, &macros);
        return Ok((step, given, vec![unseen]));
    }
    step.changes = changes::changes(&step, &sides, nested)?;
    if matches!(action, Action::Create | Action::Recreate) {
        // What a condition leaves out is in the template, and not made.
        step.resources = step.changes.len();
    }
    let outputs = outputs::outputs(&sides, &step.changes, situation.comparable());
    step.outputs = outputs.changes;
    step.parameters = differences.parameters;
    step.images = differences.images;
    step.packages = differences.packages;
    step.protection = differences.protection;
    step.sections = sections::sections(&sides, &step);
    if step.reason.is_none() && step.protection.is_none() && is_nothing_to_cloudformation(&sides, &step) {
        step.reason = Some("in which CloudFormation will find nothing to change".to_owned());
    }
    let mut risks = findings::risks(&step, &sides);
    if action == Action::Update {
        risks.extend(lookups.stale(wanted, &step));
    }
    lookups.note(&step, &sides);
    Ok((step, outputs.values, risks))
}

/// What a macro makes of a template only CloudFormation can say, and a plan that does not show it cannot be approved: the
/// stack is refused, and the others are shown.
fn unseen_macros(step: &StackStep, macros: &[String]) -> Finding {
    Finding {
        severity: FindingSeverity::Refused,
        code: "macro".to_owned(),
        stack: step.stack.clone(),
        logical_id: None,
        path: None,
        place: None,
        message: format!(
            "only CloudFormation can run {}, so that nobody can say beforehand what changes; leave the stack out with \
             `--target`, or write out what the macro makes",
            macros.join(", ")
        ),
    }
}

/// Whether CloudFormation answers that nothing changes: it counts resources, outputs and tags, and neither descriptions nor
/// values that nothing reads.
fn is_nothing_to_cloudformation(sides: &Sides, step: &StackStep) -> bool {
    let outputs = |deployment: &Deployment| deployment.template.to_json().get("Outputs").cloned();
    step.action == Action::Update
        && step.changes.is_empty()
        && step.outputs.is_empty()
        && step.tags.is_empty()
        && sides.before.as_ref().is_some_and(|before| outputs(before) == outputs(&sides.after))
}

/// The stack as it is. Its template is at hand if the plan was given what [`needs_template`] asked for.
/// `ssm`: what SSM parameters hold now, by their names.
fn before_of<'a>(
    deployed: &'a Deployed,
    wanted: &'a RenderedStack,
    differs: bool,
    ssm: &BTreeMap<String, String>,
) -> Result<Side<'a>> {
    let template = match &deployed.template {
        Some(template) => template,
        None if !differs => &wanted.template,
        None => {
            let error =
                Error::new(Kind::Other, format!("the present template of stack `{}` is not known", wanted.name));
            return Err(error.hint("run the same command again").into());
        }
    };
    let mut values = deployed.parameters.clone();
    if values.values().any(|shown| shown.contains('?')) {
        // The template says what a default is, also where the state keeps nothing of it.
        let defaults = with_defaults(template, &BTreeMap::new());
        for (name, shown) in &mut values {
            if let Some(default) = defaults.get(name).filter(|default| shows(shown, default)) {
                shown.clone_from(default);
            }
        }
    }
    let values = values.into_iter().map(|(name, value)| (name, Some(value)));
    Ok(Side { template, parameters: values.collect(), ssm: shown_ssm(deployed, ssm) })
}

/// With secrets as CloudFormation shows them, of the parameters that still are secrets.
fn masked(
    mut values: BTreeMap<String, Option<String>>,
    situation: Situation,
    head: &Head,
) -> BTreeMap<String, Option<String>> {
    let shown = situation.comparable().into_iter().flat_map(|deployed| &deployed.parameters);
    let masked = shown.filter(|(name, value)| *value == MASKED && head.is_secret(name));
    values.extend(masked.map(|(name, value)| (name.clone(), Some(value.clone()))));
    values
}

/// What a stack's secrets are cannot be seen, so that whether they change is not known.
fn unseen(
    mut values: BTreeMap<String, Option<String>>,
    situation: Situation,
    head: &Head,
) -> BTreeMap<String, Option<String>> {
    let live = |name: &str| situation.comparable().and_then(|deployed| deployed.parameters.get(name));
    for (name, value) in &mut values {
        if live(name).is_some_and(|live| head.is_secret(name) || live == MASKED) {
            *value = None;
        }
    }
    for (name, declared) in &head.parameters {
        if declared.is_secret() && live(name).is_some() {
            values.insert(name.clone(), None);
        }
    }
    values
}

/// The stack is in the state, and not in the account.
fn lost(situation: Situation, record: Option<&StackRecord>) -> Option<String> {
    let gone = situation == Situation::Absent && record.is_some();
    gone.then(|| "it is in the state, but no longer in the account".to_owned())
}

/// The state says of the stack what it would say after a step that changes nothing.
fn is_known(deployed: &Deployed, record: Option<&StackRecord>, wanted: &RenderedStack) -> bool {
    record.is_some_and(|record| {
        record.fingerprint == deployed.fingerprint()
            && record.waits_on == wanted.waits_on()
            && record.template_name == wanted.template_name
    })
}

/// What goes into the plan: NoEcho values are kept out of all documents.
pub(super) fn without_secrets(wanted: &RenderedStack, head: &Head) -> RenderedStack {
    let mut wanted = wanted.clone();
    for (name, parameter) in &mut wanted.parameters {
        if let Parameter::Value(value) = parameter
            && head.is_secret(name)
        {
            *parameter = Parameter::Secret { value: crate::model::Secret(std::mem::take(value)) };
        }
    }
    wanted
}

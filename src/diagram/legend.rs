//! What the numbers and lines of a picture mean, in words.

use super::scene::{Flow, FlowKind, Node, Scene};
use std::collections::BTreeMap;

/// The way of a request, a line for each number; then what else is drawn.
pub(super) fn way(scene: &Scene) -> Vec<(usize, String)> {
    let names = names(scene);
    let mut steps: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for flow in scene.flows.iter() {
        if let Some(step) = flow.step {
            steps.entry(step).or_default().push(sentence(flow, &names));
        }
    }
    steps.into_iter().map(|(step, said)| (step, said.join("; "))).collect()
}

/// `CloudFront → Load balancer: /a/*, /b/*`
fn sentence(flow: &Flow, names: &BTreeMap<&str, String>) -> String {
    let name = |id: &str| names.get(id).cloned().unwrap_or_else(|| id.to_owned());
    format!("{} → {}: {}", name(&flow.from), name(&flow.to), flow.label)
}

/// What kinds of lines there are besides those of requests.
pub(super) fn lines(scene: &Scene) -> Vec<(FlowKind, &'static str)> {
    let all = [(FlowKind::Guard, "inspects every request"), (FlowKind::Call, "calls other services")];
    all.into_iter().filter(|(kind, _)| scene.flows.iter().any(|flow| flow.kind == *kind)).collect()
}

/// Names of cards: those that are called alike are told apart by their stack.
pub(super) fn names(scene: &Scene) -> BTreeMap<&str, String> {
    let mut cards: Vec<&Node> = Vec::new();
    scene.root.walk(&mut |node| {
        if !node.kind.is_frame() {
            cards.push(node);
        }
    });
    let alike = |label: &str| cards.iter().filter(|card| card.label == label).count() > 1;
    let name = |card: &&Node| {
        let stack = card.details.first().and_then(|line| line.strip_prefix("stack "));
        match stack.filter(|_| alike(&card.label)) {
            Some(stack) => format!("{} {stack}", card.label),
            None => card.label.clone(),
        }
    };
    cards.iter().map(|card| (card.id.as_str(), name(card))).collect()
}

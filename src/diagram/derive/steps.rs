//! Numbers on the way of a request: names first, then from the browser outwards; what one box asks of several of a kind is
//! one step.

use super::flows::BROWSER;
use crate::diagram::scene::{Flow, FlowKind};
use std::collections::{BTreeMap, VecDeque};

/// Gives the arrows of requests their numbers, and brings them into their order.
pub(super) fn number(flows: &mut [Flow]) {
    let mut depth: BTreeMap<String, usize> = BTreeMap::from([(BROWSER.to_owned(), 0)]);
    let mut open = VecDeque::from([BROWSER.to_owned()]);
    while let Some(at) = open.pop_front() {
        let next = depth.get(&at).copied().unwrap_or_default() + 1;
        for flow in flows.iter().filter(|flow| flow.kind == FlowKind::Request && flow.from == at) {
            if !depth.contains_key(&flow.to) {
                depth.insert(flow.to.clone(), next);
                open.push_back(flow.to.clone());
            }
        }
    }
    let at = |flow: &Flow| {
        let asks_for_a_name = flow.label == "looks up the name";
        let leads_on = usize::from(!flow.label.starts_with("pages"));
        (depth.get(&flow.from).copied().unwrap_or(usize::MAX), usize::from(!asks_for_a_name), leads_on)
    };
    flows.sort_by_key(|flow| (flow.kind, at(flow)));
    let mut step = 0;
    let mut before = None;
    for flow in flows.iter_mut().filter(|flow| flow.kind == FlowKind::Request && depth.contains_key(&flow.from)) {
        let key = at(flow);
        if before != Some(key) {
            step += 1;
            before = Some(key);
        }
        flow.step = Some(step);
    }
}

//! From resources to a scene: who stands where, and what flows.

mod cards;
mod flows;
mod network;
mod relations;
mod steps;

use super::scene::{Node, NodeKind, Scene};
use crate::inventory::Resource;
use cards::Card;
use relations::Relations;
use std::collections::BTreeMap;

/// Cards beside each other where nothing else decides.
const PER_ROW: usize = 4;

/// The picture of these resources. `home` is the region that the environment is of.
pub fn derive(title: &str, home: &str, resources: &[Resource]) -> Scene {
    let relations = Relations::new(resources);
    let cards = cards::cards(&relations);
    let mut flows = flows::flows(&relations, &cards);
    steps::number(&mut flows);
    let mut children = Vec::new();
    if flows.iter().any(|flow| flow.from == flows::BROWSER) {
        children.push(Node::new(NodeKind::Browser, flows::BROWSER, "Browser"));
    }
    let at_the_edge: Vec<Node> = taken(&cards, |card| card.edge);
    if !at_the_edge.is_empty() {
        children.push(Node::frame(NodeKind::Edge, "edge", "AWS edge locations, all over the world", at_the_edge));
    }
    let mut regions: Vec<&str> = resources.iter().map(|resource| resource.region.as_str()).collect();
    regions.sort_by_key(|region| (*region != home, *region));
    regions.dedup();
    children.extend(regions.into_iter().filter_map(|region| region_frame(region, &relations, &cards)));
    let root = Node::frame(NodeKind::Column, "all", "", children);
    Scene { title: title.to_owned(), root, flows, gone: Vec::new() }
}

/// The VPCs of a region, beside them what applications use, below what supports them.
fn region_frame(region: &str, relations: &Relations, cards: &[Card]) -> Option<Node> {
    let here: Vec<Card> = cards.iter().filter(|card| card.region == region).cloned().collect();
    let vpcs = network::vpcs(region, relations, &here);
    let inside = |id: &str| vpcs.iter().any(|vpc| holds(vpc, id));
    let beside = taken(&here, |card| card.kind.is_used() && !card.edge && !inside(&card.node.id));
    let support = taken(&here, |card| card.kind.is_support() && !card.edge && !inside(&card.node.id));
    let mut upper = vpcs;
    let (id, services) =
        (format!("{region}/services"), rows_or_column(&format!("{region}/used"), beside, upper.is_empty()));
    if !services.is_empty() {
        upper.push(Node::frame(NodeKind::Column, id, "", services));
    }
    let mut parts = Vec::new();
    if !upper.is_empty() {
        parts.push(Node::frame(NodeKind::Row, format!("{region}/upper"), "", upper));
    }
    if !support.is_empty() {
        let rows = rows(&format!("{region}/support"), support);
        let title = "Keys, images, logs and alarms";
        parts.push(Node::frame(NodeKind::Support, format!("{region}/support"), title, rows));
    }
    let title = format!("Region {region}");
    (!parts.is_empty()).then(|| Node::frame(NodeKind::Region, format!("region/{region}"), title, parts))
}

/// A column beside a network; rows where there is none.
fn rows_or_column(id: &str, nodes: Vec<Node>, alone: bool) -> Vec<Node> {
    if alone { rows(id, nodes) } else { nodes }
}

fn rows(id: &str, nodes: Vec<Node>) -> Vec<Node> {
    let chunks = nodes.chunks(PER_ROW).enumerate();
    chunks.map(|(index, row)| Node::frame(NodeKind::Row, format!("{id}/row{index}"), "", row.to_vec())).collect()
}

/// Nodes of the cards that are wanted, in the order of their kinds.
fn taken(cards: &[Card], wanted: impl Fn(&Card) -> bool) -> Vec<Node> {
    let mut found: BTreeMap<(NodeKind, usize), Node> = BTreeMap::new();
    for (index, card) in cards.iter().enumerate().filter(|(_, card)| wanted(card)) {
        found.insert((card.node.kind, index), card.node.clone());
    }
    found.into_values().collect()
}

fn holds(node: &Node, id: &str) -> bool {
    node.id == id || node.children.iter().any(|child| holds(child, id))
}

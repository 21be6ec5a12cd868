//! What waits on what: order, cycles, dependents, the critical path. The same for the stacks of an environment file and
//! for the steps of a plan.
//!
//! Names are nodes; an edge leads from what waits to what it waits on. Edges to names that are no node are left out:
//! whoever made them says so.

use crate::model::RenderedStack;
use crate::problem::{Location, Problem};
use petgraph::Direction::{self, Incoming, Outgoing};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

/// `from` waits on `to`.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    pub from: String,
    pub to: String,
    /// Where this was said.
    pub at: Option<Location>,
}

#[derive(Debug, Clone)]
pub struct Graph {
    graph: DiGraph<String, Option<Location>>,
    index: HashMap<String, NodeIndex>,
}

/// Names that wait on each other: each edge leads to the next one's start, the last to the first's.
#[derive(Debug, Clone, PartialEq)]
pub struct Cycle {
    pub edges: Vec<Edge>,
}

impl Graph {
    pub fn new<N: Into<String>>(names: impl IntoIterator<Item = N>, edges: impl IntoIterator<Item = Edge>) -> Graph {
        let mut graph = DiGraph::new();
        let mut index = HashMap::new();
        for name in names {
            let name = name.into();
            index.entry(name.clone()).or_insert_with(|| graph.add_node(name));
        }
        for edge in edges {
            if let (Some(from), Some(to)) = (index.get(&edge.from), index.get(&edge.to))
                && graph.find_edge(*from, *to).is_none()
            {
                graph.add_edge(*from, *to, edge.at);
            }
        }
        Graph { graph, index }
    }

    /// The graph of what rendered stacks wait on.
    pub fn of_stacks(stacks: &[RenderedStack]) -> Graph {
        let edges = stacks.iter().flat_map(|stack| {
            let edge = |to| Edge { from: stack.name.clone(), to, at: None };
            stack.waits_on().into_iter().map(edge).collect::<Vec<Edge>>()
        });
        Graph::new(stacks.iter().map(|stack| stack.name.clone()), edges)
    }

    /// Every name after all that it waits on; among those that are free to go, in the order that they were given.
    /// Names on a cycle, and those that wait on one, are left out.
    pub fn order(&self) -> Vec<&str> {
        let waits = |node| self.graph.neighbors_directed(node, Outgoing).count();
        let mut left: HashMap<NodeIndex, usize> = self.graph.node_indices().map(|node| (node, waits(node))).collect();
        let mut free: BinaryHeap<Reverse<NodeIndex>> =
            left.iter().filter(|(_, count)| **count == 0).map(|(node, _)| Reverse(*node)).collect();
        let mut order = Vec::with_capacity(left.len());
        while let Some(Reverse(node)) = free.pop() {
            order.push(self.graph[node].as_str());
            for waiting in self.graph.neighbors_directed(node, Incoming) {
                if let Some(count) = left.get_mut(&waiting) {
                    *count -= 1;
                    if *count == 0 {
                        free.push(Reverse(waiting));
                    }
                }
            }
        }
        order
    }

    /// One cycle, a shortest one, for each knot of names that wait on each other.
    pub fn cycles(&self) -> Vec<Cycle> {
        let mut knots: Vec<Vec<NodeIndex>> = tarjan_scc(&self.graph);
        knots.iter_mut().for_each(|knot| knot.sort());
        knots.sort();
        knots
            .iter()
            .filter_map(|knot| {
                knot.iter().filter_map(|start| self.cycle_through(*start)).min_by_key(|cycle| cycle.edges.len())
            })
            .collect()
    }

    fn cycle_through(&self, start: NodeIndex) -> Option<Cycle> {
        let mut came_from: HashMap<NodeIndex, NodeIndex> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            let mut next: Vec<NodeIndex> = self.graph.neighbors_directed(node, Outgoing).collect();
            next.sort();
            for to in next {
                if to == start {
                    return Some(self.walked_back(start, node, &came_from));
                }
                if let std::collections::hash_map::Entry::Vacant(slot) = came_from.entry(to) {
                    slot.insert(node);
                    queue.push_back(to);
                }
            }
        }
        None
    }

    fn walked_back(&self, start: NodeIndex, last: NodeIndex, came_from: &HashMap<NodeIndex, NodeIndex>) -> Cycle {
        let mut nodes = vec![start];
        let mut node = last;
        while node != start {
            nodes.push(node);
            match came_from.get(&node) {
                Some(before) => node = *before,
                None => break,
            }
        }
        nodes.push(start);
        nodes.reverse();
        let edge = |pair: &[NodeIndex]| {
            let at = self.graph.find_edge(pair[0], pair[1]).and_then(|edge| self.graph[edge].clone());
            Edge { from: self.graph[pair[0]].clone(), to: self.graph[pair[1]].clone(), at }
        };
        Cycle { edges: nodes.windows(2).map(edge).collect() }
    }

    /// All that waits on `name`, directly or not; sorted.
    pub fn dependents(&self, name: &str) -> BTreeSet<&str> {
        self.reached(name, Incoming)
    }

    /// All that `name` waits on, directly or not; sorted.
    pub fn needs(&self, name: &str) -> BTreeSet<&str> {
        self.reached(name, Outgoing)
    }

    /// The names themselves and all that they wait on: what `--target` looks at.
    pub fn with_needs<'a>(&'a self, names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let known = names.into_iter().filter(|name| self.index.contains_key(*name));
        known.flat_map(|name| self.needs(name).into_iter().chain([name])).collect()
    }

    fn reached(&self, name: &str, direction: Direction) -> BTreeSet<&str> {
        let Some(start) = self.index.get(name) else { return BTreeSet::new() };
        let mut reached = BTreeSet::new();
        let mut stack = vec![*start];
        while let Some(node) = stack.pop() {
            for next in self.graph.neighbors_directed(node, direction) {
                if next != *start && reached.insert(next) {
                    stack.push(next);
                }
            }
        }
        reached.into_iter().map(|node| self.graph[node].as_str()).collect()
    }

    /// The chain of names that takes longest when everything else runs beside it, first to last, and how long it takes.
    /// Names on cycles are left out.
    pub fn critical_path(&self, takes: impl Fn(&str) -> Duration) -> (Vec<&str>, Duration) {
        let mut done: HashMap<&str, (Duration, Option<&str>)> = HashMap::new();
        let mut last: Option<(&str, Duration)> = None;
        for name in self.order() {
            let Some(node) = self.index.get(name) else { continue };
            let slowest = self
                .graph
                .neighbors_directed(*node, Outgoing)
                .filter_map(|before| {
                    let before = self.graph[before].as_str();
                    done.get(before).map(|(ends, _)| (*ends, before))
                })
                .max();
            let ends = slowest.map_or(Duration::ZERO, |(ends, _)| ends) + takes(name);
            done.insert(name, (ends, slowest.map(|(_, before)| before)));
            if last.is_none_or(|(_, latest)| ends > latest) {
                last = Some((name, ends));
            }
        }
        let Some((name, length)) = last else { return (Vec::new(), Duration::ZERO) };
        let mut path: Vec<&str> =
            std::iter::successors(Some(name), |name| done.get(name).and_then(|(_, before)| *before)).collect();
        path.reverse();
        (path, length)
    }
}

impl Cycle {
    /// `a → b → a`.
    pub fn path(&self) -> String {
        let mut names: Vec<&str> = self.edges.iter().map(|edge| edge.from.as_str()).collect();
        names.extend(self.edges.last().map(|edge| edge.to.as_str()));
        names.join(" → ")
    }

    /// The cycle as a problem of stacks, with the place of each edge.
    pub fn problem(&self) -> Problem {
        let places = || self.edges.iter().filter_map(|edge| edge.at.as_ref().map(|at| (edge, at)));
        let first = places().next();
        let message = match self.edges.as_slice() {
            [only] => format!("the stack `{}` waits on itself", only.from),
            _ => format!("stacks wait on each other: {}", self.path()),
        };
        let mut problem = Problem::error("cycle", message, first.map(|(_, at)| at.clone()));
        if let Some((edge, _)) = first {
            problem = problem.label(waits(edge));
        }
        for (edge, at) in places().skip(1) {
            problem = problem.related(at.clone(), waits(edge));
        }
        match self.edges.len() {
            1 => problem,
            _ => problem.help("take one of these away, or move what both need into a stack of its own"),
        }
    }
}

fn waits(edge: &Edge) -> String {
    format!("`{}` waits on `{}`", edge.from, edge.to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph(names: &[&str], edges: &[(&str, &str)]) -> Graph {
        let edge = |(from, to): &(&str, &str)| Edge { from: (*from).to_owned(), to: (*to).to_owned(), at: None };
        Graph::new(names.iter().copied(), edges.iter().map(edge))
    }

    fn paths(graph: &Graph) -> Vec<String> {
        graph.cycles().iter().map(Cycle::path).collect()
    }

    #[test]
    fn order_puts_needs_first_and_keeps_the_given_order_otherwise() {
        let graph = graph(&["app", "network", "alb", "dns"], &[("app", "alb"), ("alb", "network"), ("app", "network")]);
        assert_eq!(graph.order(), ["network", "alb", "app", "dns"]);
        assert!(graph.cycles().is_empty());
    }

    #[test]
    fn cycles_are_named_as_paths() {
        assert_eq!(paths(&graph(&["a", "b"], &[("a", "b"), ("b", "a")])), ["a → b → a"]);
        assert_eq!(paths(&graph(&["a"], &[("a", "a")])), ["a → a"]);
        let two = graph(
            &["a", "b", "c", "d", "e"],
            &[("a", "b"), ("b", "c"), ("c", "a"), ("d", "e"), ("e", "d"), ("d", "a")],
        );
        assert_eq!(paths(&two), ["a → b → c → a", "d → e → d"]);
        assert!(two.order().is_empty());
    }

    #[test]
    fn the_shortest_cycle_of_a_knot_is_shown() {
        let knot = graph(&["a", "b", "c", "d"], &[("a", "b"), ("b", "c"), ("c", "d"), ("d", "a"), ("c", "b")]);
        assert_eq!(paths(&knot), ["b → c → b"]);
    }

    #[test]
    fn needs_and_dependents_reach_all_the_way() {
        let graph = graph(&["a", "b", "c", "d"], &[("a", "b"), ("b", "c"), ("d", "c")]);
        assert_eq!(Vec::from_iter(graph.needs("a")), ["b", "c"]);
        assert_eq!(Vec::from_iter(graph.dependents("c")), ["a", "b", "d"]);
        assert_eq!(Vec::from_iter(graph.with_needs(["b", "nobody"])), ["b", "c"]);
    }

    #[test]
    fn the_critical_path_is_the_slowest_chain() {
        let graph = graph(&["net", "db", "app", "dns"], &[("app", "net"), ("app", "db"), ("db", "net")]);
        let takes = |name: &str| Duration::from_secs(if name == "dns" { 70 } else { 30 });
        assert_eq!(graph.critical_path(takes), (vec!["net", "db", "app"], Duration::from_secs(90)));
    }

    proptest! {
        #[test]
        fn order_respects_every_edge_or_there_is_a_cycle(edges in proptest::collection::vec((0..8usize, 0..8usize), 0..20)) {
            let names: Vec<String> = (0..8).map(|n| n.to_string()).collect();
            let edge = |(from, to): &(usize, usize)| Edge { from: from.to_string(), to: to.to_string(), at: None };
            let graph = Graph::new(names.clone(), edges.iter().map(edge));
            let order = graph.order();
            prop_assert_eq!(order.len() == names.len(), graph.cycles().is_empty());
            let position = |name: usize| order.iter().position(|other| *other == name.to_string());
            for (from, to) in &edges {
                if let Some(from) = position(*from) {
                    prop_assert!(position(*to).is_some_and(|to| to < from));
                }
            }
            for cycle in graph.cycles() {
                for pair in cycle.edges.windows(2) {
                    prop_assert_eq!(&pair[0].to, &pair[1].from);
                }
            }
        }
    }
}

//! Going through resources in dependency order: each starts as soon as all it needs are done, as many at once as that
//! allows. The order of starts is that of the nodes, so one seed gives one sequence of events.

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::{BTreeSet, HashMap};

/// A resource and what has to be done before it. Names that are no node are done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cloudformation) struct Node {
    pub id: String,
    pub after: Vec<String>,
}

/// The same resources in the opposite direction: dependents first.
pub(super) fn reversed(nodes: &[Node]) -> Vec<Node> {
    let mut dependents: HashMap<&str, Vec<String>> = HashMap::new();
    for node in nodes {
        for need in &node.after {
            dependents.entry(need).or_default().push(node.id.clone());
        }
    }
    let after = |id: &str| dependents.get(id).cloned().unwrap_or_default();
    nodes.iter().rev().map(|node| Node { id: node.id.clone(), after: after(&node.id) }).collect()
}

/// Runs every node. What needs a node that did not succeed is never started, and once `halted` nothing is; what runs
/// is waited for.
pub(super) async fn walk<'n, F>(nodes: &'n [Node], mut start: impl FnMut(&'n str) -> F, halted: impl Fn() -> bool)
where
    F: Future<Output = bool>,
{
    let index: HashMap<&str, usize> = nodes.iter().enumerate().map(|(at, node)| (node.id.as_str(), at)).collect();
    let mut open = vec![0_usize; nodes.len()];
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        let needs: BTreeSet<usize> = node.after.iter().filter_map(|need| index.get(need.as_str()).copied()).collect();
        open[at] = needs.len();
        for need in needs {
            dependents[need].push(at);
        }
    }
    let mut ready: BTreeSet<usize> = (0..nodes.len()).filter(|at| open[*at] == 0).collect();
    let mut running = FuturesUnordered::new();
    loop {
        while let Some(at) = ready.pop_first().filter(|_| !halted()) {
            let work = start(&nodes[at].id);
            running.push(async move { (at, work.await) });
        }
        match running.next().await {
            None => return,
            Some((_, false)) => {}
            Some((at, true)) => {
                for dependent in &dependents[at] {
                    open[*dependent] -= 1;
                    if open[*dependent] == 0 {
                        ready.insert(*dependent);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::time::Duration;
    use tokio::time::{Instant, sleep};

    fn nodes(given: &[(&str, &[&str])]) -> Vec<Node> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        given.iter().map(|(id, after)| Node { id: (*id).to_owned(), after: owned(after) }).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn each_starts_as_soon_as_it_can() {
        let nodes = nodes(&[("A", &[]), ("B", &[]), ("C", &["A"]), ("D", &["A", "B"])]);
        let begun = RefCell::new(Vec::new());
        let clock = Instant::now();
        let start = |id: &'_ str| {
            begun.borrow_mut().push((id.to_owned(), clock.elapsed().as_secs()));
            let seconds = if id == "B" { 5 } else { 2 };
            async move {
                sleep(Duration::from_secs(seconds)).await;
                true
            }
        };
        walk(&nodes, start, || false).await;
        let expected = [("A", 0), ("B", 0), ("C", 2), ("D", 5)].map(|(id, at)| (id.to_owned(), at));
        assert_eq!(*begun.borrow(), expected);
        assert_eq!(clock.elapsed().as_secs(), 7);
    }

    #[tokio::test]
    async fn what_needs_a_failure_is_not_started() {
        let nodes = nodes(&[("A", &[]), ("B", &["A"]), ("C", &["B"]), ("D", &[])]);
        let begun = RefCell::new(Vec::new());
        let start = |id: &'_ str| {
            begun.borrow_mut().push(id.to_owned());
            let good = id != "A";
            async move { good }
        };
        walk(&nodes, start, || false).await;
        assert_eq!(*begun.borrow(), ["A", "D"]);
    }

    #[test]
    fn reversed_means_dependents_first() {
        let nodes = nodes(&[("A", &[]), ("B", &["A"]), ("C", &["A", "B"])]);
        let back = reversed(&nodes);
        assert_eq!(back.iter().map(|node| node.id.as_str()).collect::<Vec<_>>(), ["C", "B", "A"]);
        assert_eq!(back[2].after, ["B", "C"]);
    }
}

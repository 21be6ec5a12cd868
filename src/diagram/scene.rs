//! What a picture shows: boxes inside boxes, and arrows between them.

use std::collections::BTreeSet;

/// A picture before anything has a place.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    pub title: String,
    pub root: Node,
    pub flows: Vec<Flow>,
    /// Resources that a plan removes, and that are in no box any more.
    pub gone: Vec<String>,
}

/// A box: a card with text, or a frame around others.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Unique in the scene.
    pub id: String,
    pub kind: NodeKind,
    pub label: String,
    /// Smaller lines under the label.
    pub details: Vec<String>,
    pub children: Vec<Node>,
    /// What it stands for: stack and logical id.
    pub resources: BTreeSet<(String, String)>,
    pub mark: Option<Mark>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    // ── Frames ──
    /// Children beside each other, no line around them.
    Row,
    /// Children below each other, no line around them.
    Column,
    Edge,
    Region,
    Vpc,
    /// Subnets with the same way out.
    Tier,
    SecurityGroup,
    Support,
    // ── Cards ──
    Subnet,
    Browser,
    Names,
    Cdn,
    Firewall,
    LoadBalancer,
    Containers,
    Function,
    Api,
    Instance,
    Bucket,
    Queue,
    Table,
    Database,
    Topic,
    Gateway,
    Images,
    Key,
    Secret,
    Logs,
    Alarms,
    Dashboard,
    Deployment,
    Other,
}

/// What a plan does to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    Changes,
    New,
    Replaced,
    Goes,
}

/// An arrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    pub from: String,
    pub to: String,
    pub kind: FlowKind,
    pub label: String,
    /// Its number on the way of a request.
    pub step: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlowKind {
    /// Part of the way of a request.
    Request,
    /// Something guards something.
    Guard,
    /// One service calls another.
    Call,
}

impl NodeKind {
    /// It has others inside and no text but its title.
    pub fn is_frame(self) -> bool {
        self <= NodeKind::Support
    }

    /// A frame that is seen.
    pub fn is_drawn_frame(self) -> bool {
        self.is_frame() && !matches!(self, NodeKind::Row | NodeKind::Column)
    }

    /// Children of the frame stand beside each other.
    pub fn is_row(self) -> bool {
        matches!(self, NodeKind::Row | NodeKind::Edge | NodeKind::SecurityGroup)
    }
}

impl Mark {
    pub fn word(self) -> &'static str {
        match self {
            Mark::Changes => "changes",
            Mark::New => "new",
            Mark::Replaced => "replaced",
            Mark::Goes => "goes",
        }
    }
}

impl Node {
    pub fn new(kind: NodeKind, id: impl Into<String>, label: impl Into<String>) -> Node {
        Node {
            id: id.into(),
            kind,
            label: label.into(),
            details: Vec::new(),
            children: Vec::new(),
            resources: BTreeSet::new(),
            mark: None,
        }
    }

    pub fn frame(kind: NodeKind, id: impl Into<String>, label: impl Into<String>, children: Vec<Node>) -> Node {
        Node { children, ..Node::new(kind, id, label) }
    }

    pub fn detail(mut self, text: impl Into<String>) -> Node {
        self.details.push(text.into());
        self
    }

    pub fn of(mut self, stack: &str, logical_id: &str) -> Node {
        self.resources.insert((stack.to_owned(), logical_id.to_owned()));
        self
    }

    /// It and all within, from outside in.
    pub fn walk<'n>(&'n self, visit: &mut impl FnMut(&'n Node)) {
        visit(self);
        self.children.iter().for_each(|child| child.walk(visit));
    }

    pub fn walk_mut(&mut self, visit: &mut impl FnMut(&mut Node)) {
        visit(self);
        self.children.iter_mut().for_each(|child| child.walk_mut(visit));
    }
}

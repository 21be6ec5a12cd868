//! Places: every box its rectangle, frames around what they hold, nothing over anything else.
//!
//! All coordinates are multiples of [`GRID`], so that arrows, which run on that grid, keep their distance from boxes.

use super::measure::{self, LABEL, SMALL};
use super::scene::{Node, NodeKind};
use std::collections::BTreeMap;

/// Arrows run on lines so far apart, in pixels.
pub(super) const GRID: i32 = 10;
/// Between boxes: room for three arrows.
const GAP: i32 = 40;
/// Between subnets, where no arrow ends.
const NARROW: i32 = 20;
const PADDING: i32 = 20;
/// A frame's title.
const TITLE_BAR: i32 = 30;
/// Left of a card's text.
pub(super) const ICON: i32 = 44;
/// A card's text is broken here.
const TEXT: i32 = 220;
const CARD_MARGIN: i32 = 10;
pub(super) const LABEL_LINE: i32 = 17;
pub(super) const SMALL_LINE: i32 = 15;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rect {
    pub x: i32,
    pub y: i32,
    pub width: i32,
    pub height: i32,
}

/// A box with its place and its text as lines.
#[derive(Debug, Clone)]
pub(super) struct Placed<'n> {
    pub node: &'n Node,
    pub rect: Rect,
    /// Of the label; for frames one line.
    pub label: Vec<String>,
    pub details: Vec<String>,
}

impl Rect {
    pub fn right(&self) -> i32 {
        self.x + self.width
    }

    pub fn bottom(&self) -> i32 {
        self.y + self.height
    }

    pub fn overlaps(&self, other: &Rect) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    /// Only a test asks.
    #[cfg(test)]
    pub fn contains(&self, other: &Rect) -> bool {
        self.x <= other.x && self.y <= other.y && self.right() >= other.right() && self.bottom() >= other.bottom()
    }

    /// So much larger on every side.
    pub fn grown(&self, by: i32) -> Rect {
        Rect { x: self.x - by, y: self.y - by, width: self.width + 2 * by, height: self.height + 2 * by }
    }
}

/// Every box of the tree from outside in, the root's corner at `x`, `y`.
pub(super) fn layout(root: &Node, x: i32, y: i32) -> Vec<Placed<'_>> {
    let mut sizes = BTreeMap::new();
    let (width, height) = measured(root, &mut sizes);
    let mut placed = Vec::new();
    place(root, Rect { x, y, width, height }, &sizes, &mut placed);
    placed
}

/// The title of a frame, where it is written.
pub(super) fn title_of(placed: &Placed) -> Option<Rect> {
    let text = placed.label.first().filter(|_| placed.node.kind.is_drawn_frame())?;
    let width = measure::width(text, LABEL, true) + 2 * CARD_MARGIN;
    Some(Rect { x: placed.rect.x, y: placed.rect.y, width, height: TITLE_BAR })
}

type Sizes = BTreeMap<String, (i32, i32)>;

fn measured(node: &Node, sizes: &mut Sizes) -> (i32, i32) {
    let size = if node.kind.is_frame() { frame_size(node, sizes) } else { card_size(node) };
    sizes.insert(node.id.clone(), size);
    size
}

fn up(length: i32) -> i32 {
    (length + 2 * GRID - 1) / (2 * GRID) * (2 * GRID)
}

fn card_size(node: &Node) -> (i32, i32) {
    let (label, details) = lines(node);
    let widest = |lines: &[String], size, bold| {
        lines.iter().map(|line| measure::width(line, size, bold)).max().unwrap_or_default()
    };
    let text = widest(&label, LABEL, true).max(widest(&details, SMALL, false));
    let tall = |count: usize, each: i32| i32::try_from(count).unwrap_or_default() * each;
    let height = tall(label.len(), LABEL_LINE) + tall(details.len(), SMALL_LINE) + 2 * CARD_MARGIN;
    // A word over its corner says what a plan does to it.
    let word = node.mark.map_or(0, |mark| measure::width(mark.word(), SMALL, true) + 2 * CARD_MARGIN);
    (
        up((text + ICON + CARD_MARGIN).max(ICON + word).max(120)),
        up(height.max(40) + if node.mark.is_some() { 14 } else { 0 }),
    )
}

/// The label and the details of a card as lines.
fn lines(node: &Node) -> (Vec<String>, Vec<String>) {
    let label = measure::wrap(&node.label, LABEL, true, TEXT);
    (label, node.details.iter().flat_map(|text| measure::wrap(text, SMALL, false, TEXT)).collect())
}

fn gap(node: &Node) -> i32 {
    let subnets = !node.children.is_empty() && node.children.iter().all(|child| child.kind == NodeKind::Subnet);
    if subnets { NARROW } else { GAP }
}

fn margins(node: &Node) -> (i32, i32) {
    if node.kind.is_drawn_frame() { (PADDING, TITLE_BAR) } else { (0, 0) }
}

fn frame_size(node: &Node, sizes: &mut Sizes) -> (i32, i32) {
    let children: Vec<(i32, i32)> = node.children.iter().map(|child| measured(child, sizes)).collect();
    let gaps = gap(node) * i32::try_from(children.len().saturating_sub(1)).unwrap_or_default();
    let sum = |of: fn(&(i32, i32)) -> i32| children.iter().map(of).sum::<i32>() + gaps;
    let most = |of: fn(&(i32, i32)) -> i32| children.iter().map(of).max().unwrap_or_default();
    let (width, height) = match node.kind.is_row() {
        true => (sum(|size| size.0), most(|size| size.1)),
        false => (most(|size| size.0), sum(|size| size.1)),
    };
    let (padding, bar) = margins(node);
    let title = if bar > 0 { measure::width(&node.label, LABEL, true) + 2 * PADDING } else { 0 };
    (up((width + 2 * padding).max(title)), up(height + padding + bar))
}

/// Frames take all the room that there is; cards keep their size, in the middle of it.
fn place<'n>(node: &'n Node, rect: Rect, sizes: &Sizes, placed: &mut Vec<Placed<'n>>) {
    let (label, details) = match node.kind.is_frame() {
        true => (vec![node.label.clone()], Vec::new()),
        false => lines(node),
    };
    placed.push(Placed { node, rect, label, details });
    let (padding, bar) = margins(node);
    let inner = Rect {
        x: rect.x + padding,
        y: rect.y + bar,
        width: rect.width - 2 * padding,
        height: rect.height - bar - padding,
    };
    let size = |child: &Node| sizes.get(&child.id).copied().unwrap_or_default();
    let row = node.kind.is_row();
    let along = |size: (i32, i32)| if row { size.0 } else { size.1 };
    let count = i32::try_from(node.children.len()).unwrap_or_default();
    let used = node.children.iter().map(|child| along(size(child))).sum::<i32>() + gap(node) * (count - 1).max(0);
    let spare = (along((inner.width, inner.height)) - used).max(0);
    // Frames grow by equal shares of what is to spare, and rows of cards alone are spread.
    let growing = node.children.iter().filter(|child| child.kind.is_frame()).count();
    let share = i32::try_from(growing).ok().filter(|growing| *growing > 0).map_or(0, |growing| down(spare / growing));
    let spread = if growing == 0 && row { down(spare / (count + 1)) } else { 0 };
    let mut at = if row { inner.x } else { inner.y } + spread;
    for child in &node.children {
        let (width, height) = size(child);
        let more = if child.kind.is_frame() { share } else { 0 };
        let child_rect = match (row, child.kind.is_frame()) {
            (true, true) => Rect { x: at, y: inner.y, width: width + more, height: inner.height },
            (true, false) => Rect { x: at, y: inner.y + down((inner.height - height) / 2), width, height },
            (false, true) => Rect { x: inner.x, y: at, width: inner.width, height: height + more },
            (false, false) => Rect { x: inner.x + down((inner.width - width) / 2), y: at, width, height },
        };
        at += along((child_rect.width, child_rect.height)) + gap(node) + spread;
        place(child, child_rect, sizes, placed);
    }
}

fn down(length: i32) -> i32 {
    length / GRID * GRID
}

//! A scene with every line of text, arrow and badge in its place: what an SVG is written from, and what tests measure.

use super::layout::{GRID, ICON, LABEL_LINE, Placed, Rect, SMALL_LINE, layout, title_of};
use super::legend;
use super::measure::{self, LABEL, SMALL, TITLE};
use super::route::{Point, routes};
use super::scene::{Flow, Scene};

const MARGIN: i32 = 40;
const HEAD: i32 = 70;
pub(super) const BADGE: i32 = 9;
/// Left of the text of a step in the legend.
const STEP_TEXT: i32 = 30;
const LINE_SAMPLE: i32 = 60;

/// A line of text.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub x: i32,
    /// Of the letters' feet.
    pub y: i32,
    pub text: String,
    pub size: u32,
    pub bold: bool,
    /// The box that it belongs to.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests measure by it"))]
    pub within: Rect,
}

/// A number in a circle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Badge {
    pub at: Point,
    pub step: usize,
}

#[derive(Debug)]
pub(super) struct Drawing<'s> {
    pub width: i32,
    pub height: i32,
    pub boxes: Vec<Placed<'s>>,
    pub texts: Vec<Text>,
    /// With the bends from border to border.
    pub arrows: Vec<(&'s Flow, Vec<Point>)>,
    pub badges: Vec<Badge>,
    /// Samples of lines in the legend, by the flow's kind.
    pub samples: Vec<(super::scene::FlowKind, Point, Point)>,
}

impl Text {
    /// What it covers.
    #[cfg(test)]
    pub fn rect(&self) -> Rect {
        let size = i32::try_from(self.size).unwrap_or_default();
        Rect { x: self.x, y: self.y - size, width: measure::width(&self.text, self.size, self.bold), height: size + 3 }
    }
}

pub(super) fn draw(scene: &Scene) -> Drawing<'_> {
    let boxes = layout(&scene.root, MARGIN, HEAD);
    let root = boxes.first().map_or(Rect { x: MARGIN, y: HEAD, width: 0, height: 0 }, |root| root.rect);
    let roads =
        Rect { x: GRID, y: HEAD - GRID, width: root.width + 2 * (MARGIN - GRID), height: root.height + 2 * GRID };
    let found = routes(&boxes, &scene.flows, roads);
    let arrows: Vec<(&Flow, Vec<Point>)> =
        scene.flows.iter().zip(found).filter_map(|(flow, route)| Some((flow, route?))).collect();
    let width = (root.width + 2 * MARGIN).max(measure::width(&scene.title, TITLE, true) + 2 * MARGIN).max(600);
    let mut drawing = Drawing {
        width,
        height: root.bottom() + MARGIN,
        badges: badges(&boxes, &arrows),
        texts: boxes.iter().flat_map(texts).collect(),
        boxes,
        arrows,
        samples: Vec::new(),
    };
    let head = Rect { x: 0, y: 0, width, height: HEAD };
    drawing.texts.push(Text { x: MARGIN, y: MARGIN, text: scene.title.clone(), size: TITLE, bold: true, within: head });
    write_legend(scene, &mut drawing);
    drawing
}

fn texts(placed: &Placed) -> Vec<Text> {
    let rect = placed.rect;
    if let Some(title) = title_of(placed) {
        let text = placed.label.concat();
        return vec![Text { x: rect.x + GRID, y: rect.y + 20, text, size: LABEL, bold: true, within: title }];
    }
    if placed.node.kind.is_frame() {
        return Vec::new();
    }
    let count = |lines: &[String], each: i32| i32::try_from(lines.len()).unwrap_or_default() * each;
    let tall = count(&placed.label, LABEL_LINE) + count(&placed.details, SMALL_LINE);
    let marked = if placed.node.mark.is_some() { 14 } else { 0 };
    let mut y = rect.y + (rect.height - marked - tall) / 2;
    let mut texts = Vec::new();
    for (lines, size, each, bold) in
        [(&placed.label, LABEL, LABEL_LINE, true), (&placed.details, SMALL, SMALL_LINE, false)]
    {
        for line in lines {
            y += each;
            texts.push(Text { x: rect.x + ICON, y: y - 4, text: line.clone(), size, bold, within: rect });
        }
    }
    if let Some(mark) = placed.node.mark {
        let word = mark.word().to_owned();
        let x = rect.right() - GRID - measure::width(&word, SMALL, true);
        texts.push(Text { x, y: rect.bottom() - 6, text: word, size: SMALL, bold: true, within: rect });
    }
    texts
}

/// A badge in the middle of the longest straight piece where nothing else is in the way.
fn badges(boxes: &[Placed], arrows: &[(&Flow, Vec<Point>)]) -> Vec<Badge> {
    let mut badges: Vec<Badge> = Vec::new();
    let round = |(x, y): Point| Rect { x: x - BADGE, y: y - BADGE, width: 2 * BADGE, height: 2 * BADGE };
    for (flow, route) in arrows {
        let Some(step) = flow.step else { continue };
        let mut pieces: Vec<(Point, Point)> = route.windows(2).map(|pair| (pair[0], pair[1])).collect();
        pieces.sort_by_key(|(one, other)| -((one.0 - other.0).abs() + (one.1 - other.1).abs()));
        let places = pieces.iter().flat_map(|(one, other)| {
            [2, 1, 3].map(|quarter| (one.0 + (other.0 - one.0) * quarter / 4, one.1 + (other.1 - one.1) * quarter / 4))
        });
        let crowded = |at: Point| {
            let here = round(at).grown(2);
            let on_box = boxes.iter().any(|one| match title_of(one) {
                Some(title) => title.overlaps(&here),
                None => !one.node.kind.is_frame() && one.rect.overlaps(&here),
            });
            on_box || badges.iter().any(|badge| round(badge.at).overlaps(&here))
        };
        let at = places.clone().find(|at| !crowded(*at)).or_else(|| places.clone().next());
        badges.extend(at.map(|at| Badge { at, step }));
    }
    badges
}

/// Below the picture: the way of a request, the kinds of lines, and what goes.
fn write_legend(scene: &Scene, drawing: &mut Drawing) {
    let mut y = drawing.height;
    let within = |drawing: &Drawing, y: i32| Rect { x: 0, y: y - 20, width: drawing.width, height: 30 };
    let most = drawing.width - 2 * MARGIN - STEP_TEXT;
    let steps = legend::way(scene);
    if !steps.is_empty() {
        let box_of = within(drawing, y);
        let text = "The way of a request".to_owned();
        drawing.texts.push(Text { x: MARGIN, y, text, size: LABEL, bold: true, within: box_of });
        y += 24;
    }
    for (step, text) in steps {
        drawing.badges.push(Badge { at: (MARGIN + BADGE, y - 4), step });
        for line in measure::wrap(&text, SMALL, false, most) {
            let box_of = within(drawing, y);
            let x = MARGIN + STEP_TEXT;
            drawing.texts.push(Text { x, y, text: line, size: SMALL, bold: false, within: box_of });
            y += 18;
        }
        y += 4;
    }
    for (kind, text) in legend::lines(scene) {
        drawing.samples.push((kind, (MARGIN, y - 4), (MARGIN + LINE_SAMPLE - GRID, y - 4)));
        let box_of = within(drawing, y);
        let x = MARGIN + LINE_SAMPLE;
        drawing.texts.push(Text { x, y, text: text.to_owned(), size: SMALL, bold: false, within: box_of });
        y += 22;
    }
    if !scene.gone.is_empty() {
        for line in measure::wrap(&format!("Goes: {}", scene.gone.join(", ")), SMALL, true, most) {
            let box_of = within(drawing, y);
            drawing.texts.push(Text { x: MARGIN, y, text: line, size: SMALL, bold: true, within: box_of });
            y += 18;
        }
    }
    drawing.height = y + GRID;
}

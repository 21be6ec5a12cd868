//! A drawing as SVG: dark text on white, plain shapes, no font, image or style from elsewhere.

use super::drawing::{BADGE, Drawing, Text, draw};
use super::icons::icon;
use super::layout::{Placed, title_of};
use super::route::Point;
use super::scene::{FlowKind, Mark, NodeKind, Scene};
use std::fmt::Write;

const TEXT: &str = "#1b1f24";
const REQUEST: &str = "#0b4f9e";
const GUARD: &str = "#9a5b00";
const CALL: &str = "#6a3d9a";

/// The whole file.
pub fn svg(scene: &Scene) -> String {
    let drawing = draw(scene);
    let Drawing { width, height, .. } = drawing;
    let mut file = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"Helvetica, Arial, sans-serif\" fill=\"none\" role=\"img\">\n"
    );
    let _ = writeln!(file, "<title>{}</title>", escape(&scene.title));
    file.push_str("<defs>\n");
    for (name, color) in [("request", REQUEST), ("guard", GUARD), ("call", CALL)] {
        let _ = writeln!(
            file,
            "<marker id=\"{name}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" \
             orient=\"auto\"><path d=\"M0 0L10 5L0 10z\" fill=\"{color}\"/></marker>"
        );
    }
    file.push_str("</defs>\n");
    let _ = writeln!(file, "<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>");
    drawing.boxes.iter().for_each(|placed| write_box(&mut file, placed));
    for (flow, route) in &drawing.arrows {
        write_line(&mut file, flow.kind, route);
    }
    for (kind, from, to) in &drawing.samples {
        write_line(&mut file, *kind, &[*from, *to]);
    }
    drawing.texts.iter().for_each(|text| write_text(&mut file, text));
    for badge in &drawing.badges {
        let (x, y) = badge.at;
        let _ = writeln!(
            file,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{BADGE}\" fill=\"{REQUEST}\"/><text x=\"{x}\" y=\"{}\" font-size=\"11\" \
             font-weight=\"bold\" text-anchor=\"middle\" fill=\"#ffffff\">{}</text>",
            y + 4,
            badge.step
        );
    }
    file.push_str("</svg>\n");
    file
}

fn write_box(file: &mut String, placed: &Placed) {
    let kind = placed.node.kind;
    if kind.is_frame() && title_of(placed).is_none() {
        return;
    }
    let (fill, mut stroke, dashes) = colors(kind);
    let mut width = if kind.is_frame() { "1.5" } else { "1" };
    let mut fill = fill;
    if let Some(mark) = placed.node.mark {
        (fill, stroke) = marked(mark);
        if kind.is_frame() {
            fill = "none";
        }
        width = "3";
    }
    let rect = placed.rect;
    let dashes = dashes.map(|dashes| format!(" stroke-dasharray=\"{dashes}\"")).unwrap_or_default();
    let _ = writeln!(
        file,
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\" fill=\"{fill}\" stroke=\"{stroke}\" \
         stroke-width=\"{width}\"{dashes}/>",
        rect.x,
        rect.y,
        rect.width,
        rect.height,
        if kind.is_frame() { 4 } else { 6 },
    );
    if !kind.is_frame() {
        let _ = writeln!(
            file,
            "<g transform=\"translate({} {})\" stroke=\"{}\" stroke-width=\"1.5\" stroke-linecap=\"round\" \
             stroke-linejoin=\"round\">{}</g>",
            rect.x + 10,
            rect.y + (rect.height - 24) / 2,
            ink(kind),
            icon(kind)
        );
    }
}

/// Fill, line, dashes.
fn colors(kind: NodeKind) -> (&'static str, &'static str, Option<&'static str>) {
    match kind {
        NodeKind::Edge => ("#f6f2fc", "#7a5cb8", None),
        NodeKind::Region => ("#fbfcfd", "#57606a", Some("6 4")),
        NodeKind::Vpc => ("#f1faf3", "#2f7d3b", None),
        NodeKind::Tier => ("#ffffff", "#6aa774", None),
        NodeKind::SecurityGroup => ("none", "#c0392b", Some("4 3")),
        NodeKind::Support => ("#f6f8fa", "#8c959f", None),
        NodeKind::Subnet => ("#f1faf3", "#9cc7a3", None),
        _ => ("#ffffff", "#57606a", None),
    }
}

/// Of the icon.
fn ink(kind: NodeKind) -> &'static str {
    use NodeKind::*;
    match kind {
        Names | Cdn => "#7a5cb8",
        Firewall | Key | Secret => "#b3261e",
        Containers | Function | Instance | Api | LoadBalancer => "#b35900",
        Table | Database | Bucket | Queue | Images => "#0b5394",
        Subnet | Gateway => "#2f7d3b",
        _ => "#57606a",
    }
}

/// Fill and line; a word on the box says the same.
fn marked(mark: Mark) -> (&'static str, &'static str) {
    match mark {
        Mark::New => ("#e6f6ea", "#1a7f37"),
        Mark::Changes => ("#fff6d6", "#9a6700"),
        Mark::Replaced => ("#ffe9d6", "#bc4c00"),
        Mark::Goes => ("#ffe3e1", "#b3261e"),
    }
}

fn write_line(file: &mut String, kind: FlowKind, points: &[Point]) {
    let (name, color, dashes) = match kind {
        FlowKind::Request => ("request", REQUEST, ""),
        FlowKind::Guard => ("guard", GUARD, " stroke-dasharray=\"6 4\""),
        FlowKind::Call => ("call", CALL, " stroke-dasharray=\"2 4\""),
    };
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x} {y}")).collect();
    let _ = writeln!(
        file,
        "<path d=\"M{}\" stroke=\"{color}\" stroke-width=\"2\" stroke-linejoin=\"round\"{dashes} \
         marker-end=\"url(#{name})\"/>",
        path.join("L")
    );
}

fn write_text(file: &mut String, text: &Text) {
    let weight = if text.bold { " font-weight=\"bold\"" } else { "" };
    let _ = writeln!(
        file,
        "<text x=\"{}\" y=\"{}\" font-size=\"{}\"{weight} fill=\"{TEXT}\">{}</text>",
        text.x,
        text.y,
        text.size,
        escape(&text.text)
    );
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

//! A scene as a Mermaid flowchart, which GitHub and many wikis draw by themselves.

use super::scene::{FlowKind, Mark, Node, Scene};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The whole file.
pub fn mermaid(scene: &Scene) -> String {
    let mut file = format!("---\ntitle: {}\n---\nflowchart TB\n", scene.title.replace('\n', " "));
    let mut ids = BTreeMap::new();
    scene.root.walk(&mut |node| {
        let next = ids.len() + 1;
        ids.insert(node.id.as_str(), format!("n{next}"));
    });
    write(&mut file, &scene.root, &ids, 1);
    for flow in &scene.flows {
        let (Some(from), Some(to)) = (ids.get(flow.from.as_str()), ids.get(flow.to.as_str())) else { continue };
        let arrow = match flow.kind {
            FlowKind::Request => "-->",
            FlowKind::Guard | FlowKind::Call => "-.->",
        };
        let step = flow.step.map(|step| format!("{step}. ")).unwrap_or_default();
        let _ = writeln!(file, "  {from} {arrow}|\"{step}{}\"| {to}", escape(&flow.label));
    }
    for (mark, style) in [
        (Mark::New, "fill:#e6f6ea,stroke:#1a7f37"),
        (Mark::Changes, "fill:#fff6d6,stroke:#9a6700"),
        (Mark::Replaced, "fill:#ffe9d6,stroke:#bc4c00"),
        (Mark::Goes, "fill:#ffe3e1,stroke:#b3261e"),
    ] {
        let mut marked = Vec::new();
        scene.root.walk(&mut |node| {
            if node.mark == Some(mark) {
                marked.extend(ids.get(node.id.as_str()));
            }
        });
        for id in marked {
            let _ = writeln!(file, "  style {id} {style}");
        }
    }
    file
}

fn write(file: &mut String, node: &Node, ids: &BTreeMap<&str, String>, depth: usize) {
    let indent = "  ".repeat(depth);
    let Some(id) = ids.get(node.id.as_str()) else { return };
    if node.kind.is_drawn_frame() {
        let _ = writeln!(file, "{indent}subgraph {id}[\"{}\"]", escape(&node.label));
        node.children.iter().for_each(|child| write(file, child, ids, depth + 1));
        let _ = writeln!(file, "{indent}end");
    } else if node.kind.is_frame() {
        node.children.iter().for_each(|child| write(file, child, ids, depth));
    } else {
        let mark = node.mark.map(|mark| format!("<br/>[{}]", mark.word())).unwrap_or_default();
        let details: String = node.details.iter().map(|line| format!("<br/>{}", escape(line))).collect();
        let _ = writeln!(file, "{indent}{id}[\"<b>{}</b>{details}{mark}\"]", escape(&node.label));
    }
}

/// Mermaid reads `#…;` as a letter by its number.
fn escape(text: &str) -> String {
    let letter = |letter: char| match letter {
        '"' | '<' | '>' | '&' | '#' | ';' | '`' => format!("#{};", u32::from(letter)),
        '\n' => " ".to_owned(),
        letter => letter.to_string(),
    };
    text.chars().map(letter).collect()
}

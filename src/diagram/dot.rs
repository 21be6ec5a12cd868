//! A scene in Graphviz's language.

use super::scene::{FlowKind, Mark, Node, Scene};
use std::fmt::Write;

/// The whole file.
pub fn dot(scene: &Scene) -> String {
    let mut file = format!(
        "digraph infra {{\n  label={}; labelloc=t; compound=true; rankdir=TB;\n  node [shape=box, style=\"rounded,filled\", \
         fillcolor=white, fontname=Helvetica];\n  graph [fontname=Helvetica];\n  edge [fontname=Helvetica];\n",
        quoted(&scene.title)
    );
    write(&mut file, &scene.root, 1);
    for flow in &scene.flows {
        let step = flow.step.map(|step| format!("{step}. ")).unwrap_or_default();
        let style = match flow.kind {
            FlowKind::Request => "solid",
            FlowKind::Guard => "dashed",
            FlowKind::Call => "dotted",
        };
        let label = quoted(&format!("{step}{}", flow.label));
        let _ = writeln!(file, "  {} -> {} [label={label}, style={style}];", quoted(&flow.from), quoted(&flow.to));
    }
    file.push_str("}\n");
    file
}

fn write(file: &mut String, node: &Node, depth: usize) {
    let indent = "  ".repeat(depth);
    if node.kind.is_drawn_frame() {
        let _ = writeln!(file, "{indent}subgraph {} {{", quoted(&format!("cluster {}", node.id)));
        let _ = writeln!(file, "{indent}  label={};", quoted(&node.label));
        node.children.iter().for_each(|child| write(file, child, depth + 1));
        let _ = writeln!(file, "{indent}}}");
    } else if node.kind.is_frame() {
        node.children.iter().for_each(|child| write(file, child, depth));
    } else {
        let mut lines = vec![node.label.clone()];
        lines.extend(node.details.iter().cloned());
        lines.extend(node.mark.map(|mark| format!("[{}]", mark.word())));
        let color = match node.mark {
            Some(Mark::New) => ", fillcolor=\"#e6f6ea\"",
            Some(Mark::Changes) => ", fillcolor=\"#fff6d6\"",
            Some(Mark::Replaced) => ", fillcolor=\"#ffe9d6\"",
            Some(Mark::Goes) => ", fillcolor=\"#ffe3e1\"",
            None => "",
        };
        let _ = writeln!(file, "{indent}{} [label={}{color}];", quoted(&node.id), quoted(&lines.join("\n")));
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

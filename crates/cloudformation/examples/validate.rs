//! `cargo run --example validate -- FILE…`: what is wrong with each template, one JSON object a line.
//!
//! Exit code 1 when there is an error among the findings.

use cloudformation::validate::{Options, Severity, validate_text};
use std::io::Write;
use std::process::ExitCode;

fn main() -> std::io::Result<ExitCode> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut errors = 0;
    for file in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&file)?;
        for finding in validate_text(&text, &Options::default()) {
            errors += usize::from(finding.is_error());
            let line = serde_json::json!({
                "file": file,
                "line": finding.span.start.line,
                "column": finding.span.start.column,
                "rule": finding.rule.id,
                "cfn_lint": finding.rule.cfn_lint,
                "severity": if finding.rule.severity == Severity::Error { "error" } else { "warning" },
                "path": finding.path,
                "message": finding.message,
                "remedy": finding.remedy,
            });
            writeln!(out, "{line}")?;
        }
    }
    out.flush()?;
    Ok(if errors > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

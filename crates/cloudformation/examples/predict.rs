//! Predicts a change set: reads a question on stdin, prints `{"Changes": […]}` in the shape of DescribeChangeSet.
//!
//! ```console
//! $ echo '{"template_1": null, "parameters_1": null,
//!          "template_2": {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}, "parameters_2": null}' \
//!     | cargo run -q -p cloudformation --example predict
//! ```
//!
//! The question has `template_1`, `parameters_1` (null for a creation), `template_2`, `parameters_2`, and optionally
//! `live_1`, `live_2`: `{"ssm": {name: value}, "exports": {name: value}, "resources": {LogicalId:
//! {"PhysicalResourceId", "attributes"}}}`. With `--plain` the answer is that without property values.

#[path = "predict/request.rs"]
mod request;

use cloudformation::predict::PropertyValues;
use std::io::{Read, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let values = match std::env::args().nth(1).as_deref() {
        None => PropertyValues::Included,
        Some("--plain") => PropertyValues::Omitted,
        Some(other) => return fail(&format!("unknown argument {other}; the only one is --plain")),
    };
    let mut question = String::new();
    if let Err(error) = std::io::stdin().read_to_string(&mut question) {
        return fail(&error.to_string());
    }
    match request::answer(&question, values) {
        Ok(answer) => match writeln!(std::io::stdout(), "{answer:#}") {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(reason) => fail(&reason),
    }
}

fn fail(reason: &str) -> ExitCode {
    // Nothing is left to tell it to if stderr is closed.
    let _ = writeln!(std::io::stderr(), "error: {reason}");
    ExitCode::FAILURE
}

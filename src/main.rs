//! Parses the command line, runs one command and turns how it ended into an exit code.
//!
//! Asking for help or the version ends here, before a runtime or a client exists.

use clap::Parser;
use infra::cli::Cli;
use infra::commands;
use infra::error::Kind;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    commands::completions::answer();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is the only way for this to fail, and then nobody reads.
            let text = error.render().ansi().to_string();
            let text = infra::model::sensitive::hide(&text);
            let _ = match error.use_stderr() {
                true => anstream::stderr().write_all(text.as_bytes()),
                false => anstream::stdout().write_all(text.as_bytes()),
            };
            return ExitCode::from(if error.use_stderr() { Kind::Usage.exit_code() } else { 0 });
        }
    };
    let view = cli.global.view();
    match commands::run(cli, &view) {
        Ok(code) => code,
        Err(error) => {
            view.error(&error);
            ExitCode::from(infra::error::kind(&error).exit_code())
        }
    }
}

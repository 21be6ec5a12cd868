//! Parses the command line, runs one command and turns how it ended into an exit code.
//!
//! Asking for help or the version ends here, before a runtime or a client exists.

use clap::Parser;
use infra::cli::Cli;
use infra::commands;
use infra::error::Kind;
use std::process::ExitCode;

fn main() -> ExitCode {
    commands::completions::answer();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is the only way for this to fail, and then nobody reads.
            let _ = error.print();
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

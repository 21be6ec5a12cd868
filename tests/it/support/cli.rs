//! The binary, run as a user would, in an environment that holds nothing but what the test says.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// One run of `infra`, to be started.
pub struct Run {
    command: Command,
}

/// What came of it.
#[derive(Debug)]
pub struct Ran {
    pub stdout: String,
    pub stderr: String,
    /// None if a signal ended it.
    pub code: Option<i32>,
}

impl Run {
    pub fn new(args: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_infra"));
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", "/nonexistent")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("COLUMNS", "80")
            .stdin(Stdio::null());
        Run { command }
    }

    pub fn current_dir(mut self, folder: &Path) -> Run {
        self.command.current_dir(folder);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Run {
        self.command.env(name, value);
        self
    }

    pub fn env_remove(mut self, name: &str) -> Run {
        self.command.env_remove(name);
        self
    }

    pub fn run(mut self) -> Ran {
        self.command.output().expect("infra can be started").into()
    }

    /// Starts it in the background, output piped.
    pub fn spawn(mut self) -> Child {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("infra can be started")
    }

    /// Runs it and insists on the exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Ran {
        let ran = self.run();
        assert_eq!(ran.code, Some(code), "stdout:\n{}\nstderr:\n{}", ran.stdout, ran.stderr);
        ran
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }
}

impl Ran {
    /// Both streams and the code, for snapshots.
    pub fn whole(&self) -> String {
        let code = self.code.map_or("signal".to_owned(), |code| code.to_string());
        format!("── stdout\n{}── stderr\n{}── exit {code}\n", self.stdout, self.stderr)
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in\n{}", self.stdout))
    }
}

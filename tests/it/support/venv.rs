//! A Python venv below `target/`, made once for each list of pinned requirements.

use super::target_dir;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of a program of the test venv, which is made first where it is missing.
pub fn program(name: &str) -> PathBuf {
    static VENV: OnceLock<PathBuf> = OnceLock::new();
    let venv = VENV.get_or_init(|| make("test-venv", &super::root().join("tests/it/requirements.txt")));
    let program = venv.join("bin").join(name);
    assert!(
        program.exists(),
        "{} is not in the test venv: add its package to tests/it/requirements.in and run .ci/lock",
        program.display()
    );
    program
}

/// Makes `target/<name>-<hash of the requirements>`; waits where another process is making it.
pub fn make(name: &str, requirements: &Path) -> PathBuf {
    let pins = std::fs::read_to_string(requirements).expect("the requirements can be read");
    let mut hasher = DefaultHasher::new();
    pins.hash(&mut hasher);
    let venv = target_dir().join(format!("{name}-{:016x}", hasher.finish()));
    let done = venv.join("complete");
    let lock = File::create(venv.with_extension("lock")).expect("target/ is writable");
    lock.lock().expect("the venv's lock file can be locked");
    if !done.exists() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
        run(Command::new(venv.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", "-r"])
            .arg(requirements));
        File::create(done).expect("the venv is writable");
    }
    venv
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?} could not be started ({error}): these tests need python3 with venv and pip")
    });
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
}

//! The time that everything in an image bears: `SOURCE_DATE_EPOCH` if it is set, or else when the context was last
//! committed, or else 1970. The same checkout gives the same image on every machine.

use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

/// Seconds since 1970.
pub(super) async fn of(folder: &Path) -> u64 {
    let given = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.trim().parse().ok());
    match given {
        Some(seconds) => seconds,
        None => committed(folder).await.unwrap_or(0),
    }
}

/// When the last commit that touches the folder was made; none outside of a repository.
async fn committed(folder: &Path) -> Option<u64> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["log", "-1", "--format=%ct", "--", "."]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).output().await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn commits_have_a_time_and_folders_outside_have_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(committed(folder.path()).await, None);
        let git = |words: &[&str]| {
            let mut command = std::process::Command::new("git");
            command
                .arg("-C")
                .arg(folder.path())
                .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
                .args(words);
            command.env("GIT_COMMITTER_DATE", "1700000000 +0000");
            assert!(command.output().unwrap().status.success());
        };
        git(&["init", "-q"]);
        git(&["commit", "-q", "--allow-empty", "-m", "nothing"]);
        assert_eq!(committed(folder.path()).await, None);
        std::fs::write(folder.path().join("a"), "a").unwrap();
        git(&["add", "a"]);
        git(&["commit", "-q", "-m", "a"]);
        assert_eq!(committed(folder.path()).await, Some(1_700_000_000));
    }
}

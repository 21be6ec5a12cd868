//! Where a run comes from, for the lock and the state: host, commit, pipeline.

use std::path::Path;
use std::process::Command;

/// The machine's name; `unknown` where it has none.
pub fn host() -> String {
    let from_kernel = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = from_kernel().or_else(|| output(&mut Command::new("hostname")));
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// The commit that the project's files are of, with `-dirty` where they differ from it. None outside of a repository.
pub fn git_commit(project: &Path) -> Option<String> {
    let git = |args: &[&str]| output(Command::new("git").arg("-C").arg(project).args(args));
    let commit = git(&["rev-parse", "HEAD"])?.trim().to_owned();
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", "."]);
    Some(if changed.is_some_and(|changed| !changed.trim().is_empty()) { format!("{commit}-dirty") } else { commit })
}

/// How many commits from `before` to `after` touch a part of the project; none where one of them is not known here.
pub fn commits_between(project: &Path, before: &str, after: &str, part: &str) -> Option<u64> {
    // Commits come from states: nothing else may be read into them.
    let commit = |text: &str| {
        let commit = text.strip_suffix("-dirty").unwrap_or(text).to_owned();
        (!commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(commit)
    };
    let range = format!("{}..{}", commit(before)?, commit(after)?);
    let count = output(Command::new("git").arg("-C").arg(project).args(["rev-list", "--count", &range, "--", part]))?;
    count.trim().parse().ok()
}

/// The run of a pipeline that this is a part of, as its runner tells.
pub fn pipeline_url(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let github = || {
        let (server, repository) = (variable("GITHUB_SERVER_URL")?, variable("GITHUB_REPOSITORY")?);
        Some(format!("{server}/{repository}/actions/runs/{}", variable("GITHUB_RUN_ID")?))
    };
    // GitLab; Jenkins and others.
    github().or_else(|| variable("CI_JOB_URL")).or_else(|| variable("BUILD_URL"))
}

/// What a program that ends well prints.
fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(std::process::Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipelines_are_recognised() {
        let of = |variables: &'static [(&str, &str)]| {
            pipeline_url(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string()))
        };
        let github = of(&[
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "example/shop"),
            ("GITHUB_RUN_ID", "7"),
        ]);
        assert_eq!(github.as_deref(), Some("https://github.com/example/shop/actions/runs/7"));
        assert_eq!(of(&[("CI_JOB_URL", "https://gitlab/1")]).as_deref(), Some("https://gitlab/1"));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_folder_without_a_repository_has_no_commit() {
        let folder = tempfile::TempDir::new().unwrap();
        assert_eq!(git_commit(folder.path()), None);
    }
}

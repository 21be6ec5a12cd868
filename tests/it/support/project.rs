//! A project in a temporary folder.

use super::cli::Run;
use super::ministack::Account;
use std::path::Path;
use tempfile::TempDir;

pub struct Project {
    folder: TempDir,
    /// The emulator account that `infra` is run against; none for offline tests.
    pub account: Option<Account>,
}

impl Project {
    /// An empty project without AWS.
    pub fn offline() -> Project {
        Project { folder: TempDir::new().expect("a temporary folder"), account: None }
    }

    /// An empty project against this account.
    pub fn on(account: Account) -> Project {
        Project { account: Some(account), ..Project::offline() }
    }

    /// An empty project against a fresh account of the emulator.
    pub fn on_ministack() -> Project {
        Project { account: Some(super::ministack::account()), ..Project::offline() }
    }

    /// The same folder against another account, or the same account from another folder: two engineers.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file; `ACCOUNT` in the text stands for the account's id.
    pub fn write(&self, name: &str, text: &str) -> &Project {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("a folder");
        let account = self.account.as_ref().map_or("111122223333", |account| &account.id);
        std::fs::write(path, text.replace("ACCOUNT", account)).expect("a file can be written");
        self
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// `infra <args>` in this project, with the account's credentials and nothing else in its environment.
    pub fn infra(&self, args: &[&str]) -> Run {
        let mut run = Run::new(args).current_dir(self.path());
        if let Some(account) = &self.account {
            run = run
                .env("AWS_ENDPOINT_URL", &account.endpoint)
                .env("AWS_ACCESS_KEY_ID", &account.id)
                .env("AWS_SECRET_ACCESS_KEY", "test");
        }
        run
    }
}

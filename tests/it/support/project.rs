//! A project in a temporary folder.

use super::cli::Run;
use super::ministack::Account;
use std::path::Path;
use tempfile::TempDir;

/// What the binary is run against, over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// The emulator that nobody here wrote.
    Ministack,
    /// `infra local serve`.
    Local,
}

impl Server {
    /// A fresh account.
    pub fn account(self) -> Account {
        match self {
            Server::Ministack => super::ministack::account(),
            Server::Local => super::served::account(),
        }
    }
}

/// For each test that drives the binary one against each server.
#[macro_export]
macro_rules! on_every_server {
    (async $($test:ident),+ $(,)?) => {
        mod on_ministack {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::support::project::Server::Ministack).await;
            })+
        }
        mod on_local_aws {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::support::project::Server::Local).await;
            })+
        }
    };
    ($($test:ident),+ $(,)?) => {
        mod on_ministack {
            $(#[test]
            fn $test() {
                super::$test($crate::support::project::Server::Ministack);
            })+
        }
        mod on_local_aws {
            $(#[test]
            fn $test() {
                super::$test($crate::support::project::Server::Local);
            })+
        }
    };
}

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
        Project::on_server(Server::Ministack)
    }

    /// An empty project against a fresh account.
    pub fn on_server(server: Server) -> Project {
        Project::on(server.account())
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

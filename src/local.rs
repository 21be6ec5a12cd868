//! The AWS that is embedded in this program, as a project's environments use it: where it lies, who holds it, and how to
//! reach it.
//!
//! What always holds: all local environments of a project share one world, below `.infra/local/`; one process holds it at
//! a time; while that is `infra local serve`, a file beside it says at which address, and everybody else goes there.

use crate::aws::{AccessKey, Connect};
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::model::{ApplySettings, ResourceSignals};
use anyhow::Context;
use local_aws::{LocalAws, Options, Signals, Speed};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// How long another command may hold the world before that is an error: most are done at once.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two attempts.
const RETRY: Duration = Duration::from_millis(50);
/// How long a port of this machine may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(1);

/// How to reach the world.
pub enum Way {
    /// In this process, without a port.
    Here(LocalAws),
    /// At the address that `infra local serve` announced.
    Served(SocketAddr),
}

/// The world's files in a project.
#[derive(Debug, Clone)]
pub struct Place {
    project: PathBuf,
}

/// How an embedded AWS behaves, as the environment says.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// How many seconds of AWS pass in a second.
    pub speed: f64,
    pub signals: ResourceSignals,
}

impl Manner {
    pub fn of(settings: &ApplySettings) -> Manner {
        Manner { speed: settings.speed, signals: settings.signals }
    }

    /// As the embedded AWS calls it.
    pub fn signals(self) -> Signals {
        match self.signals {
            ResourceSignals::Succeed => Signals::Succeed,
            ResourceSignals::Fail => Signals::Fail,
            ResourceSignals::None => Signals::None,
        }
    }
}

impl Place {
    pub fn of(project: &Path) -> Place {
        Place { project: project.to_owned() }
    }

    /// `.infra/local`, which belongs to the embedded AWS.
    pub fn directory(&self) -> PathBuf {
        self.project.join(files::OWN_FOLDER).join("local")
    }

    /// Where whoever serves the world writes its address.
    fn announcement(&self) -> PathBuf {
        self.project.join(files::OWN_FOLDER).join("local.address")
    }

    /// The world: in this process, or where it is served.
    ///
    /// # Errors
    /// [`Kind::LockHeld`] while another command has it and does not give it back; those of the file system.
    pub async fn reach(&self, manner: Manner) -> Result<Way> {
        let began = Instant::now();
        loop {
            match self.try_open(manner).await? {
                Some(world) => return Ok(Way::Here(world)),
                None => {
                    if let Some(address) = self.served_at().await {
                        return Ok(Way::Served(address));
                    }
                }
            }
            if began.elapsed() >= PATIENCE {
                return Err(self.held().into());
            }
            sleep(RETRY).await;
        }
    }

    /// The world, for this process alone.
    ///
    /// # Errors
    /// [`Kind::LockHeld`] while another process has it; those of the file system.
    pub async fn open(&self, manner: Manner) -> Result<LocalAws> {
        match self.try_open(manner).await? {
            Some(world) => Ok(world),
            None => match self.served_at().await {
                Some(address) => {
                    Err(Error::new(Kind::LockHeld, format!("the local AWS is served already, at http://{address}"))
                        .hint("end that `infra local serve` first: Ctrl-C where it runs")
                        .into())
                }
                None => Err(self.held().into()),
            },
        }
    }

    /// None while another process has it.
    async fn try_open(&self, manner: Manner) -> Result<Option<LocalAws>> {
        let directory = self.directory();
        let opening = || format!("the local AWS in {} could not be opened", directory.display());
        files::own_folder(&self.project).map_err(|error| unopened(opening(), error))?;
        let speed = Speed::times(manner.speed).unwrap_or(Speed::REAL);
        let options = Options {
            speed,
            seed: fastrand::u64(..),
            directory: Some(directory.clone()),
            signals: manner.signals(),
            ..Options::default()
        };
        match LocalAws::open(options).await {
            Ok(world) => Ok(Some(world)),
            Err(error) if is_held(&error) => Ok(None),
            Err(error) => Err(unopened(opening(), error).into()),
        }
    }

    fn held(&self) -> Error {
        Error::new(Kind::LockHeld, "another infra command is using the local AWS").hint(
            "wait for its end; with `infra local serve` in a terminal of its own, several commands can work at the same time",
        )
    }

    /// Lets others know where the world is served.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn announce(&self, address: SocketAddr) -> io::Result<()> {
        std::fs::write(self.announcement(), format!("{address}\n"))
    }

    /// The world is served no longer. A file that stays behind misleads nobody: it counts only while the world is held.
    pub fn withdraw(&self) {
        let _ = std::fs::remove_file(self.announcement());
    }

    async fn served_at(&self) -> Option<SocketAddr> {
        let address = std::fs::read_to_string(self.announcement()).ok()?.trim().parse().ok()?;
        let connected = timeout(CONNECT, TcpStream::connect(address)).await;
        connected.is_ok_and(|connected| connected.is_ok()).then_some(address)
    }

    /// Throws the world away. Whether there was one.
    ///
    /// # Errors
    /// [`Kind::LockHeld`] while another process has it; those of the file system.
    pub async fn reset(&self) -> Result<bool> {
        let directory = self.directory();
        if !directory.exists() {
            return Ok(false);
        }
        let options = Options { directory: Some(directory.clone()), ..Options::default() };
        // A world that cannot be opened for another reason is one more to throw away.
        if let Err(error) = LocalAws::open(options).await
            && is_held(&error)
        {
            return Err(self.held().into());
        }
        std::fs::remove_dir_all(&directory).with_context(|| format!("cannot remove {}", directory.display()))?;
        self.withdraw();
        Ok(true)
    }
}

impl Way {
    /// A connection for an account: keys that nobody checks, and which name it.
    pub fn connect(&self, account: &str, region: &str) -> Connect {
        let credentials = Some(AccessKey { id: account.to_owned(), secret: "local".to_owned() });
        let connect = Connect { region: region.to_owned(), credentials, embedded: true, ..Connect::default() };
        match self {
            Way::Here(world) => Connect { http_client: Some(world.http_client()), ..connect },
            Way::Served(address) => Connect { endpoint_url: Some(format!("http://{address}")), ..connect },
        }
    }
}

/// Only a world that is damaged is one to throw away.
fn unopened(what: String, error: io::Error) -> Error {
    let remedy = files::disk_remedy(&error);
    let remedy = remedy.unwrap_or("`infra local reset` throws it away; the next command begins with an empty one");
    Error::new(Kind::Other, what).detail(files::reason(&error)).hint(remedy).caused_by(error)
}

fn is_held(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::ResourceBusy)
}

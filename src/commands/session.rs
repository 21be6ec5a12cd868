//! What a command works with: the project's directory, the environment that was named, the way to its account.

use super::signals::{self, Signals};
use crate::apply::{EventKind, Events, Interrupt, Level, interrupt, send};
use crate::aws::{AccessKey, Aws, Connect, Identity, Notice};
use crate::cli::Global;
use crate::environment;
use crate::error::{Error, Kind, Result};
use crate::local::{Manner, Place};
use crate::model::Environment;
use crate::state::StateStore;
use crate::view::View;
use crate::view::progress::Stdout;
use anyhow::Context;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// For handing over what was read until a signal came.
const MOMENT: Duration = Duration::from_secs(1);

/// One run of one command.
#[derive(Debug)]
pub struct Session<'a> {
    pub global: &'a Global,
    pub view: &'a View,
    /// The directory with `environments/` and `templates/`.
    pub project: PathBuf,
}

/// The account that an environment belongs to, reached with credentials that belong to it too.
#[derive(Clone)]
pub struct Account {
    pub aws: Aws,
    pub identity: Identity,
    pub store: StateStore,
}

impl<'a> Session<'a> {
    pub fn new(global: &'a Global, view: &'a View) -> Session<'a> {
        let project = global.directory.clone().unwrap_or_else(|| PathBuf::from("."));
        Session { global, view, project }
    }

    /// The environment's name.
    ///
    /// # Errors
    /// Wrong usage where none is named; the message lists those that there are.
    pub fn environment_name(&self) -> Result<&str> {
        match self.global.env.as_deref() {
            Some(name) if !name.is_empty() => Ok(name),
            _ => Err(no_environment(&self.project).into()),
        }
    }

    /// The environment, read and checked; its warnings are shown.
    pub fn environment(&self) -> Result<Environment> {
        self.environment_named(self.environment_name()?)
    }

    /// As [`Session::environment`], for a name that comes from elsewhere.
    pub fn environment_named(&self, name: &str) -> Result<Environment> {
        let (environment, warnings) = environment::load(&self.project, name)?;
        self.view.problems(&warnings);
        Ok(environment)
    }

    /// The environment's account, once it is certain that the credentials are of it. A local environment's is made ready
    /// where it is not yet.
    pub async fn connect(&self, environment: &Environment, events: &Events) -> Result<Account> {
        let aws = self.aws_of(environment, events).await?;
        let identity = aws.check_identity(environment).await?;
        let store = StateStore::new(&aws, environment);
        let account = Account { aws, identity, store };
        if environment.local {
            super::bootstrap::on_the_fly(&account, environment, &self.project, events).await?;
        }
        Ok(account)
    }

    /// The environment's account by a connection that refuses to send what is not known to be a read. A local environment
    /// is not made ready: there is nothing to look at where nothing was applied.
    pub async fn connect_to_read(&self, environment: &Environment, events: &Events) -> Result<Account> {
        let connect = self.connect_of(environment).await?;
        let aws = self.connected(Connect { read_only: true, ..connect }, events).await;
        let identity = aws.check_identity(environment).await?;
        let store = StateStore::new(&aws, environment);
        Ok(Account { aws, identity, store })
    }

    /// A way to AWS, whoever's it is.
    pub async fn aws(&self, region: &str, events: &Events) -> Aws {
        self.connected(self.surroundings(region), events).await
    }

    /// A way to the AWS that an environment lives on, whoever's it is.
    pub async fn aws_of(&self, environment: &Environment, events: &Events) -> Result<Aws> {
        Ok(self.connected(self.connect_of(environment).await?, events).await)
    }

    async fn connect_of(&self, environment: &Environment) -> Result<Connect> {
        match environment.local {
            true => self.local(environment).await,
            false => Ok(self.surroundings(&environment.region)),
        }
    }

    fn surroundings(&self, region: &str) -> Connect {
        Connect {
            profile: self.global.profile.clone(),
            endpoint_url: self.global.endpoint_url.clone(),
            region: region.to_owned(),
            ask_code: self.view.ask_code(),
            ..Connect::default()
        }
    }

    /// Whoever waits is told why.
    async fn connected(&self, connect: Connect, events: &Events) -> Aws {
        // Weak, or the listener would wait for the clients to go away.
        let events = events.downgrade();
        let notify = Arc::new(move |notice| {
            if let Some(events) = events.upgrade() {
                send(&events, None, told(notice));
            }
        });
        Aws::connect(Connect { notify: Some(notify), ..connect }).await
    }

    /// To the embedded AWS. Its port may be named, as that of any other stand-in.
    async fn local(&self, environment: &Environment) -> Result<Connect> {
        let Environment { account, region, .. } = environment;
        if let Some(profile) = &self.global.profile {
            return Err(Error::new(
                Kind::Usage,
                format!("environment `{}` is local and takes no --profile", environment.name),
            )
            .detail(format!("`{profile}` was asked for"))
            .hint("leave --profile out, or name another environment")
            .into());
        }
        if let Some(url) = &self.global.endpoint_url {
            let credentials = Some(AccessKey { id: account.clone(), secret: "local".to_owned() });
            let endpoint_url = Some(url.clone());
            return Ok(Connect { region: region.clone(), credentials, endpoint_url, ..Connect::default() });
        }
        Ok(Place::of(&self.project).reach(Manner::of(&environment.apply)).await?.connect(account, region))
    }

    /// Nobody need be asked: the environment is this machine's own, nothing of value is in it, and nobody is there to ask.
    pub fn goes_without_saying(&self, environment: &Environment) -> bool {
        environment.local && !self.view.terminal.interactive
    }

    /// `infra <words> --env <name>`, with the options that this run was given: a command to type next.
    pub fn command(&self, words: &str) -> String {
        let mut command = format!("infra {words}");
        let from_surroundings = std::env::var("INFRA_ENV").ok();
        if let Some(env) = self.global.env.as_ref().filter(|env| from_surroundings.as_ref() != Some(*env)) {
            command += &format!(" --env {env}");
        }
        if let Some(directory) = &self.global.directory {
            command += &format!(" -C {}", directory.display());
        }
        if let Some(profile) = &self.global.profile {
            command += &format!(" --profile {profile}");
        }
        if let Some(url) = &self.global.endpoint_url {
            command += &format!(" --endpoint-url {url}");
        }
        command
    }

    /// `infra <words> --env <name>` for another environment than this run's: neither its credentials nor its endpoint are
    /// taken along.
    pub fn command_for(&self, environment: &str, words: &str) -> String {
        let mut command = format!("infra {words} --env {environment}");
        if let Some(directory) = &self.global.directory {
            command += &format!(" -C {}", directory.display());
        }
        command
    }

    /// Runs what only reads, and shows what it waits for. A signal ends it where it stands.
    pub fn read<T>(&self, work: impl AsyncFnOnce(&Events) -> Result<T>) -> Result<T> {
        self.block_on(async {
            let mut signals = Signals::listen()?;
            let (events, listener) = self.view.listen(Stdout::Document);
            let result = signals::unless_interrupted(&mut signals, work(&events)).await;
            drop(events);
            listener.finish().await;
            result
        })
    }

    /// As [`Self::read`], for work that has something to show when it ends early: a signal tells it, and it has a moment to
    /// hand over what it has. Gives the exit code that the signal asked for.
    pub fn read_in_part<T>(&self, work: impl AsyncFnOnce(&Events, &Interrupt) -> Result<T>) -> Result<(T, Option<u8>)> {
        self.block_on(async {
            let mut signals = Signals::listen()?;
            let (events, listener) = self.view.listen(Stdout::Document);
            let (interrupter, interrupt) = interrupt();
            let result = {
                let mut work = std::pin::pin!(work(&events, &interrupt));
                tokio::select! {
                    result = &mut work => result.map(|done| (done, None)),
                    code = signals.next() => {
                        interrupter.raise(Level::Finish);
                        match tokio::time::timeout(MOMENT, work).await {
                            Ok(result) => result.map(|done| (done, Some(code))),
                            Err(_) => Err(signals::interrupted(code)),
                        }
                    }
                }
            };
            drop(events);
            listener.finish().await;
            result
        })
    }

    /// Runs what needs a runtime, to its end.
    pub fn block_on<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("the runtime could not be started")?;
        let result = runtime.block_on(work);
        // What still runs (a thread that waits for an answer, a heartbeat) ends with the process.
        runtime.shutdown_background();
        result
    }
}

fn told(notice: Notice) -> EventKind {
    match notice {
        Notice::Throttled { service, operation, attempt } => EventKind::Throttled { service, operation, attempt },
        Notice::NoAnswer { endpoint, seconds } => {
            EventKind::Note { message: format!("no answer from {endpoint} for {seconds} s; still waiting") }
        }
    }
}

fn no_environment(project: &Path) -> Error {
    let listed = match environment::list(project) {
        Ok(listed) => listed,
        Err(error) => return error,
    };
    let names: Vec<String> = listed.into_iter().filter(|listed| !listed.base).map(|listed| listed.name).collect();
    let error = Error::new(Kind::Usage, "no environment is named");
    match names.first() {
        None => error.hint(format!("{}/ has no environment yet: `infra init` writes some", environment::DIRECTORY)),
        Some(first) => error
            .detail(format!("there are: {}", names.join(", ")))
            .hint(format!("name one: --env {first}, or INFRA_ENV={first}")),
    }
}

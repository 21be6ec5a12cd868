//! `infra local`: the embedded AWS itself, on a port for other clients, and its end.

use super::session::Session;
use super::signals::Signals;
use crate::environment::{SPEED, SPEED_LIMIT};
use crate::error::{Error, Kind, Result};
use crate::local::{Manner, Place};
use crate::model::ResourceSignals;
use anyhow::Context;
use clap::Subcommand;
use serde_json::json;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use tokio::net::TcpListener;

/// Serve or reset the AWS that is embedded in infra
///
/// Environments with the key `local` live on it. It keeps what it holds in `.infra/local/`, and needs no credentials and
/// no network.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Serve it on a port of this machine, until Ctrl-C
    ///
    /// For the AWS CLI, the AWS SDKs, the CDK and whatever else talks to AWS: stdout has the variables to export. While it
    /// is served, infra's own commands go there too.
    Serve {
        /// The port; 0 for any that is free
        #[arg(long, value_name = "PORT", default_value_t = PORT)]
        port: u16,

        /// How much faster than on AWS resources come and go; 1 for AWS's own pace [default: the environment's, or 60]
        #[arg(long, value_name = "FACTOR", value_parser = clap::value_parser!(u32).range(1..=i64::from(SPEED_LIMIT)))]
        speed: Option<u32>,
    },
    /// Throw away all that it holds
    Reset {
        /// Do not ask for approval
        #[arg(short, long)]
        yes: bool,
    },
}

/// The one that other stand-ins for AWS use.
const PORT: u16 = 4566;

/// What variables name where no environment does.
const ACCOUNT: &str = "000000000000";
const REGION: &str = "us-east-1";

pub fn run(args: Args, session: &Session) -> Result<ExitCode> {
    match args.action {
        Action::Serve { port, speed } => serve(port, speed, session),
        Action::Reset { yes } => reset(yes, session),
    }
}

/// What the environment that was named says about it, or what is usual.
struct Setting {
    account: String,
    region: String,
    manner: Manner,
}

fn setting(session: &Session) -> Result<Setting> {
    let usual = || Setting {
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        manner: Manner { speed: f64::from(SPEED), signals: ResourceSignals::default() },
    };
    let Some(name) = session.global.env.as_deref().filter(|name| !name.is_empty()) else { return Ok(usual()) };
    let environment = session.environment_named(name)?;
    if !environment.local {
        return Err(Error::new(Kind::Usage, format!("environment `{name}` is not local: its file has no key `local`"))
            .hint("leave --env out, or name one that is")
            .into());
    }
    let manner = Manner::of(&environment.apply);
    Ok(Setting { account: environment.account, region: environment.region, manner })
}

fn serve(port: u16, speed: Option<u32>, session: &Session) -> Result<ExitCode> {
    let setting = setting(session)?;
    session.block_on(async {
        let mut signals = Signals::listen()?;
        let place = Place::of(&session.project);
        let speed = speed.map_or(setting.manner.speed, f64::from);
        let world = place.open(Manner { speed, ..setting.manner }).await?;
        let listener = listen(port).await?;
        let address = listener.local_addr()?;
        place.announce(address)?;
        let announced = Announced(&place);
        tell(session, &setting, address)?;
        let until = async move {
            signals.next().await;
        };
        let served = world.serve(listener, until).await;
        drop(announced);
        served.context("the local AWS can be served no longer")?;
        session.view.note("\nServed no longer; what the local AWS holds stays in .infra/local/.");
        Ok(ExitCode::SUCCESS)
    })
}

/// Withdraws the announcement however the serving ends.
struct Announced<'a>(&'a Place);

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        self.0.withdraw();
    }
}

async fn listen(port: u16) -> Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.map_err(|error| {
        let failed = Error::new(Kind::Other, format!("port {port} cannot be listened on"));
        match error.kind() {
            ErrorKind::AddrInUse => failed
                .detail("another program listens on it")
                .hint("choose another: `infra local serve --port 0` takes any that is free"),
            _ => failed.caused_by(error),
        }
        .into()
    })
}

/// Variables to export on stdout, the rest for people.
fn tell(session: &Session, setting: &Setting, address: SocketAddr) -> Result<()> {
    let url = format!("http://{address}");
    let variables = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_ACCESS_KEY_ID", &setting.account),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", &setting.region),
        ("AWS_DEFAULT_REGION", &setting.region),
    ];
    session.view.note(&format!("The local AWS answers at {url} until Ctrl-C. Elsewhere:\n"));
    match session.view.format {
        crate::view::Format::Json => {
            let variables: serde_json::Map<_, _> =
                variables.map(|(name, value)| (name.to_owned(), json!(value))).into_iter().collect();
            session.view.json(&json!({"endpoint_url": url, "variables": variables}))?;
        }
        crate::view::Format::Human | crate::view::Format::Markdown => {
            let lines = variables.map(|(name, value)| format!("export {name}={value}\n"));
            session.view.data(&lines.concat())?;
        }
    }
    session.view.note(
        "\nThe access key's id names the account. Then, for example:\n  \
         aws cloudformation describe-stacks --query 'Stacks[].StackName'",
    );
    Ok(())
}

fn reset(yes: bool, session: &Session) -> Result<ExitCode> {
    session.block_on(async {
        let place = Place::of(&session.project);
        let directory = place.directory();
        if !directory.exists() {
            session.view.note("There is no local AWS in this project yet: nothing to throw away.");
            return Ok(ExitCode::SUCCESS);
        }
        if !yes {
            let question = format!("Throw away the local AWS in {}?", directory.display());
            session.view.approve(&question, &session.command("local reset --yes")).await?;
        }
        place.reset().await?;
        session.view.note("The local AWS is gone; the next command begins with an empty one.");
        Ok(ExitCode::SUCCESS)
    })
}

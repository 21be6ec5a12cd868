//! STS: who asks, and credentials that lead into a role's account.

use crate::door::{Request, Response, Route};
use crate::place::Place;
use crate::query::{self, Fault};
use crate::store::Store;
use crate::world::World;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Credentials that were handed out, by access key.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<BTreeMap<String, Session>>);

/// What a role's credentials stand for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub account: String,
    /// `arn:aws:sts::<account>:assumed-role/<role>/<session>`
    pub arn: String,
    /// `<role's id>:<session>`
    pub user_id: String,
}

impl Sessions {
    /// Where they are kept.
    pub const FILE: &str = "sessions.json";

    /// The account that an access key leads to.
    pub fn account(&self, access_key: &str) -> String {
        if let Some(session) = self.get(access_key) {
            return session.account;
        }
        let is_account = access_key.len() == 12 && access_key.bytes().all(|byte| byte.is_ascii_digit());
        if is_account { access_key } else { crate::place::DEFAULT_ACCOUNT }.to_owned()
    }

    fn get(&self, access_key: &str) -> Option<Session> {
        self.lock().get(access_key).cloned()
    }

    /// Those that were kept.
    pub fn restore(sessions: BTreeMap<String, Session>) -> Self {
        Sessions(Mutex::new(sessions))
    }

    /// Adds one, and keeps it.
    fn put(&self, store: &Store, access_key: &str, session: Session) -> io::Result<()> {
        let mut sessions = self.lock();
        sessions.insert(access_key.to_owned(), session);
        store.write(Sessions::FILE, &*sessions)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers a request to STS.
pub(crate) fn answer(world: &World, route: &Route, request: &Request) -> Response {
    let answered = query::read_request(request).and_then(|(action, input)| {
        if route.access_key.is_none() && !matches!(action.as_str(), "AssumeRoleWithWebIdentity" | "AssumeRoleWithSAML")
        {
            // Who asks is looked at before what is asked, whatever service was meant.
            return Err(unsigned());
        }
        let result = match action.as_str() {
            "GetCallerIdentity" => Ok(caller(world, route)),
            "AssumeRole" | "AssumeRoleWithWebIdentity" => assume(world, &route.place, &action, query::input(input)?),
            "GetSessionToken" => session_token(world, route, query::input(input)?),
            _ => Err(Fault::new("InvalidAction", format!("Could not find operation {action} for version 2011-06-15"))),
        }?;
        Ok(query::answer(&action, NAMESPACE, &result))
    });
    answered.unwrap_or_else(|fault| fault.answer(NAMESPACE))
}

fn unsigned() -> Fault {
    Fault::new("MissingAuthenticationToken", "Request is missing Authentication Token").with_status(403)
}

fn caller(world: &World, route: &Route) -> Json {
    let session = route.access_key.as_ref().and_then(|key| world.sessions.get(key));
    let session = session.unwrap_or_else(|| root(&route.place));
    json!({ "Arn": session.arn, "UserId": session.user_id, "Account": session.account })
}

/// The caller's ARN; the account's root where nobody signed.
pub(super) fn caller_arn(world: &World, route: &Route) -> String {
    let session = route.access_key.as_ref().and_then(|key| world.sessions.get(key));
    session.unwrap_or_else(|| root(&route.place)).arn
}

/// Who an access key of no role stands for: the account itself.
fn root(place: &Place) -> Session {
    let account = place.account.clone();
    Session { arn: format!("arn:{}:iam::{account}:root", place.partition()), user_id: account.clone(), account }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assume {
    role_arn: Option<String>,
    role_session_name: Option<String>,
    duration_seconds: Option<i64>,
    web_identity_token: Option<String>,
}

fn assume(world: &World, place: &Place, action: &str, input: Assume) -> Result<Json, Fault> {
    let missing = |name: &str| {
        let member = format!("{}{}", name[..1].to_lowercase(), &name[1..]);
        Fault::validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ))
    };
    let role_arn = input.role_arn.ok_or_else(|| missing("RoleArn"))?;
    let session_name = input.role_session_name.ok_or_else(|| missing("RoleSessionName"))?;
    let parts: Vec<&str> = role_arn.split(':').collect();
    let (account, role) = match parts.as_slice() {
        ["arn", _, "iam", "", account, role] if role.starts_with("role/") => (*account, role.rsplit('/').next()),
        _ => return Err(Fault::validation(format!("{role_arn} is invalid"))),
    };
    let role = role.unwrap_or_default();
    if action == "AssumeRoleWithWebIdentity" && input.web_identity_token.is_none() {
        return Err(missing("WebIdentityToken"));
    }
    let seconds = input.duration_seconds.unwrap_or(3600);
    if !(900..=43_200).contains(&seconds) {
        return Err(Fault::validation("DurationSeconds must be from 900 to 43200"));
    }
    let arn = format!("arn:{}:sts::{account}:assumed-role/{role}/{session_name}", place.partition());
    let user_id = format!("AROA{}:{session_name}", world.request_ids.upper(17));
    let session = Session { account: account.to_owned(), arn: arn.clone(), user_id: user_id.clone() };
    let credentials = hand_out(world, session, seconds)?;
    Ok(json!({
        "Credentials": credentials,
        "AssumedRoleUser": { "AssumedRoleId": user_id, "Arn": arn },
        "SubjectFromWebIdentityToken": (action != "AssumeRole").then_some("local"),
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SessionToken {
    duration_seconds: Option<i64>,
}

fn session_token(world: &World, route: &Route, input: SessionToken) -> Result<Json, Fault> {
    let key = route.access_key.as_deref().unwrap_or_default();
    let session = world.sessions.get(key).unwrap_or_else(|| root(&route.place));
    Ok(json!({ "Credentials": hand_out(world, session, input.duration_seconds.unwrap_or(43_200))? }))
}

/// New credentials for a session.
fn hand_out(world: &World, session: Session, seconds: i64) -> Result<Json, Fault> {
    let access_key = format!("ASIA{}", world.request_ids.upper(16));
    let expiration = world.clock.now().checked_add(SignedDuration::from_secs(seconds));
    let expiration = expiration.map_err(|error| Fault::validation(error.to_string()))?;
    let kept = world.sessions.put(&world.store, &access_key, session);
    kept.map_err(|error| Fault::new("InternalFailure", error.to_string()).with_status(500))?;
    Ok(json!({
        "AccessKeyId": access_key,
        "SecretAccessKey": world.request_ids.alphanumeric(40),
        "SessionToken": world.request_ids.alphanumeric(356),
        "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }))
}

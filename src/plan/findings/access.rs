//! Who may do what: policies before and after a change, and what a principal gains by it.

use super::json::{at, list, text, texts};
use super::pair::Pair;
use super::policy::{Statement, statements};
use super::risk::Context;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What a document decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// What the principals that it is attached to may do.
    Identity,
    /// Who may become the role.
    Trust,
    /// Who may use the resource.
    Resource,
}

/// Types whose documents decide who may do what: where the document stands, and what it is attached to.
const DOCUMENTS: &[(&str, &str, Kind, Option<&str>)] = &[
    ("AWS::DynamoDB::Table", "ResourcePolicy.PolicyDocument", Kind::Resource, None),
    ("AWS::EC2::VPCEndpoint", "PolicyDocument", Kind::Resource, None),
    ("AWS::ECR::Repository", "RepositoryPolicyText", Kind::Resource, None),
    ("AWS::EFS::FileSystem", "FileSystemPolicy", Kind::Resource, None),
    ("AWS::Events::EventBusPolicy", "Statement", Kind::Resource, None),
    ("AWS::IAM::GroupPolicy", "PolicyDocument", Kind::Identity, Some("GroupName")),
    ("AWS::IAM::ManagedPolicy", "PolicyDocument", Kind::Identity, None),
    ("AWS::IAM::Policy", "PolicyDocument", Kind::Identity, Some("Roles")),
    ("AWS::IAM::Role", "AssumeRolePolicyDocument", Kind::Trust, None),
    ("AWS::IAM::RolePolicy", "PolicyDocument", Kind::Identity, Some("RoleName")),
    ("AWS::IAM::UserPolicy", "PolicyDocument", Kind::Identity, Some("UserName")),
    ("AWS::KMS::Key", "KeyPolicy", Kind::Resource, None),
    ("AWS::Logs::ResourcePolicy", "PolicyDocument", Kind::Resource, Some("")),
    ("AWS::S3::BucketPolicy", "PolicyDocument", Kind::Resource, Some("Bucket")),
    ("AWS::SNS::TopicPolicy", "PolicyDocument", Kind::Resource, Some("Topics")),
    ("AWS::SQS::QueuePolicy", "PolicyDocument", Kind::Resource, Some("Queues")),
    ("AWS::SecretsManager::ResourcePolicy", "ResourcePolicy", Kind::Resource, Some("SecretId")),
];

/// Managed policies that make an administrator.
const ADMINISTRATORS: [&str; 3] = ["AdministratorAccess", "IAMFullAccess", "PowerUserAccess"];

/// Actions by which one can give oneself whatever one likes, if they hold for every resource.
const ESCALATING: [&str; 9] = [
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreatePolicyVersion",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "iam:PutUserPolicy",
    "iam:UpdateAssumeRolePolicy",
    "sts:AssumeRole",
];

/// Keys of conditions that say who calls.
const IDENTIFYING: [&str; 12] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "kms:calleraccount",
    "lambda:functionurlauthtype",
];

pub(super) fn check(pair: &Pair, context: &mut Context) {
    for (_, path, kind, attached) in DOCUMENTS.iter().filter(|(name, ..)| pair.is(name)) {
        let target = attached.filter(|name| !name.is_empty());
        let target: Vec<String> = target.map(|name| texts(at(side(pair), &[name]))).unwrap_or_default();
        let comes = |known: &std::collections::BTreeSet<String>| {
            !target.is_empty() && target.iter().all(|one| known.contains(&name(one)))
        };
        // What comes or goes together with its principal or resource widens and loses nothing by itself.
        let fresh = pair.is_new() && (context.new_stack || attached.is_none() || comes(&context.added));
        if pair.is_removed() && (attached.is_none() || comes(&context.removed)) {
            continue;
        }
        let keys: Vec<&str> = path.split('.').collect();
        let (before, after) = (at(&pair.before, &keys).clone(), at(&pair.after, &keys).clone());
        gains(pair, *kind, path, (&before, &after), fresh, context);
        losses(pair, path, &before, &after, context);
    }
    if !pair.is_removed() && ["AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"].iter().any(|name| pair.is(name)) {
        let inline = |side: &Json| -> BTreeMap<String, Json> {
            let policies = list(at(side, &["Policies"]));
            policies
                .iter()
                .map(|one| (text(&one["PolicyName"]).unwrap_or_default(), one["PolicyDocument"].clone()))
                .collect()
        };
        let (before, after) = (inline(&pair.before), inline(&pair.after));
        // Compared as a whole: a policy that is only called another name grants nothing new.
        let together = |policies: &BTreeMap<String, Json>| {
            let statements: Json = policies.values().flat_map(|document| list(&document["Statement"])).collect();
            serde_json::json!({"Statement": statements})
        };
        let (all_before, all_after) = (together(&before), together(&after));
        for (name, document) in &after {
            gains(pair, Kind::Identity, &format!("Policies[{name}]"), (&all_before, document), pair.is_new(), context);
        }
        losses(pair, "Policies", &all_before, &all_after, context);
        managed(pair, context);
    }
    if pair.is("AWS::Lambda::Permission") && !pair.is_removed() {
        permission(pair, context);
    }
}

fn side<'p>(pair: &'p Pair) -> &'p Json {
    if pair.is_removed() { &pair.before } else { &pair.after }
}

/// `${Bucket}` of `${Bucket.Arn}`.
fn name(reference: &str) -> String {
    match reference.split_once('.') {
        Some((name, _)) if reference.starts_with("${") => format!("{name}}}"),
        _ => reference.to_owned(),
    }
}

/// What the statements of the later document allow and those of the earlier one did not.
fn gains(pair: &Pair, kind: Kind, path: &str, documents: (&Json, &Json), fresh: bool, context: &mut Context) {
    let (Some(before), Some(after)) = (statements(documents.0), statements(documents.1)) else { return };
    for new in after.iter().filter(|new| new.allows) {
        gained(pair, kind, path, &before, new, fresh, context);
    }
}

/// What the earlier document denied and the later one does not.
fn losses(pair: &Pair, path: &str, before: &Json, after: &Json, context: &mut Context) {
    let (Some(before), Some(after)) = (statements(before), statements(after)) else { return };
    let denies: Vec<&Statement> = after.iter().filter(|new| !new.allows).collect();
    for old in before.iter().filter(|old| !old.allows) {
        let kept = |grant: &(&str, &str, &str)| denies.iter().any(|new| new.covers(old, grant.0, grant.1, grant.2));
        let lost: Vec<(&str, &str, &str)> = old.grants().into_iter().filter(|grant| !kept(grant)).collect();
        if lost.is_empty() {
            continue;
        }
        let what = actions(&lost, 4);
        let tls = old.conditions.keys().any(|(_, key)| key == "aws:securetransport");
        match tls {
            true => context.say(pair, "tls-weakened", path, format!("no longer refuses {what} over plain HTTP")),
            false => context.say(pair, "deny-lost", path, format!("no longer denies {what}{}", old.where_text())),
        }
    }
}

/// What one statement of a new document adds to the old one.
fn gained(
    pair: &Pair,
    kind: Kind,
    path: &str,
    before: &[Statement],
    new: &Statement,
    fresh: bool,
    context: &mut Context,
) {
    let had =
        |grant: &(&str, &str, &str)| before.iter().any(|old| old.allows && old.covers(new, grant.0, grant.1, grant.2));
    let gains: Vec<(&str, &str, &str)> = new.grants().into_iter().filter(|grant| !had(grant)).collect();
    if gains.is_empty() {
        return;
    }
    let unconditional = Statement { conditions: BTreeMap::new(), ..new.clone() };
    let eased = before.iter().find(|old| {
        let free = Statement { conditions: BTreeMap::new(), ..(*old).clone() };
        old.allows && gains.iter().all(|grant| free.covers(&unconditional, grant.0, grant.1, grant.2))
    });
    let not = if new.without[1] { "everything but " } else { "" };
    let what = format!("{not}{}", actions(&gains, 5));
    let on = match kind {
        Kind::Trust => String::new(),
        _ => format!(
            " on {}{}",
            if new.without[2] { "everything but " } else { "" },
            distinct(&gains, |grant| grant.2, 3)
        ),
    };
    let who = distinct(&gains, |grant| grant.0, 3);
    let terms = match eased {
        Some(old) if new.conditions.is_empty() => format!(", no longer only{}", old.where_text()),
        Some(old) => format!("{}, instead of{}", new.where_text(), old.where_text()),
        None => new.where_text(),
    };
    let code = code(kind, new, &gains);
    // What comes for the first time is how it was meant; what nobody should mean is said all the same.
    if fresh && !matches!(code, "public-access" | "trust-public" | "iam-admin") {
        return;
    }
    let message = match kind {
        Kind::Identity => format!("may {what}{on}{terms}"),
        Kind::Trust => format!("can be assumed by {who}{terms}"),
        Kind::Resource => {
            format!("lets {} {what}{on}{terms}", if who.is_empty() || who == "*" { "everybody" } else { &who })
        }
    };
    context.say(pair, code, path, message);
}

fn code(kind: Kind, new: &Statement, gains: &[(&str, &str, &str)]) -> &'static str {
    let identified = new.conditions.keys().any(|(_, key)| IDENTIFYING.contains(&key.as_str()));
    let everybody = new.without[0] || gains.iter().any(|grant| grant.0 == "*");
    match kind {
        Kind::Identity if is_admin(new, gains) => "iam-admin",
        Kind::Identity => "iam-widened",
        Kind::Trust if everybody && !identified => "trust-public",
        // An identity provider speaks for all of its users: a condition says which of them.
        Kind::Trust if gains.iter().any(|grant| grant.0.starts_with("Federated:")) && !names_subject(new) => {
            "trust-public"
        }
        Kind::Trust => "trust-widened",
        Kind::Resource if everybody && !identified => "public-access",
        Kind::Resource => "access-granted",
    }
}

fn names_subject(statement: &Statement) -> bool {
    let subjects = statement.conditions.iter().filter(|((_, key), _)| key.ends_with(":sub") || key.ends_with(":amr"));
    let mut values = subjects.flat_map(|(_, values)| values).peekable();
    values.peek().is_some() && values.all(|value| !value.starts_with('*') && value != "repo:*")
}

fn is_admin(new: &Statement, gains: &[(&str, &str, &str)]) -> bool {
    if new.without[1] {
        return new.conditions.is_empty();
    }
    let everywhere = |resource: &str| resource == "*" || new.without[2];
    gains.iter().any(|(_, action, resource)| {
        let all = *action == "*" || *action == "*:*";
        let service = action.ends_with(":*") && everywhere(resource) && new.conditions.is_empty();
        let escalating = everywhere(resource)
            && new.conditions.is_empty()
            && ESCALATING.iter().any(|one| super::policy::matches(&action.to_lowercase(), &one.to_lowercase()));
        all || service || escalating
    })
}

fn managed(pair: &Pair, context: &mut Context) {
    let before = texts(at(&pair.before, &["ManagedPolicyArns"]));
    for arn in texts(at(&pair.after, &["ManagedPolicyArns"])).iter().filter(|arn| !before.contains(arn)) {
        let admin = ADMINISTRATORS.iter().any(|name| arn.ends_with(&format!("/{name}")));
        let what = format!("gets all that {arn} allows");
        match (admin, pair.is_new()) {
            (true, _) => context.say(pair, "iam-admin", "ManagedPolicyArns", what),
            (false, false) => context.say(pair, "iam-widened", "ManagedPolicyArns", what),
            (false, true) => {}
        }
    }
}

fn permission(pair: &Pair, context: &mut Context) {
    let said = |name: &str| text(at(&pair.after, &[name]));
    if pair.before == pair.after || context.new_stack && said("Principal").as_deref() != Some("*") {
        return;
    }
    let who = said("Principal").unwrap_or_default();
    let bound = ["SourceArn", "SourceAccount", "PrincipalOrgID"].iter().any(|name| said(name).is_some());
    let url = said("FunctionUrlAuthType").as_deref() == Some("AWS_IAM");
    match who == "*" && !bound && !url {
        true => context.say(pair, "public-access", "Principal", "lets everybody call the function"),
        false => context.say(pair, "access-granted", "Principal", format!("lets {who} call the function")),
    }
}

fn actions(grants: &[(&str, &str, &str)], most: usize) -> String {
    distinct(grants, |grant| grant.1, most)
}

/// The different values, a few of them by name.
fn distinct<'g>(
    grants: &[(&'g str, &'g str, &'g str)],
    of: impl Fn(&(&'g str, &'g str, &'g str)) -> &'g str,
    most: usize,
) -> String {
    let mut values: Vec<&str> = Vec::new();
    for value in grants.iter().map(of).filter(|value| !value.is_empty()) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    let more = values.len().saturating_sub(most);
    let said = values.iter().take(most).copied().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{said} and {more} more") } else { said }
}

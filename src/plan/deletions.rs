//! What a plan deletes, for who looks whether AWS will let it: CloudFormation finds out in the middle of the deletion, and
//! leaves half a stack.

use super::assets::{Asset, AssetAction, emptied};
use super::changes;
use super::document::{Action, Change, ChangeAction, Finding, FindingSeverity, Plan, Removal, StackStep};
use super::evaluated::Evaluated;
use crate::model::{Deployed, Target};
use crate::stateful;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// A resource that a plan deletes.
#[derive(Debug, Clone, PartialEq)]
pub struct Deletion {
    pub stack: String,
    pub logical_id: String,
    pub resource_type: String,
    pub physical_id: String,
    pub target: Target,
    /// `templates/uploads.yaml:12`
    pub place: Option<String>,
    pub why: DeletionCause,
    /// Its properties in the stack's present template, evaluated; null where they are not known.
    pub declared: Json,
}

/// What makes a plan delete a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletionCause {
    /// Its whole stack goes.
    Stack,
    /// It is no longer in the stack's template.
    Update,
    Replacement,
    /// CloudFormation decides only at apply time whether it is replaced.
    MaybeReplacement,
}

/// Why AWS will not delete a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// A bucket holds objects, or old versions of some.
    Objects,
    /// A repository holds images.
    Images,
    /// A property or attribute of this name protects it from deletion.
    Protected(String),
    /// Policies that its stack did not attach: their ARNs or names.
    Policies(Vec<String>),
    /// Record sets of a zone that this plan does not delete: `www.example.org A`.
    Records(Vec<String>),
    /// Nobody could look; the reason.
    Unseen(String),
}

/// Everything that the plan deletes and that is not emptied by one of its own steps.
pub fn deletions(plan: &Plan, deployed: &BTreeMap<String, Deployed>) -> Vec<Deletion> {
    let mut found = Vec::new();
    for step in &plan.steps {
        let Some(stack) = deployed.get(&step.stack) else { continue };
        // What a failed creation left is deleted before the stack is made anew.
        let left = if step.action == Action::Recreate { changes::removals(stack) } else { Vec::new() };
        let changes: Vec<&Change> = match step.action {
            Action::Recreate => left.iter().collect(),
            _ => step.changes.iter().collect(),
        };
        let by_itself: BTreeSet<&str> =
            if clears_buckets(plan, step) { emptied(step).collect() } else { BTreeSet::new() };
        let gone = changes.into_iter().filter(|change| change.removal == Some(Removal::Delete));
        let mut gone = gone.filter(|change| !by_itself.contains(change.logical_id.as_str())).peekable();
        if gone.peek().is_none() {
            continue;
        }
        let declared = Evaluated::live(stack);
        found.extend(gone.filter_map(|change| {
            Some(Deletion {
                stack: step.stack.clone(),
                logical_id: change.logical_id.clone(),
                resource_type: change.resource_type.clone(),
                physical_id: change.physical_id.clone()?,
                target: step.target.clone(),
                place: change.place.clone(),
                why: match (change.action, step.action) {
                    (ChangeAction::Replace, _) => DeletionCause::Replacement,
                    (ChangeAction::MayReplace, _) => DeletionCause::MaybeReplacement,
                    (_, Action::Update) => DeletionCause::Update,
                    _ => DeletionCause::Stack,
                },
                declared: declared.as_ref().and_then(|live| live.json(&change.logical_id)).unwrap_or_default(),
            })
        }));
    }
    found
}

/// A step of the plan empties the stack's buckets before the stack goes.
fn clears_buckets(plan: &Plan, step: &StackStep) -> bool {
    plan.assets.iter().any(|asset| {
        asset.stack == step.stack && asset.action == AssetAction::Remove && matches!(asset.asset, Asset::Site(_))
    })
}

impl Plan {
    /// Takes in why AWS will not delete what the plan deletes. `words`: `stack.Resource` of what may be emptied first.
    pub fn add_obstacles(&mut self, found: &[(Deletion, Obstacle)], words: &BTreeSet<String>) {
        let mut findings = Vec::new();
        for (deletion, obstacle) in found {
            let word = format!("{}.{}", deletion.stack, deletion.logical_id);
            let empties = deletion.may_be_emptied(obstacle) && words.contains(&word);
            if empties && let Some(step) = self.steps.iter_mut().find(|step| step.stack == deletion.stack) {
                step.emptied.push(deletion.logical_id.clone());
            }
            findings.push(finding(deletion, obstacle, empties));
        }
        self.add_findings(findings);
    }
}

impl Deletion {
    /// Whether there is a word for emptying it: what an update removes is deleted at the update's very end, and emptying it
    /// before would lose the content of an update that is rolled back.
    fn may_be_emptied(&self, obstacle: &Obstacle) -> bool {
        self.why == DeletionCause::Stack && matches!(obstacle, Obstacle::Objects | Obstacle::Images)
    }

    /// `DeletionPolicy`, or what decides over the old one of a replacement.
    fn policy(&self) -> &'static str {
        match self.why {
            DeletionCause::Stack | DeletionCause::Update => "DeletionPolicy",
            DeletionCause::Replacement | DeletionCause::MaybeReplacement => "UpdateReplacePolicy",
        }
    }
}

fn finding(deletion: &Deletion, obstacle: &Obstacle, empties: bool) -> Finding {
    let (id, name, policy) = (&deletion.logical_id, &deletion.physical_id, deletion.policy());
    let content = stateful::holds(&deletion.resource_type).unwrap_or("content");
    let severity = match (obstacle, deletion.why) {
        (Obstacle::Unseen(_), _) => FindingSeverity::Note,
        (_, DeletionCause::MaybeReplacement) => FindingSeverity::Warning,
        _ if empties => FindingSeverity::Warning,
        _ => FindingSeverity::Refused,
    };
    let keep = format!("or keep it: apply with `{policy}: Retain` on it first");
    let word = match deletion.may_be_emptied(obstacle) {
        true => format!("`--empty {}.{id}` deletes them with it, ", deletion.stack),
        false => String::new(),
    };
    let (what, way) = match obstacle {
        Obstacle::Objects => (
            format!("bucket `{name}` holds objects or old versions, and CloudFormation deletes an empty one only"),
            format!("{word}{keep}"),
        ),
        Obstacle::Images => (
            format!("repository `{name}` holds images, and CloudFormation deletes an empty one only"),
            format!("{word}{keep}"),
        ),
        Obstacle::Protected(switch) => (
            format!("`{name}` is protected from deletion ({switch})"),
            format!("apply with the protection switched off first, {keep}"),
        ),
        Obstacle::Policies(policies) => (
            format!("`{name}` has policies that its stack did not attach: {}", some(policies)),
            format!("detach them, {keep}"),
        ),
        Obstacle::Records(records) => (
            format!("zone `{name}` has record sets that this plan does not delete: {}", some(records)),
            format!("delete them, {keep}"),
        ),
        Obstacle::Unseen(reason) => {
            (format!("nobody could look whether AWS will delete `{name}`: {reason}"), String::new())
        }
    };
    let message = match (empties, obstacle) {
        (true, _) => format!("{} `{name}` is emptied before its stack goes: its {content} are deleted", noun(deletion)),
        (false, Obstacle::Unseen(_)) => what,
        (false, _) => format!("cannot be deleted: {what}; {way}"),
    };
    Finding {
        severity,
        code: if matches!(obstacle, Obstacle::Unseen(_)) { "deletion-unseen" } else { "deletion-blocked" }.to_owned(),
        stack: deletion.stack.clone(),
        logical_id: Some(id.clone()),
        path: None,
        place: deletion.place.clone(),
        message,
    }
}

fn noun(deletion: &Deletion) -> &'static str {
    if deletion.resource_type == "AWS::ECR::Repository" { "repository" } else { "bucket" }
}

/// The first few of a list, and how many more there are.
fn some(all: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match all.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{shown} and {more} more"),
        _ => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deletion(why: DeletionCause) -> Deletion {
        Deletion {
            stack: "uploads".to_owned(),
            logical_id: "Uploads".to_owned(),
            resource_type: "AWS::S3::Bucket".to_owned(),
            physical_id: "shop-uploads".to_owned(),
            target: Target { account: "111122223333".to_owned(), region: "eu-west-1".to_owned(), role: None },
            place: None,
            why,
            declared: json!({}),
        }
    }

    #[test]
    fn a_refusal_names_what_stands_in_the_way_and_what_to_do() {
        let gone = finding(&deletion(DeletionCause::Stack), &Obstacle::Objects, false);
        assert_eq!((gone.severity, gone.code.as_str()), (FindingSeverity::Refused, "deletion-blocked"));
        assert_eq!(
            gone.message,
            "cannot be deleted: bucket `shop-uploads` holds objects or old versions, and CloudFormation deletes an empty \
             one only; `--empty uploads.Uploads` deletes them with it, or keep it: apply with `DeletionPolicy: Retain` on \
             it first"
        );
        // What an update deletes goes when the update is through: emptied before, it would be missed after a rollback.
        for why in [DeletionCause::Update, DeletionCause::Replacement] {
            let refused = finding(&deletion(why), &Obstacle::Objects, false);
            assert!(
                refused.severity == FindingSeverity::Refused && !refused.message.contains("--empty"),
                "{refused:?}"
            );
        }
        let replaced = finding(&deletion(DeletionCause::Replacement), &Obstacle::Objects, false);
        assert!(replaced.message.contains("`UpdateReplacePolicy: Retain`"), "{}", replaced.message);
        let perhaps = finding(&deletion(DeletionCause::MaybeReplacement), &Obstacle::Objects, false);
        assert_eq!(perhaps.severity, FindingSeverity::Warning);
        let emptied = finding(&deletion(DeletionCause::Stack), &Obstacle::Objects, true);
        assert_eq!(emptied.severity, FindingSeverity::Warning);
        assert_eq!(emptied.message, "bucket `shop-uploads` is emptied before its stack goes: its objects are deleted");
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (1..=5).map(|n| format!("p{n}")).collect();
        let told = finding(&deletion(DeletionCause::Stack), &Obstacle::Policies(names), false);
        assert!(told.message.contains("did not attach: p1, p2, p3 and 2 more; detach them"), "{}", told.message);
    }
}

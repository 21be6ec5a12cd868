//! Every kind of finding: its stable name, how grave it is, and what it is about. The gravest kinds come first, and that
//! is their rank in a plan.

use crate::plan::FindingSeverity;

/// Whether apply succeeds hangs on what runs, at which nobody has looked.
pub const ROLLOUT_UNPROVEN: &str = "rollout-unproven";

/// A kind of finding.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What programs, documents and `--allow` call it.
    pub code: &'static str,
    pub gravity: Gravity,
    /// One sentence without a full stop.
    pub about: &'static str,
}

/// How grave a kind is, where nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gravity {
    Note,
    Warning,
    /// Needs explicit words in a protected environment.
    Worst,
}

impl Gravity {
    pub fn severity(self) -> FindingSeverity {
        match self {
            Gravity::Note => FindingSeverity::Note,
            Gravity::Warning | Gravity::Worst => FindingSeverity::Warning,
        }
    }
}

/// What a code is about; for one from elsewhere a sentence that holds for all.
pub fn about(code: &str) -> &'static str {
    if code.starts_with("policy/") {
        return "A rule of the project's policies/ does not hold";
    }
    kind(code).map_or("What a reviewer should know before saying yes", |kind| kind.about)
}

pub fn kind(code: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.code == code)
}

/// The place of a code among the others; unknown ones come last.
pub(super) fn rank(code: &str) -> usize {
    KINDS.iter().position(|kind| kind.code == code).unwrap_or(KINDS.len())
}

const fn note(code: &'static str, about: &'static str) -> Kind {
    Kind { code, gravity: Gravity::Note, about }
}

const fn warning(code: &'static str, about: &'static str) -> Kind {
    Kind { code, gravity: Gravity::Warning, about }
}

const fn worst(code: &'static str, about: &'static str) -> Kind {
    Kind { code, gravity: Gravity::Worst, about }
}

/// All kinds, the gravest first. Those of stacks and data decide their severity themselves.
pub const KINDS: &[Kind] = &[
    warning("macro", "What a macro makes of a template cannot be known beforehand"),
    warning("stateful-removal", "A resource is deleted together with the data it holds"),
    warning("stateful-replacement", "A resource is replaced by a new one without the data of the old one"),
    warning("protected-deletion", "A protected stack is deleted"),
    warning("name-taken", "A resource takes a name that another resource still has"),
    warning("deletion-blocked", "AWS will not delete a resource as it is: it holds something, or is protected"),
    warning("storage-shrinks", "Storage is asked to become smaller, which its service refuses"),
    warning("half-deleted", "A stack whose deletion failed is deleted before it is created anew"),
    warning("lost-stack", "A stack that was applied is gone from the account"),
    worst("public-access", "Everybody on the internet can reach what only some could"),
    worst("open-to-world", "A port other than those of the web is opened to every address"),
    worst("iam-admin", "A principal gains the rights of an administrator, or the means to take them"),
    worst("trust-public", "A role can be assumed by principals that nobody here controls"),
    worst("boundary-lost", "A role or user loses the boundary of what it may ever be granted"),
    worst("secret-exposed", "A secret value becomes readable where settings are shown"),
    worst("encryption-lost", "Data is no longer encrypted, or with a weaker key"),
    worst("backup-lost", "Data can no longer be brought back, or not as far as before"),
    worst("protection-lost", "A protection against deletion is taken away"),
    worst("firewall-lost", "Requests are no longer filtered by a firewall rule that did so"),
    worst("tls-weakened", "Traffic is no longer encrypted, or by weaker protocols"),
    warning("downtime", "Requests fail while the change is made"),
    warning("interruption", "CloudFormation documents the update as one with some interruption"),
    warning("literal-secret", "A secret stands in a template or in an input as it is"),
    warning("deny-lost", "A policy no longer denies what it denied"),
    warning("iam-widened", "A principal gains permissions"),
    warning("trust-widened", "A role can be assumed by more principals"),
    warning("access-granted", "A resource's policy admits more"),
    warning("public-port", "A port of the web is opened to every address"),
    warning("port-opened", "A port is opened to more addresses or groups"),
    warning("egress-opened", "More of the world can be called"),
    warning("public-address", "Workloads get an address on the internet"),
    warning("logging-lost", "What happened can no longer be looked up"),
    warning("retention-shortened", "Logs or old versions are kept for a shorter time"),
    warning("deletion-policy-weakened", "A resource no longer outlives its stack"),
    warning("alarm-removed", "Nobody is told of what an alarm told"),
    warning("alarm-weakened", "An alarm rises later, or not at all"),
    warning("rollback-off", "A failed deployment is no longer rolled back"),
    warning("health-check-weakened", "Broken targets are found later, or not at all"),
    warning("redundancy-lowered", "Less is left when something fails"),
    warning("hardening-lost", "A limit on what a workload can do is lifted"),
    warning("exec-enabled", "Shells can be opened in running containers"),
    warning("stuck-stack", "A stack is in a state that no update can start from"),
    warning("drifted-stack", "Resources of a stack are not as its template says"),
    warning(ROLLOUT_UNPROVEN, "A stack names an image that no apply has seen run"),
    warning("changed-outside", "A stack was changed by something that the state does not know"),
    warning("text-lost", "A parameter takes an output of which CloudFormation gives back only the ASCII"),
    warning("stale-reference", "A dynamic reference keeps the old value of an SSM parameter that the run changes"),
    note("nested-unseen", "The template of a nested stack could not be read"),
    note("deletion-unseen", "Whether AWS will delete a resource could not be looked at"),
    note("left-behind", "What this environment left behind does not join its stack again"),
    note("retained", "Resources stay in the account outside of any stack"),
    note("unseen-secret", "A new value of a NoEcho parameter cannot be seen"),
];

//! Every kind of finding, by its stable name, and what it is about in one sentence.

/// Of a finding's code; for a code from elsewhere a sentence that holds for all.
pub fn about(code: &str) -> &'static str {
    KINDS.iter().find(|(kind, _)| *kind == code).map_or("What a reviewer should know before saying yes", |kind| kind.1)
}

/// The name that programs and `--allow` go by, and what it is about.
pub const KINDS: &[(&str, &str)] = &[
    ("changed-outside", "A stack was changed by something that the state does not know"),
    ("drifted-stack", "Resources of a stack are not as its template says"),
    ("half-deleted", "A stack whose deletion failed is deleted before it is created anew"),
    ("lost-stack", "A stack that was applied is gone from the account"),
    ("protected-deletion", "A protected stack is deleted"),
    ("retained", "Resources stay in the account outside of any stack"),
    ("stateful-removal", "A resource is deleted together with the data it holds"),
    ("stateful-replacement", "A resource is replaced by a new one without the data of the old one"),
    ("stuck-stack", "A stack is in a state that no update can start from"),
    ("unseen-secret", "A new value of a NoEcho parameter cannot be seen"),
];

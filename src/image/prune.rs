//! Which images of a repository may go: chosen as a value that can be shown, then removed.
//!
//! What always stays: what an environment's state or a running task names, what belongs to it, and the newest images.

use super::Digest;
use super::list::Listed;
use crate::aws::Ecr;
use crate::error::{Error, Kind};
use serde::Serialize;
use std::collections::BTreeSet;

/// Why an image stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    InUse,
    Newest,
    /// Another image that stays is an index of it.
    PartOfKept,
}

/// What would go and what stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pruning {
    /// Indexes before their parts: a registry refuses the other way round.
    pub remove: Vec<Listed>,
    pub keep: Vec<(Listed, Because)>,
}

impl Pruning {
    /// Bytes of all that goes. Layers that images share are counted for each of them, as ECR does.
    pub fn bytes(&self) -> u64 {
        self.remove.iter().filter(|image| image.parts.is_empty()).map(|image| image.size_bytes).sum()
    }

    /// What both would remove: for when the world was looked at once more after a person said yes.
    pub fn but_only(self, approved: &Pruning) -> Pruning {
        let approved: BTreeSet<Digest> = approved.remove.iter().map(|image| image.digest).collect();
        Pruning { remove: self.remove.into_iter().filter(|image| approved.contains(&image.digest)).collect(), ..self }
    }
}

/// Chooses. `images` come the newest first; parts of indexes go and stay with these and are not counted.
pub fn choose(images: &[Listed], keep_newest: usize) -> Pruning {
    let mut keep: Vec<(Listed, Because)> = Vec::new();
    let mut remove: Vec<Listed> = Vec::new();
    for (nth, image) in images.iter().filter(|image| !image.is_part).enumerate() {
        if !image.used_by.is_empty() {
            keep.push((image.clone(), Because::InUse));
        } else if nth < keep_newest {
            keep.push((image.clone(), Because::Newest));
        } else {
            remove.push(image.clone());
        }
    }
    let kept_parts: BTreeSet<Digest> = keep.iter().flat_map(|(image, _)| image.parts.iter().copied()).collect();
    for part in images.iter().filter(|image| image.is_part) {
        if kept_parts.contains(&part.digest) {
            keep.push((part.clone(), Because::PartOfKept));
        } else if !part.used_by.is_empty() {
            keep.push((part.clone(), Because::InUse));
        } else {
            remove.push(part.clone());
        }
    }
    Pruning { remove, keep }
}

/// Removes what was chosen. Gives the digests that are gone.
///
/// # Errors
/// ECR refuses one of them; those before it are gone.
pub async fn prune(ecr: &Ecr, repository: &str, pruning: &Pruning) -> Result<Vec<Digest>, Error> {
    let mut gone = Vec::new();
    // Wholes first, and only once they are gone their parts.
    let (wholes, parts): (Vec<&Listed>, Vec<&Listed>) = pruning.remove.iter().partition(|image| !image.is_part);
    for some in [wholes, parts] {
        let digests: Vec<String> = some.iter().map(|image| image.digest.to_string()).collect();
        let failures = ecr.remove_images(repository, &digests).await?;
        gone.extend(some.iter().map(|image| image.digest).filter(|digest| !failures.contains_key(&digest.to_string())));
        if let Some((digest, why)) = failures.first_key_value() {
            return Err(Error::new(Kind::Aws, format!("ECR kept {} of {} images", failures.len(), digests.len()))
                .detail(format!("{digest}: {why}"))
                .hint("list them again: `infra image list`"));
        }
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::list::Use;
    use proptest::prelude::*;

    fn image(name: &str, used: bool, parts: &[&str], is_part: bool) -> Listed {
        let by = Use::Environment { name: "prod".to_owned(), stack: "api".to_owned() };
        Listed {
            digest: Digest::of(name),
            tags: Vec::new(),
            size_bytes: 10,
            pushed_at: None,
            used_by: used.then_some(by).into_iter().collect(),
            parts: parts.iter().map(Digest::of).collect(),
            is_part,
        }
    }

    fn removed(pruning: &Pruning) -> Vec<Digest> {
        pruning.remove.iter().map(|image| image.digest).collect()
    }

    #[test]
    fn the_newest_and_those_in_use_stay() {
        let images = [
            image("6", false, &[], false),
            image("5", false, &[], false),
            image("4", true, &[], false),
            image("3", false, &[], false),
            image("2", true, &[], false),
            image("1", false, &[], false),
        ];
        let pruning = choose(&images, 2);
        assert_eq!(removed(&pruning), ["3", "1"].map(Digest::of));
        let because: Vec<Because> = pruning.keep.iter().map(|(_, because)| *because).collect();
        assert_eq!(because, [Because::Newest, Because::Newest, Because::InUse, Because::InUse]);
        assert_eq!(pruning.bytes(), 20);
    }

    #[test]
    fn parts_go_after_their_index_and_stay_with_it() {
        let images = [
            image("new", false, &["new-a", "shared"], false),
            image("new-a", false, &[], true),
            image("shared", false, &[], true),
            image("old", false, &["old-a", "shared"], false),
            image("old-a", false, &[], true),
        ];
        let pruning = choose(&images, 1);
        assert_eq!(removed(&pruning), ["old", "old-a"].map(Digest::of));
    }

    #[test]
    fn what_came_into_use_after_the_yes_stays() {
        let before = choose(&[image("b", false, &[], false), image("a", false, &[], false)], 0);
        let after =
            choose(&[image("c", false, &[], false), image("b", true, &[], false), image("a", false, &[], false)], 0);
        assert_eq!(removed(&after.but_only(&before)), [Digest::of("a")]);
    }

    proptest! {
        #[test]
        fn nothing_in_use_ever_goes(
            shape in proptest::collection::vec((any::<bool>(), proptest::collection::vec(0usize..20, 0..3), any::<bool>()), 1..20),
            keep in 0usize..5,
        ) {
            let names: Vec<String> = (0..shape.len()).map(|n| n.to_string()).collect();
            let images: Vec<Listed> = shape.iter().enumerate().map(|(n, (used, parts, is_part))| {
                let parts: Vec<&str> = parts.iter().filter_map(|part| names.get(*part)).map(String::as_str).collect();
                image(&names[n], *used, &parts, *is_part)
            }).collect();
            let pruning = choose(&images, keep);
            prop_assert!(pruning.remove.iter().all(|image| image.used_by.is_empty()));
            prop_assert_eq!(pruning.remove.len() + pruning.keep.len(), images.len());
            let kept: BTreeSet<Digest> = pruning.keep.iter().filter(|(image, _)| !image.is_part)
                .flat_map(|(image, _)| image.parts.clone()).collect();
            let lost = pruning.remove.iter().any(|image| image.is_part && kept.contains(&image.digest));
            prop_assert!(!lost, "a part of a kept index goes");
        }
    }
}

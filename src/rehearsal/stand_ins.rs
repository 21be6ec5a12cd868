//! Images and packages in a run that moves none: each is taken to be where it goes.

use crate::model::{Parameter, RenderedStack, State};
use crate::plan::{AssetAction, Plan};

/// Of what nobody has made, and which runs nowhere.
const NOWHERE: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// Gives images and packages that have not been made the digests that they had last, as far as those are known.
pub fn name_assets(stacks: &mut [RenderedStack], known: Option<&State>) {
    for stack in stacks {
        let record = known.and_then(|state| state.stacks.get(&stack.name));
        for parameter in stack.parameters.values_mut() {
            match parameter {
                Parameter::LocalImage(image) if image.digest.is_none() => {
                    let last = record.and_then(|record| record.images.get(&image.name)?.rsplit_once('@'));
                    image.digest = Some(last.map_or(NOWHERE, |(_, digest)| digest).to_owned());
                }
                Parameter::Package(package) if package.digest.is_none() => {
                    let last = record.and_then(|record| record.packages.get(&package.name));
                    package.digest = Some(last.map_or(NOWHERE, |last| &last.digest).to_owned());
                }
                _ => {}
            }
        }
    }
}

/// Nothing goes up.
pub fn move_nothing(plan: &mut Plan) {
    plan.assets.iter_mut().for_each(|asset| asset.action = AssetAction::Assumed);
}

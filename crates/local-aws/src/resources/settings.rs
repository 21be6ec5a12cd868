//! Settings of an account and region that any number of stacks may set: the one that writes last counts for all, and
//! nobody's deletion takes them back.

use super::live::{Live, State};
use super::model::Properties;
use cloudformation::schema::resource_type;

/// Types that are such a setting, and the property that tells several of them apart in one account.
///
/// Source: the APIs that set them replace what there was (UpdateAccount, PutDataCatalogEncryptionSettings,
/// PutDataLakeSettings), and none of them creates anything.
const SETTINGS: &[(&str, Option<&str>)] = &[
    ("AWS::ApiGateway::Account", None),
    ("AWS::Glue::DataCatalogEncryptionSettings", Some("CatalogId")),
    ("AWS::LakeFormation::DataLakeSettings", None),
];

/// Gives a setting that was written to all that stand for the same one.
pub(super) fn share(state: &mut State, written: &Live) {
    let Some((_, apart)) = SETTINGS.iter().find(|(name, _)| *name == written.type_name) else { return };
    let Some(known) = resource_type(&written.type_name) else { return };
    let settable = |properties: &Properties| -> Properties {
        let kept = properties.iter().filter(|(name, _)| !known.is_read_only(name));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let now = settable(&written.properties);
    for live in state.all_mut() {
        let same = live.place == written.place
            && live.type_name == written.type_name
            && apart.is_none_or(|name| live.properties.get(name) == written.properties.get(name));
        if same {
            live.properties.retain(|name, _| known.is_read_only(name));
            live.properties.extend(now.clone());
        }
    }
}

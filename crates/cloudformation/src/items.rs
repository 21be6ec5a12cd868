//! Items of two lists whose order means nothing: which of one is which of the other.

use serde_json::Value as Json;

/// Members that tell the items of a property's list apart, the likeliest first.
const KEYS: [&str; 11] = [
    "Key",
    "Sid",
    "Id",
    "Name",
    "AttributeName",
    "IndexName",
    "PolicyName",
    "ParameterName",
    "ContainerName",
    "RuleName",
    "ContainerPort",
];

/// Whether an item has a member that tells it from the others of its list.
pub fn has_key(item: &Json) -> bool {
    KEYS.iter().any(|key| item.get(*key).is_some())
}

/// Whether the likeliest key that both items have is the same, as `same` judges it.
pub fn share_key(one: &Json, other: &Json, same: impl Fn(&Json, &Json) -> bool) -> bool {
    let keys = KEYS.iter().find_map(|key| Some((one.get(*key)?, other.get(*key)?)));
    keys.is_some_and(|(one, other)| same(one, other))
}

/// An item of a list with its place in it.
pub type Item<'j> = (usize, &'j Json);

/// Two lists, and which of their items belong together so far.
#[derive(Debug)]
pub struct Pairing<'j> {
    pub pairs: Vec<(Item<'j>, Item<'j>)>,
    /// Of the one list, and of the other: items that nothing was found for.
    pub left: Vec<Item<'j>>,
    pub right: Vec<Item<'j>>,
}

impl<'j> Pairing<'j> {
    /// Nothing belongs together yet.
    pub fn of(left: &'j [Json], right: &'j [Json]) -> Pairing<'j> {
        Pairing {
            pairs: Vec::new(),
            left: left.iter().enumerate().collect(),
            right: right.iter().enumerate().collect(),
        }
    }

    /// Pairs each item that is left with the first of the other list that fits it.
    pub fn pair(&mut self, fits: impl Fn(&Json, &Json) -> bool) {
        let Pairing { pairs, left, right } = self;
        left.retain(|one| match right.iter().position(|other| fits(one.1, other.1)) {
            Some(at) => {
                pairs.push((*one, right.remove(at)));
                false
            }
            None => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn items_are_found_by_their_likeliest_key() {
        let same = |one: &Json, other: &Json| one == other;
        let tag = |key: &str, value: &str| json!({"Key": key, "Value": value, "Name": "n"});
        assert!(share_key(&tag("a", "1"), &tag("a", "2"), same));
        assert!(!share_key(&tag("a", "1"), &tag("b", "1"), same), "the name, a less likely key, does not count");
        assert!(!share_key(&json!({"Key": "a"}), &json!({"Name": "a"}), same));
        assert!(has_key(&json!({"Sid": "x"})) && !has_key(&json!({"Effect": "Allow"})) && !has_key(&json!("Key")));
    }

    #[test]
    fn each_item_is_paired_once() {
        let (left, right) = ([json!(1), json!(1), json!(2)], [json!(3), json!(1)]);
        let mut pairing = Pairing::of(&left, &right);
        pairing.pair(|one, other| one == other);
        assert_eq!(pairing.pairs, [((0, &json!(1)), (1, &json!(1)))]);
        assert_eq!((pairing.left.len(), pairing.right.clone()), (2, vec![(0, &json!(3))]));
        pairing.pair(|_, _| true);
        assert_eq!((pairing.left, pairing.right), (vec![(2, &json!(2))], vec![]));
    }
}

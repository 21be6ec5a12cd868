//! How identifiers and attributes look: the table `forms.txt`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Form by type and path of a property or attribute; an empty path is the physical id.
static FORMS: LazyLock<BTreeMap<(&'static str, &'static str), &'static str>> = LazyLock::new(|| {
    let rows = include_str!("forms.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.filter_map(|line| {
        let (type_name, rest) = line.split_once(' ')?;
        let (path, form) = rest.split_once(' ')?;
        Some(((type_name, if path == "-" { "" } else { path }), form))
    })
    .collect()
});

/// The form of a property or attribute of a type; with an empty path, of its physical id.
pub(in crate::resources) fn form(type_name: &str, path: &str) -> Option<&'static str> {
    let forms: &BTreeMap<(&str, &str), &'static str> = &FORMS;
    forms.get(&(type_name, path)).copied()
}

/// The paths of a type that have a form.
pub(in crate::resources) fn formed<'t>(type_name: &'t str) -> impl Iterator<Item = &'t str> {
    let forms: &'t BTreeMap<(&'t str, &'t str), &'static str> = &FORMS;
    forms.range((type_name, "")..).take_while(move |((name, _), _)| *name == type_name).map(|((_, path), _)| *path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudformation::schema::resource_type;

    #[test]
    fn the_table_is_sorted_and_names_attributes_that_exist() {
        let lines: Vec<&str> = include_str!("forms.txt").lines().filter(|line| !line.starts_with('#')).collect();
        let keys: Vec<(&str, &str)> = lines
            .iter()
            .map(|line| {
                line.split_once(' ').and_then(|(name, rest)| Some((name, rest.split_once(' ')?.0))).expect(line)
            })
            .collect();
        let problems: Vec<String> = keys
            .iter()
            .filter(|(name, path)| match resource_type(name) {
                Some(known) => *path != "-" && known.property(path).is_none(),
                None => true,
            })
            .map(|(name, path)| format!("{name} {path}"))
            .collect();
        assert!(problems.is_empty(), "{problems:#?}");
        for pair in keys.windows(2) {
            assert!(pair[0] < pair[1], "{:?}", pair[1]);
        }
        assert_eq!(keys.len(), FORMS.len());
    }
}

//! Templates as they are read. On its way through a change set one text is asked for three times: when it is accepted,
//! when its changes are worked out, and when it is carried out.

use cloudformation::template::{Problem, Template};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Texts of so many bytes are remembered together, the latest first.
const REMEMBERED_BYTES: usize = 1 << 20;

static LATEST: Mutex<Latest> = Mutex::new(Latest { templates: VecDeque::new(), bytes: 0 });

/// As [`Template::read`].
///
/// # Errors
/// As [`Template::read`].
pub(crate) fn read(text: &str) -> Result<(Template, Vec<Problem>), Problem> {
    if let Some(template) = latest(|latest| latest.find(text)) {
        return Ok((template, Vec::new()));
    }
    let (template, problems) = Template::read(text)?;
    if problems.is_empty() {
        latest(|latest| latest.remember(text, &template));
    }
    Ok((template, problems))
}

fn latest<T>(use_it: impl FnOnce(&mut Latest) -> T) -> T {
    use_it(&mut LATEST.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Templates that nothing is wrong with, by their texts.
struct Latest {
    templates: VecDeque<(String, Template)>,
    bytes: usize,
}

impl Latest {
    fn find(&self, text: &str) -> Option<Template> {
        self.templates.iter().find(|(known, _)| known == text).map(|(_, template)| template.clone())
    }

    fn remember(&mut self, text: &str, template: &Template) {
        self.bytes += text.len();
        self.templates.push_front((text.to_owned(), template.clone()));
        while self.bytes > REMEMBERED_BYTES
            && let Some((oldest, _)) = self.templates.pop_back()
        {
            self.bytes -= oldest.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_texts_are_remembered_and_the_oldest_let_go() {
        let mut latest = Latest { templates: VecDeque::new(), bytes: 0 };
        let text = |n: usize| format!("Description: number {n}{}\nResources: {{}}", " ".repeat(REMEMBERED_BYTES / 4));
        for n in 0..5 {
            let (template, _) = Template::read(&text(n)).expect("a tree");
            latest.remember(&text(n), &template);
        }
        let described = |n| latest.find(&text(n))?.description.map(|text| text.value);
        assert_eq!(
            (0..5).map(described).collect::<Vec<_>>(),
            [None, None, Some("number 2".into()), Some("number 3".into()), Some("number 4".into())]
        );
        assert_eq!(latest.bytes, latest.templates.iter().map(|(text, _)| text.len()).sum::<usize>());
    }
}

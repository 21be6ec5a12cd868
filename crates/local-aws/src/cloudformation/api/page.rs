//! Lists in pages. A token says where the next page begins; it names the last item shown, so that what is added
//! meanwhile moves nothing.

use crate::query::Fault;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How many items a page holds where the caller does not say less.
pub(super) const PAGE: usize = 100;

/// The items of the page after `token`, and the token of the next one. `key` names an item. Items behind the page are
/// not looked at.
///
/// # Errors
/// `ValidationError` if the token names no item.
pub(super) fn page<T>(
    items: impl IntoIterator<Item = T>,
    token: Option<&str>,
    size: usize,
    key: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let mut items = items.into_iter();
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        let last = decode(token).ok_or_else(invalid)?;
        items.find(|item| key(item) == last).ok_or_else(invalid)?;
    }
    let shown: Vec<T> = items.by_ref().take(size).collect();
    let more = items.next().is_some();
    let next = shown.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
    Ok((shown, next))
}

fn decode(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}

fn invalid() -> Fault {
    Fault::validation("NextToken is not valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(items: &[&str], size: usize) -> Vec<Vec<String>> {
        let (mut token, mut pages) = (None, Vec::new());
        loop {
            let items: Vec<String> = items.iter().map(|&item| item.to_owned()).collect();
            let (shown, next) = page(items, token.as_deref(), size, Clone::clone).expect("a page");
            pages.push(shown);
            match next {
                Some(next) => token = Some(next),
                None => return pages,
            }
        }
    }

    #[test]
    fn every_item_is_on_one_page() {
        assert_eq!(pages(&["a", "b", "c", "d", "e"], 2), [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
        assert_eq!(pages(&["a", "b"], 2), [["a", "b"]]);
        assert_eq!(pages(&[], 2), [Vec::<String>::new()]);
    }

    #[test]
    fn what_is_added_in_front_moves_nothing() {
        let (_, token) = page(vec!["c", "b", "a"], None, 1, |item| (*item).to_owned()).expect("a page");
        let (shown, _) =
            page(vec!["d", "c", "b", "a"], token.as_deref(), 1, |item| (*item).to_owned()).expect("a page");
        assert_eq!(shown, ["b"]);
    }

    #[test]
    fn a_wrong_token_is_refused() {
        let fault = page(vec!["a"], Some("%"), 1, |item| (*item).to_owned()).expect_err("no token");
        assert_eq!(fault.code, "ValidationError");
    }
}

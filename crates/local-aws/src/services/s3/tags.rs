//! `x-amz-tagging`: the tags that come with an object, which winterbaume takes only in a call of their own.

use super::Call;
use crate::place::Place;
use crate::query::escape;
use crate::services::account::Backend;
use bytes::Bytes;
use http::{HeaderMap, Method};

/// Gives an object the tags that the headers of its making say.
pub(super) async fn put(backend: &dyn Backend, owner: &Place, object: &Call, said: &HeaderMap) {
    let Some(tags) = said.get("x-amz-tagging") else { return };
    let tag = |(key, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
        format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", escape(&key), escape(&value))
    };
    let tags: String = form_urlencoded::parse(tags.as_bytes()).map(tag).collect();
    let call = Call {
        method: Method::PUT,
        query: "tagging".to_owned(),
        headers: HeaderMap::new(),
        body: Bytes::from(format!("<Tagging><TagSet>{tags}</TagSet></Tagging>")),
        ..object.clone()
    };
    call.pass(backend, owner).await;
}

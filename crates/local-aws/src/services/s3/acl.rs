//! Access control lists as S3 answers where they are off, which is how buckets are made: the owner has full control.
//! (Amazon S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket".)

use super::{Call, error};
use crate::door::Response;
use crate::place::Place;
use crate::services::account::Backend;
use http::{Method, StatusCode};

/// Answers what asks for a list; `None`: the call asks for something else.
pub(super) async fn answer(backend: &dyn Backend, owner: &Place, call: &Call) -> Option<Response> {
    if call.method != Method::GET || !call.has_parameter("acl") {
        return None;
    }
    if !call.key.is_empty() {
        let query = call.parameter("versionId").map(|id| format!("versionId={id}")).unwrap_or_default();
        let head = Call { method: Method::HEAD, query, ..call.clone() };
        if !head.pass(backend, owner).await.status().is_success() {
            return Some(call.refuse(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist."));
        }
    }
    let id = &owner.account;
    Some(error::xml(
        StatusCode::OK,
        format!(
            "<AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Owner><ID>{id}</ID></Owner>\
             <AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
             xsi:type=\"CanonicalUser\"><ID>{id}</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>\
             </AccessControlList></AccessControlPolicy>"
        ),
    ))
}

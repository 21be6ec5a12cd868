//! Events that are known already are not read again. AWS has no way to ask for new ones only: every answer brings up to
//! a hundred, the newest first, and whoever follows a stack knows nearly all of them.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use memchr::memmem;

/// Cuts an answer of DescribeStackEvents off behind one event, before the SDK reads it.
///
/// An answer that does not name the event stays as it is, and so does one that is still on its way over the network: the
/// embedded AWS gives its answers at once, and there the reading is most of what waiting costs.
#[derive(Debug)]
pub(super) struct UpTo {
    element: String,
}

impl UpTo {
    pub fn event(id: &str) -> UpTo {
        UpTo { element: format!("<EventId>{id}</EventId>") }
    }

    fn cut(&self, answer: &[u8]) -> Option<Vec<u8>> {
        const END: &[u8] = b"</member>";
        const REST: &[u8] = b"</StackEvents></DescribeStackEventsResult></DescribeStackEventsResponse>";
        let known = memmem::find(answer, self.element.as_bytes())? + self.element.len();
        let end = known + memmem::find(&answer[known..], END)? + END.len();
        Some([&answer[..end], REST].concat())
    }
}

impl Intercept for UpTo {
    fn name(&self) -> &'static str {
        "UpTo"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        if let Some(cut) = response.body().bytes().and_then(|body| self.cut(body)) {
            *response.body_mut() = SdkBody::from(cut);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::UpTo;

    #[test]
    fn the_known_event_is_the_last_one_left() {
        let event = |id: &str| format!("<member><EventId>{id}</EventId><StackName>s</StackName></member>");
        let end = "</DescribeStackEventsResult></DescribeStackEventsResponse>";
        let begin = "<DescribeStackEventsResponse><DescribeStackEventsResult><StackEvents>";
        let answer =
            format!("{begin}{}{}{}</StackEvents><NextToken>t</NextToken>{end}", event("3"), event("2"), event("1"));
        let cut = UpTo::event("2").cut(answer.as_bytes()).map(|cut| String::from_utf8(cut).unwrap());
        assert_eq!(cut, Some(format!("{begin}{}{}</StackEvents>{end}", event("3"), event("2"))));
        assert_eq!(UpTo::event("4").cut(answer.as_bytes()), None);
    }
}

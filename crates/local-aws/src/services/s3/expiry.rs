//! Presigned URLs are good until their time is over. (Amazon S3 API reference, "Authenticating requests: using query
//! parameters".)

use super::{Call, error};
use crate::door::Response;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

/// The refusal of a presigned URL that is too old; `None` for all else.
pub(super) fn refusal(call: &Call, now: Timestamp) -> Option<Response> {
    let (until, seconds) = match (call.parameter("X-Amz-Date"), call.parameter("X-Amz-Expires")) {
        (Some(date), Some(seconds)) => {
            let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", &date).ok()?;
            let signed = signed.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
            let whole: i64 = seconds.parse().ok()?;
            (signed.checked_add(SignedDuration::from_secs(whole)).ok()?, Some(seconds))
        }
        // Signature version 2 says when it ends.
        _ => {
            call.parameter("AWSAccessKeyId")?;
            (Timestamp::from_second(call.parameter("Expires")?.parse().ok()?).ok()?, None)
        }
    };
    if now <= until {
        return None;
    }
    let text = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut response = call.refuse(StatusCode::FORBIDDEN, "AccessDenied", "Request has expired");
    if let Some(seconds) = seconds {
        response = error::with_member(response, "X-Amz-Expires", &seconds);
    }
    response = error::with_member(response, "Expires", &text(until));
    Some(error::with_member(response, "ServerTime", &text(now)))
}

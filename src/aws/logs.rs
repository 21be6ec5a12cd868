//! The last lines of a log, for failure reports.

use super::Result;
use super::error::{Call, Explain};
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::OrderBy;

#[derive(Clone)]
pub struct Logs {
    client: Client,
}

impl Logs {
    pub(super) fn new(client: Client) -> Logs {
        Logs { client }
    }

    /// The last `count` lines of a stream, the oldest first.
    pub async fn last_lines(&self, group: &str, stream: &str, count: u16) -> Result<Vec<String>> {
        let call = || Call::new("logs", "GetLogEvents", format!("read the log `{group}` `{stream}`"));
        let request = self.client.get_log_events().log_group_name(group).log_stream_name(stream);
        let events = request.limit(count.into()).start_from_head(false).send().await.explain(call)?.events;
        let lines = events.unwrap_or_default().into_iter().filter_map(|event| event.message);
        Ok(lines.map(|line| line.trim_end().to_owned()).collect())
    }

    /// The stream of a group that was written to last; none for an empty group.
    pub async fn newest_stream(&self, group: &str) -> Result<Option<String>> {
        let call = || Call::new("logs", "DescribeLogStreams", format!("list the streams of the log `{group}`"));
        let request = self.client.describe_log_streams().log_group_name(group);
        let request = request.order_by(OrderBy::LastEventTime).descending(true).limit(1);
        let streams = request.send().await.explain(call)?.log_streams.unwrap_or_default();
        Ok(streams.into_iter().next().and_then(|stream| stream.log_stream_name))
    }
}

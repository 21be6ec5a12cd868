//! The record sets of a hosted zone. One call of Route 53, so it is signed here instead of by a client of the SDK (ADR 16).

use super::Result;
use super::credentials::Renewing;
use super::endpoint::Endpoint;
use super::error::Call;
use super::plain::Http;
use super::signed::{Message, Signed, element};

/// The API's version, first part of every path.
const VERSION: &str = "2013-04-01";

/// Route 53, with the credentials of one account. Zones have no region.
#[derive(Clone)]
pub struct Route53 {
    signed: Signed,
}

/// A record set, by what tells it from others of its zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordSet {
    /// Without the full stop of the root, in lower case; a wildcard as `*` (Route 53 answers `\052`).
    pub name: String,
    /// `A`, `CNAME` …
    pub kind: String,
}

impl Route53 {
    pub(super) fn new(way: (Http, Renewing), endpoint: Endpoint) -> Route53 {
        Route53 { signed: Signed::new(way, endpoint, "route53") }
    }

    /// All record sets of a zone, those that it was made with (NS and SOA of its own name) included; no zone has none.
    pub async fn record_sets(&self, zone: &str) -> Result<Vec<RecordSet>> {
        let call = || Call::new("route53", "ListResourceRecordSets", format!("list the record sets of zone {zone}"));
        let mut found = Vec::new();
        let mut from = String::new();
        loop {
            let path = format!("/{VERSION}/hostedzone/{zone}/rrset{from}");
            let message = Message { method: "GET", path: &path, content_type: "application/xml", body: "" };
            let answer = match self.signed.call(&message, call).await {
                Err(error) if super::failure(&error).is_some_and(|failure| failure.code == "NoSuchHostedZone") => break,
                answer => answer?,
            };
            found.extend(records(&answer));
            let part = |name: &str| element(&answer, name).map(str::to_owned);
            match (part("NextRecordName"), part("NextRecordType")) {
                (Some(name), Some(kind)) => {
                    from = format!("?name={}&type={kind}", escaped(&name));
                    if let Some(identifier) = part("NextRecordIdentifier") {
                        from = format!("{from}&identifier={}", escaped(&identifier));
                    }
                }
                _ => break,
            }
        }
        Ok(found)
    }
}

fn records(answer: &str) -> Vec<RecordSet> {
    let sets = answer.split("<ResourceRecordSet>").skip(1);
    sets.filter_map(|set| {
        let name = element(set, "Name")?.trim_end_matches('.').replace("\\052", "*").to_lowercase();
        Some(RecordSet { name, kind: element(set, "Type")?.to_owned() })
    })
    .collect()
}

/// What has a meaning in a query stands as `%2A`.
fn escaped(text: &str) -> String {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"-._~".contains(&c);
    text.bytes().map(|c| if plain(c) { char::from(c).to_string() } else { format!("%{c:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_sets_as_the_api_reference_shows_them() {
        let answer = "<ListResourceRecordSetsResponse><ResourceRecordSets><ResourceRecordSet><Name>Example.com.</Name>\
                      <Type>NS</Type><TTL>172800</TTL></ResourceRecordSet><ResourceRecordSet><Name>www.example.com.</Name>\
                      <Type>A</Type></ResourceRecordSet></ResourceRecordSets><IsTruncated>false</IsTruncated>\
                      </ListResourceRecordSetsResponse>";
        let told: Vec<(String, String)> = records(answer).into_iter().map(|one| (one.name, one.kind)).collect();
        assert_eq!(told, [("example.com".into(), "NS".into()), ("www.example.com".into(), "A".into())]);
        assert_eq!(escaped("\\052.example.com"), "%5C052.example.com");
    }
}

//! Ports that a change opens, and to whom: rules of security groups in all of their forms.

use super::json::{at, list, number, text};
use super::pair::Pair;
use super::risk::Context;
use serde_json::Value as Json;
use std::fmt;

/// Ports that the web is served on. Opening them to everybody is usual, and said; opening any other is worse.
const WEB: [(i64, i64); 2] = [(80, 80), (443, 443)];

/// What one rule admits.
#[derive(Debug, Clone, PartialEq)]
struct Rule {
    /// `tcp`, `udp`, `icmp`; `-1` for all.
    protocol: String,
    from: i64,
    to: i64,
    /// An address range, a group or a prefix list.
    other: String,
}

impl Rule {
    fn read(json: &Json, others: &[&str]) -> Vec<Rule> {
        let protocol = text(at(json, &["IpProtocol"])).unwrap_or_else(|| "-1".to_owned()).to_lowercase();
        let protocol = match protocol.as_str() {
            "6" => "tcp".to_owned(),
            "17" => "udp".to_owned(),
            _ => protocol,
        };
        let port = |name: &str, otherwise: i64| match number(at(json, &[name])) {
            Some(port) if port >= 0.0 && protocol != "-1" => port as i64,
            _ => otherwise,
        };
        let (from, to) = (port("FromPort", 0), port("ToPort", 65_535));
        let known = others.iter().filter_map(|name| text(at(json, &[name])));
        known.map(|other| Rule { protocol: protocol.clone(), from, to, other }).collect()
    }

    fn is_everybody(&self) -> bool {
        self.other == "0.0.0.0/0" || self.other == "::/0"
    }

    fn is_web(&self) -> bool {
        self.protocol == "tcp" && WEB.iter().any(|(from, to)| *from <= self.from && self.to <= *to)
    }

    fn covers(&self, other: &Rule) -> bool {
        let protocol = self.protocol == "-1" || self.protocol == other.protocol;
        let ports = self.protocol == "-1" || (self.from <= other.from && other.to <= self.to);
        let named = !other.other.contains('/') && self.other == "0.0.0.0/0";
        protocol && ports && (self.other == other.other || named || contains(&self.other, &other.other))
    }
}

/// Whether one address range holds another.
fn contains(wide: &str, narrow: &str) -> bool {
    let parse = |text: &str| text.parse::<ipnet::IpNet>().ok();
    matches!((parse(wide), parse(narrow)), (Some(wide), Some(narrow)) if wide.contains(&narrow))
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.protocol.as_str(), self.from == self.to) {
            ("-1", _) => write!(f, "every port and protocol"),
            (protocol, true) => write!(f, "{protocol} {}", self.from),
            (protocol, false) => write!(f, "{protocol} {}-{}", self.from, self.to),
        }
    }
}

const SOURCES: [&str; 5] =
    ["CidrIp", "CidrIpv6", "SourceSecurityGroupId", "SourcePrefixListId", "SourceSecurityGroupName"];
const DESTINATIONS: [&str; 4] = ["CidrIp", "CidrIpv6", "DestinationSecurityGroupId", "DestinationPrefixListId"];

pub(super) fn check(pair: &Pair, context: &mut Context) {
    match pair.change.resource_type.as_str() {
        "AWS::EC2::SecurityGroup" => {
            ingress(pair, &inline(pair, "SecurityGroupIngress", &SOURCES), "SecurityGroupIngress", context);
            let mut out = inline(pair, "SecurityGroupEgress", &DESTINATIONS);
            if !pair.is_new() && out.0.is_empty() {
                out.0 = everything();
            }
            egress(pair, &out, "SecurityGroupEgress", context);
            everything_out(pair, context);
        }
        "AWS::EC2::SecurityGroupIngress" => ingress(pair, &alone(pair, &SOURCES), "", context),
        "AWS::EC2::SecurityGroupEgress" => egress(pair, &alone(pair, &DESTINATIONS), "", context),
        "AWS::EC2::NetworkAclEntry" => acl_entry(pair, context),
        "AWS::EC2::Route" => route(pair, context),
        _ => {}
    }
}

/// Rules before and after.
type Rules = (Vec<Rule>, Vec<Rule>);

fn inline(pair: &Pair, property: &str, others: &[&str]) -> Rules {
    let rules = |side: &Json| list(at(side, &[property])).iter().flat_map(|rule| Rule::read(rule, others)).collect();
    (rules(&pair.before), rules(&pair.after))
}

fn alone(pair: &Pair, others: &[&str]) -> Rules {
    let rules = |side: &Json| if side.is_null() { Vec::new() } else { Rule::read(side, others) };
    (rules(&pair.before), rules(&pair.after))
}

fn ingress(pair: &Pair, (before, after): &Rules, path: &str, context: &mut Context) {
    // A group that comes with its stack is how the stack was meant; what stands open to all of it is said even then.
    for rule in gained(before, after) {
        match (rule.is_everybody(), rule.is_web()) {
            (true, false) => {
                let message = format!("opens {rule} to every address of the internet ({})", rule.other);
                context.say(pair, "open-to-world", path, message);
            }
            (true, true) if !context.new_stack => {
                let message = format!("opens {rule} to every address of the internet ({})", rule.other);
                context.say(pair, "public-port", path, message);
            }
            (false, _) if !pair.is_new() || (path.is_empty() && !context.new_stack) => {
                context.say(pair, "port-opened", path, format!("opens {rule} to {}", rule.other));
            }
            _ => {}
        }
    }
}

fn egress(pair: &Pair, (before, after): &Rules, path: &str, context: &mut Context) {
    if pair.is_new() && (context.new_stack || !path.is_empty()) {
        return;
    }
    for rule in gained(before, after) {
        context.say(pair, "egress-opened", path, format!("may call {} on {rule}", rule.other));
    }
}

/// A group without a list of its own may call everything.
fn everything_out(pair: &Pair, context: &mut Context) {
    let none = |side: &Json| list(at(side, &["SecurityGroupEgress"])).is_empty();
    if !pair.is_new() && !none(&pair.before) && none(&pair.after) {
        let message = "may call everything: a group without SecurityGroupEgress is given a rule that allows all of it";
        context.say(pair, "egress-opened", "SecurityGroupEgress", message);
    }
}

/// What a group without rules of its own is given.
fn everything() -> Vec<Rule> {
    let to = |other: &str| Rule { protocol: "-1".to_owned(), from: 0, to: 65_535, other: other.to_owned() };
    vec![to("0.0.0.0/0"), to("::/0")]
}

fn gained<'r>(before: &[Rule], after: &'r [Rule]) -> Vec<&'r Rule> {
    after.iter().filter(|rule| !before.iter().any(|old| old.covers(rule))).collect()
}

fn acl_entry(pair: &Pair, context: &mut Context) {
    let open = |side: &Json| {
        let all = ["CidrBlock", "Ipv6CidrBlock"]
            .iter()
            .any(|name| matches!(text(at(side, &[name])).as_deref(), Some("0.0.0.0/0" | "::/0")));
        let inbound = text(at(side, &["Egress"])).as_deref() != Some("true");
        all && inbound && text(at(side, &["RuleAction"])).as_deref() == Some("allow")
    };
    if open(&pair.after) && !open(&pair.before) && !context.new_stack {
        context.say(pair, "port-opened", "", "the subnet's ACL admits every address of the internet");
    }
}

/// A subnet whose way out becomes the internet gateway is a public one.
fn route(pair: &Pair, context: &mut Context) {
    let gateway = |side: &Json| text(at(side, &["GatewayId"]));
    let (before, after) = (gateway(&pair.before), gateway(&pair.after));
    let everywhere = matches!(text(at(&pair.after, &["DestinationCidrBlock"])).as_deref(), Some("0.0.0.0/0"))
        || text(at(&pair.after, &["DestinationIpv6CidrBlock"])).as_deref() == Some("::/0");
    if after.is_some() && before.is_none() && everywhere && !context.new_stack {
        let message = "leads straight to the internet: what has an address in these subnets can be reached from there";
        context.say(pair, "public-address", "GatewayId", message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_that_add_nothing() {
        let rule = |protocol: &str, from: i64, to: i64, cidr: &str| {
            Rule::read(&json!({"IpProtocol": protocol, "FromPort": from, "ToPort": to, "CidrIp": cidr}), &SOURCES)
                .remove(0)
        };
        let wide = rule("tcp", 0, 1024, "10.0.0.0/8");
        assert!(wide.covers(&rule("6", 443, 443, "10.1.0.0/16")));
        assert!(!wide.covers(&rule("tcp", 443, 443, "11.0.0.0/16")));
        assert!(!wide.covers(&rule("tcp", 443, 2000, "10.1.0.0/16")));
        assert!(!wide.covers(&rule("udp", 443, 443, "10.1.0.0/16")));
        let all = Rule::read(&json!({"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}), &SOURCES).remove(0);
        assert!(all.covers(&wide) && all.is_everybody() && !all.is_web());
        assert_eq!(all.to_string(), "every port and protocol");
        assert!(rule("tcp", 443, 443, "0.0.0.0/0").is_web());
        assert!(!rule("tcp", 80, 443, "0.0.0.0/0").is_web(), "a range holds others");
    }
}

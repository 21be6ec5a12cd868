//! Gateways, addresses, load balancers, the CDN, firewalls and names.

use super::{Bill, count};
use rust_decimal::Decimal;

pub(super) fn write(bill: &mut Bill) -> bool {
    match bill.resource.resource_type.as_str() {
        "AWS::EC2::NatGateway" => {
            bill.hours("gateway", Decimal::ONE, "nat-hour");
            bill.used("data processed", "nat_gb", "nat-gb");
        }
        "AWS::EC2::EIP" => bill.hours("public address", Decimal::ONE, "ipv4-hour"),
        "AWS::EC2::VPCEndpoint" => endpoint(bill),
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => load_balancer(bill),
        "AWS::CloudFront::Distribution" => {
            bill.used("data sent", "cdn_gb", "cdn-gb");
            bill.used("HTTPS requests", "cdn_requests", "cdn-million-requests");
        }
        "AWS::WAFv2::WebACL" => {
            bill.item("web ACL", Decimal::ONE, "waf-acl-month");
            bill.item("rules", count(bill.resource.list("/Rules").len()), "waf-rule-month");
            bill.used("requests", "waf_requests", "waf-million-requests");
        }
        "AWS::Route53::HostedZone" => {
            bill.item("hosted zone", Decimal::ONE, "zone-month");
            bill.used("queries", "dns_queries", "dns-million-queries");
        }
        "AWS::ApiGatewayV2::Api" => match bill.resource.text("/ProtocolType").as_deref() {
            Some("HTTP") => bill.used("requests", "api_requests", "http-api-million-requests"),
            _ => bill.unknown("messages and minutes of connections", "only HTTP APIs are estimated"),
        },
        "AWS::ApiGateway::RestApi" => bill.used("requests", "api_requests", "rest-api-million-requests"),
        _ => return false,
    }
    true
}

/// Gateway endpoints are free; an interface endpoint is billed in each zone that it has a subnet in.
fn endpoint(bill: &mut Bill) {
    match bill.resource.text("/VpcEndpointType").as_deref() {
        None | Some("Gateway") => bill.nothing("gateway endpoints are free"),
        Some("Interface") => {
            let zones = count(bill.resource.list("/SubnetIds").len());
            bill.hours("endpoint in its zones", zones, "endpoint-hour");
            bill.used("data processed", "endpoint_gb", "endpoint-gb");
        }
        Some(other) => bill.unknown("endpoint", format!("endpoints of type {other} are not estimated")),
    }
}

/// A load balancer that faces the internet has an address in each of its zones.
fn load_balancer(bill: &mut Bill) {
    let kind = bill.resource.text("/Type").unwrap_or_else(|| "application".to_owned());
    if kind != "application" {
        bill.unknown("load balancer", format!("load balancers of type {kind} are not estimated"));
        return;
    }
    bill.hours("load balancer", Decimal::ONE, "alb-hour");
    if let Some(units) = bill.figure("lcu") {
        bill.hours("capacity units", units, "lcu-hour");
    }
    if bill.resource.text("/Scheme").as_deref() != Some("internal") {
        let subnets = bill.resource.list("/Subnets").len().max(bill.resource.list("/SubnetMappings").len());
        match subnets {
            0 => bill.unknown("public addresses", "its subnets are known after apply"),
            zones => bill.hours("public addresses", count(zones), "ipv4-hour"),
        }
        bill.used("data sent to the internet", "internet_gb", "internet-gb");
    }
}

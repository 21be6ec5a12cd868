//! Arrows: from the browser to the names, the CDN, the load balancer, the services and what they keep; who guards whom, and
//! who calls whom.

use super::cards::{Card, id};
use super::relations::Relations;
use crate::diagram::scene::{Flow, FlowKind};
use crate::inventory::Resource;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Where requests come from.
pub(super) const BROWSER: &str = "browser";

/// All arrows between cards, each pair of cards once for each kind.
pub(super) fn flows(relations: &Relations, cards: &[Card]) -> Vec<Flow> {
    let mut found = Arrows { cards, flows: Vec::new() };
    distributions(relations, &mut found);
    load_balancers(relations, &mut found);
    apis(relations, &mut found);
    services(relations, &mut found);
    guards(relations, &mut found);
    entries(relations, &mut found);
    found.flows
}

struct Arrows<'a> {
    cards: &'a [Card],
    flows: Vec<Flow>,
}

impl Arrows<'_> {
    fn add(&mut self, from: &str, to: &str, kind: FlowKind, label: &str) {
        let known = |id: &str| id == BROWSER || self.cards.iter().any(|card| card.node.id == id);
        if from == to || !known(from) || !known(to) {
            return;
        }
        match self.flows.iter_mut().find(|flow| flow.from == from && flow.to == to && flow.kind == kind) {
            Some(flow) if !flow.label.contains(label) => flow.label = format!("{}, {label}", flow.label),
            Some(_) => {}
            None => self.flows.push(Flow {
                from: from.to_owned(),
                to: to.to_owned(),
                kind,
                label: label.to_owned(),
                step: None,
            }),
        }
    }

    fn reached(&self, id: &str) -> bool {
        self.flows.iter().any(|flow| flow.to == id && flow.kind == FlowKind::Request)
    }
}

fn text_of<'v>(value: &'v Json, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Json::as_str)
}

/// Each behaviour of a distribution leads to an origin.
fn distributions(relations: &Relations, found: &mut Arrows) {
    for distribution in relations.of_type("AWS::CloudFront::Distribution") {
        let config = |path: &str| distribution.list(&format!("/DistributionConfig/{path}"));
        let origins: BTreeMap<&str, &Resource> = config("Origins")
            .iter()
            .filter_map(|origin| Some((text_of(origin, "Id")?, relations.behind(origin.get("DomainName")?)?)))
            .collect();
        let default = distribution.at("/DistributionConfig/DefaultCacheBehavior");
        let paths = config("CacheBehaviors").iter().map(|one| (one, text_of(one, "PathPattern").unwrap_or("*")));
        for (behaviour, label) in default.map(|one| (one, "pages and files")).into_iter().chain(paths) {
            let origin = text_of(behaviour, "TargetOriginId").and_then(|name| origins.get(name));
            if let Some(origin) = origin {
                found.add(&id(distribution), &id(origin), FlowKind::Request, label);
            }
        }
    }
}

/// Rules and default actions of listeners lead through target groups to services.
fn load_balancers(relations: &Relations, found: &mut Arrows) {
    let listeners = relations.of_type("AWS::ElasticLoadBalancingV2::Listener").map(|one| (one, one));
    let rules = relations
        .of_type("AWS::ElasticLoadBalancingV2::ListenerRule")
        .filter_map(|rule| Some((rule, relations.at(rule, "/ListenerArn")?)));
    for (says, listener) in listeners.chain(rules) {
        let Some(balancer) = relations.at(listener, "/LoadBalancerArn") else { continue };
        let actions = says.at("/Actions").or(says.at("/DefaultActions"));
        let groups = actions.map(|value| relations.within(value)).unwrap_or_default();
        let conditions = says.list("/Conditions").iter();
        let paths: Vec<&str> = conditions
            .filter_map(|one| one.pointer("/PathPatternConfig/Values").or(one.get("Values")).and_then(Json::as_array))
            .flatten()
            .filter_map(Json::as_str)
            .collect();
        for service in relations.all.iter().filter(|one| serves(one, &groups, relations)) {
            let label = if paths.is_empty() { "everything else".to_owned() } else { paths.join(", ") };
            found.add(&id(balancer), &id(service), FlowKind::Request, &label);
        }
    }
}

fn serves(service: &Resource, groups: &[&Resource], relations: &Relations) -> bool {
    let registers = service.at("/LoadBalancers").map(|value| relations.within(value)).unwrap_or_default();
    service.resource_type == "AWS::ECS::Service" && registers.iter().any(|group| groups.contains(group))
}

/// Integrations lead to functions, and so do the sources of their events.
fn apis(relations: &Relations, found: &mut Arrows) {
    for integration in relations.of_type("AWS::ApiGatewayV2::Integration") {
        let (api, target) = (relations.at(integration, "/ApiId"), relations.at(integration, "/IntegrationUri"));
        if let (Some(api), Some(target)) = (api, target.and_then(|target| function(target, relations))) {
            found.add(&id(api), &id(target), FlowKind::Request, "requests");
        }
    }
    for api in relations.of_type("AWS::ApiGatewayV2::Api") {
        if let Some(target) = relations.at(api, "/Target").and_then(|target| function(target, relations)) {
            found.add(&id(api), &id(target), FlowKind::Request, "requests");
        }
    }
    for method in relations.of_type("AWS::ApiGateway::Method") {
        let (api, target) = (relations.at(method, "/RestApiId"), relations.at(method, "/Integration/Uri"));
        if let (Some(api), Some(target)) = (api, target.and_then(|target| function(target, relations))) {
            found.add(&id(api), &id(target), FlowKind::Request, "requests");
        }
    }
    // An API whose body is a document of its own says nowhere else whom it calls.
    for permission in relations.of_type("AWS::Lambda::Permission") {
        let source = relations.at(permission, "/SourceArn").filter(|one| one.resource_type.contains("::Api"));
        let target = relations.at(permission, "/FunctionName").and_then(|target| function(target, relations));
        if let (Some(api), Some(target)) = (source, target) {
            found.add(&id(api), &id(target), FlowKind::Request, "requests");
        }
    }
    for source in relations.of_type("AWS::Lambda::EventSourceMapping") {
        let (from, to) = (relations.at(source, "/EventSourceArn"), relations.at(source, "/FunctionName"));
        if let (Some(from), Some(to)) = (from, to) {
            found.add(&id(from), &id(to), FlowKind::Request, "events");
        }
    }
}

/// The function behind an alias or a version; everything else is itself.
fn function<'a>(of: &'a Resource, relations: &Relations<'a>) -> Option<&'a Resource> {
    match of.resource_type.as_str() {
        "AWS::Lambda::Alias" | "AWS::Lambda::Version" => relations.at(of, "/FunctionName"),
        _ => Some(of),
    }
}

/// What a service's role may use, and what its variables name.
fn services(relations: &Relations, found: &mut Arrows) {
    let with_roles = relations.all.iter().filter_map(|one| match one.resource_type.as_str() {
        "AWS::ECS::Service" => {
            let task = relations.at(one, "/TaskDefinition")?;
            Some((one, relations.at(task, "/TaskRoleArn"), task.at("/ContainerDefinitions")))
        }
        "AWS::Lambda::Function" => Some((one, relations.at(one, "/Role"), one.at("/Environment"))),
        _ => None,
    });
    for (service, role, variables) in with_roles {
        for statement in role.map(statements).unwrap_or_default() {
            let resources = statement.get("Resource").map(|value| relations.within(value)).unwrap_or_default();
            for used in resources.into_iter().filter(|one| is_data(one)) {
                found.add(&id(service), &id(used), FlowKind::Request, access(statement));
            }
        }
        for address in variables.map(texts).unwrap_or_default() {
            if let Some(called) = relations.behind(address).filter(|one| answers(one)) {
                found.add(&id(service), &id(called), FlowKind::Call, "calls other services");
            }
        }
    }
}

fn statements(role: &Resource) -> Vec<&Json> {
    let policies = role.list("/Policies").iter();
    policies.filter_map(|policy| policy.pointer("/PolicyDocument/Statement")?.as_array()).flatten().collect()
}

fn is_data(resource: &Resource) -> bool {
    matches!(
        resource.resource_type.as_str(),
        "AWS::DynamoDB::Table"
            | "AWS::S3::Bucket"
            | "AWS::SQS::Queue"
            | "AWS::SNS::Topic"
            | "AWS::RDS::DBInstance"
            | "AWS::RDS::DBCluster"
    )
}

fn answers(resource: &Resource) -> bool {
    matches!(
        resource.resource_type.as_str(),
        "AWS::ElasticLoadBalancingV2::LoadBalancer" | "AWS::CloudFront::Distribution" | "AWS::ApiGatewayV2::Api"
    )
}

/// By the verbs of the actions.
fn access(statement: &Json) -> &'static str {
    let actions = match statement.get("Action") {
        Some(Json::Array(actions)) => actions.iter().filter_map(Json::as_str).collect(),
        Some(Json::String(action)) => vec![action.as_str()],
        _ => Vec::new(),
    };
    let verb = |verbs: &[&str]| {
        let does =
            |action: &&str| action.split(':').nth(1).is_some_and(|it| verbs.iter().any(|verb| it.starts_with(verb)));
        actions.iter().any(|action| does(action) || action.ends_with('*'))
    };
    let (reads, writes) = (
        verb(&["Get", "Query", "Scan", "BatchGet", "Receive", "List"]),
        verb(&["Put", "Update", "Delete", "BatchWrite", "Send", "Publish"]),
    );
    match (reads, writes) {
        (true, true) => "reads and writes",
        (false, true) => "writes",
        _ => "reads",
    }
}

/// All texts within a value.
fn texts(value: &Json) -> Vec<&Json> {
    match value {
        Json::String(_) => vec![value],
        Json::Array(items) => items.iter().flat_map(texts).collect(),
        Json::Object(members) => members.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// Web ACLs before distributions and load balancers.
fn guards(relations: &Relations, found: &mut Arrows) {
    for distribution in relations.of_type("AWS::CloudFront::Distribution") {
        if let Some(acl) = relations.at(distribution, "/DistributionConfig/WebACLId") {
            found.add(&id(acl), &id(distribution), FlowKind::Guard, "inspects every request");
        }
    }
    for association in relations.of_type("AWS::WAFv2::WebACLAssociation") {
        let (acl, guarded) = (relations.at(association, "/WebACLArn"), relations.at(association, "/ResourceArn"));
        if let (Some(acl), Some(guarded)) = (acl, guarded) {
            found.add(&id(acl), &id(guarded), FlowKind::Guard, "inspects every request");
        }
    }
}

/// What an entry is reached by. Listeners that only send to another one do not count.
fn protocols(entry: &Resource, relations: &Relations) -> String {
    let listeners: Vec<&Resource> = relations
        .of_type("AWS::ElasticLoadBalancingV2::Listener")
        .filter(|one| relations.at(one, "/LoadBalancerArn") == Some(entry))
        .collect();
    let answering = |one: &&&Resource| one.text("/DefaultActions/0/Type").as_deref() != Some("redirect");
    let mut protocols: Vec<String> =
        listeners.iter().filter(answering).filter_map(|one| one.text("/Protocol")).collect();
    if protocols.is_empty() {
        protocols = listeners.iter().filter_map(|one| one.text("/Protocol")).collect();
    }
    protocols.sort();
    protocols.dedup();
    match (entry.resource_type.as_str(), protocols.is_empty()) {
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", true) => "requests".to_owned(),
        (_, true) => "HTTPS".to_owned(),
        (_, false) => protocols.join(", "),
    }
}

/// The browser: names first, then what no other arrow of a request leads to and the internet can reach.
fn entries(relations: &Relations, found: &mut Arrows) {
    let open = |one: &&Resource| match one.resource_type.as_str() {
        "AWS::CloudFront::Distribution" | "AWS::ApiGatewayV2::Api" | "AWS::ApiGateway::RestApi" => true,
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => one.text("/Scheme").as_deref() != Some("internal"),
        _ => false,
    };
    let entries: Vec<&Resource> = relations.all.iter().filter(open).filter(|one| !found.reached(&id(one))).collect();
    for entry in &entries {
        found.add(BROWSER, &id(entry), FlowKind::Request, &protocols(entry, relations));
    }
    for record in relations.of_type("AWS::Route53::RecordSet") {
        let (zone, target) = (relations.at(record, "/HostedZoneId"), relations.at(record, "/AliasTarget/DNSName"));
        if let (Some(zone), Some(target)) = (zone, target)
            && entries.contains(&target)
        {
            found.add(BROWSER, &id(zone), FlowKind::Request, "looks up the name");
        }
    }
}

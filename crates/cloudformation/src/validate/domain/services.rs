//! Rules of single services.

use super::{Subject, limits, plain};
use crate::schema::{Pattern, Text};
use crate::template::{Expr, Kind};
use crate::validate::facts::Spot;
use crate::validate::finding::{Finding, did_you_mean};
use crate::validate::rules;
use std::collections::BTreeSet;

pub fn check(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    match subject.resource_type {
        "AWS::CloudFront::Distribution" => distribution(subject, found),
        "AWS::Events::Rule" => schedule(subject, found),
        "AWS::DynamoDB::Table" => key_attributes(subject, found),
        "AWS::Route53::RecordSet" => record_name(subject, found),
        "AWS::ECS::TaskDefinition" => host_ports(subject, found),
        "AWS::ECS::Service" => dynamic_ports(subject, found),
        "AWS::AutoScaling::AutoScalingGroup" => health_check_types(subject, found),
        "AWS::S3::Bucket" => tiering_days(subject, found),
        "AWS::GuardDuty::Detector" => detector(subject, found),
        "AWS::CertificateManager::Certificate" => validation_domain(subject, found),
        "AWS::Backup::BackupPlan" => backup_lifecycle(subject, found),
        "AWS::Lambda::Function" => {
            environment_size(subject, found);
            limits::runtime(subject, found);
        }
        "AWS::Serverless::Function" => limits::runtime(subject, found),
        "AWS::Scheduler::Schedule" => limits::schedule(subject, found),
        "AWS::ApplicationAutoScaling::ScalableTarget" => limits::capacity(subject, found),
        "AWS::EC2::SecurityGroup" | "AWS::EC2::SecurityGroupIngress" | "AWS::EC2::SecurityGroupEgress" => {
            limits::rule_descriptions(subject, found);
        }
        "AWS::EC2::Instance" => image_id(subject, found),
        _ => {}
    }
}

fn distribution(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    const HOST: &str = r"^(?:[a-z0-9*](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$";
    let host = Pattern::new(Text::Borrowed(HOST));
    for Spot { value, path, .. } in subject.at("DistributionConfig/Aliases/*") {
        let Some(alias) = plain(value) else { continue };
        if host.matches(alias) == Some(false) || alias.contains(".*.") {
            let message = format!("{alias} is no domain name that a distribution can have as an alias");
            found.push(subject.finding(rules::ALIAS, message, value.span, &path));
        }
    }
    for config in subject.at("DistributionConfig") {
        for target in subject.spots(config.value, "DefaultCacheBehavior/TargetOriginId", &config.assumed) {
            let Some(id) = plain(target.value) else { continue };
            let mut origins = subject.spots(config.value, "Origins/*/Id", &target.assumed);
            origins.extend(subject.spots(config.value, "OriginGroups/Items/*/Id", &target.assumed));
            let names: Vec<&str> = origins.iter().filter_map(|origin| plain(origin.value)).collect();
            // An origin whose id is computed may be the one that is meant.
            if names.len() == origins.len() && !names.contains(&id) {
                let path: Vec<String> = config.path.iter().chain(&target.path).cloned().collect();
                let message = format!("{id} is the Id of no origin of this distribution");
                let mut finding = subject.finding(rules::TARGET_ORIGIN, message, target.value.span, &path);
                finding.remedy = did_you_mean(id, names.iter().copied())
                    .or_else(|| Some(format!("The origins are {}.", names.join(", "))));
                found.push(finding);
            }
        }
    }
}

fn schedule(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    for Spot { value, path, .. } in subject.at("ScheduleExpression") {
        if let Some(problem) = plain(value).and_then(crate::schedule::problem) {
            found.push(subject.finding(rules::SCHEDULE, problem, value.span, &path));
        }
    }
}

fn key_attributes(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    let list = |path: &str| subject.at(path).iter().all(|spot| matches!(spot.value.kind, Kind::List(_)));
    let lists = ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes"];
    let defined = subject.at("AttributeDefinitions/*/AttributeName");
    let conditional = defined.iter().any(|spot| spot.assumed != subject.assumed);
    if !lists.into_iter().all(list) || conditional || defined.iter().any(|spot| plain(spot.value).is_none()) {
        return;
    }
    let places = [
        "KeySchema/*/AttributeName",
        "GlobalSecondaryIndexes/*/KeySchema/*/AttributeName",
        "LocalSecondaryIndexes/*/KeySchema/*/AttributeName",
    ];
    let keys: Vec<Spot<'_>> = places.into_iter().flat_map(|place| subject.at(place)).collect();
    if keys.iter().any(|spot| spot.assumed != subject.assumed || matches!(spot.value.kind, Kind::Call(_))) {
        return;
    }
    let names = |spots: &[Spot<'_>]| -> BTreeSet<String> {
        spots.iter().filter_map(|spot| plain(spot.value)).map(str::to_owned).collect()
    };
    let (defined_names, key_names) = (names(&defined), names(&keys));
    if defined_names == key_names {
        return;
    }
    let missing: Vec<&String> = key_names.difference(&defined_names).collect();
    let unused: Vec<&String> = defined_names.difference(&key_names).collect();
    let message = match missing.is_empty() {
        true => format!("AttributeDefinitions defines {unused:?}, which no key of the table or an index uses"),
        false => format!("The keys use {missing:?}, which AttributeDefinitions does not define"),
    };
    let remedy = "AttributeDefinitions lists exactly the attributes that are keys.";
    found.push(subject.finding(rules::KEY_ATTRIBUTES, message, subject.properties.span, &[]).with_remedy(remedy));
}

fn record_name(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    for zone in subject.at("HostedZoneName") {
        let Some(zone_name) = plain(zone.value) else { continue };
        if !zone_name.ends_with('.') {
            let message = format!("HostedZoneName {zone_name} must end in a dot");
            found.push(subject.finding(rules::RECORD_NAME, message, zone.value.span, &zone.path));
        }
        let zone_name = zone_name.trim_end_matches('.');
        for name in subject.spots(subject.properties, "Name", &zone.assumed) {
            let Some(record) = plain(name.value).map(|name| name.trim_end_matches('.')) else { continue };
            let inside = record.strip_suffix(zone_name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
            if !inside {
                let message = format!("{record} is not in the hosted zone {zone_name}");
                found.push(subject.finding(rules::RECORD_NAME, message, name.value.span, &name.path));
            }
        }
    }
}

fn host_ports(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    for mode in subject.at("NetworkMode").into_iter().filter(|mode| plain(mode.value) == Some("awsvpc")) {
        let mappings = "ContainerDefinitions/*/PortMappings/*";
        for mapping in subject.spots(subject.properties, mappings, &mode.assumed) {
            let port = |name: &str| subject.spots(mapping.value, name, &mapping.assumed).into_iter().next();
            let (Some(host), Some(container)) = (port("HostPort"), port("ContainerPort")) else { continue };
            let (Some(one), Some(two)) = (plain(host.value), plain(container.value)) else { continue };
            if one != two {
                let path: Vec<String> = mapping.path.iter().chain(&host.path).cloned().collect();
                let message = format!("HostPort {one} is not ContainerPort {two}: with awsvpc they are one");
                let finding = subject.finding(rules::HOST_PORT, message, host.value.span, &path);
                found.push(finding.with_remedy("Remove HostPort."));
            }
        }
    }
}

/// A container on host port 0 gets another port each time: its target group must check that one.
fn dynamic_ports(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    let facts = subject.facts;
    for task in subject.at("TaskDefinition") {
        let Some(task_name) = facts.referred(task.value) else { continue };
        for balancer in subject.spots(subject.properties, "LoadBalancers/*", &task.assumed) {
            let literal = |name: &str| balancer.value.get(name).and_then(plain);
            let (Some(container), Some(port)) = (literal("ContainerName"), literal("ContainerPort")) else { continue };
            let Some(group) = balancer.value.get("TargetGroupArn").and_then(|group| facts.referred(group)) else {
                continue;
            };
            let containers = facts.property(task_name, &["ContainerDefinitions", "*"], &balancer.assumed);
            let of_name = containers.into_iter().filter(|(it, _)| it.get("Name").and_then(plain) == Some(container));
            let dynamic = of_name.into_iter().any(|(container, assumed)| {
                facts.at(container, &["PortMappings", "*"], &assumed).into_iter().any(|(mapping, _)| {
                    let is = |name: &str, port: &str| mapping.get(name).and_then(plain) == Some(port);
                    is("ContainerPort", port) && is("HostPort", "0")
                })
            });
            let checked = facts.property(group, &["HealthCheckPort"], &balancer.assumed);
            let right = |(value, _): &(&Expr, _)| plain(value).is_none_or(|port| port == "traffic-port");
            if dynamic && (checked.is_empty() || !checked.iter().all(right)) {
                let message =
                    format!("{container} has a dynamic host port: {group} must have HealthCheckPort traffic-port");
                found.push(subject.finding(rules::DYNAMIC_PORT, message, balancer.value.span, &balancer.path));
            }
        }
    }
}

fn health_check_types(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    for Spot { value, path, .. } in subject.at("HealthCheckType") {
        let types: Vec<&str> = plain(value).unwrap_or_default().split(',').map(str::trim).collect();
        if types.len() > 1 && types.contains(&"EC2") {
            let message = "EC2 is always checked and cannot be combined with other types";
            found.push(subject.finding(rules::HEALTH_CHECK_TYPES, message, value.span, &path));
        }
    }
}

fn tiering_days(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    for tiering in subject.at("IntelligentTieringConfigurations/*/Tierings/*") {
        let least = match tiering.value.get("AccessTier").and_then(plain) {
            Some("ARCHIVE_ACCESS") => 90,
            Some("DEEP_ARCHIVE_ACCESS") => 180,
            _ => continue,
        };
        let Some(days) = tiering.value.get("Days") else { continue };
        if plain(days).and_then(|days| days.parse::<i64>().ok()).is_some_and(|days| !(least..=730).contains(&days)) {
            let path: Vec<String> = tiering.path.iter().cloned().chain(["Days".to_owned()]).collect();
            let message = format!("Days must be {least} to 730 for this AccessTier");
            found.push(subject.finding(rules::TIERING_DAYS, message, days.span, &path));
        }
    }
}

fn detector(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    let sources = subject.properties.get("DataSources");
    if let (Some(sources), Some(_)) = (sources, subject.properties.get("Features")) {
        let message = "DataSources and Features exclude each other";
        let path = ["DataSources".to_owned()];
        found.push(subject.finding(rules::DETECTOR, message, sources.span, &path).with_remedy("Keep Features."));
    }
}

fn validation_domain(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    for option in subject.at("DomainValidationOptions/*") {
        let (Some(domain), Some(validation)) = (option.value.get("DomainName"), option.value.get("ValidationDomain"))
        else {
            continue;
        };
        let (Some(name), Some(above)) = (plain(domain), plain(validation)) else { continue };
        if name != above && !name.strip_suffix(above).is_some_and(|rest| rest.ends_with('.')) {
            let path: Vec<String> = option.path.iter().cloned().chain(["DomainName".to_owned()]).collect();
            let message = format!("ValidationDomain {above} is neither {name} nor above it");
            found.push(subject.finding(rules::VALIDATION_DOMAIN, message, domain.span, &path));
        }
    }
}

fn backup_lifecycle(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    let rules_of_plan = "BackupPlan/BackupPlanRule/*";
    for place in [format!("{rules_of_plan}/Lifecycle"), format!("{rules_of_plan}/CopyActions/*/Lifecycle")] {
        for lifecycle in subject.at(&place) {
            let days = |name: &str| lifecycle.value.get(name).and_then(plain)?.parse::<i64>().ok();
            let (Some(delete), Some(cold)) = (days("DeleteAfterDays"), days("MoveToColdStorageAfterDays")) else {
                continue;
            };
            if delete - cold < 90 {
                let path: Vec<String> = lifecycle.path.iter().cloned().chain(["DeleteAfterDays".to_owned()]).collect();
                let message = format!(
                    "DeleteAfterDays {delete} must be at least 90 days after MoveToColdStorageAfterDays {cold}"
                );
                found.push(subject.finding(rules::BACKUP_LIFECYCLE, message, lifecycle.value.span, &path));
            }
        }
    }
}

fn environment_size(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    const MOST_BYTES: usize = 4096;
    for Spot { value, path, .. } in subject.at("Environment/Variables") {
        let size = |member: &crate::template::Member| member.key.len() + member.value.as_str().map_or(0, str::len);
        let bytes: usize = value.as_map().unwrap_or_default().iter().map(size).sum();
        if bytes > MOST_BYTES {
            let message = format!("The environment variables have {bytes} bytes; Lambda takes {MOST_BYTES}");
            found.push(subject.finding(rules::ENVIRONMENT_SIZE, message, value.span, &path));
        }
    }
}

fn image_id(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    // The properties may be a choice themselves.
    for (branch, assumed) in subject.facts.branches(subject.properties, &subject.assumed) {
        let Some(properties) = branch.filter(|branch| branch.as_map().is_some()) else { continue };
        let template = subject.spots(properties, "LaunchTemplate/LaunchTemplateId", &assumed).into_iter().next();
        let named = template.as_ref().and_then(|template| subject.facts.referred(template.value));
        let given = match named {
            Some(name) => !subject.facts.property(name, &["LaunchTemplateData", "ImageId"], &assumed).is_empty(),
            None => properties.get("LaunchTemplate").is_some(),
        };
        if !given && properties.get("ImageId").is_none() {
            let message = "required key [ImageId] not found: neither here nor in a launch template";
            found.push(subject.finding(rules::IMAGE_ID, message, properties.span, &[]));
        }
    }
}

//! Containers, functions, instances and clusters.

use super::{Bill, count};
use crate::inventory::Resource;
use rust_decimal::Decimal;

/// MiB of a GB as Fargate and Lambda bill it.
const MIB: u32 = 1024;

/// Ephemeral storage that every Fargate task has without paying for it, in GB.
const FREE_STORAGE_GB: u32 = 20;

pub(super) fn write(bill: &mut Bill) -> bool {
    match bill.resource.resource_type.as_str() {
        "AWS::ECS::Service" => service(bill),
        "AWS::ECS::Cluster" => cluster(bill),
        "AWS::Lambda::Function" => function(bill),
        "AWS::EC2::Instance" => instance(bill),
        "AWS::EKS::Cluster" => bill.hours("control plane", Decimal::ONE, "eks-hour"),
        _ => return false,
    }
    true
}

/// Tasks × their size. Where the service scales, the fewest tasks count: more of them are a matter of load.
fn service(bill: &mut Bill) {
    let on_fargate = bill.resource.text("/LaunchType").as_deref() == Some("FARGATE");
    let providers = bill.resource.list("/CapacityProviderStrategy");
    let named = |name: &str| {
        providers.iter().all(|one| one.pointer("/CapacityProvider").and_then(|it| it.as_str()) == Some(name))
    };
    let spot = !on_fargate && !providers.is_empty() && named("FARGATE_SPOT");
    if !on_fargate && !spot && (providers.is_empty() || !named("FARGATE")) {
        bill.unknown("tasks", "only services on Fargate are estimated: others are billed as the instances they run on");
        return;
    }
    let definition = bill.resource.refers("/TaskDefinition").and_then(|it| bill.find(&it));
    let Some(definition) = definition else {
        bill.unknown("tasks", "the task definition is not among the stacks");
        return;
    };
    let Some((tasks, which)) = tasks(bill) else {
        bill.unknown("tasks", "how many there are is known after apply");
        return;
    };
    let (Some(cpu), Some(memory)) = (number(definition, "/Cpu"), number(definition, "/Memory")) else {
        bill.unknown("tasks", "the size of a task is known after apply");
        return;
    };
    let arm = definition.text("/RuntimePlatform/CpuArchitecture").as_deref() == Some("ARM64");
    let kind = match (spot, arm) {
        (false, false) => "fargate",
        (false, true) => "fargate-arm",
        (true, false) => "fargate-spot",
        (true, true) => "fargate-arm-spot",
    };
    let (cpu, memory) = ((cpu / Decimal::from(MIB)).normalize(), (memory / Decimal::from(MIB)).normalize());
    bill.hours(format!("{which} × {cpu} vCPU"), tasks * cpu, format!("{kind}-vcpu-hour"));
    bill.hours(format!("{which} × {memory} GB"), tasks * memory, format!("{kind}-gb-hour"));
    if number(definition, "/EphemeralStorage/SizeInGiB").is_some_and(|size| size > Decimal::from(FREE_STORAGE_GB)) {
        bill.unknown("ephemeral storage over 20 GB", "it is not estimated");
    }
    if bill.resource.text("/NetworkConfiguration/AwsvpcConfiguration/AssignPublicIp").as_deref() == Some("ENABLED") {
        bill.hours(format!("public addresses of {which}"), tasks, "ipv4-hour");
    }
}

/// How many tasks are billed, and in words.
fn tasks(bill: &Bill) -> Option<(Decimal, String)> {
    let scaled = bill.beside("AWS::ApplicationAutoScaling::ScalableTarget").find(|target| {
        let of = target.at("/ResourceId").map(crate::inventory::references).unwrap_or_default();
        of.iter().any(|it| it.stack == bill.resource.stack && it.logical_id == bill.resource.logical_id)
            || bill.beside("AWS::ECS::Service").count() == 1
    });
    if let Some(target) = scaled {
        let (least, most) = (number(target, "/MinCapacity")?, number(target, "/MaxCapacity")?);
        return Some((least, format!("{least} of {least} to {most} tasks")));
    }
    let many = match bill.resource.at("/DesiredCount") {
        None => Decimal::ONE,
        Some(_) => bill.number("/DesiredCount")?,
    };
    let noun = if many == Decimal::ONE { "task" } else { "tasks" };
    Some((many, format!("{many} {noun}")))
}

/// A cluster of ECS is free; what watches over its containers is not.
fn cluster(bill: &mut Bill) {
    let settings = bill.resource.list("/ClusterSettings");
    let insights = settings.iter().find(|one| one["Name"] == "containerInsights").map(|one| one["Value"].clone());
    match insights.as_ref().and_then(serde_json::Value::as_str) {
        None | Some("disabled") => bill.nothing("clusters are free; its tasks are billed with their services"),
        Some("enabled") => bill.used("metrics of Container Insights", "insights_metrics", "metric-month"),
        Some(_) => bill.used("metrics of Container Insights (enhanced)", "insights_metrics", "insights-metric-month"),
    }
}

fn function(bill: &mut Bill) {
    bill.used("calls", "function_requests", "lambda-million-requests");
    let memory = match bill.resource.at("/MemorySize") {
        None => Some(Decimal::from(128)),
        Some(_) => bill.number("/MemorySize"),
    };
    let Some(memory) = memory else {
        bill.unknown("compute", "the size of the function is known after apply");
        return;
    };
    let arm = bill.resource.list("/Architectures").iter().any(|it| it == "arm64");
    let key = if arm { "lambda-arm-gb-second" } else { "lambda-gb-second" };
    if let (Some(millions), Some(ms)) = (bill.figure("function_requests"), bill.figure("function_ms")) {
        let seconds = millions * Decimal::from(1_000_000) * ms / Decimal::from(1000);
        bill.item("compute", seconds * memory / Decimal::from(MIB), key);
    }
}

fn instance(bill: &mut Bill) {
    match bill.resource.text("/InstanceType") {
        Some(kind) => bill.hours(format!("{kind}, Linux"), Decimal::ONE, format!("ec2-{kind}-hour")),
        None => bill.unknown("instance", "its type is known after apply"),
    }
    let volumes = bill.resource.list("/BlockDeviceMappings");
    let sizes: Vec<Option<Decimal>> = volumes
        .iter()
        .map(|volume| volume.pointer("/Ebs/VolumeSize").and_then(crate::inventory::text)?.parse().ok())
        .collect();
    match sizes.iter().copied().collect::<Option<Vec<Decimal>>>() {
        Some(sizes) if !sizes.is_empty() => {
            bill.item(format!("{} volumes", count(sizes.len())), sizes.iter().sum::<Decimal>(), "gp3-gb-month");
        }
        _ => bill.unknown("volumes", "the size of the image's own volume is not in the template"),
    }
}

fn number(resource: &Resource, path: &str) -> Option<Decimal> {
    resource.text(path)?.parse().ok()
}

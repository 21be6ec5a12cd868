//! The edits: stack, resource, the kind that names it, and what is done to the template.

use super::*;

type Edit = (&'static str, &'static str, &'static str, fn(&mut Json));

/// Properties of a resource.
pub(super) fn of<'t>(template: &'t mut Json, id: &str) -> &'t mut Json {
    let resource = template["Resources"].get_mut(id).unwrap_or_else(|| panic!("there is no {id}"));
    &mut resource["Properties"]
}

fn gone(template: &mut Json, id: &str) {
    let resources = template["Resources"].as_object_mut().unwrap();
    resources.shift_remove(id).unwrap_or_else(|| panic!("there is no {id}"));
    // Nothing may name it any more.
    let names = |text: &str| text.contains(&format!("\"{id}\"")) || text.contains(&format!("${{{id}"));
    for (_, resource) in resources.iter_mut() {
        if resource.get("DependsOn").is_some_and(|on| names(&format!("{on} "))) {
            resource.as_object_mut().unwrap().shift_remove("DependsOn");
        }
    }
    if let Some(outputs) = template["Outputs"].as_object_mut() {
        outputs.retain(|_, output| !names(&output.to_string()));
    }
}

pub(super) fn drop_key(value: &mut Json, key: &str) {
    value.as_object_mut().unwrap().shift_remove(key).unwrap_or_else(|| panic!("there is no {key}"));
}

fn attribute(template: &mut Json, list: &str, id: &str, key: &str, value: Json) {
    let one =
        of(template, id)[list].as_array_mut().unwrap().iter_mut().find(|one| one["Key"] == key || one["Name"] == key);
    one.unwrap_or_else(|| panic!("there is no {key}"))["Value"] = value;
}

fn statement(id: &str, template: &mut Json, document: &str, statement: Json) {
    of(template, id)[document]["Statement"].as_array_mut().unwrap().push(statement);
}

fn task_policy(template: &mut Json, policy: usize) -> &mut Json {
    &mut of(template, "TaskRole")["Policies"][policy]["PolicyDocument"]["Statement"][0]
}

fn ingress(port: u16, key: &str, value: &str) -> Json {
    json!({"Description": "x", "IpProtocol": "tcp", "FromPort": port, "ToPort": port, key: value})
}

fn rule<'t>(template: &'t mut Json, name: &str) -> &'t mut Json {
    let rules = of(template, "WebAcl")["Rules"].as_array_mut().unwrap();
    rules.iter_mut().find(|rule| rule["Name"] == name).unwrap()
}

fn container(template: &mut Json) -> &mut Json {
    &mut of(template, "TaskDefinition")["ContainerDefinitions"][0]
}

fn add(template: &mut Json, id: &str, kind: &str, properties: Json) {
    template["Resources"][id] = json!({"Type": kind, "Properties": properties});
}

pub(super) const EDITS: &[Edit] = &[
    // ── Data ───────────────────────────────────────────────────────────────────────────────────────────────────────
    ("items", "Table", "stateful-replacement", |t| of(t, "Table")["KeySchema"][0]["AttributeName"] = json!("sk")),
    ("waf", "LogGroup", "stateful-removal", |t| {
        gone(t, "Logging");
        gone(t, "LogGroup");
    }),
    ("items", "Table", "deletion-policy-weakened", |t| t["Resources"]["Table"]["DeletionPolicy"] = json!("Delete")),
    ("items", "Table", "encryption-lost", |t| drop_key(of(t, "Table"), "SSESpecification")),
    ("items", "Table", "encryption-lost", |t| drop_key(&mut of(t, "Table")["SSESpecification"], "KMSMasterKeyId")),
    ("items", "Table", "interruption", |t| drop_key(&mut of(t, "Table")["SSESpecification"], "KMSMasterKeyId")),
    ("items", "Table", "backup-lost", |t| drop_key(of(t, "Table"), "PointInTimeRecoverySpecification")),
    ("items", "Table", "backup-lost", |t| {
        of(t, "Table")["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"] = json!(1)
    }),
    ("items", "Table", "protection-lost", |t| of(t, "Table")["DeletionProtectionEnabled"] = json!(false)),
    ("items", "Table", "public-access", |t| {
        of(t, "Table")["ResourcePolicy"] = json!({"PolicyDocument": {"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "dynamodb:GetItem", "Resource": "*"}]}})
    }),
    ("site", "Bucket", "backup-lost", |t| of(t, "Bucket")["VersioningConfiguration"]["Status"] = json!("Suspended")),
    ("site", "Bucket", "retention-shortened", |t| {
        of(t, "Bucket")["LifecycleConfiguration"]["Rules"][0]["NoncurrentVersionExpiration"]["NoncurrentDays"] =
            json!(1);
    }),
    ("site", "Bucket", "encryption-lost", |t| drop_key(of(t, "Bucket"), "BucketEncryption")),
    ("key", "Key", "encryption-lost", |t| of(t, "Key")["EnableKeyRotation"] = json!(false)),
    ("key", "Key", "protection-lost", |t| of(t, "Key")["PendingWindowInDays"] = json!(7)),
    ("key", "Key", "access-granted", |t| {
        statement(
            "Key",
            t,
            "KeyPolicy",
            json!(
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "kms:Decrypt", "Resource": "*"}),
        )
    }),
    ("fastapi-a-secret", "Secret", "encryption-lost", |t| drop_key(of(t, "Secret"), "KmsKeyId")),
    ("alarms", "Topic", "encryption-lost", |t| drop_key(of(t, "Topic"), "KmsMasterKeyId")),
    // ── Open to others ─────────────────────────────────────────────────────────────────────────────────────────────
    ("fastapi-a", "SecurityGroup", "open-to-world", |t| {
        of(t, "SecurityGroup")["SecurityGroupIngress"].as_array_mut().unwrap().push(ingress(22, "CidrIp", "0.0.0.0/0"));
    }),
    ("fastapi-a", "SecurityGroup", "open-to-world", |t| {
        of(t, "SecurityGroup")["SecurityGroupIngress"] = json!([{"IpProtocol": "-1", "CidrIpv6": "::/0"}]);
    }),
    ("fastapi-a", "Door", "open-to-world", |t| {
        let mut rule = ingress(5432, "CidrIp", "0.0.0.0/0");
        rule["GroupId"] = json!({"Ref": "SecurityGroup"});
        add(t, "Door", "AWS::EC2::SecurityGroupIngress", rule);
    }),
    ("alb", "SecurityGroup", "public-port", |t| {
        of(t, "SecurityGroup")["SecurityGroupIngress"].as_array_mut().unwrap().push(ingress(443, "CidrIpv6", "::/0"));
    }),
    ("fastapi-a", "SecurityGroup", "port-opened", |t| {
        of(t, "SecurityGroup")["SecurityGroupIngress"].as_array_mut().unwrap().push(ingress(
            8000,
            "CidrIp",
            "10.0.0.0/8",
        ));
    }),
    ("fastapi-a", "SecurityGroup", "port-opened", |t| {
        of(t, "SecurityGroup")["SecurityGroupIngress"].as_array_mut().unwrap().push(ingress(
            8000,
            "SourcePrefixListId",
            "pl-0123456789",
        ));
    }),
    ("fastapi-a", "SecurityGroup", "egress-opened", |t| drop_key(of(t, "SecurityGroup"), "SecurityGroupEgress")),
    ("fastapi-a", "SecurityGroup", "egress-opened", |t| {
        of(t, "SecurityGroup")["SecurityGroupEgress"] = json!([{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}]);
    }),
    ("site", "Bucket", "public-access", |t| {
        of(t, "Bucket")["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] = json!(false)
    }),
    ("site", "Bucket", "public-access", |t| drop_key(of(t, "Bucket"), "PublicAccessBlockConfiguration")),
    ("site", "Logs", "public-access", |t| of(t, "Logs")["AccessControl"] = json!("PublicRead")),
    ("alb", "AccessLogs", "access-granted", |t| {
        of(t, "AccessLogs")["OwnershipControls"]["Rules"][0]["ObjectOwnership"] = json!("ObjectWriter")
    }),
    ("site", "BucketPolicy", "public-access", |t| {
        statement(
            "BucketPolicy",
            t,
            "PolicyDocument",
            json!(
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}),
        )
    }),
    ("site", "BucketPolicy", "access-granted", |t| {
        drop_key(&mut of(t, "BucketPolicy")["PolicyDocument"]["Statement"][0], "Condition")
    }),
    ("alarms", "TopicPolicy", "public-access", |t| {
        statement(
            "TopicPolicy",
            t,
            "PolicyDocument",
            json!(
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sns:Publish", "sns:Subscribe"], "Resource": "*"}),
        )
    }),
    ("network", "PublicSubnet1", "public-address", |t| of(t, "PublicSubnet1")["MapPublicIpOnLaunch"] = json!(true)),
    ("network", "PrivateInternetRoute1", "public-address", |t| {
        let route = of(t, "PrivateInternetRoute1");
        drop_key(route, "NatGatewayId");
        route["GatewayId"] = json!({"Ref": "InternetGateway"});
    }),
    ("fastapi-a", "Service", "public-address", |t| {
        of(t, "Service")["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] = json!("ENABLED");
    }),
    ("fastapi-a", "Database", "public-access", |t| {
        add(
            t,
            "Database",
            "AWS::RDS::DBInstance",
            json!(
        {"DBInstanceClass": "db.t4g.micro", "Engine": "postgres", "AllocatedStorage": "20", "PubliclyAccessible": true}),
        )
    }),
    ("fastapi-a", "Url", "public-access", |t| {
        add(
            t,
            "Url",
            "AWS::Lambda::Url",
            json!(
        {"AuthType": "NONE", "TargetFunctionArn": "report"}),
        )
    }),
    ("fastapi-a", "Permission", "public-access", |t| {
        add(
            t,
            "Permission",
            "AWS::Lambda::Permission",
            json!(
        {"Action": "lambda:InvokeFunction", "FunctionName": "report", "Principal": "*"}),
        )
    }),
    // ── IAM ────────────────────────────────────────────────────────────────────────────────────────────────────────
    ("fastapi-a", "TaskRole", "iam-admin", |t| task_policy(t, 0)["Action"] = json!("*")),
    ("fastapi-a", "TaskRole", "iam-widened", |t| task_policy(t, 0)["Resource"] = json!("*")),
    ("fastapi-a", "TaskRole", "iam-widened", |t| task_policy(t, 0)["Action"] = json!(["dynamodb:*"])),
    ("fastapi-a", "TaskRole", "iam-widened", |t| {
        of(t, "TaskRole")["ManagedPolicyArns"] = json!(["arn:aws:iam::aws:policy/AmazonS3FullAccess"]);
    }),
    ("fastapi-a", "TaskRole", "iam-admin", |t| {
        of(t, "TaskRole")["ManagedPolicyArns"] = json!(["arn:aws:iam::aws:policy/AdministratorAccess"]);
    }),
    ("fastapi-a", "Extra", "iam-widened", |t| {
        add(
            t,
            "Extra",
            "AWS::IAM::RolePolicy",
            json!(
        {"PolicyName": "Extra", "RoleName": {"Ref": "TaskRole"}, "PolicyDocument": {"Statement": [
            {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "*"}]}}),
        )
    }),
    ("fastapi-a", "TaskRole", "trust-widened", |t| {
        of(t, "TaskRole")["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] =
            json!(["ecs-tasks.amazonaws.com", "ec2.amazonaws.com"]);
    }),
    ("fastapi-a", "TaskRole", "trust-widened", |t| {
        drop_key(&mut of(t, "TaskRole")["AssumeRolePolicyDocument"]["Statement"][0], "Condition");
    }),
    ("fastapi-a", "TaskRole", "trust-public", |t| {
        statement(
            "TaskRole",
            t,
            "AssumeRolePolicyDocument",
            json!(
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}),
        )
    }),
    ("github-oidc", "DeployRole", "trust-public", |t| {
        let condition =
            &mut of(t, "DeployRole")["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"];
        drop_key(condition, "token.actions.githubusercontent.com:sub");
    }),
    ("github-oidc", "WatchPolicy", "iam-widened", |t| {
        drop_key(&mut of(t, "WatchPolicy")["PolicyDocument"]["Statement"][0], "Condition");
    }),
    ("github-oidc", "DataPolicy", "iam-widened", |t| {
        of(t, "DataPolicy")["PolicyDocument"]["Statement"][0]["Resource"] = json!("*");
    }),
    // ── Encryption on the way ──────────────────────────────────────────────────────────────────────────────────────
    ("alb", "Listener", "tls-weakened", |t| of(t, "Listener")["SslPolicy"] = json!("ELBSecurityPolicy-2016-08")),
    ("alb", "Listener", "tls-weakened", |t| of(t, "Listener")["Protocol"] = json!("HTTP")),
    ("alb", "RedirectListener", "access-granted", |t| {
        of(t, "RedirectListener")["DefaultActions"] = json!([{"Type": "forward", "TargetGroupArn": "arn:x"}]);
    }),
    ("site", "Distribution", "tls-weakened", |t| {
        of(t, "Distribution")["DistributionConfig"]["ViewerCertificate"]["MinimumProtocolVersion"] = json!("TLSv1");
    }),
    ("site", "Distribution", "tls-weakened", |t| {
        of(t, "Distribution")["DistributionConfig"]["CacheBehaviors"][1]["ViewerProtocolPolicy"] = json!("allow-all");
    }),
    ("site", "Distribution", "tls-weakened", |t| {
        of(t, "Distribution")["DistributionConfig"]["Origins"][1]["CustomOriginConfig"]["OriginProtocolPolicy"] =
            json!("http-only");
    }),
    ("site", "SecurityHeaders", "tls-weakened", |t| {
        drop_key(
            &mut of(t, "SecurityHeaders")["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"],
            "StrictTransportSecurity",
        );
    }),
    ("alb", "AccessLogsPolicy", "tls-weakened", |t| {
        of(t, "AccessLogsPolicy")["PolicyDocument"]["Statement"].as_array_mut().unwrap().pop();
    }),
    ("dns", "CertificateAuthorities", "tls-weakened", |t| gone(t, "CertificateAuthorities")),
    // ── Firewall ───────────────────────────────────────────────────────────────────────────────────────────────────
    ("waf", "Association", "firewall-lost", |t| gone(t, "Association")),
    ("waf", "WebAcl", "firewall-lost", |t| drop(of(t, "WebAcl")["Rules"].as_array_mut().unwrap().pop())),
    ("waf", "WebAcl", "firewall-lost", |t| rule(t, "CommonRuleSet")["OverrideAction"] = json!({"Count": {}})),
    ("waf", "WebAcl", "firewall-lost", |t| rule(t, "RateLimit")["Action"] = json!({"Count": {}})),
    ("waf", "WebAcl", "firewall-lost", |t| {
        rule(t, "RateLimit")["Statement"]["RateBasedStatement"]["Limit"] = json!(2_000_000)
    }),
    ("waf", "WebAcl", "firewall-lost", |t| {
        rule(t, "CommonRuleSet")["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"] =
            json!([{"Name": "NoUserAgent_HEADER", "ActionToUse": {"Count": {}}}]);
    }),
    ("site", "Distribution", "firewall-lost", |t| {
        drop_key(&mut of(t, "Distribution")["DistributionConfig"], "WebACLId")
    }),
    // ── Logs and alarms ────────────────────────────────────────────────────────────────────────────────────────────
    ("network", "FlowLog", "logging-lost", |t| gone(t, "FlowLog")),
    ("network", "FlowLog", "logging-lost", |t| of(t, "FlowLog")["TrafficType"] = json!("REJECT")),
    ("waf", "Logging", "logging-lost", |t| gone(t, "Logging")),
    ("alb", "LoadBalancer", "logging-lost", |t| {
        attribute(t, "LoadBalancerAttributes", "LoadBalancer", "access_logs.s3.enabled", json!("false"));
    }),
    ("site", "Distribution", "logging-lost", |t| drop_key(&mut of(t, "Distribution")["DistributionConfig"], "Logging")),
    ("cluster", "Cluster", "logging-lost", |t| {
        attribute(t, "ClusterSettings", "Cluster", "containerInsights", json!("disabled"))
    }),
    ("fastapi-a", "TaskDefinition", "logging-lost", |t| drop_key(container(t), "LogConfiguration")),
    ("fastapi-a", "LogGroup", "retention-shortened", |t| of(t, "LogGroup")["RetentionInDays"] = json!(1)),
    ("fastapi-a", "LogGroup", "encryption-lost", |t| drop_key(of(t, "LogGroup"), "KmsKeyId")),
    ("alb", "AccessLogs", "retention-shortened", |t| {
        of(t, "AccessLogs")["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] = json!(3);
    }),
    ("alb", "LoadBalancerErrors", "alarm-removed", |t| gone(t, "LoadBalancerErrors")),
    ("alarms", "Email1", "alarm-removed", |t| gone(t, "Email1")),
    ("alb", "LoadBalancerErrors", "alarm-weakened", |t| of(t, "LoadBalancerErrors")["Threshold"] = json!(100_000)),
    ("alb", "LoadBalancerErrors", "alarm-weakened", |t| of(t, "LoadBalancerErrors")["ActionsEnabled"] = json!(false)),
    ("alb", "LoadBalancerErrors", "alarm-weakened", |t| of(t, "LoadBalancerErrors")["AlarmActions"] = json!([])),
    // ── What keeps running ─────────────────────────────────────────────────────────────────────────────────────────
    ("alb", "LoadBalancer", "downtime", |t| of(t, "LoadBalancer")["Scheme"] = json!("internal")),
    ("alb", "LoadBalancer", "protection-lost", |t| {
        attribute(t, "LoadBalancerAttributes", "LoadBalancer", "deletion_protection.enabled", json!("false"));
    }),
    ("alb", "LoadBalancer", "hardening-lost", |t| {
        attribute(t, "LoadBalancerAttributes", "LoadBalancer", "routing.http.desync_mitigation_mode", json!("monitor"));
    }),
    ("network", "NatGateway2", "redundancy-lowered", |t| {
        of(t, "PrivateInternetRoute2")["NatGatewayId"] = json!({"Ref": "NatGateway1"});
        gone(t, "NatPorts2");
        gone(t, "NatGateway2");
    }),
    ("network", "S3Endpoint", "public-address", |t| gone(t, "S3Endpoint")),
    ("fastapi-a", "ScalableTarget", "redundancy-lowered", |t| of(t, "ScalableTarget")["MinCapacity"] = json!(1)),
    ("fastapi-a", "CpuScaling", "redundancy-lowered", |t| gone(t, "CpuScaling")),
    ("fastapi-a", "Service", "redundancy-lowered", |t| {
        drop_key(of(t, "Service"), "LaunchType");
        of(t, "Service")["CapacityProviderStrategy"] = json!([{"CapacityProvider": "FARGATE_SPOT", "Weight": 1}]);
    }),
    ("fastapi-a", "Service", "downtime", |t| {
        of(t, "Service")["DeploymentConfiguration"]["MinimumHealthyPercent"] = json!(0)
    }),
    ("fastapi-a", "Service", "rollback-off", |t| {
        of(t, "Service")["DeploymentConfiguration"]["DeploymentCircuitBreaker"]["Enable"] = json!(false);
    }),
    ("fastapi-a", "Service", "rollback-off", |t| drop_key(&mut of(t, "Service")["DeploymentConfiguration"], "Alarms")),
    ("fastapi-a", "Service", "exec-enabled", |t| of(t, "Service")["EnableExecuteCommand"] = json!(true)),
    ("fastapi-a", "TargetGroup", "health-check-weakened", |t| {
        of(t, "TargetGroup")["Matcher"]["HttpCode"] = json!("200-499")
    }),
    ("fastapi-a", "TargetGroup", "health-check-weakened", |t| {
        of(t, "TargetGroup")["UnhealthyThresholdCount"] = json!(10)
    }),
    ("fastapi-a", "ListenerRule", "downtime", |t| {
        gone(t, "ListenerRule");
    }),
    ("records", "LoadBalancer", "downtime", |t| gone(t, "LoadBalancer")),
    ("certificate", "Certificate", "downtime", |t| of(t, "Certificate")["DomainName"] = json!("other.example.com")),
    // ── Containers ─────────────────────────────────────────────────────────────────────────────────────────────────
    ("fastapi-a", "TaskDefinition", "secret-exposed", |t| {
        drop_key(container(t), "Secrets");
        let plain = json!({"Name": "API_SIGNING_KEY", "Value": "x"});
        container(t)["Environment"].as_array_mut().unwrap().push(plain);
    }),
    ("fastapi-a", "TaskDefinition", "hardening-lost", |t| container(t)["Privileged"] = json!(true)),
    ("fastapi-a", "TaskDefinition", "hardening-lost", |t| container(t)["ReadonlyRootFilesystem"] = json!(false)),
    ("fastapi-a", "TaskDefinition", "hardening-lost", |t| container(t)["User"] = json!("root")),
    ("fastapi-a-images", "Repository", "hardening-lost", |t| {
        of(t, "Repository")["ImageTagMutability"] = json!("MUTABLE")
    }),
    ("fastapi-a-images", "Repository", "hardening-lost", |t| {
        of(t, "Repository")["ImageScanningConfiguration"]["ScanOnPush"] = json!(false);
    }),
    ("site", "Distribution", "hardening-lost", |t| {
        drop_key(&mut of(t, "Distribution")["DistributionConfig"]["DefaultCacheBehavior"], "ResponseHeadersPolicyId");
    }),
];

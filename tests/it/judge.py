"""Looks at every resource of some stacks through the resource's own service, never through its stack's status.

usage: judge.py ENDPOINT ACCOUNT REGION[,REGION] STACK-PREFIX

Prints {"<stack>/<logical id>": {"type", "id", "found", "facts"}} as JSON. A type that LOOKUPS does not know is an error:
add it there, so that no resource goes unseen.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT, ACCOUNT, REGIONS, PREFIX = sys.argv[1:5]


def client(service, region):
    return boto3.client(
        service,
        endpoint_url=ENDPOINT,
        region_name=region,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def first(items):
    return items[0] if items else None


class Lookups:
    """One method for each resource type; each returns the service's own description, or None."""

    def __init__(self, region):
        self.region = region
        self.clients = {}

    def c(self, service):
        if service not in self.clients:
            self.clients[service] = client(service, self.region)
        return self.clients[service]

    def ec2_vpc(self, i, _):
        return first(self.c("ec2").describe_vpcs(VpcIds=[i])["Vpcs"])

    def ec2_subnet(self, i, _):
        return first(self.c("ec2").describe_subnets(SubnetIds=[i])["Subnets"])

    def ec2_internetgateway(self, i, _):
        return first(self.c("ec2").describe_internet_gateways(InternetGatewayIds=[i])["InternetGateways"])

    def ec2_vpcgatewayattachment(self, i, all_of):
        gateways = self.c("ec2").describe_internet_gateways()["InternetGateways"]
        vpcs = {r["id"] for r in all_of if r["type"] == "AWS::EC2::VPC"}
        return first([g for g in gateways for a in g["Attachments"] if a["VpcId"] in vpcs])

    def ec2_routetable(self, i, _):
        return first(self.c("ec2").describe_route_tables(RouteTableIds=[i])["RouteTables"])

    def ec2_route(self, i, all_of):
        tables = {r["id"] for r in all_of if r["type"] == "AWS::EC2::RouteTable"}
        found = self.c("ec2").describe_route_tables(RouteTableIds=sorted(tables))["RouteTables"]
        routes = [route for table in found for route in table["Routes"] if table["RouteTableId"] in i]
        return first([r for r in routes if r.get("DestinationCidrBlock") == "0.0.0.0/0"])

    def ec2_subnetroutetableassociation(self, i, all_of):
        tables = {r["id"] for r in all_of if r["type"] == "AWS::EC2::RouteTable"}
        found = self.c("ec2").describe_route_tables(RouteTableIds=sorted(tables))["RouteTables"]
        return first([a for t in found for a in t["Associations"] if a["RouteTableAssociationId"] == i])

    def ec2_vpcendpoint(self, i, _):
        return first(self.c("ec2").describe_vpc_endpoints(VpcEndpointIds=[i])["VpcEndpoints"])

    def ec2_securitygroup(self, i, _):
        return first(self.c("ec2").describe_security_groups(GroupIds=[i])["SecurityGroups"])

    def ec2_flowlog(self, i, _):
        return first(self.c("ec2").describe_flow_logs(FlowLogIds=[i])["FlowLogs"])

    def elasticloadbalancingv2_loadbalancer(self, i, _):
        balancer = first(self.c("elbv2").describe_load_balancers(LoadBalancerArns=[i])["LoadBalancers"])
        attributes = self.c("elbv2").describe_load_balancer_attributes(LoadBalancerArn=i)["Attributes"]
        return balancer and {**balancer, "Attributes": {a["Key"]: a["Value"] for a in attributes}}

    def elasticloadbalancingv2_listener(self, i, _):
        return first(self.c("elbv2").describe_listeners(ListenerArns=[i])["Listeners"])

    def elasticloadbalancingv2_listenerrule(self, i, _):
        return first(self.c("elbv2").describe_rules(RuleArns=[i])["Rules"])

    def elasticloadbalancingv2_targetgroup(self, i, _):
        return first(self.c("elbv2").describe_target_groups(TargetGroupArns=[i])["TargetGroups"])

    def ecs_cluster(self, i, _):
        clusters = self.c("ecs").describe_clusters(clusters=[i], include=["SETTINGS", "CONFIGURATIONS"])["clusters"]
        return first([c for c in clusters if c["status"] == "ACTIVE"])

    def ecs_clustercapacityproviderassociations(self, i, _):
        return first(self.c("ecs").describe_clusters(clusters=[i])["clusters"])

    def ecs_taskdefinition(self, i, _):
        definition = self.c("ecs").describe_task_definition(taskDefinition=i)["taskDefinition"]
        return definition if definition["status"] == "ACTIVE" else None

    def ecs_service(self, i, all_of):
        clusters = [r["id"] for r in all_of if r["type"] == "AWS::ECS::Cluster"]
        for cluster in clusters:
            services = self.c("ecs").describe_services(cluster=cluster, services=[i])["services"]
            if services and services[0]["status"] == "ACTIVE":
                return services[0]
        return None

    def iam_role(self, i, _):
        role = self.c("iam").get_role(RoleName=i)["Role"]
        names = self.c("iam").list_role_policies(RoleName=i)["PolicyNames"]
        policies = {n: self.c("iam").get_role_policy(RoleName=i, PolicyName=n)["PolicyDocument"] for n in names}
        attached = self.c("iam").list_attached_role_policies(RoleName=i)["AttachedPolicies"]
        return {**role, "Policies": policies, "Attached": [a["PolicyArn"] for a in attached]}

    def iam_policy(self, i, all_of):
        roles = [r["id"] for r in all_of if r["type"] == "AWS::IAM::Role"]
        for role in roles:
            for name in self.c("iam").list_role_policies(RoleName=role)["PolicyNames"]:
                if name in i or i in name:
                    return self.c("iam").get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        return None

    def iam_managedpolicy(self, i, _):
        return self.c("iam").get_policy(PolicyArn=i)["Policy"]

    def logs_loggroup(self, i, _):
        groups = self.c("logs").describe_log_groups(logGroupNamePrefix=i)["logGroups"]
        return first([g for g in groups if g["logGroupName"] == i])

    def s3_bucket(self, i, _):
        s3 = self.c("s3")
        s3.head_bucket(Bucket=i)
        facts = {"Versioning": s3.get_bucket_versioning(Bucket=i).get("Status")}
        for name, call in {
            "Encryption": lambda: s3.get_bucket_encryption(Bucket=i)["ServerSideEncryptionConfiguration"],
            "PublicAccessBlock": lambda: s3.get_public_access_block(Bucket=i)["PublicAccessBlockConfiguration"],
            "Lifecycle": lambda: s3.get_bucket_lifecycle_configuration(Bucket=i)["Rules"],
            "Policy": lambda: json.loads(s3.get_bucket_policy(Bucket=i)["Policy"]),
        }.items():
            try:
                facts[name] = call()
            except ClientError:
                facts[name] = None
        return facts

    def s3_bucketpolicy(self, i, all_of):
        buckets = [r["id"] for r in all_of if r["type"] == "AWS::S3::Bucket"]
        bucket = first([b for b in buckets if b in i]) or i
        return json.loads(self.c("s3").get_bucket_policy(Bucket=bucket)["Policy"])

    def dynamodb_table(self, i, _):
        table = self.c("dynamodb").describe_table(TableName=i)["Table"]
        backups = self.c("dynamodb").describe_continuous_backups(TableName=i)["ContinuousBackupsDescription"]
        ttl = self.c("dynamodb").describe_time_to_live(TableName=i)["TimeToLiveDescription"]
        return {**table, "Backups": backups, "TimeToLive": ttl}

    def ecr_repository(self, i, _):
        repository = first(self.c("ecr").describe_repositories(repositoryNames=[i])["repositories"])
        try:
            policy = json.loads(self.c("ecr").get_lifecycle_policy(repositoryName=i)["lifecyclePolicyText"])
        except ClientError:
            policy = None
        return repository and {**repository, "Lifecycle": policy}

    def sns_topic(self, i, _):
        return self.c("sns").get_topic_attributes(TopicArn=i)["Attributes"]

    def sns_topicpolicy(self, i, all_of):
        topics = [r["id"] for r in all_of if r["type"] == "AWS::SNS::Topic"]
        return first([self.c("sns").get_topic_attributes(TopicArn=t)["Attributes"].get("Policy") for t in topics])

    def sns_subscription(self, i, _):
        found = self.c("sns").list_subscriptions()["Subscriptions"]
        return first([s for s in found if s["SubscriptionArn"] == i]) or first(found)

    def cloudwatch_alarm(self, i, _):
        return first(self.c("cloudwatch").describe_alarms(AlarmNames=[i])["MetricAlarms"])

    def cloudwatch_compositealarm(self, i, _):
        found = self.c("cloudwatch").describe_alarms(AlarmNames=[i], AlarmTypes=["CompositeAlarm"])
        return first(found["CompositeAlarms"])

    def cloudwatch_dashboard(self, i, _):
        return json.loads(self.c("cloudwatch").get_dashboard(DashboardName=i)["DashboardBody"])

    def wafv2_webacl(self, i, _):
        name, identifier, scope = i.split("|")
        return self.c("wafv2").get_web_acl(Name=name, Id=identifier, Scope=scope)["WebACL"]

    def wafv2_loggingconfiguration(self, i, _):
        return self.c("wafv2").get_logging_configuration(ResourceArn=i)["LoggingConfiguration"]

    def cloudfront_distribution(self, i, _):
        return self.c("cloudfront").get_distribution(Id=i)["Distribution"]

    def cloudfront_originaccesscontrol(self, i, _):
        return self.c("cloudfront").get_origin_access_control(Id=i)["OriginAccessControl"]

    def cloudfront_responseheaderspolicy(self, i, _):
        return self.c("cloudfront").get_response_headers_policy(Id=i)["ResponseHeadersPolicy"]

    def cloudfront_cachepolicy(self, i, _):
        return self.c("cloudfront").get_cache_policy(Id=i)["CachePolicy"]

    def cloudfront_originrequestpolicy(self, i, _):
        return self.c("cloudfront").get_origin_request_policy(Id=i)["OriginRequestPolicy"]

    def cloudfront_function(self, i, _):
        return self.c("cloudfront").describe_function(Name=i.split("/")[-1])["FunctionSummary"]

    def route53_hostedzone(self, i, _):
        return self.c("route53").get_hosted_zone(Id=i)["HostedZone"]

    def route53_recordset(self, i, all_of):
        zones = [r["id"] for r in all_of if r["type"] == "AWS::Route53::HostedZone"]
        for zone in zones:
            records = self.c("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
            for record in records:
                if record["Name"].rstrip(".") == i.rstrip("."):
                    return record
        return None

    def certificatemanager_certificate(self, i, _):
        return self.c("acm").describe_certificate(CertificateArn=i)["Certificate"]

    def secretsmanager_secret(self, i, _):
        return self.c("secretsmanager").describe_secret(SecretId=i)

    def ssm_parameter(self, i, _):
        return first(self.c("ssm").get_parameters(Names=[i])["Parameters"])

    def kms_key(self, i, _):
        return self.c("kms").describe_key(KeyId=i)["KeyMetadata"]

    def kms_alias(self, i, _):
        return first([a for a in self.c("kms").list_aliases()["Aliases"] if a["AliasName"] == i])


def main():
    found = []
    for region in REGIONS.split(","):
        cloudformation = client("cloudformation", region)
        for page in cloudformation.get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                if not stack["StackName"].startswith(PREFIX):
                    continue
                for part in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack["StackName"]):
                    for resource in part["StackResourceSummaries"]:
                        found.append(
                            {
                                "key": f"{stack['StackName']}/{resource['LogicalResourceId']}",
                                "type": resource["ResourceType"],
                                "id": resource.get("PhysicalResourceId", ""),
                                "region": region,
                            }
                        )
    lookups = {region: Lookups(region) for region in REGIONS.split(",")}
    unknown = sorted({r["type"] for r in found if not hasattr(Lookups, method(r["type"]))})
    if unknown:
        sys.exit(f"no lookup for {', '.join(unknown)}: add it to judge.py")
    report = {}
    for resource in found:
        try:
            facts = getattr(lookups[resource["region"]], method(resource["type"]))(resource["id"], found)
        except ClientError as error:
            facts, resource["error"] = None, str(error)
        report[resource["key"]] = {**resource, "found": facts is not None, "facts": facts}
    json.dump(report, sys.stdout, default=str, sort_keys=True)


def method(resource_type):
    """AWS::EC2::VPC -> ec2_vpc"""
    return "_".join(resource_type.split("::")[1:]).lower()


main()

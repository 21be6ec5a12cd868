//! What `Ref` gives, and the form of physical ids.
//!
//! The registry's primary identifier is what `Ref` gives for most types, but not for all: for those the return values
//! of the user guide's resource reference stand here.

/// What `Ref` gives for a resource of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// The value of this property or attribute.
    Property(&'static str),
    /// An ARN that is also this attribute.
    Arn(&'static str),
    /// The URL of a queue.
    Url,
    /// An id that the service makes, under this attribute.
    Id(&'static str),
}

use Reference::{Arn, Id, Property, Url};

/// What `Ref` gives where the registry's primary identifier says something else, or not enough.
const REFERENCES: &[(&str, Reference, &str)] = &[
    ("AWS::ApiGateway::Authorizer", Id("AuthorizerId"), "the authorizer's id"),
    ("AWS::ApiGateway::Deployment", Id("DeploymentId"), "the deployment's id"),
    ("AWS::ApiGateway::DocumentationPart", Id("DocumentationPartId"), "the part's id"),
    ("AWS::ApiGateway::DocumentationVersion", Property("DocumentationVersion"), "the version"),
    ("AWS::ApiGateway::Model", Property("Name"), "the model's name"),
    ("AWS::ApiGateway::RequestValidator", Id("RequestValidatorId"), "the validator's id"),
    ("AWS::ApiGateway::Resource", Id("ResourceId"), "the resource's id"),
    ("AWS::ApiGateway::RestApi", Id("RestApiId"), "the API's id"),
    ("AWS::ApiGateway::Stage", Property("StageName"), "the stage's name"),
    ("AWS::ApiGatewayV2::Api", Id("ApiId"), "the API's id"),
    ("AWS::ApiGatewayV2::ApiMapping", Id("ApiMappingId"), "the mapping's id"),
    ("AWS::ApiGatewayV2::Authorizer", Id("AuthorizerId"), "the authorizer's id"),
    ("AWS::ApiGatewayV2::Deployment", Id("DeploymentId"), "the deployment's id"),
    ("AWS::ApiGatewayV2::Integration", Id("IntegrationId"), "the integration's id"),
    ("AWS::ApiGatewayV2::IntegrationResponse", Id("IntegrationResponseId"), "the response's id"),
    ("AWS::ApiGatewayV2::Model", Id("ModelId"), "the model's id"),
    ("AWS::ApiGatewayV2::Route", Id("RouteId"), "the route's id"),
    ("AWS::ApiGatewayV2::RouteResponse", Id("RouteResponseId"), "the response's id"),
    ("AWS::ApiGatewayV2::Stage", Property("StageName"), "the stage's name"),
    ("AWS::AppConfig::ConfigurationProfile", Id("ConfigurationProfileId"), "the profile's id"),
    ("AWS::AppConfig::Deployment", Id("DeploymentNumber"), "the deployment's number"),
    ("AWS::AppConfig::Environment", Id("EnvironmentId"), "the environment's id"),
    ("AWS::AppConfig::HostedConfigurationVersion", Id("VersionNumber"), "the version's number"),
    ("AWS::AppMesh::GatewayRoute", Arn("Arn"), "the route's ARN"),
    ("AWS::AppMesh::Mesh", Arn("Arn"), "the mesh's ARN"),
    ("AWS::AppMesh::Route", Arn("Arn"), "the route's ARN"),
    ("AWS::AppMesh::VirtualGateway", Arn("Arn"), "the gateway's ARN"),
    ("AWS::AppMesh::VirtualNode", Arn("Arn"), "the node's ARN"),
    ("AWS::AppMesh::VirtualRouter", Arn("Arn"), "the router's ARN"),
    ("AWS::AppMesh::VirtualService", Arn("Arn"), "the service's ARN"),
    ("AWS::AppSync::ApiKey", Arn("Arn"), "the key's ARN"),
    ("AWS::ApplicationAutoScaling::ScalableTarget", Id("Id"), "service, resource and dimension, joined by |"),
    ("AWS::ApplicationAutoScaling::ScalingPolicy", Arn("Arn"), "the policy's ARN"),
    ("AWS::Athena::PreparedStatement", Property("StatementName"), "the statement's name"),
    ("AWS::AutoScaling::LifecycleHook", Property("LifecycleHookName"), "the hook's name"),
    ("AWS::AutoScaling::ScalingPolicy", Arn("Arn"), "the policy's ARN"),
    ("AWS::AutoScaling::ScheduledAction", Id("ScheduledActionName"), "the action's name"),
    ("AWS::Batch::JobDefinition", Arn("JobDefinitionArn"), "the ARN with the revision"),
    ("AWS::CertificateManager::Certificate", Arn("CertificateArn"), "the certificate's ARN"),
    ("AWS::CloudFormation::Stack", Arn("StackId"), "the nested stack's id, an ARN"),
    ("AWS::CloudFront::Distribution", Id("Id"), "the distribution's id"),
    ("AWS::CloudWatch::Alarm", Property("AlarmName"), "the alarm's name"),
    ("AWS::CloudWatch::CompositeAlarm", Property("AlarmName"), "the alarm's name"),
    ("AWS::CodeBuild::Project", Property("Name"), "the project's name"),
    ("AWS::CodeDeploy::DeploymentGroup", Property("DeploymentGroupName"), "the group's name"),
    ("AWS::Cognito::UserPool", Id("UserPoolId"), "the pool's id"),
    ("AWS::Cognito::UserPoolClient", Id("ClientId"), "the client's id"),
    ("AWS::Cognito::UserPoolDomain", Property("Domain"), "the domain"),
    ("AWS::Cognito::UserPoolGroup", Property("GroupName"), "the group's name"),
    ("AWS::Cognito::UserPoolIdentityProvider", Property("ProviderName"), "the provider's name"),
    ("AWS::Cognito::UserPoolResourceServer", Property("Identifier"), "the server's identifier"),
    ("AWS::Cognito::UserPoolUser", Property("Username"), "the user's name"),
    ("AWS::Config::AggregationAuthorization", Arn("AggregationAuthorizationArn"), "the authorization's ARN"),
    ("AWS::DynamoDB::Table", Property("TableName"), "the table's name"),
    ("AWS::EC2::EIP", Id("PublicIp"), "the address"),
    ("AWS::EC2::Instance", Id("InstanceId"), "the instance's id"),
    ("AWS::EC2::InternetGateway", Id("InternetGatewayId"), "the gateway's id"),
    ("AWS::EC2::LaunchTemplate", Id("LaunchTemplateId"), "the template's id"),
    ("AWS::EC2::NatGateway", Id("NatGatewayId"), "the gateway's id"),
    ("AWS::EC2::RouteTable", Id("RouteTableId"), "the route table's id"),
    ("AWS::EC2::SecurityGroup", Id("GroupId"), "the group's id; without VpcId its name"),
    ("AWS::EC2::Subnet", Id("SubnetId"), "the subnet's id"),
    ("AWS::EC2::VPC", Id("VpcId"), "the VPC's id"),
    ("AWS::EC2::VPCCidrBlock", Id("Id"), "the association's id"),
    ("AWS::ECR::Repository", Property("RepositoryName"), "the repository's name"),
    ("AWS::ECS::Cluster", Property("ClusterName"), "the cluster's name"),
    ("AWS::ECS::Service", Arn("ServiceArn"), "the service's ARN"),
    ("AWS::ECS::TaskDefinition", Arn("TaskDefinitionArn"), "the ARN with family and revision"),
    ("AWS::EKS::Cluster", Property("Name"), "the cluster's name"),
    ("AWS::EKS::Nodegroup", Id("Id"), "cluster and node group, joined by /"),
    ("AWS::EMR::InstanceFleetConfig", Id("InstanceFleetId"), "the fleet's id"),
    ("AWS::EMR::InstanceGroupConfig", Id("InstanceGroupId"), "the group's id"),
    ("AWS::ElasticBeanstalk::ApplicationVersion", Id("Id"), "the version's name"),
    ("AWS::ElasticBeanstalk::ConfigurationTemplate", Id("TemplateName"), "the template's name"),
    ("AWS::ElasticLoadBalancingV2::Listener", Arn("ListenerArn"), "the listener's ARN"),
    ("AWS::ElasticLoadBalancingV2::ListenerRule", Arn("RuleArn"), "the rule's ARN"),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", Arn("LoadBalancerArn"), "the load balancer's ARN"),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", Arn("TargetGroupArn"), "the target group's ARN"),
    ("AWS::Events::Rule", Property("Name"), "the rule's name; bus and name, joined by |, on a bus of its own"),
    ("AWS::Glue::Connection", Id("Name"), "the connection's name"),
    ("AWS::GroundStation::MissionProfile", Arn("Arn"), "the profile's ARN"),
    ("AWS::GuardDuty::Filter", Property("Name"), "the filter's name"),
    ("AWS::GuardDuty::IPSet", Id("Id"), "the set's id"),
    ("AWS::GuardDuty::Master", Property("MasterId"), "the administrator's account"),
    ("AWS::GuardDuty::Member", Property("MemberId"), "the member's account"),
    ("AWS::GuardDuty::ThreatIntelSet", Id("Id"), "the set's id"),
    ("AWS::IAM::InstanceProfile", Property("InstanceProfileName"), "the profile's name"),
    ("AWS::IAM::ManagedPolicy", Arn("PolicyArn"), "the policy's ARN"),
    ("AWS::IAM::Role", Property("RoleName"), "the role's name"),
    ("AWS::IAM::User", Property("UserName"), "the user's name"),
    ("AWS::InternetMonitor::Monitor", Arn("MonitorArn"), "the monitor's ARN"),
    ("AWS::IoT::Policy", Id("Id"), "the policy's name"),
    ("AWS::KMS::Alias", Property("AliasName"), "the alias's name"),
    ("AWS::KMS::Key", Id("KeyId"), "the key's id"),
    ("AWS::Lambda::Alias", Arn("AliasArn"), "the alias's ARN"),
    ("AWS::Lambda::EventSourceMapping", Id("Id"), "the mapping's id"),
    ("AWS::Lambda::Function", Property("FunctionName"), "the function's name"),
    ("AWS::Lambda::LayerVersion", Arn("LayerVersionArn"), "the ARN with the version"),
    ("AWS::Lambda::Url", Arn("FunctionArn"), "the function's ARN"),
    ("AWS::Lambda::Version", Arn("FunctionArn"), "the ARN with the version"),
    ("AWS::Logs::LogGroup", Property("LogGroupName"), "the log group's name"),
    ("AWS::Logs::LogStream", Property("LogStreamName"), "the stream's name"),
    ("AWS::Logs::MetricFilter", Property("FilterName"), "the filter's name"),
    ("AWS::Logs::SubscriptionFilter", Property("FilterName"), "the filter's name"),
    ("AWS::OpenSearchServerless::AccessPolicy", Property("Name"), "the policy's name"),
    ("AWS::OpenSearchServerless::LifecyclePolicy", Property("Name"), "the policy's name"),
    ("AWS::OpenSearchServerless::SecurityPolicy", Property("Name"), "the policy's name"),
    ("AWS::QLDB::Stream", Id("Id"), "the stream's id"),
    ("AWS::RDS::DBCluster", Property("DBClusterIdentifier"), "the cluster's name"),
    ("AWS::RDS::DBInstance", Property("DBInstanceIdentifier"), "the instance's name"),
    ("AWS::RDS::DBSubnetGroup", Property("DBSubnetGroupName"), "the subnet group's name"),
    ("AWS::Route53::HostedZone", Id("Id"), "the zone's id"),
    ("AWS::Route53::RecordSet", Property("Name"), "the record's domain name"),
    ("AWS::S3::Bucket", Property("BucketName"), "the bucket's name"),
    ("AWS::SES::ReceiptRule", Id("RuleName"), "the rule's name"),
    ("AWS::SNS::Subscription", Arn("Arn"), "the subscription's ARN"),
    ("AWS::SNS::Topic", Arn("TopicArn"), "the topic's ARN"),
    ("AWS::SQS::Queue", Url, "the queue's URL"),
    ("AWS::SSM::MaintenanceWindowTarget", Id("WindowTargetId"), "the target's id"),
    ("AWS::SSM::MaintenanceWindowTask", Id("WindowTaskId"), "the task's id"),
    ("AWS::SSM::Parameter", Property("Name"), "the parameter's name"),
    ("AWS::SecretsManager::ResourcePolicy", Arn("SecretId"), "the secret's ARN"),
    ("AWS::SecretsManager::Secret", Arn("Id"), "the secret's ARN"),
    ("AWS::ServiceDiscovery::Instance", Property("InstanceId"), "the instance's id"),
    ("AWS::StepFunctions::StateMachine", Arn("Arn"), "the state machine's ARN"),
    ("AWS::Transfer::User", Property("UserName"), "the user's name"),
    ("AWS::VerifiedPermissions::IdentitySource", Id("IdentitySourceId"), "the source's id"),
    ("AWS::VerifiedPermissions::Policy", Id("PolicyId"), "the policy's id"),
    ("AWS::WAFv2::WebACL", Id("Id"), "name, id and scope, joined by |"),
    ("AWS::Wisdom::AssistantAssociation", Id("AssistantAssociationId"), "the association's id"),
];

/// What `Ref` gives for a type, where it is known.
pub fn reference(resource_type: &str) -> Option<Reference> {
    REFERENCES.iter().find(|(name, ..)| *name == resource_type).map(|(_, reference, _)| *reference)
}

/// The same in words.
pub fn meaning(resource_type: &str) -> Option<&'static str> {
    REFERENCES.iter().find(|(name, ..)| *name == resource_type).map(|(.., meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_types_that_exist() {
        assert!(REFERENCES.is_sorted_by_key(|(name, ..)| *name));
        for (name, reference, _) in REFERENCES {
            let known = super::super::resource_type(name).unwrap_or_else(|| panic!("{name}"));
            if let Property(path) | Arn(path) | Id(path) = reference {
                assert!(known.property(path).is_some(), "{name} {path}");
            }
        }
    }

    #[test]
    fn what_was_seen_on_aws() {
        assert_eq!(reference("AWS::SNS::Topic"), Some(Arn("TopicArn")));
        assert_eq!(reference("AWS::SQS::Queue"), Some(Url));
        assert_eq!(reference("AWS::CloudWatch::Alarm"), Some(Property("AlarmName")));
        assert_eq!(reference("AWS::Nothing::There"), None);
    }
}

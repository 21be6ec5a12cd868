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
    ("AWS::ApiGateway::Deployment", Id("DeploymentId"), "the deployment's id"),
    ("AWS::ApiGateway::Resource", Id("ResourceId"), "the resource's id"),
    ("AWS::ApiGateway::Stage", Property("StageName"), "the stage's name"),
    ("AWS::ApplicationAutoScaling::ScalableTarget", Id("Id"), "service, resource and dimension, joined by |"),
    ("AWS::ApplicationAutoScaling::ScalingPolicy", Arn("Arn"), "the policy's ARN"),
    ("AWS::AutoScaling::ScalingPolicy", Arn("Arn"), "the policy's ARN"),
    ("AWS::CertificateManager::Certificate", Arn("CertificateArn"), "the certificate's ARN"),
    ("AWS::CloudFormation::Stack", Arn("StackId"), "the nested stack's id, an ARN"),
    ("AWS::CloudFront::Distribution", Id("Id"), "the distribution's id"),
    ("AWS::CloudWatch::Alarm", Property("AlarmName"), "the alarm's name"),
    ("AWS::CloudWatch::CompositeAlarm", Property("AlarmName"), "the alarm's name"),
    ("AWS::Cognito::UserPool", Id("UserPoolId"), "the pool's id"),
    ("AWS::Cognito::UserPoolClient", Id("ClientId"), "the client's id"),
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
    ("AWS::ECR::Repository", Property("RepositoryName"), "the repository's name"),
    ("AWS::ECS::Cluster", Property("ClusterName"), "the cluster's name"),
    ("AWS::ECS::Service", Arn("ServiceArn"), "the service's ARN"),
    ("AWS::ECS::TaskDefinition", Arn("TaskDefinitionArn"), "the ARN with family and revision"),
    ("AWS::EKS::Cluster", Property("Name"), "the cluster's name"),
    ("AWS::EKS::Nodegroup", Id("Id"), "cluster and node group, joined by /"),
    ("AWS::ElasticLoadBalancingV2::Listener", Arn("ListenerArn"), "the listener's ARN"),
    ("AWS::ElasticLoadBalancingV2::ListenerRule", Arn("RuleArn"), "the rule's ARN"),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", Arn("LoadBalancerArn"), "the load balancer's ARN"),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", Arn("TargetGroupArn"), "the target group's ARN"),
    ("AWS::Events::Rule", Property("Name"), "the rule's name"),
    ("AWS::IAM::InstanceProfile", Property("InstanceProfileName"), "the profile's name"),
    ("AWS::IAM::ManagedPolicy", Arn("PolicyArn"), "the policy's ARN"),
    ("AWS::IAM::Role", Property("RoleName"), "the role's name"),
    ("AWS::IAM::User", Property("UserName"), "the user's name"),
    ("AWS::KMS::Alias", Property("AliasName"), "the alias's name"),
    ("AWS::KMS::Key", Id("KeyId"), "the key's id"),
    ("AWS::Lambda::Alias", Arn("AliasArn"), "the alias's ARN"),
    ("AWS::Lambda::EventSourceMapping", Id("Id"), "the mapping's id"),
    ("AWS::Lambda::Function", Property("FunctionName"), "the function's name"),
    ("AWS::Lambda::LayerVersion", Arn("LayerVersionArn"), "the ARN with the version"),
    ("AWS::Lambda::Url", Arn("FunctionArn"), "the function's ARN"),
    ("AWS::Lambda::Version", Arn("FunctionArn"), "the ARN with the version"),
    ("AWS::Logs::LogGroup", Property("LogGroupName"), "the log group's name"),
    ("AWS::RDS::DBCluster", Property("DBClusterIdentifier"), "the cluster's name"),
    ("AWS::RDS::DBInstance", Property("DBInstanceIdentifier"), "the instance's name"),
    ("AWS::RDS::DBSubnetGroup", Property("DBSubnetGroupName"), "the subnet group's name"),
    ("AWS::Route53::HostedZone", Id("Id"), "the zone's id"),
    ("AWS::Route53::RecordSet", Property("Name"), "the record's domain name"),
    ("AWS::S3::Bucket", Property("BucketName"), "the bucket's name"),
    ("AWS::SNS::Subscription", Arn("Arn"), "the subscription's ARN"),
    ("AWS::SNS::Topic", Arn("TopicArn"), "the topic's ARN"),
    ("AWS::SQS::Queue", Url, "the queue's URL"),
    ("AWS::SSM::Parameter", Property("Name"), "the parameter's name"),
    ("AWS::SecretsManager::ResourcePolicy", Arn("SecretId"), "the secret's ARN"),
    ("AWS::SecretsManager::Secret", Arn("Id"), "the secret's ARN"),
    ("AWS::StepFunctions::StateMachine", Arn("Arn"), "the state machine's ARN"),
    ("AWS::WAFv2::WebACL", Id("Id"), "name, id and scope, joined by |"),
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
        for (name, ..) in REFERENCES {
            assert!(super::super::resource_type(name).is_some(), "{name}");
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

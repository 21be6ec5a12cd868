//! The edits.

/// In the template `template`, `good` (which stands there once) becomes `bad`.
#[derive(Debug)]
pub struct Edit {
    pub template: &'static str,
    pub good: &'static str,
    pub bad: &'static str,
    /// The rule that is broken then, and where.
    pub rule: &'static str,
    pub path: &'static str,
}

macro_rules! edits {
    ($($template:ident: $good:literal => $bad:literal, $rule:literal, $path:literal;)*) => {
        &[$(Edit { template: stringify!($template), good: $good, bad: $bad, rule: $rule, path: $path },)*]
    };
}

pub const EDITS: &[Edit] = edits! {
    // Structure and references.
    service: "  Vpc:\n    Type: AWS::EC2::VPC" => "  Vpc:\n    Typ: AWS::EC2::VPC", "resource-structure", "/Resources/Vpc";
    service: "  Gateway:\n    Type" => "  Gate-way:\n    Type", "resource-structure", "/Resources/Gate-way";
    service: "Outputs:\n  Url:" => "Output:\n  Url:", "structure", "";
    service: "ExecutionRoleArn: !GetAtt ExecutionRole.Arn" => "ExecutionRoleArn: !GetAtt ExecutionRol.Arn", "unresolved-getatt", "/Resources/TaskDefinition/Properties/ExecutionRoleArn/Fn::GetAtt";
    service: "      Image: !Ref Image" => "      Image: !Ref Imag", "unresolved-reference", "/Resources/TaskDefinition/Properties/ContainerDefinitions/0/Image/Ref";
    service: "ResourceId: !Sub service/${Cluster}/" => "ResourceId: !Sub service/${Clustr}/", "unresolved-sub", "/Resources/ScalableTarget/Properties/ResourceId/Fn::Sub";
    service: "DependsOn: ListenerRule" => "DependsOn: ListenerRul", "unresolved-depends-on", "/Resources/Service/DependsOn";
    service: "DesiredCount: !If [Prod, 2, 1]" => "DesiredCount: !If [Prd, 2, 1]", "unresolved-condition", "/Resources/Service/Properties/DesiredCount/Fn::If";
    service: "DNSName: !GetAtt Balancer.DNSName" => "DNSName: !GetAtt Balancer.DnsName", "unknown-attribute", "/Resources/Record/Properties/AliasTarget/DNSName/Fn::GetAtt";
    service: "Value: !Sub https://${Balancer.DNSName}" => "Value: !Sub https://${Balancer.Hostname}", "unknown-attribute", "/Outputs/Url/Value/Fn::Sub";
    compute: "!FindInMap [Sizes, small, Instance]" => "!FindInMap [Sizes, tiny, Instance]", "unresolved-mapping", "/Resources/Instance/Properties/InstanceType/Fn::FindInMap";
    compute: "!FindInMap [Sizes, small, Instance]" => "!FindInMap [Size, small, Instance]", "unresolved-mapping", "/Resources/Instance/Properties/InstanceType/Fn::FindInMap";
    service: "GroupDescription: Load balancer\n" => "GroupDescription: !Ref TaskGroup\n", "circular-dependency", "/Resources/BalancerGroup";
    compute: "    Default: 7\n" => "    Default: 70\n", "parameter-default", "/Parameters/Backups/Default";
    service: "    Default: dev\n" => "    Default: test\n", "parameter-default", "/Parameters/Stage/Default";
    compute: "!If [Keep, !Ref Backups, !Ref AWS::NoValue]" => "!Ref Backups", "unused-condition", "/Conditions/Keep";
    compute: "!FindInMap [Sizes, small, Instance]" => "t3.small", "unused-mapping", "/Mappings/Sizes";
    service: "          Value: !If [Prod, \"true\", \"false\"]" => "          Value: !Sub \"${CertificateArn}\"\n  Sometimes:\n    Type: AWS::SNS::Topic\n    Condition: Prod\n    Properties: {DisplayName: x}\n  Always:\n    Type: AWS::SNS::TopicPolicy\n    Properties:\n      Topics: [!Ref Sometimes]\n      PolicyDocument: {Statement: []}", "may-not-exist", "/Resources/Always/Properties/Topics/0/Ref";
    compute: "    small: {Instance: t3.small}" => "    small: {Instance: {Size: t3.small}}", "structure", "/Mappings/Sizes/small/Instance";
    compute: "SubnetIds: !Ref Subnets\n  Database:" => "SubnetIds: !Select [0, !Ref Subnets, 1]\n  Database:", "resource-structure", "/Resources/DatabaseSubnets/Properties/SubnetIds/Fn::Select";
    compute: "SecurityGroupIds: [!GetAtt Group.GroupId]" => "SecurityGroupIds: !GetAtt Group.GroupId", "function-type", "/Resources/Instance/Properties/SecurityGroupIds";
    compute: "      SubnetId: !Select [0, !Ref Subnets]" => "      SubnetId: !Ref Subnets", "function-type", "/Resources/Instance/Properties/SubnetId";
    // Types of resources and attributes beside the properties.
    service: "Type: AWS::ECS::Cluster" => "Type: AWS::ECS::Clusters", "unknown-type", "/Resources/Cluster/Type";
    site: "    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n    Properties:\n      BucketEncryption" => "    DeletionPolicy: Snapshot\n    UpdateReplacePolicy: Retain\n    Properties:\n      BucketEncryption", "deletion-policy", "/Resources/Bucket/DeletionPolicy";
    compute: "UpdateReplacePolicy: Snapshot" => "UpdateReplacePolicy: Keep", "update-replace-policy", "/Resources/Database/UpdateReplacePolicy";
    compute: "{MinInstancesInService: 1, MaxBatchSize: 1}" => "{MinInstances: 1, MaxBatchSize: 1}", "update-policy", "/Resources/Instances/UpdatePolicy/AutoScalingRollingUpdate/MinInstances";
    compute: "ResourceSignal: {Count: 1, Timeout: PT10M}" => "ResourceSignal: {Counts: 1, Timeout: PT10M}", "creation-policy", "/Resources/Instances/CreationPolicy/ResourceSignal/Counts";
    // Properties and their values.
    site: "  VersioningConfiguration: {Status: Enabled}" => "  VersionConfiguration: {Status: Enabled}", "unknown-property", "/Resources/Bucket/Properties/VersionConfiguration";
    service: "        AwsvpcConfiguration:\n" => "        AwsVpcConfiguration:\n", "unknown-property", "/Resources/Service/Properties/NetworkConfiguration/AwsVpcConfiguration";
    site: "{SSEAlgorithm: AES256}" => "{SSEAlgoritm: AES256}", "missing-property", "/Resources/Bucket/Properties/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault";
    service: "      GroupDescription: Tasks\n" => "", "missing-property", "/Resources/TaskGroup/Properties";
    service: "      EnableDnsHostnames: true" => "      EnableDnsHostnames: perhaps", "wrong-type", "/Resources/Vpc/Properties/EnableDnsHostnames";
    service: "      HealthCheckIntervalSeconds: 15" => "      HealthCheckIntervalSeconds: [15]", "wrong-type", "/Resources/TargetGroup/Properties/HealthCheckIntervalSeconds";
    service: "        HttpCode: \"200\"" => "        HttpCode: {Code: 200}", "wrong-type", "/Resources/TargetGroup/Properties/Matcher/HttpCode";
    service: "Subnets: [!Ref SubnetA, !Ref SubnetB]\n      LoadBalancerAttributes" => "Subnets: subnet-1\n      LoadBalancerAttributes", "wrong-type", "/Resources/Balancer/Properties/Subnets";
    service: "      RetentionInDays: 30" => "      RetentionInDays: 31", "value-not-allowed", "/Resources/LogGroup/Properties/RetentionInDays";
    service: "      ImageTagMutability: IMMUTABLE" => "      ImageTagMutability: IMUTABLE", "value-not-allowed", "/Resources/Repository/Properties/ImageTagMutability";
    site: "      BillingMode: PAY_PER_REQUEST" => "      BillingMode: PER_REQUEST", "value-not-allowed", "/Resources/Table/Properties/BillingMode";
    site: "HttpVersion: http2and3" => "HttpVersion: http4", "value-not-allowed", "/Resources/Distribution/Properties/DistributionConfig/HttpVersion";
    site: "      Runtime: python3.13" => "      Runtime: python9", "value-not-allowed", "/Resources/Function/Properties/Runtime";
    site: "MfaConfiguration: \"OFF\"" => "MfaConfiguration: NEVER", "value-not-allowed", "/Resources/Users/Properties/MfaConfiguration";
    service: "      GroupDescription: Tasks\n" => "      GroupDescription: Tasks~\n", "pattern", "/Resources/TaskGroup/Properties/GroupDescription";
    service: "      RepositoryName: service" => "      RepositoryName: Service!", "pattern", "/Resources/Repository/Properties/RepositoryName";
    service: "      LogGroupName: /ecs/service" => "      LogGroupName: \"log group\"", "pattern", "/Resources/LogGroup/Properties/LogGroupName";
    service: "      CidrBlock: 10.0.0.0/16" => "      CidrBlock: 10.0.0.1/16", "format", "/Resources/Vpc/Properties/CidrBlock";
    site: "      PathPart: items\n" => "      PathPart: items\n      Path: /items\n", "unknown-property", "/Resources/ApiResource/Properties/Path";
    site: "      MemorySize: 256" => "      MemorySize: 64", "number-range", "/Resources/Function/Properties/MemorySize";
    site: "      Timeout: 20" => "      Timeout: 0", "number-range", "/Resources/Function/Properties/Timeout";
    site: "      MessageRetentionPeriod: 1209600" => "      MessageRetentionPeriod: 12", "number-range", "/Resources/DeadLetters/Properties/MessageRetentionPeriod";
    service: "{Key: Name, Value: !Sub \"${AWS::StackName}-vpc\"}" => "{Key: \"aws:name\", Value: x}", "tags", "/Resources/Vpc/Properties/Tags/0";
    service: "        - {Key: Name, Value: !Sub \"${AWS::StackName}-vpc\"}" => "        - {Key: Name, Value: a}\n        - {Key: Name, Value: b}", "tags", "/Resources/Vpc/Properties/Tags/1";
    site: "      Architectures: [arm64]" => "      Architectures: [arm64, arm64]", "list-size", "/Resources/Function/Properties/Architectures";
    compute: "          - Effect: Allow\n            Principal: {Service: eks" => "          - Effect: Permit\n            Principal: {Service: eks", "trust-policy", "/Resources/ClusterRole/Properties/AssumeRolePolicyDocument/Statement/0/Effect";
    site: "      TopicName: site\n" => "      TopicName: site\n      TopicArn: arn\n", "read-only-property", "/Resources/Topic/Properties/TopicArn";
    service: "      ServiceNamespace: ecs\n" => "      ServiceNamespace: ec2s\n", "value-not-allowed", "/Resources/ScalableTarget/Properties/ServiceNamespace";
    service: "      Scope: REGIONAL" => "      Scope: GLOBAL", "value-not-allowed", "/Resources/WebAcl/Properties/Scope";
    service: "DefaultAction: {Allow: {}}" => "DefaultAction: {Permit: {}}", "unknown-property", "/Resources/WebAcl/Properties/DefaultAction/Permit";
    service: "ComparisonOperator: GreaterThanThreshold" => "ComparisonOperator: Greater", "value-not-allowed", "/Resources/Alarm/Properties/ComparisonOperator";
    service: "        PasswordLength: 32" => "        PasswordLength: long", "wrong-type", "/Resources/Secret/Properties/GenerateSecretString/PasswordLength";
    service: "      Type: String\n      Name: /service/version" => "      Type: Text\n      Name: /service/version", "value-not-allowed", "/Resources/Version/Properties/Type";
    site: "            Status: Enabled\n" => "            Status: On\n", "value-not-allowed", "/Resources/Bucket/Properties/LifecycleConfiguration/Rules/0/Status";
    compute: "{MinSize: 1, MaxSize: 3, DesiredSize: 1}" => "{MinSize: -1, MaxSize: 3, DesiredSize: 1}", "number-range", "/Resources/Nodes/Properties/ScalingConfig/MinSize";
    service: "      ScalingTargetId: !Ref ScalableTarget\n" => "      ScalingTargetId: !Ref ScalableTarget\n      ResourceId: x\n", "exactly-one-property", "/Resources/ScalingPolicy/Properties/ResourceId";
    // Across properties and resources.
    service: "      Memory: \"512\"" => "      Memory: \"768\"", "fargate-size", "/Resources/TaskDefinition/Properties";
    service: "      NetworkMode: awsvpc\n" => "      NetworkMode: host\n", "fargate-task", "/Resources/TaskDefinition/Properties/NetworkMode";
    service: "          Essential: true" => "          Essential: false", "essential-container", "/Resources/TaskDefinition/Properties/ContainerDefinitions";
    service: "              awslogs-region: !Ref AWS::Region\n" => "", "awslogs-options", "/Resources/TaskDefinition/Properties/ContainerDefinitions/0/LogConfiguration/Options";
    service: "            - ContainerPort: 8000\n              Protocol" => "            - ContainerPort: 8000\n              HostPort: 80\n              Protocol", "awsvpc-host-port", "/Resources/TaskDefinition/Properties/ContainerDefinitions/0/PortMappings/0/HostPort";
    service: "      Certificates:\n        - CertificateArn: !Ref CertificateArn\n" => "", "listener-certificate", "/Resources/Listener/Properties";
    service: "Subnets: [!Ref SubnetA, !Ref SubnetB]\n      LoadBalancerAttributes" => "Subnets: [!Ref SubnetA]\n      LoadBalancerAttributes", "balancer-subnets", "/Resources/Balancer/Properties/Subnets";
    service: "      CidrBlock: 10.0.2.0/24" => "      CidrBlock: 10.1.2.0/24", "subnet-outside-vpc", "/Resources/SubnetB/Properties/CidrBlock";
    service: "      CidrBlock: 10.0.2.0/24" => "      CidrBlock: 10.0.1.128/25", "subnet-overlap", "/Resources/SubnetB/Properties/CidrBlock";
    service: "      Period: 60\n" => "      Period: 45\n", "alarm-period", "/Resources/Alarm/Properties/Period";
    service: "          FromPort: 443\n" => "", "port-range", "/Resources/BalancerGroup/Properties/SecurityGroupIngress/0";
    site: "          TargetOriginId: bucket" => "          TargetOriginId: buckets", "target-origin", "/Resources/Distribution/Properties/DistributionConfig/DefaultCacheBehavior/TargetOriginId";
    site: "        Aliases: [www.example.com]" => "        Aliases: [www_example]", "cloudfront-alias", "/Resources/Distribution/Properties/DistributionConfig/Aliases/0";
    site: "        - {AttributeName: email, AttributeType: S}\n" => "", "key-attributes", "/Resources/Table/Properties";
    site: "      BillingMode: PAY_PER_REQUEST\n" => "      BillingMode: PROVISIONED\n", "provisioned-throughput", "/Resources/Table/Properties";
    site: "      FifoQueue: true\n      QueueName: dead.fifo\n" => "", "dead-letter-kind", "/Resources/Queue/Properties/FifoQueue";
    site: "      BatchSize: 5" => "      BatchSize: 50", "fifo-batch", "/Resources/Mapping/Properties/BatchSize";
    site: "      Runtime: python3.13\n" => "", "zip-runtime", "/Resources/Function/Properties";
    site: "          TABLE: !Ref Table" => "          AWS_REGION: eu-west-1", "reserved-variable", "/Resources/Function/Properties/Environment/Variables/AWS_REGION";
    site: "rate(5 minutes)" => "rate(5 minute)", "schedule-expression", "/Resources/Schedule/Properties/ScheduleExpression";
    site: "            Effect: Deny" => "            Effect: Forbid", "resource-policy", "/Resources/BucketPolicy/Properties/PolicyDocument/Statement/0/Effect";
    service: "              - Sid: Read\n" => "              - Sid: Read it\n", "identity-policy", "/Resources/ExecutionRole/Properties/Policies/0/PolicyDocument/Statement/0/Sid";
    compute: "        InstanceType: t3.small" => "        InstanceType: t3.smal", "instance-type", "/Resources/LaunchTemplate/Properties/LaunchTemplateData/InstanceType";
    compute: "      DBInstanceClass: db.t4g.micro" => "      DBInstanceClass: db.t4g.nano", "instance-class", "/Resources/Database/Properties/DBInstanceClass";
    compute: "      MaxSize: \"4\"" => "      MaxSize: \"0\"", "group-size", "/Resources/Instances/Properties/MaxSize";
    compute: "      HealthCheckType: EC2" => "      HealthCheckType: EC2,ELB", "health-check-types", "/Resources/Instances/Properties/HealthCheckType";
};

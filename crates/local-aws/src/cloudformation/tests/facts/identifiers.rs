//! What physical ids look like, and what `Ref` and `Fn::GetAtt` give.

use super::*;

/// The physical ids and outputs of a stack `stack`.
async fn deployed(template: &str) -> (Stack, impl Fn(&str) -> String) {
    // The code of layers is somewhere.
    let cloud = Cloud::with(Options { partial: true, ..Options::default() }).await;
    let input = json!({"StackName": "stack", "TemplateBody": template,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]});
    cloud.ok("CreateStack", input).await;
    assert_eq!(cloud.rest("stack").await, "CREATE_COMPLETE", "{:#?}", cloud.events("stack"));
    let stack = cloud.stack("stack");
    let outputs = stack.outputs.clone();
    let output = move |key: &str| {
        let found = outputs.iter().find(|output| output.key == key);
        found.unwrap_or_else(|| panic!("no output {key}")).value.clone()
    };
    (stack, output)
}

/// What stands behind a beginning that has to be there.
fn behind<'t>(text: &'t str, begin: &str) -> &'t str {
    text.strip_prefix(begin).unwrap_or_else(|| panic!("{text} does not begin with {begin}"))
}

fn is_mixed(suffix: &str) -> bool {
    suffix.len() == 12 && suffix.chars().all(|one| one.is_ascii_alphanumeric())
}

const ROLE: &str = "
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
";

#[tokio::test(start_paused = true)]
async fn names_are_made_of_the_stacks_and_the_resources() {
    let template = "
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Queue: {Type: AWS::SQS::Queue}
  bucket: {Type: AWS::S3::Bucket}
  Parameter: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: x}}
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {SecretString: x}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: errors, ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1, Threshold: 1,
                 MetricName: Errors, Namespace: App, Period: 60, Statistic: Sum}
Outputs:
  Topic: {Value: !Ref Topic}
  TopicName: {Value: !GetAtt Topic.TopicName}
  Queue: {Value: !Ref Queue}
  Alarm: {Value: !Ref Alarm}
  Secret: {Value: !Ref Secret}
";
    let (stack, output) = deployed(template).await;
    let id = |id: &str| stack.resources[id].physical_id.as_str();
    assert!(is_mixed(behind(id("Topic"), "arn:aws:sns:eu-west-1:111122223333:stack-Topic-")), "{}", id("Topic"));
    assert_eq!(output("Topic"), id("Topic"));
    assert_eq!(format!("arn:aws:sns:eu-west-1:111122223333:{}", output("TopicName")), id("Topic"));
    let queue = behind(id("Queue"), "https://sqs.eu-west-1.amazonaws.com/111122223333/stack-Queue-");
    assert!(is_mixed(queue), "{queue}");
    assert_eq!(output("Queue"), id("Queue"));
    let bucket = behind(id("bucket"), "stack-bucket-");
    assert!((12..=13).contains(&bucket.len()), "{bucket}");
    assert!(bucket.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit()), "{bucket}");
    assert!(is_mixed(behind(id("Parameter"), "CFN-Parameter-")), "{}", id("Parameter"));
    behind(id("Secret"), "arn:aws:secretsmanager:eu-west-1:111122223333:secret:");
    assert_eq!((output("Alarm").as_str(), output("Secret").as_str()), ("errors", id("Secret")));
}

#[tokio::test(start_paused = true)]
async fn functions_have_qualified_arns_for_what_is_theirs() {
    let template = format!(
        "
Resources:{ROLE}
  Function:
    Type: AWS::Lambda::Function
    Properties: {{Code: {{ZipFile: x}}, Handler: index.handler, Runtime: nodejs22.x, Role: !GetAtt Role.Arn}}
  Version: {{Type: AWS::Lambda::Version, Properties: {{FunctionName: !Ref Function}}}}
  Alias:
    Type: AWS::Lambda::Alias
    Properties: {{FunctionName: !Ref Function, FunctionVersion: !GetAtt Version.Version, Name: live}}
  Url: {{Type: AWS::Lambda::Url, Properties: {{TargetFunctionArn: !Ref Function, AuthType: NONE}}}}
  Layer: {{Type: AWS::Lambda::LayerVersion, Properties: {{Content: {{S3Bucket: code, S3Key: k}}, LayerName: shared}}}}
Outputs:
  Version: {{Value: !Ref Version}}
  Alias: {{Value: !Ref Alias}}
  Url: {{Value: !Ref Url}}
  Layer: {{Value: !Ref Layer}}
"
    );
    let (stack, output) = deployed(&template).await;
    let name = stack.resources["Function"].physical_id.clone();
    assert!(is_mixed(behind(&name, "stack-Function-")), "{name}");
    let arn = format!("arn:aws:lambda:eu-west-1:111122223333:function:{name}");
    assert_eq!(output("Version"), format!("{arn}:1"));
    assert_eq!(output("Alias"), format!("{arn}:live"));
    assert_eq!(output("Url"), arn);
    assert_eq!(output("Layer"), "arn:aws:lambda:eu-west-1:111122223333:layer:shared:1");
}

#[tokio::test(start_paused = true)]
async fn a_security_group_is_its_name_unless_it_has_a_network() {
    let template = "
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Gateway: {Type: AWS::EC2::InternetGateway}
  Attached: {Type: AWS::EC2::VPCGatewayAttachment, Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway}}
  In: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: d, VpcId: !Ref Vpc}}
  Out: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: d}}
Outputs:
  In: {Value: !Ref In}
  InId: {Value: !GetAtt In.GroupId}
  Out: {Value: !Ref Out}
  OutId: {Value: !GetAtt Out.GroupId}
";
    let (stack, output) = deployed(template).await;
    assert!(output("In").starts_with("sg-"), "{}", output("In"));
    assert_eq!(output("In"), output("InId"));
    assert!(is_mixed(behind(&output("Out"), "stack-Out-")), "{}", output("Out"));
    assert!(output("OutId").starts_with("sg-"), "{}", output("OutId"));
    let vpc = &stack.resources["Vpc"].physical_id;
    assert_eq!(stack.resources["Attached"].physical_id, format!("IGW|{vpc}"));
}

#[tokio::test(start_paused = true)]
async fn secrets_and_their_policies_are_arns_and_macros_are_names() {
    let template = format!(
        "
Resources:{ROLE}
  Secret: {{Type: AWS::SecretsManager::Secret, Properties: {{SecretString: x}}}}
  Policy:
    Type: AWS::SecretsManager::ResourcePolicy
    Properties:
      SecretId: !Ref Secret
      ResourcePolicy: {{Version: '2012-10-17', Statement: []}}
  Function:
    Type: AWS::Lambda::Function
    Properties: {{Code: {{ZipFile: x}}, Handler: index.handler, Runtime: nodejs22.x, Role: !GetAtt Role.Arn}}
  Macro: {{Type: AWS::CloudFormation::Macro, Properties: {{Name: Mine, FunctionName: !GetAtt Function.Arn}}}}
Outputs:
  Policy: {{Value: !Ref Policy}}
  Macro: {{Value: !Ref Macro}}
"
    );
    let (stack, output) = deployed(&template).await;
    assert_eq!(output("Policy"), stack.resources["Secret"].physical_id);
    assert_eq!(output("Macro"), "Mine");
}

#[tokio::test(start_paused = true)]
async fn values_are_put_together_as_aws_does() {
    let cloud = Cloud::new().await;
    for (name, value) in [("/conf", "held"), ("/stack/conf", "own")] {
        let put = json!({"Name": name, "Value": value, "Type": "String"});
        cloud.aws.world.services.json(&cloud.place, "ssm", "PutParameter", &put).await.expect("put");
    }
    let template = "
Parameters: {Name: {Type: String, Default: /conf}}
Resources:
  A: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Sub 'before-{{resolve:ssm:${Name}}}-after'}}
  B: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Sub '{{resolve:ssm:/${AWS::StackName}/conf}}'}}
Outputs:
  Empty: {Value: !Join ['-', [!Ref AWS::NoValue, !Ref AWS::NoValue]]}
";
    assert_eq!(cloud.deploy("CreateStack", "stack", template).await, "CREATE_COMPLETE", "{:#?}", cloud.events("stack"));
    let stack = cloud.stack("stack");
    let live = async |id: &str| {
        let id = &stack.resources[id].physical_id;
        let live = crate::resources::read(&cloud.aws.world, &cloud.place, "AWS::SNS::Topic", id).await;
        live.expect("it is there")["DisplayName"].clone()
    };
    assert_eq!(live("A").await, "before-held-after");
    assert_eq!(live("B").await, "own");
    assert_eq!(stack.outputs[0].value, "");
}

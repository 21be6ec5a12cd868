//! A plan is what apply will do: what changes nothing is done once and not shown again, what is not seen by CloudFormation's
//! answers is known all the same, and nothing drifts that nobody changed.

use crate::support::cli::Ran;
use crate::support::hand::Hand;
use crate::support::project::Project;

/// A project of templates without inputs, one for each stack.
fn project(stacks: &[(&str, &str)]) -> Project {
    let project = Project::offline();
    let lines: String = stacks.iter().map(|(name, _)| format!("  {name}: {{template: {name}}}\n")).collect();
    environment(&project, &lines);
    for (name, body) in stacks {
        template(&project, name, body);
    }
    project
}

fn environment(project: &Project, stacks: &str) {
    project.write(
        "environments/local.yaml",
        &format!(
            "project: shop\naccount: \"000000000000\"\nregion: us-east-1\nlocal: {{speed: 3600}}\nstacks:\n{stacks}"
        ),
    );
}

/// Outputs are described by their names.
fn template(project: &Project, name: &str, body: &str) {
    let outputs = body.split("Outputs:\n").nth(1).unwrap_or_default();
    let outputs: String = outputs
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| format!("  {}: an output\n", line.trim().split(':').next().unwrap_or_default()))
        .collect();
    let outputs = if outputs.is_empty() { " {}\n".to_owned() } else { format!("\n{outputs}") };
    let head = format!("description: A template.\ninputs: {{}}\nneeds: {{}}\noutputs:{outputs}---\n");
    project.write(&format!("templates/{name}.yaml"), &(head + body));
}

fn infra(project: &Project, args: &[&str]) -> Ran {
    let ran = project.infra(&[args, &["--env", "local"]].concat()).run();
    assert_ne!(ran.code, Some(101), "{}", ran.whole());
    ran
}

/// Plans, applies, and insists on what always holds: apply does it, the next plan is empty, and nothing drifts.
#[track_caller]
fn applies(project: &Project) -> (Ran, Ran) {
    let plan = infra(project, &["plan", "--detailed-exitcode"]);
    let applied = infra(project, &["apply"]);
    assert_eq!(applied.code, Some(0), "{}\n{}", plan.whole(), applied.whole());
    is_at_rest(project);
    (plan, applied)
}

#[track_caller]
fn is_at_rest(project: &Project) {
    let again = infra(project, &["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{}", again.whole());
    assert!(again.stdout.contains("No changes."), "{}", again.whole());
    let offline = infra(project, &["plan", "--offline", "--detailed-exitcode"]);
    assert_eq!(offline.code, Some(0), "{}", offline.whole());
    let drift = infra(project, &["drift", "--detailed-exitcode", "--strict"]);
    assert_eq!(drift.code, Some(0), "{}", drift.whole());
}

const JOBS: &str = r#"Description: Jobs that wait.
Parameters:
  Size: {Type: Number, Default: 1}
Mappings:
  Delays: {small: {seconds: 5}, large: {seconds: 60}}
Conditions:
  Big: !Equals [!Ref Size, "100"]
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      DelaySeconds: !If [Big, !FindInMap [Delays, large, seconds], !FindInMap [Delays, small, seconds]]
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: jobs}
"#;

#[test]
fn what_changes_nothing_is_applied_once() {
    let project = project(&[("jobs", JOBS)]);
    applies(&project);
    let edits: [(&str, &str, &str); 6] = [
        ("Default: 1}", "Default: 2}", "parameter Size: \"1\" → \"2\""),
        ("  Size: {", "  Unused: {Type: String, Default: x}\n  Size: {", "parameter Unused: \"x\""),
        ("Default: x}", "Default: y}", "parameter Unused: \"y\""),
        ("  Unused: {Type: String, Default: y}\n", "", "Nothing of it reached the account."),
        ("\"100\"", "\"1000\"", "Conditions.Big"),
        ("{seconds: 60}", "{seconds: 61}", "Mappings.Delays.large.seconds: 60 → 61"),
    ];
    let mut body = JOBS.to_owned();
    for (from, to, shown) in edits {
        assert!(body.contains(from), "{from} is not in {body}");
        body = body.replace(from, to);
        template(&project, "jobs", &body);
        let (plan, applied) = applies(&project);
        if shown.ends_with("account.") {
            continue;
        }
        assert_eq!(plan.code, Some(2), "{}", plan.whole());
        assert!(plan.stdout.contains(shown), "{shown} in {}", plan.stdout);
        assert!(plan.stdout.contains("CloudFormation will find nothing to change"), "{}", plan.stdout);
        assert!(applied.stdout.contains("unchanged"), "{}", applied.stdout);
    }
    // What comes with the next real change comes whole.
    template(&project, "jobs", &body.replace("DisplayName: jobs", "DisplayName: other"));
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("Topic") && plan.stdout.contains("parameter Size: \"1\" → \"2\""), "{}", plan.stdout);
    // And back: what the account has now is what counts.
    template(&project, "jobs", JOBS);
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("parameter Size: \"2\" → \"1\""), "{}", plan.stdout);
}

#[test]
fn what_a_secret_is_cannot_be_seen_and_makes_no_plan_without_end() {
    let body = JOBS.replace("Parameters:\n", "Parameters:\n  Secret: {Type: String, NoEcho: true, Default: s3cr3t}\n");
    let body = body.replace("DisplayName: jobs", "DisplayName: !Ref Secret");
    let project = project(&[("jobs", &body)]);
    applies(&project);
    template(&project, "jobs", &body.replace("Size: {Type: Number, Default: 1}", "Size: {Type: Number, Default: 2}"));
    let (plan, applied) = applies(&project);
    assert!(
        plan.stdout.contains("may change") && plan.stdout.contains("parameter Secret may change"),
        "{}",
        plan.stdout
    );
    assert!(!plan.stdout.contains("s3cr3t"), "{}", plan.stdout);
    assert!(applied.stdout.contains("unchanged"), "{}", applied.stdout);
    assert!(!project.read(".infra/cache/shop/local.json").contains("\"Secret\": \"s3cr3t\""));
}

#[test]
fn a_reworded_description_is_shown_and_is_no_drift() {
    let project = project(&[("jobs", JOBS)]);
    applies(&project);
    template(&project, "jobs", &JOBS.replace("Jobs that wait.", "Work for later."));
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("Description: \"Jobs that wait.\" → \"Work for later.\""), "{}", plan.stdout);
    let document = infra(&project, &["plan", "--format", "json"]).json();
    assert_eq!(document["steps"][0]["action"], "nothing", "{document}");
    // Another run order, another name for the template: the state is brought up to date without looking twice.
    environment(&project, "  jobs: {template: jobs, after: [more]}\n  more: {template: more}\n");
    template(&project, "more", &JOBS.replace("Jobs", "More"));
    applies(&project);
    let history = infra(&project, &["history", "--format", "json"]).json();
    let first = history.as_array().and_then(|all| all.last()).expect("entries")["serial"].to_string();
    let back = infra(&project, &["rollback", "--to", &first]);
    assert_eq!(back.code, Some(0), "{}", back.whole());
    let drift = infra(&project, &["drift", "--detailed-exitcode"]);
    assert_eq!(drift.code, Some(0), "{}", drift.whole());
}

const TEXTS: &str = r#"Description: Für Prüfer 😀
Parameters:
  Greeting: {Type: String, Default: Grüße}
Resources:
  Policy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Description: Lesen für Prüfer
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: "sqs:ListQueues", Resource: "*", Sid: Lesen}]
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Sub "${Greeting} 😀"}
Outputs:
  Word:
    Value: !Sub "Prüfer ${Greeting}"
"#;

const TAKES: &str = r#"Parameters:
  Word: {Type: String}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Ref Word}
"#;

#[test]
fn text_outside_ascii_stays_what_it_is() {
    let project = project(&[("texts", TEXTS)]);
    applies(&project);
    let hand = Hand::of(&project);
    let described = hand.form("cloudformation", &[("Action", "DescribeStacks"), ("StackName", "shop-local-texts")]);
    assert!(described.contains("<Description>F?r Pr?fer ?</Description>"), "{described}");
    assert!(described.contains("<ParameterValue>Gr??e</ParameterValue>"), "{described}");
    assert!(described.contains("<OutputValue>Pr?fer Gr??e</OutputValue>"), "{described}");
    let sent = hand.form("cloudformation", &[("Action", "GetTemplate"), ("StackName", "shop-local-texts")]);
    assert!(sent.contains(r"F\u00fcr Pr\u00fcfer \ud83d\ude00"), "{sent}");
    drop(hand);

    // A change beside it changes nothing else, and one of a single letter is seen.
    template(&project, "texts", &TEXTS.replace("sqs:ListQueues", "sqs:GetQueueUrl"));
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("1 to change") && !plan.stdout.contains("-/+"), "{}", plan.stdout);
    template(&project, "texts", &TEXTS.replace("Default: Grüße", "Default: Größe"));
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("Grüße") && plan.stdout.contains("Größe"), "{}", plan.stdout);

    // Another stack gets what CloudFormation gives back, and the plan says so.
    template(&project, "takes", TAKES);
    let head = project.read("templates/takes.yaml").replace("needs: {}", "needs: {Word: texts.Word}");
    project.write("templates/takes.yaml", &head);
    environment(&project, "  texts: {template: texts}\n  takes: {template: takes}\n");
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("[text-lost]"), "{}", plan.stdout);
}

#[test]
fn what_others_sent_as_it_was_is_compared_as_it_comes_back() {
    let project = project(&[("texts", TEXTS)]);
    applies(&project);
    // The same template once more, not in ASCII, and by somebody else.
    let body = TEXTS.replace("Action: \"sqs:ListQueues\"", "Action: \"sqs:GetQueueUrl\"");
    let hand = Hand::of(&project);
    hand.form(
        "cloudformation",
        &[
            ("Action", "UpdateStack"),
            ("StackName", "shop-local-texts"),
            ("TemplateBody", &body),
            ("Capabilities.member.1", "CAPABILITY_IAM"),
        ],
    );
    hand.rest("shop-local-texts");
    drop(hand);
    let plan = infra(&project, &["plan"]);
    assert!(plan.stdout.contains("1 to change") && !plan.stdout.contains("-/+"), "{}", plan.whole());
    template(&project, "texts", &body);
    let plan = infra(&project, &["plan"]);
    assert!(plan.stdout.contains("No changes."), "{}", plan.whole());
    // Taken up by the state, it means what it means.
    applies(&project);
    let plan = infra(&project, &["plan"]);
    assert!(plan.stdout.contains("No changes."), "{}", plan.whole());
}

const READER: &str = r#"Parameters:
  Name: {Type: "AWS::SSM::Parameter::Value<String>", Default: /shop/name}
  Colours: {Type: "AWS::SSM::Parameter::Value<List<String>>", Default: /shop/colours}
  There: {Type: "AWS::SSM::Parameter::Name", Default: /shop/name}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Ref Name}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Join ["-", !Ref Colours]}
"#;

#[test]
fn a_moved_ssm_parameter_is_planned() {
    let project = project(&[("reader", READER)]);
    let missing = infra(&project, &["plan"]);
    assert_ne!(missing.code, Some(0), "{}", missing.whole());
    assert!(
        missing.stderr.contains("names the SSM parameter `/shop/name`, which does not exist"),
        "{}",
        missing.whole()
    );
    assert!(missing.stderr.contains("/shop/colours"), "all of them at once: {}", missing.whole());
    let hand = Hand::of(&project);
    hand.put_parameter("/shop/name", "queue-a");
    hand.put_parameter("/shop/colours", "red,blue");
    drop(hand);
    applies(&project);

    let hand = Hand::of(&project);
    hand.put_parameter("/shop/name", "queue-b");
    drop(hand);
    let offline = infra(&project, &["plan", "--offline"]);
    assert!(offline.stderr.contains("nobody knows what the SSM parameters hold now"), "{}", offline.whole());
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("parameter Name: \"queue-a\" → \"queue-b\""), "{}", plan.stdout);
    assert!(plan.stdout.contains("Queue  AWS::SQS::Queue  is replaced"), "{}", plan.stdout);
    assert!(plan.stdout.contains("1 to replace") && !plan.stdout.contains("Topic"), "{}", plan.stdout);

    // Beside another edit it is no surprise either.
    let hand = Hand::of(&project);
    hand.put_parameter("/shop/colours", "red,green");
    drop(hand);
    template(&project, "reader", &READER.replace("{QueueName: !Ref Name}", "{QueueName: !Ref Name, DelaySeconds: 7}"));
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("2 to change"), "{}", plan.stdout);
    let rehearsed = infra(&project, &["rehearse"]);
    assert_eq!(rehearsed.code, Some(0), "{}", rehearsed.whole());
}

#[test]
fn an_ssm_parameter_that_nothing_reads_moves_once() {
    let body = READER.replace("!Ref Name}", "one}");
    let project = project(&[("reader", &body)]);
    let hand = Hand::of(&project);
    for name in ["/shop/name", "/shop/other"] {
        hand.put_parameter(name, "a");
    }
    hand.put_parameter("/shop/colours", "red");
    drop(hand);
    applies(&project);
    // It holds something else; another one holds the same.
    let hand = Hand::of(&project);
    hand.put_parameter("/shop/name", "b");
    hand.put_parameter("/shop/other", "b");
    drop(hand);
    let (plan, applied) = applies(&project);
    assert!(plan.stdout.contains("parameter Name: \"a\" → \"b\""), "{}", plan.stdout);
    assert!(applied.stdout.contains("unchanged"), "{}", applied.stdout);
    let named = body.replace(
        "Name: {Type: \"AWS::SSM::Parameter::Value<String>\", Default: /shop/name}",
        "Name: {Type: \"AWS::SSM::Parameter::Value<String>\", Default: /shop/other}",
    );
    assert_ne!(named, body);
    template(&project, "reader", &named);
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("parameter Name: \"/shop/name\" → \"/shop/other\""), "{}", plan.stdout);
}

const SETTER: &str = r#"Resources:
  Name:
    Type: AWS::SSM::Parameter
    Properties: {Name: !Sub "/shop/name", Type: String, Value: queue-a}
  Colours:
    Type: AWS::SSM::Parameter
    Properties: {Name: /shop/colours, Type: StringList, Value: "red,blue"}
"#;

const KEEPER: &str = r#"Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: {{ "{{resolve:ssm:/shop/name}}" | tojson }}}
"#;

#[test]
fn what_the_run_sets_is_known_after_apply() {
    // The names sort the readers first: the order comes from what they read.
    let project = project(&[("areader", READER), ("akeeper", KEEPER), ("setter", SETTER)]);
    applies(&project);
    template(&project, "setter", &SETTER.replace("queue-a", "queue-b"));
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("parameter Name: \"queue-a\" → (known after apply)"), "{}", plan.stdout);
    assert!(plan.stdout.contains("may be replaced"), "{}", plan.stdout);
    assert!(plan.stdout.contains("[stale-reference]"), "{}", plan.stdout);
    assert!(!plan.stdout.contains("Colours:"), "{}", plan.stdout);
}

const PARENT: &str = r#"Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: https://s3.amazonaws.com/shop-templates/child.yaml
      Parameters: {Delay: "5", Token: s3cr3t}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: one}
"#;

const CHILD: &str = r#"Parameters:
  Delay: {Type: Number}
  Token: {Type: String, NoEcho: true}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: jobs-a, DelaySeconds: !Ref Delay}
  Told:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Ref Token}
  Deep:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: "https://shop-templates.s3.us-east-1.amazonaws.com/deep.yaml"}
Outputs:
  Url: {Value: !Ref Queue}
"#;

const DEEP: &str = r#"Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: shop-deep
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
"#;

#[test]
fn what_changes_inside_of_a_nested_stack_is_planned() {
    let project = project(&[("parent", PARENT)]);
    let put = |key: &str, text: &str| Hand::of(&project).put("shop-templates", key, text);
    put("child.yaml", CHILD);
    put("deep.yaml", DEEP);
    applies(&project);

    put("child.yaml", &CHILD.replace("jobs-a", "jobs-b"));
    let (plan, _) = applies(&project);
    assert!(
        plan.stdout.contains("Child.Queue") && plan.stdout.contains("QueueName: \"jobs-a\" → \"jobs-b\""),
        "{}",
        plan.stdout
    );
    assert!(plan.stdout.contains("1 to replace"), "{}", plan.stdout);

    // The same under another edit, two stacks down; and what is not in the child is not said of it.
    put("deep.yaml", &DEEP.replace("shop-deep", "shop-deeper"));
    template(&project, "parent", &PARENT.replace("DisplayName: one", "DisplayName: two"));
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("Child.Deep.Table") && plan.stdout.contains("1 to replace"), "{}", plan.stdout);
    assert!(plan.stdout.contains("[stateful-replacement]"), "{}", plan.stdout);
    assert!(!plan.stdout.contains("Child.Queue"), "{}", plan.stdout);

    // An edit of the parent alone leaves the nested stacks alone.
    template(&project, "parent", &PARENT.replace("DisplayName: one", "DisplayName: three"));
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("1 to change") && !plan.stdout.contains("Child.Deep"), "{}", plan.stdout);

    // A plan that was made before the template changed is not carried out.
    put("deep.yaml", DEEP);
    let saved = infra(&project, &["plan", "-o", "plan.json"]);
    assert_eq!(saved.code, Some(0), "{}", saved.whole());
    put("deep.yaml", &DEEP.replace("shop-deep", "shop-deepest"));
    put("child.yaml", &CHILD.replace("jobs-a", "jobs-c"));
    let refused = project.infra(&["apply", "plan.json", "--yes"]).run();
    assert_ne!(refused.code, Some(0), "{}", refused.whole());
    assert!(
        refused.whole().contains("Child.Queue") && refused.whole().contains("does not fit together"),
        "{}",
        refused.whole()
    );
    applies(&project);
}

const GIVER: &str = r#"Parameters:
  Token: {Type: String, NoEcho: true, Default: s3cr3t-token-1}
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: https://s3.amazonaws.com/shop-templates/taker.yaml
      Parameters: {Label: Grüße, Held: "{{resolve:ssm:/shop/held}}", Token: !Ref Token}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: one}
"#;

const TAKER: &str = r#"Parameters:
  Label: {Type: String}
  Held: {Type: String}
  Token: {Type: String}
Resources:
  Labelled:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Ref Label}
  Holding:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Ref Held}
  Secret:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Ref Token}
"#;

#[test]
fn what_a_nested_stack_is_given_is_known_and_secrets_of_it_are_not_shown() {
    let project = project(&[("giver", GIVER)]);
    let put_held = |text: &str| {
        let hand = Hand::of(&project);
        hand.put("shop-templates", "taker.yaml", TAKER);
        hand.put_parameter("/shop/held", text);
    };
    put_held("h3ld-value-ä");
    applies(&project);

    // What a dynamic reference names moves alone: CloudFormation does not look again.
    put_held("h3ld-value-ö");
    is_at_rest(&project);
    template(&project, "giver", &GIVER.replace("DisplayName: one", "DisplayName: two"));
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("> Child.Holding  AWS::SNS::Topic  may change"), "{}", plan.stdout);
    assert!(!plan.whole().contains("h3ld-value"), "{}", plan.whole());
    assert!(!plan.stdout.contains("Child.Labelled"), "{}", plan.stdout);

    put_held("h3ld-value-2");
    template(&project, "giver", &GIVER.replace("DisplayName: one", "DisplayName: two again"));
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("~ Child.Holding  AWS::SNS::Topic\n"), "{}", plan.stdout);
    assert!(!plan.whole().contains("h3ld-value"), "{}", plan.whole());

    // Beside another edit, with which CloudFormation gets the new secret.
    let edited = GIVER.replace("DisplayName: one", "DisplayName: three").replace("token-1", "token-2");
    template(&project, "giver", &edited);
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("Child.Secret"), "{}", plan.stdout);
    assert!(!plan.stdout.contains("Child.Holding") && !plan.stdout.contains("Child.Labelled"), "{}", plan.stdout);
    assert!(!plan.whole().contains("s3cr3t"), "{}", plan.whole());

    template(&project, "giver", &edited.replace("Grüße", "Größe"));
    let (plan, _) = applies(&project);
    assert!(plan.stdout.contains("Child.Labelled") && plan.stdout.contains("\"Grüße\" → \"Größe\""), "{}", plan.stdout);
}

#[test]
fn roles_may_look_up_what_stacks_read() {
    let project = Project::offline();
    let stack = |inputs: &str| {
        let stack = format!("  roles: {{template: github-oidc, inputs: {{repository: owner/name{inputs}}}}}\n");
        environment(&project, &stack);
        let rendered = infra(&project, &["render"]);
        assert_eq!(rendered.code, Some(0), "{}", rendered.whole());
        rendered.stdout
    };
    assert!(!stack("").contains("ssm:GetParameters"));
    let rendered = stack(", ssm_parameters: [/shop/*]");
    assert_eq!(rendered.matches("arn:${AWS::Partition}:ssm:*:*:parameter/shop/*").count(), 2, "{rendered}");
}

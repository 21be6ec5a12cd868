//! What looking for drift says.

use super::*;

#[tokio::test(start_paused = true)]
async fn differences_are_told_leaf_by_leaf() {
    let cloud = Cloud::new().await;
    let template = "
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Code: {ZipFile: x}
      Handler: index.handler
      Runtime: nodejs22.x
      Role: arn:aws:iam::444455556666:role/function
      Environment: {Variables: {ENDPOINT_URL: before, OTHER: same, ALSO: before}}
";
    assert_eq!(cloud.deploy("CreateStack", "s", template).await, "CREATE_COMPLETE", "{:#?}", cloud.events("s"));
    let resource = cloud.stack("s").resources["Function"].clone();
    {
        let mut live = cloud.aws.world.resources.lock();
        let live = live.get_mut(&cloud.place, "AWS::Lambda::Function", &resource.physical_id).expect("a function");
        let variables = json!({"Variables": {"ENDPOINT_URL": "after", "OTHER": "same", "ALSO": "after"}});
        live.properties.insert("Environment".to_owned(), variables);
    }
    let which = json!({"StackName": "s", "LogicalResourceId": "Function"});
    let found = cloud.ok("DetectStackResourceDrift", which).await["StackResourceDrift"].take();
    let expected = [
        "ActualProperties",
        "ExpectedProperties",
        "LogicalResourceId",
        "PhysicalResourceId",
        "PropertyDifferences",
        "ResourceType",
        "StackId",
        "StackResourceDriftStatus",
        "Timestamp",
    ];
    assert_eq!(members(&found), expected);
    assert_eq!(found["StackResourceDriftStatus"], "MODIFIED");
    let difference = |name: &str| {
        json!({"PropertyPath": format!("/Environment/Variables/{name}"), "ExpectedValue": "before",
            "ActualValue": "after", "DifferenceType": "NOT_EQUAL"})
    };
    assert_eq!(found["PropertyDifferences"], json!([difference("ALSO"), difference("ENDPOINT_URL")]));
    for side in ["ExpectedProperties", "ActualProperties"] {
        let properties: Json = serde_json::from_str(found[side].as_str().expect("JSON in a string")).expect("JSON");
        // Only what the template gives, and no code, which cannot be read back.
        assert_eq!(members(&properties), ["Environment", "Handler", "Role", "Runtime"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_changes_past_the_stack_is_told_by_path() {
    let cloud = Cloud::new().await;
    let template = "
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Description: before
      Code: {ZipFile: x}
      Handler: index.handler
      Runtime: python3.13
      Role: arn:aws:iam::444455556666:role/function
      Environment: {Variables: {ENDPOINT_URL: before}}
";
    assert_eq!(cloud.deploy("CreateStack", "s", template).await, "CREATE_COMPLETE", "{:#?}", cloud.events("s"));
    let id = cloud.stack("s").resources["Function"].physical_id.clone();
    let patch = json!([
        {"op": "add", "path": "/Runtime", "value": "python3.12"},
        {"op": "add", "path": "/Description", "value": "after"},
        {"op": "add", "path": "/Environment", "value": {"Variables": {"ENDPOINT_URL": "after"}}},
    ]);
    let input = json!({"TypeName": "AWS::Lambda::Function", "Identifier": id, "PatchDocument": patch.to_string()});
    let request = http::Request::post("/").header("x-amz-target", "CloudApiService.UpdateResource");
    let request = request.body(bytes::Bytes::from(input.to_string())).expect("a request");
    let response = crate::cloudcontrol::answer(&cloud.aws.world, &cloud.place, &request).await;
    assert!(response.status().is_success(), "{response:?}");
    let begun: Json = serde_json::from_slice(response.body()).expect("JSON");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let token = json!({"RequestToken": begun["ProgressEvent"]["RequestToken"]});
    let request = http::Request::post("/").header("x-amz-target", "CloudApiService.GetResourceRequestStatus");
    let request = request.body(bytes::Bytes::from(token.to_string())).expect("a request");
    let response = crate::cloudcontrol::answer(&cloud.aws.world, &cloud.place, &request).await;
    let ended: Json = serde_json::from_slice(response.body()).expect("JSON");
    assert_eq!(ended["ProgressEvent"]["OperationStatus"], "SUCCESS", "{ended:#}");
    let which = json!({"StackName": "s", "LogicalResourceId": "Function"});
    let found = cloud.ok("DetectStackResourceDrift", which).await["StackResourceDrift"].take();
    let paths: Vec<&str> = found["PropertyDifferences"]
        .as_array()
        .expect("differences")
        .iter()
        .filter_map(|difference| difference["PropertyPath"].as_str())
        .collect();
    assert_eq!(paths, ["/Description", "/Environment/Variables/ENDPOINT_URL", "/Runtime"], "sorted");
}

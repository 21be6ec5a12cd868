//! What somebody does by hand to the embedded AWS in a project's folder, while no command runs.

use super::project::Project;
use local_aws::{LocalAws, Options};
use serde_json::Value as Json;

const ACCOUNT: &str = "000000000000";
const REGION: &str = "us-east-1";

/// The account `000000000000` in `us-east-1`.
pub struct Hand {
    world: LocalAws,
    runtime: tokio::runtime::Runtime,
}

impl Hand {
    pub fn of(project: &Project) -> Hand {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let directory = Some(project.path().join(".infra/local"));
        let options = Options { directory, ..Options::default() };
        Hand { world: runtime.block_on(LocalAws::open(options)).expect("the world"), runtime }
    }

    /// Calls an operation (`<prefix>.<name>`) of a service that speaks JSON.
    pub fn ask(&self, service: &str, operation: &str, input: &Json) -> Json {
        let request = http::Request::post(format!("https://{service}.{REGION}.amazonaws.com/"))
            .header("x-amz-target", operation)
            .header("content-type", "application/x-amz-json-1.1")
            .header("authorization", authorization(service))
            .body(input.to_string().into())
            .expect("a request");
        serde_json::from_str(&self.send(request)).expect("JSON")
    }

    /// Calls an action of a service that takes forms; the XML of the answer.
    pub fn form(&self, service: &str, form: &[(&str, &str)]) -> String {
        let encode =
            |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let pairs: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let request = http::Request::post(format!("https://{service}.{REGION}.amazonaws.com/"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", authorization(service))
            .body(pairs.join("&").into())
            .expect("a request");
        self.send(request)
    }

    /// Puts an object into a bucket, which is made for it.
    pub fn put(&self, bucket: &str, key: &str, text: &str) {
        for (path, body) in [(bucket.to_owned(), ""), (format!("{bucket}/{key}"), text)] {
            let request = http::Request::put(format!("https://s3.{REGION}.amazonaws.com/{path}"))
                .header("authorization", authorization("s3"))
                .body(body.to_owned().into())
                .expect("a request");
            self.send(request);
        }
    }

    /// Waits until nothing is being done to a stack.
    pub fn rest(&self, stack: &str) {
        for _ in 0..10_000 {
            let told = self.form("cloudformation", &[("Action", "DescribeStacks"), ("StackName", stack)]);
            if !told.contains("_IN_PROGRESS</StackStatus>") {
                return;
            }
            self.runtime.block_on(async { tokio::time::sleep(std::time::Duration::from_millis(5)).await });
        }
        panic!("{stack} does not come to rest");
    }

    /// Sets an SSM parameter.
    pub fn put_parameter(&self, name: &str, value: &str) {
        let input = serde_json::json!({"Name": name, "Value": value, "Type": "String", "Overwrite": true});
        self.ask("ssm", "AmazonSSM.PutParameter", &input);
    }

    fn send(&self, request: local_aws::Request) -> String {
        let answer = self.runtime.block_on(self.world.exchange(request)).expect("an answer");
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(answer.status().is_success(), "{text}");
        text
    }
}

fn authorization(service: &str) -> String {
    let scope = format!("{ACCOUNT}/20260101/{REGION}/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
}

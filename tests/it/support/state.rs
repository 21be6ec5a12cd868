//! A bucket for states and a table for locks on the emulator, made by somebody else's client.

use super::ministack::Account;
use super::venv;
use infra::model::StateLocation;

/// As `infra bootstrap` leaves them, as far as states and locks depend on it.
pub async fn make_bucket_and_table(account: &Account) -> StateLocation {
    const MAKE: &str = "
bucket = f'infra-state-{account}-us-east-1'
client('s3').create_bucket(Bucket=bucket)
client('s3').put_bucket_versioning(Bucket=bucket, VersioningConfiguration={'Status': 'Enabled'})
client('dynamodb').create_table(
    TableName='infra-locks', BillingMode='PAY_PER_REQUEST',
    AttributeDefinitions=[{'AttributeName': 'LockID', 'AttributeType': 'S'}],
    KeySchema=[{'AttributeName': 'LockID', 'KeyType': 'HASH'}])
";
    boto(account, MAKE).await;
    StateLocation {
        bucket: format!("infra-state-{}-us-east-1", account.id),
        table: "infra-locks".to_owned(),
        region: "us-east-1".to_owned(),
    }
}

/// Runs Python against the account; `client(name)` gives boto3's clients.
pub async fn boto(account: &Account, script: &str) {
    const HEAD: &str = "
import boto3, json, sys, time
endpoint, account = sys.argv[1:]
def client(name):
    return boto3.client(name, endpoint_url=endpoint, region_name='us-east-1',
                        aws_access_key_id=account, aws_secret_access_key='test')
";
    let mut python = tokio::process::Command::new(venv::program("python"));
    let output = python.args(["-c", &format!("{HEAD}{script}"), &account.endpoint, &account.id]).output().await;
    let output = output.expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

//! What is remembered between runs, and who may change it: `state.json` with its history in S3, the lock in DynamoDB.

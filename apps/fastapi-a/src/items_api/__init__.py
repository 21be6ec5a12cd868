"""Items of a shop: an HTTP API over one DynamoDB table."""

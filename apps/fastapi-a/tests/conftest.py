"""A table in moto's in-process DynamoDB, and the service on it as clients see it."""

import warnings
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from items_api.main import create_app
from items_api.settings import Settings
from moto import mock_aws

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

TABLE = "items-test"
KEY = "a-signing-key-for-tests"


@pytest.fixture(autouse=True)
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    for name in ("AWS_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    """A DynamoDB client whose account holds the table as the `dynamodb-table` template makes it."""
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


@pytest.fixture
def settings() -> Settings:
    return Settings(table_name=TABLE, api_signing_key=KEY)


@pytest.fixture
def api(dynamodb: Any, settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings)) as client:
        yield client


@pytest.fixture
def broom() -> dict[str, Any]:
    return {"name": "Broom", "category": "tools", "price_cents": 1250, "quantity": 7, "reorder_level": 2}

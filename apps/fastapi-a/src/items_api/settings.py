"""Configuration, read from environment variables once at start; a wrong value stops the process with its name."""

from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings


def _normal_path(path: str) -> str:
    stripped = path.strip("/")
    return f"/{stripped}" if stripped else ""


class Settings(BaseSettings):
    """Each field is the environment variable of the same name in capitals."""

    table_name: str = Field(min_length=3, description="DynamoDB table with keys pk and sk")
    api_signing_key: SecretStr = Field(min_length=16, description="signs page cursors; a secret")
    base_path: Annotated[str, AfterValidator(_normal_path)] = Field(
        default="/a", pattern=r"^[A-Za-z0-9/_-]*$", description="path below which the load balancer sends requests here"
    )
    aws_region: str | None = Field(
        default=None,
        validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"),
        description="set by ECS; left out, the SDK's own configuration decides",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    port: int = Field(default=8000, ge=1, le=65535)

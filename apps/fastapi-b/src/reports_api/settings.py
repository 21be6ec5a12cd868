"""Configuration, read from environment variables once at start; a wrong value stops the process with its name."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, HttpUrl
from pydantic_settings import BaseSettings


def _normal_path(path: str) -> str:
    stripped = path.strip("/")
    return f"/{stripped}" if stripped else ""


class Settings(BaseSettings):
    """Each field is the environment variable of the same name in capitals."""

    items_url: HttpUrl = Field(description="where the items service is, with its base path: http://balancer/a")
    base_path: Annotated[str, AfterValidator(_normal_path)] = Field(
        default="/b", pattern=r"^[A-Za-z0-9/_-]*$", description="path below which the load balancer sends requests here"
    )
    deadline_seconds: float = Field(default=10, gt=0, le=60, description="for reading all items, retries included")
    cache_seconds: float = Field(default=15, ge=0, le=3600, description="how long a reading answers every report")
    stale_seconds: float = Field(
        default=300, ge=0, le=86400, description="how old a reading may be that stands in while the items service fails"
    )
    max_items: int = Field(default=20_000, ge=1, description="beyond these a report says that it is not complete")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    port: int = Field(default=8000, ge=1, le=65535)

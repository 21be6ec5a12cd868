"""What an item is: as clients send it, as they get it back, and what each field may hold."""

from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Category = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
# Whole minor units (cents): sums of them are exact, in every language that reads the JSON.
PriceCents = Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)]
Quantity = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]


def _future_second(moment: datetime | None) -> datetime | None:
    """The moment in UTC and whole seconds, which is what the table's TTL attribute holds."""
    if moment is None:
        return None
    if moment <= datetime.now(UTC):
        raise ValueError("must be in the future")
    return moment.astimezone(UTC).replace(microsecond=0)


class ItemInput(BaseModel):
    """A whole item as a client writes it (POST, PUT)."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    category: Category
    description: Description = ""
    price_cents: PriceCents
    quantity: Quantity
    reorder_level: Quantity = Field(default=0, description="at or below this quantity the item is low in stock")
    expires_at: AwareDatetime | None = Field(default=None, description="from then on the item is gone")

    check_expiry = field_validator("expires_at")(_future_second)


class ItemPatch(BaseModel):
    """Some fields of an item (PATCH): those left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    category: Category | None = None
    description: Description | None = None
    price_cents: PriceCents | None = None
    quantity: Quantity | None = None
    reorder_level: Quantity | None = None
    expires_at: AwareDatetime | None = Field(default=None, description="null: the item no longer expires")

    check_expiry = field_validator("expires_at")(_future_second)

    @model_validator(mode="after")
    def only_expiry_may_be_null(self) -> Self:
        """An explicit null would otherwise read like a field that was left out."""
        for field in self.model_fields_set - {"expires_at"}:
            if getattr(self, field) is None:
                raise ValueError(f"{field} cannot be null")
        return self


class Item(BaseModel):
    """An item as stored and as returned. Every write raises `version` by one; the ETag is that number."""

    id: UUID
    version: int
    name: str
    category: str
    description: str
    price_cents: int
    quantity: int
    reorder_level: int
    expires_at: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def etag(self) -> str:
        """Strong entity tag of this version."""
        return f'"{self.version}"'


class ItemPage(BaseModel):
    """One page of a listing, newest first."""

    items: list[Item]
    next_cursor: str | None = Field(
        description="passed as `cursor` it fetches the next page; null on the last. A page may hold fewer items than "
        "asked for, even none, and still have a next one."
    )

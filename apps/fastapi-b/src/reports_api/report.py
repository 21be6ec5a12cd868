"""What is reported, as pure functions of the items. Money is in whole minor units, so that sums are exact."""

from collections.abc import Iterable
from uuid import UUID

from pydantic import BaseModel


class Item(BaseModel):
    """The fields of an item that reports need; whatever else the items service sends is ignored."""

    id: UUID
    name: str
    category: str
    price_cents: int
    quantity: int
    reorder_level: int

    @property
    def shortfall(self) -> int | None:
        """How many are missing to be above the reorder level; None where stock is not low."""
        missing = self.reorder_level + 1 - self.quantity
        return missing if missing > 0 else None


class Totals(BaseModel):
    """Sums over some items."""

    items: int = 0
    units: int = 0
    value_cents: int = 0
    low_stock: int = 0

    def add(self, item: Item) -> None:
        """Count one more item."""
        self.items += 1
        self.units += item.quantity
        self.value_cents += item.quantity * item.price_cents
        self.low_stock += item.shortfall is not None


class CategoryTotals(Totals):
    """Sums over one category."""

    category: str


class LowStock(BaseModel):
    """An item to order again."""

    id: UUID
    name: str
    category: str
    quantity: int
    reorder_level: int
    shortfall: int


def summarise(items: Iterable[Item]) -> tuple[Totals, list[CategoryTotals]]:
    """Totals of everything, and of each category in order of value."""
    everything = Totals()
    categories: dict[str, CategoryTotals] = {}
    for item in items:
        everything.add(item)
        categories.setdefault(item.category, CategoryTotals(category=item.category)).add(item)
    return everything, sorted(categories.values(), key=lambda each: (-each.value_cents, each.category))


def low_stock(items: Iterable[Item], category: str | None = None) -> list[LowStock]:
    """Items at or below their reorder level: sold out first, then those that miss most."""
    low = [
        LowStock(**item.model_dump(exclude={"price_cents"}), shortfall=item.shortfall)
        for item in items
        if item.shortfall is not None and category in (None, item.category)
    ]
    return sorted(low, key=lambda each: (each.quantity > 0, -each.shortfall, each.name, str(each.id)))

"""The arithmetic of reports."""

import random

from conftest import item
from reports_api.report import CategoryTotals, Item, Totals, low_stock, summarise


def items(*raw):
    return [Item.model_validate(each) for each in raw]


def test_totals_by_category_in_order_of_value():
    totals, categories = summarise(
        items(
            item(1, category="tools", price_cents=250, quantity=4),
            item(2, category="paint", price_cents=1999, quantity=3, reorder_level=3),
            item(3, category="tools", price_cents=1, quantity=0),
        )
    )
    assert totals == Totals(items=3, units=7, value_cents=6997, low_stock=2)
    assert categories == [
        CategoryTotals(category="paint", items=1, units=3, value_cents=5997, low_stock=1),
        CategoryTotals(category="tools", items=2, units=4, value_cents=1000, low_stock=1),
    ]


def test_categories_add_up_to_the_totals():
    chance = random.Random(7)
    many = items(
        *(
            item(n, category=chance.choice("abcde"), price_cents=chance.randrange(10**9), quantity=chance.randrange(99))
            for n in range(500)
        )
    )
    totals, categories = summarise(many)
    for field in Totals.model_fields:
        assert getattr(totals, field) == sum(getattr(each, field) for each in categories)
    assert totals.low_stock == len(low_stock(many))


def test_nothing_adds_up_to_nothing():
    assert summarise([]) == (Totals(), [])
    assert low_stock([]) == []


def test_low_stock_lists_the_most_urgent_first():
    low = low_stock(
        items(
            item(1, quantity=3, reorder_level=2),
            item(2, quantity=2, reorder_level=2),
            item(3, quantity=5, reorder_level=20),
            item(4, quantity=0, reorder_level=0),
            item(5, quantity=0, reorder_level=9, category="paint"),
        )
    )
    assert [(each.name, each.shortfall) for each in low] == [
        ("item 5", 10),
        ("item 4", 1),
        ("item 3", 16),
        ("item 2", 1),
    ]
    assert [each.name for each in low_stock(items(item(5, quantity=0)), "paint")] == []

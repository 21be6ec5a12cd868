import assert from "node:assert/strict";
import { test } from "node:test";
import * as model from "../public/js/model.js";

const texts = (change = {}) => ({
  name: "Broom",
  category: "tools",
  description: "",
  price: "12.50",
  quantity: "7",
  reorder_level: "2",
  ...change,
});

test("prices are read exactly", () => {
  for (const [text, cents] of [
    ["12.50", 1250],
    [" 12,5 ", 1250],
    ["12", 1200],
    ["0.07", 7],
    ["1.10", 110],
    ["19.99", 1999],
    ["10000000", 1_000_000_000],
    ["10000000.01", null],
    ["-1", null],
    ["1.234", null],
    ["1,234.50", null],
    ["1e3", null],
    ["", null],
    ["twelve", null],
  ]) {
    assert.equal(model.parsePrice(text), cents, text);
  }
});

test("a price survives the way into the form and back", () => {
  for (const cents of [0, 7, 70, 99, 100, 1250, 999_999_999, 1_000_000_000]) {
    assert.equal(model.parsePrice(model.priceText(cents)), cents);
  }
});

test("prices are shown in the shop's currency", () => {
  assert.equal(model.formatPrice(123_456, "USD", "en-US"), "$1,234.56");
});

test("a right form makes an item", () => {
  assert.deepEqual(model.readForm(texts({ name: "  Broom " })), {
    item: { name: "Broom", category: "tools", description: "", price_cents: 1250, quantity: 7, reorder_level: 2 },
    errors: {},
  });
});

test("each wrong field has its message, all at once", () => {
  const wrong = { name: " ", category: "Garden Tools", description: "x".repeat(2001), price: "x", quantity: "1.5", reorder_level: "-1" };
  assert.deepEqual(Object.keys(model.readForm(texts(wrong)).errors).sort(), Object.keys(wrong).sort());
});

test("limits are those of the service", () => {
  assert.deepEqual(model.readForm(texts({ name: "x".repeat(120), category: `a${"-".repeat(39)}`, quantity: "1000000" })).errors, {});
  for (const change of [{ name: "x".repeat(121) }, { category: "a".repeat(41) }, { category: "-a" }, { quantity: "1000001" }]) {
    assert.deepEqual(Object.keys(model.readForm(texts(change)).errors), Object.keys(change));
  }
  // Characters count, not the halves of which a letter outside the basic plane is made.
  assert.deepEqual(model.readForm(texts({ name: "🧹".repeat(120) })).errors, {});
});

test("only what has changed is sent", () => {
  const original = { id: "1", version: 3, ...model.readForm(texts()).item };
  assert.deepEqual(model.changes(original, model.readForm(texts()).item), {});
  assert.deepEqual(model.changes(original, model.readForm(texts({ quantity: "0", name: "Mop" })).item), { quantity: 0, name: "Mop" });
});

test("the etag is the quoted version", () => {
  assert.equal(model.etag({ version: 3 }), '"3"');
});

test("stock is out, low or fine", () => {
  const states = [[0, 0], [2, 2], [1, 2], [3, 2]].map(([quantity, reorder_level]) => model.stockState({ quantity, reorder_level }));
  assert.deepEqual(states, ["out", "low", "low", null]);
});

test("bars are relative to the largest, and never invisible", () => {
  assert.deepEqual(model.barWidths([200, 100, 0]), [100, 50, 0.5]);
  assert.deepEqual(model.barWidths([0, 0]), [0, 0]);
  assert.deepEqual(model.barWidths([]), []);
});

test("messages of the service go to their fields", () => {
  const problem = {
    errors: [
      { field: "body.price_cents", message: "too much" },
      { field: "body.name", message: "too long" },
      { field: "header.Idempotency-Key", message: "too short" },
    ],
  };
  assert.deepEqual(model.fieldErrors(problem, ["name", "price"]), {
    fields: { price: "too much", name: "too long" },
    others: "header.Idempotency-Key: too short",
  });
  assert.deepEqual(model.fieldErrors(null, ["name"]), { fields: {}, others: "" });
});

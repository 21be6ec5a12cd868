// What the page knows about items, apart from where it shows them: no DOM, no network.

export const LIMITS = { price_cents: 1_000_000_000, quantity: 1_000_000, name: 120, description: 2000 };

/** Cents of a price as people write it ("12.50", "12,5", "12"), or null. Never through floating point. */
export function parsePrice(text) {
  const match = /^(\d{1,8})(?:[.,](\d{1,2}))?$/.exec(text.trim());
  if (!match) return null;
  const cents = Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
  return cents <= LIMITS.price_cents ? cents : null;
}

/** A price as it stands in the form's field: "12.50". */
export function priceText(cents) {
  return `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
}

/** A price for reading, in the shop's currency and the reader's language. */
export function formatPrice(cents, currency, locale) {
  return new Intl.NumberFormat(locale, { style: "currency", currency }).format(cents / 100);
}

function parseCount(text) {
  const trimmed = text.trim();
  if (!/^\d{1,7}$/.test(trimmed)) return null;
  const count = Number(trimmed);
  return count <= LIMITS.quantity ? count : null;
}

/** The item that a form's texts make, and what is wrong with which field. */
export function readForm(texts) {
  const errors = {};
  const item = {
    name: texts.name.trim(),
    category: texts.category.trim(),
    description: texts.description.trim(),
    price_cents: parsePrice(texts.price),
    quantity: parseCount(texts.quantity),
    reorder_level: parseCount(texts.reorder_level),
  };
  if (item.name === "") errors.name = "Give the item a name.";
  else if ([...item.name].length > LIMITS.name) errors.name = `At most ${LIMITS.name} characters.`;
  if (item.category === "") errors.category = "Give the item a category.";
  else if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(item.category)) errors.category = "At most 40 of these, the first not a dash.";
  if ([...item.description].length > LIMITS.description) errors.description = `At most ${LIMITS.description} characters.`;
  if (item.price_cents === null) errors.price = "An amount such as 12.50.";
  if (item.quantity === null) errors.quantity = "A whole number up to 1,000,000.";
  if (item.reorder_level === null) errors.reorder_level = "A whole number up to 1,000,000.";
  return { item, errors };
}

/** The fields of `item` that differ from `original`: what a PATCH has to say. */
export function changes(original, item) {
  return Object.fromEntries(Object.entries(item).filter(([field, value]) => original[field] !== value));
}

/** The ETag of an item. Made from its version, because a cache on the way may weaken the header's. */
export function etag(item) {
  return `"${item.version}"`;
}

/** "out" when nothing is left, "low" at or below the reorder level, else null. */
export function stockState(item) {
  if (item.quantity === 0) return "out";
  return item.quantity <= item.reorder_level ? "low" : null;
}

/** Widths in percent of a bar for each value, the largest 100. */
export function barWidths(values) {
  const largest = Math.max(0, ...values);
  return values.map((value) => (largest === 0 ? 0 : Math.max((value / largest) * 100, 0.5)));
}

const FORM_FIELDS = { price_cents: "price" };

/** Messages of a problem for the form's fields, and the rest of them as one text. */
export function fieldErrors(problem, known) {
  const fields = {};
  const others = [];
  for (const { field, message } of problem?.errors ?? []) {
    const name = field.replace(/^body\./, "");
    const target = FORM_FIELDS[name] ?? name;
    if (known.includes(target)) fields[target] = message;
    else others.push(`${name}: ${message}`);
  }
  return { fields, others: others.join("; ") };
}

// The page: shows what the services say, and sends what the reader enters.

import { Api, ApiError } from "./api.js";
import * as model from "./model.js";

const api = new Api();
const $ = (id) => document.getElementById(id);
const currency = document.documentElement.dataset.currency;
const price = (cents) => model.formatPrice(cents, currency);
const count = new Intl.NumberFormat();
const LOW_STOCK_SHOWN = 8;
// The reports rest on a reading of up to 15 seconds ago; a change shows in them after that.
const REPORT_DELAY_MS = 16_000;
const FIELDS = ["name", "category", "description", "price", "quantity", "reorder_level"];

const state = { items: [], cursor: null, category: "", listing: 0, edited: null, reportTimer: null, toastTimer: null };

function element(tag, { text, className, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function button(text, className, action, label) {
  const made = element("button", { text, className, type: "button" });
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", action);
  return made;
}

/** Says in `place` what went wrong, with a way to try again. */
function showError(place, error, retry) {
  const words = element("div", {}, error instanceof ApiError ? error.message : "Something went wrong on this page.");
  if (error.requestId) words.append(element("small", { text: `Request ${error.requestId}` }));
  const notice = element("div", { className: "notice notice-error" }, words);
  if (retry) notice.append(button("Try again", "quiet", retry));
  place.replaceChildren(notice);
  if (!(error instanceof ApiError)) console.error(error);
}

function toast(text) {
  $("toast").textContent = text;
  clearTimeout(state.toastTimer);
  state.toastTimer = setTimeout(() => ($("toast").textContent = ""), 5000);
}

// ── Overview ──────────────────────────────────────────────────────────────────────────────────────────────────────

async function loadReport() {
  $("report").setAttribute("aria-busy", "true");
  try {
    const [summary, low] = await Promise.all([api.summary(), api.lowStock(LOW_STOCK_SHOWN)]);
    showReport(summary, low);
  } catch (error) {
    showError($("report-notice"), error, loadReport);
  } finally {
    $("report").setAttribute("aria-busy", "false");
  }
}

function showReport(summary, low) {
  for (const cell of $("totals").querySelectorAll("[data-total]")) {
    const value = summary.totals[cell.dataset.total];
    cell.textContent = cell.dataset.total === "value_cents" ? price(value) : count.format(value);
  }
  const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" }).format(new Date(summary.as_of));
  $("report-as-of").textContent = `as of ${time}`;

  const notes = [];
  if (summary.stale) notes.push(`The items cannot be read at the moment; these figures are from ${time}.`);
  if (!summary.complete) notes.push(`There are more items; these figures cover the newest ${count.format(summary.totals.items)}.`);
  $("report-notice").replaceChildren(...notes.map((text) => element("p", { text, className: "notice" })));

  const widths = model.barWidths(summary.categories.map((each) => each.value_cents));
  $("categories").replaceChildren(
    ...summary.categories.map((each, index) => {
      const bar = element("span", { className: "bar" });
      bar.style.width = `${widths[index]}%`; // through the object model, which a strict policy allows
      return element("li", {}, bar, element("span", { text: each.category }), element("span", { text: price(each.value_cents) }));
    }),
  );
  if (summary.categories.length === 0) $("categories").append(element("li", { text: "Nothing yet.", className: "muted" }));
  showCategories(summary.categories.map((each) => each.category));

  $("low-stock").replaceChildren(
    ...low.items.map((each) => element("li", {}, element("span", { text: each.name }), stockBadge(each))),
  );
  const hidden = low.total - low.items.length;
  if (hidden > 0) $("low-stock").append(element("li", { text: `and ${count.format(hidden)} more`, className: "muted" }));
  if (low.total === 0) $("low-stock").append(element("li", { text: "Everything is well stocked.", className: "muted" }));
}

function stockBadge(item) {
  const out = model.stockState(item) === "out";
  return element("span", { text: out ? "sold out" : `${count.format(item.quantity)} left`, className: out ? "badge badge-out" : "badge" });
}

/** Offers the categories that there are, in the filter and in the form, and keeps what is chosen. */
function showCategories(names) {
  const sorted = [...new Set([...names, ...(state.category ? [state.category] : [])])].sort();
  const option = (name) => element("option", { value: name, text: name });
  $("category-filter").replaceChildren(element("option", { value: "", text: "All" }), ...sorted.map(option));
  $("category-filter").value = state.category;
  $("known-categories").replaceChildren(...sorted.map(option));
}

// ── Items ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Reads the first page, or the next one; a listing begun later makes answers to this one void. */
async function loadItems({ next = false } = {}) {
  const listing = ++state.listing;
  $("items").setAttribute("aria-busy", "true");
  $("more").disabled = true;
  try {
    let cursor = next ? state.cursor : null;
    const found = [];
    do {
      // A page may be empty and still have a next one; the reader is shown the first that holds something.
      const page = await api.listItems({ category: state.category, cursor });
      found.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor && found.length === 0 && listing === state.listing);
    if (listing !== state.listing) return;
    state.items = next ? [...state.items, ...found] : found;
    state.cursor = cursor;
    $("items-notice").replaceChildren();
    showItems();
  } catch (error) {
    if (listing !== state.listing) return;
    // A cursor that is no longer valid means to begin again.
    const again = () => loadItems({ next: next && error.status !== 400 });
    showError($("items-notice"), error, again);
  } finally {
    if (listing === state.listing) {
      $("items").setAttribute("aria-busy", "false");
      $("more").disabled = false;
    }
  }
}

function showItems() {
  const empty = state.items.length === 0;
  $("items-frame").hidden = empty;
  $("more").hidden = empty || !state.cursor;
  if (empty) $("items-notice").replaceChildren(emptyState());
  $("item-rows").replaceChildren(...state.items.map(itemRow));
}

function emptyState() {
  if (state.category) {
    return element("div", { className: "empty" }, element("p", { text: `No items in ${state.category}.` }), button("Show all", "", showAll));
  }
  const text = "No items yet. The first one you add appears here.";
  return element("div", { className: "empty" }, element("p", { text }), button("Add an item", "primary", () => openEditor(null)));
}

function itemRow(item) {
  const name = element("td", { text: item.name });
  if (item.description) name.append(element("span", { text: item.description, className: "muted" }));
  const quantity = element("td", { className: "number", "data-label": "Quantity" });
  if (model.stockState(item)) {
    const out = model.stockState(item) === "out";
    quantity.append(element("span", { text: out ? "sold out" : "low", className: out ? "badge badge-out" : "badge" }), " ");
  }
  quantity.append(count.format(item.quantity));
  return element(
    "tr",
    {},
    name,
    element("td", { text: item.category, className: "category" }),
    element("td", { text: price(item.price_cents), className: "number", "data-label": "Price" }),
    quantity,
    element("td", { text: count.format(item.reorder_level), className: "number", "data-label": "Reorder at" }),
    element(
      "td",
      { className: "actions" },
      button("Edit", "quiet", () => openEditor(item), `Edit ${item.name}`),
      button("Delete", "quiet danger", () => confirmDelete(item), `Delete ${item.name}`),
    ),
  );
}

function showAll() {
  state.category = "";
  $("category-filter").value = "";
  loadItems();
}

/** After a change: the row at once, the overview at once and again when the reports have caught up. */
function changed(text) {
  toast(text);
  showItems();
  loadReport();
  clearTimeout(state.reportTimer);
  state.reportTimer = setTimeout(loadReport, REPORT_DELAY_MS);
}

function replaceItem(item) {
  const shown = !state.category || state.category === item.category;
  state.items = state.items.flatMap((each) => (each.id === item.id ? (shown ? [item] : []) : [each]));
}

// ── Editor ────────────────────────────────────────────────────────────────────────────────────────────────────────

function fillEditor(item) {
  const texts = item
    ? { ...item, price: model.priceText(item.price_cents) }
    : { name: "", category: state.category, description: "", price: "", quantity: "0", reorder_level: "0" };
  for (const field of FIELDS) $(`field-${field}`).value = texts[field];
}

function openEditor(item) {
  state.edited = item;
  $("editor-title").textContent = item ? "Edit item" : "New item";
  $("editor-notice").replaceChildren();
  showFieldErrors({});
  fillEditor(item);
  $("editor").showModal();
  $("field-name").focus();
}

function showFieldErrors(errors) {
  for (const field of FIELDS) {
    const input = $(`field-${field}`);
    const message = $(`field-${field}-error`);
    message.textContent = errors[field] ?? "";
    input.setAttribute("aria-invalid", String(field in errors));
    if (field in errors) input.setAttribute("aria-errormessage", message.id);
    else input.removeAttribute("aria-errormessage");
  }
  const first = FIELDS.find((field) => field in errors);
  if (first) $(`field-${first}`).focus();
}

async function save(event) {
  event.preventDefault();
  const texts = Object.fromEntries(FIELDS.map((field) => [field, $(`field-${field}`).value]));
  const { item, errors } = model.readForm(texts);
  showFieldErrors(errors);
  $("editor-notice").replaceChildren();
  if (Object.keys(errors).length > 0) return;
  $("editor-save").disabled = true;
  try {
    if (state.edited) {
      const patch = model.changes(state.edited, item);
      if (Object.keys(patch).length > 0) {
        replaceItem(await api.changeItem(state.edited.id, model.etag(state.edited), patch));
        changed(`Saved ${item.name}.`);
      }
    } else {
      const created = await api.createItem(item);
      if (!state.category || state.category === created.category) state.items = [created, ...state.items];
      $("items-notice").replaceChildren();
      changed(`Added ${created.name}.`);
    }
    $("editor").close();
  } catch (error) {
    editorError(error);
  } finally {
    $("editor-save").disabled = false;
  }
}

function editorError(error) {
  if (error.status === 412) {
    const words = "Somebody has changed this item in the meantime. Load what they saved, then make your change again.";
    const notice = element("div", { className: "notice" }, element("div", { text: words }), button("Load", "quiet", reloadEdited));
    $("editor-notice").replaceChildren(notice);
    return;
  }
  showError($("editor-notice"), error);
  const { fields, others } = model.fieldErrors(error.problem, FIELDS);
  showFieldErrors(fields);
  if (others) $("editor-notice").firstChild.append(element("small", { text: others }));
}

async function reloadEdited() {
  try {
    state.edited = await api.getItem(state.edited.id);
    replaceItem(state.edited);
    showItems();
    $("editor-notice").replaceChildren();
    fillEditor(state.edited);
    $("field-name").focus();
  } catch (error) {
    showError($("editor-notice"), error, error.status === 404 ? undefined : reloadEdited);
  }
}

// ── Deleting ──────────────────────────────────────────────────────────────────────────────────────────────────────

async function confirmDelete(item) {
  $("confirm-text").textContent = `“${item.name}” will be gone for everybody.`;
  $("confirm").returnValue = "cancel";
  $("confirm").showModal();
  await new Promise((resolve) => $("confirm").addEventListener("close", resolve, { once: true }));
  if ($("confirm").returnValue !== "delete") return;
  try {
    await api.deleteItem(item.id, model.etag(item));
    gone(item);
  } catch (error) {
    if (error.status === 404) gone(item);
    else if (error.status === 412) {
      showError($("items-notice"), new ApiError(`“${item.name}” has changed since you saw it, so it was not deleted.`), () => loadItems());
    } else showError($("items-notice"), error, () => confirmDelete(item));
  }
}

function gone(item) {
  state.items = state.items.filter((each) => each.id !== item.id);
  $("items-notice").replaceChildren();
  changed(`Deleted ${item.name}.`);
  $("items-title").focus();
}

$("new-item").addEventListener("click", () => openEditor(null));
$("more").addEventListener("click", () => loadItems({ next: true }));
$("editor-form").addEventListener("submit", save);
$("editor-cancel").addEventListener("click", () => $("editor").close());
$("category-filter").addEventListener("change", (event) => {
  state.category = event.target.value;
  loadItems();
});

loadReport();
loadItems();

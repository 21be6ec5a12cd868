import assert from "node:assert/strict";
import { test } from "node:test";
import { Api, ApiError } from "../public/js/api.js";

const json = (status, body, type = "application/json") =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": type } });

/** An API whose requests are kept in `sent` and answered in turn. */
function apiWith(...answers) {
  const sent = [];
  let keys = 0;
  const fetch = async (path, init) => {
    sent.push({ path, ...init });
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { api: new Api({ fetch, newKey: () => `key-${++keys}` }), sent };
}

test("listings pass category and cursor", async () => {
  const { api, sent } = apiWith(json(200, { items: [], next_cursor: null }), json(200, { items: [], next_cursor: null }));
  await api.listItems();
  await api.listItems({ category: "tools", cursor: "a+b" });
  assert.deepEqual(sent.map(({ path }) => path), ["/a/items?limit=25", "/a/items?limit=25&category=tools&cursor=a%2Bb"]);
});

test("a change names the version that it changes", async () => {
  const { api, sent } = apiWith(json(200, { version: 4 }));
  assert.deepEqual(await api.changeItem("1/2", '"3"', { quantity: 1 }), { version: 4 });
  assert.equal(sent[0].path, "/a/items/1%2F2");
  assert.equal(sent[0].headers["If-Match"], '"3"');
  assert.equal(sent[0].headers["Content-Type"], "application/merge-patch+json");
  assert.equal(sent[0].body, '{"quantity":1}');
});

test("the same item sent again after a failure has the same key, another one a new key", async () => {
  const { api, sent } = apiWith(new TypeError("network"), json(201, {}), json(201, {}), json(503, {}), json(201, {}));
  await assert.rejects(api.createItem({ name: "a" }), ApiError);
  await api.createItem({ name: "a" });
  await api.createItem({ name: "a" });
  await assert.rejects(api.createItem({ name: "b" }), ApiError);
  await api.createItem({ name: "c" });
  assert.deepEqual(sent.map(({ headers }) => headers["Idempotency-Key"]), ["key-1", "key-1", "key-2", "key-3", "key-4"]);
});

test("a deletion has no content", async () => {
  const { api } = apiWith(new Response(null, { status: 204 }));
  assert.equal(await api.deleteItem("1", '"1"'), null);
});

test("problems come with status, details and request id", async () => {
  const problem = { status: 412, detail: "changed", current_version: 5, request_id: "abc" };
  const { api } = apiWith(json(412, problem, "application/problem+json"));
  const error = await api.deleteItem("1", '"1"').catch((raised) => raised);
  assert.ok(error instanceof ApiError);
  assert.equal(error.status, 412);
  assert.equal(error.requestId, "abc");
  assert.deepEqual(error.problem, problem);
  assert.match(error.message, /in the meantime/);
});

test("what is not JSON is never taken for an answer", async () => {
  const page = (status) => new Response("<html>", { status, headers: { "content-type": "text/html" } });
  const broken = new Response("{", { status: 200, headers: { "content-type": "application/json" } });
  const { api } = apiWith(page(200), page(403), page(502), broken);
  await assert.rejects(api.summary(), { name: "ApiError", status: 200 });
  await assert.rejects(api.summary(), { status: 403, message: "The service answered with an error (403).", requestId: null });
  await assert.rejects(api.summary(), { status: 502, message: "The service cannot be reached at the moment." });
  await assert.rejects(api.lowStock(8), { status: 200 });
});

test("no answer at all is told apart from a late one", async () => {
  const { api } = apiWith(new TypeError("failed"), new DOMException("late", "TimeoutError"));
  await assert.rejects(api.getItem("1"), { status: 0, message: /Are you online/ });
  await assert.rejects(api.getItem("1"), { status: 0, message: /in time/ });
});

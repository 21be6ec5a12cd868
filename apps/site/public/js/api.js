// The two services behind this origin: items at /a, reports at /b.

const TIMEOUT_MS = 12_000;

/** Why a request has failed, in words for the reader. `status` is 0 when there was no answer. */
export class ApiError extends Error {
  constructor(message, { status = 0, problem = null } = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.problem = problem;
  }

  get requestId() {
    return this.problem?.request_id ?? null;
  }
}

function describe(status, problem) {
  switch (status) {
    case 404:
      return "This item is no longer there.";
    case 412:
      return "Somebody has changed this item in the meantime.";
    case 422:
      return "Some of this is not right yet.";
    case 429:
      return "Too many requests; wait a moment.";
    case 502:
    case 503:
    case 504:
      return "The service cannot be reached at the moment.";
    default:
      return problem?.detail ?? `The service answered with an error (${status}).`;
  }
}

export class Api {
  /** `fetch` and `newKey` are given by tests; a page leaves them out. */
  constructor({ fetch = (...parameters) => globalThis.fetch(...parameters), newKey = () => crypto.randomUUID() } = {}) {
    this.fetch = fetch;
    this.newKey = newKey;
    this.lastCreate = { body: null, key: null };
  }

  listItems({ category = "", cursor = null } = {}) {
    const query = new URLSearchParams({ limit: "25" });
    if (category) query.set("category", category);
    if (cursor) query.set("cursor", cursor);
    return this.#send("GET", `/a/items?${query}`);
  }

  getItem(id) {
    return this.#send("GET", `/a/items/${encodeURIComponent(id)}`);
  }

  /** Creates an item. The same item sent again after a failure carries the same key, so it is created once at most. */
  async createItem(item) {
    const body = JSON.stringify(item);
    if (this.lastCreate.body !== body) this.lastCreate = { body, key: this.newKey() };
    const created = await this.#send("POST", "/a/items", { body, headers: { "Idempotency-Key": this.lastCreate.key } });
    this.lastCreate = { body: null, key: null };
    return created;
  }

  changeItem(id, etag, changes) {
    return this.#send("PATCH", `/a/items/${encodeURIComponent(id)}`, {
      body: JSON.stringify(changes),
      headers: { "If-Match": etag, "Content-Type": "application/merge-patch+json" },
    });
  }

  deleteItem(id, etag) {
    return this.#send("DELETE", `/a/items/${encodeURIComponent(id)}`, { headers: { "If-Match": etag } });
  }

  summary() {
    return this.#send("GET", "/b/summary");
  }

  lowStock(limit) {
    return this.#send("GET", `/b/low-stock?limit=${limit}`);
  }

  async #send(method, path, { body, headers = {} } = {}) {
    let response;
    try {
      response = await this.fetch(path, {
        method,
        body,
        headers: { Accept: "application/json", ...(body ? { "Content-Type": "application/json" } : {}), ...headers },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      const late = error?.name === "TimeoutError";
      throw new ApiError(late ? "The service did not answer in time." : "The service cannot be reached. Are you online?");
    }
    if (response.status === 204) return null;
    // A firewall or a cache on the way answers with pages of its own, so nothing is taken for JSON that does not say so.
    const isJson = /^application\/([a-z.]+\+)?json\b/.test(response.headers.get("content-type") ?? "");
    const content = isJson ? await response.json().catch(() => null) : null;
    if (!response.ok) throw new ApiError(describe(response.status, content), { status: response.status, problem: content });
    if (content === null) throw new ApiError("The service answered with something else than data.", { status: response.status });
    return content;
  }
}

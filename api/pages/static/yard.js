// Talking to the yard's API with the page's session cookie.

const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

/** A reply that was not a success: `status`, and `problem`, the body of the problem+json. */
export class Refused extends Error {
  constructor(status, problem, headers) {
    super(problem.detail ?? problem.title ?? `The yard answered ${status}.`);
    this.status = status;
    this.problem = problem;
    this.retryAfter = Number(headers?.get("Retry-After")) || 0;
  }
}

/** GET a JSON value; null when the tag says that it has not changed. */
export async function get(path, { tag } = {}) {
  const reply = await send(path, { headers: tag?.value ? { "If-None-Match": tag.value } : {} });
  if (reply.status === 304) return null;
  if (tag) tag.value = reply.headers.get("ETag");
  return reply.json();
}

/** POST text or nothing, and return the JSON value of the reply. */
export const post = (path, body, headers) => change("POST", path, body, headers);

/** Send text or nothing by any method, and return the JSON value of the reply; null where it has none. */
export async function change(method, path, body, headers = {}) {
  const type = body === undefined ? {} : { "Content-Type": "application/json" };
  const reply = await send(path, { method, body, headers: { ...type, ...headers } });
  return reply.status === 204 ? null : reply.json();
}

/** POST a form, such as one with files, and return the JSON value of the reply. */
export async function postForm(path, form) {
  const reply = await send(path, { method: "POST", body: form });
  return reply.json();
}

/** Any request, as `fetch` takes it; whatever changes something carries the session's token. */
export async function send(path, options) {
  const safe = !options.method || options.method === "GET";
  const headers = { ...(safe ? {} : { "X-CSRF-Token": token }), ...options.headers };
  let reply;
  try {
    reply = await fetch(path, { credentials: "same-origin", cache: "no-store", ...options, headers });
  } catch {
    throw new Refused(0, { detail: "The yard cannot be reached. Check the connection, then try again." });
  }
  if (reply.ok || reply.status === 304) return reply;
  const problem = await reply.json().catch(() => ({}));
  throw new Refused(reply.status, problem, reply.headers);
}

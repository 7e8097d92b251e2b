// Keeping a page current: fetch it again and swap the parts marked `data-live`, each by its id.
// What has not changed is left alone, so that focus, selection and scroll stay.

import { tellTimes } from "./words.js";

let tag = null;

/** Fetch this page again. Returns false when nothing had changed. */
export async function refresh() {
  const reply = await fetch(location.href, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
  if (reply.redirected) location.assign(reply.url); // the session has ended
  if (reply.status === 304 || !reply.ok) return false;
  tag = reply.headers.get("ETag");
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) swap(part, fresh.getElementById(part.id));
  return true;
}

/** Refresh every few seconds while the page can be seen. */
export function keepFresh(seconds) {
  const once = () => document.hidden || refresh().catch(() => {});
  setInterval(once, seconds * 1000);
  document.addEventListener("visibilitychange", once);
}

function swap(part, fresh) {
  if (!fresh || part.dataset.source === fresh.innerHTML) return;
  const held = part.contains(document.activeElement) ? document.activeElement.id : "";
  const source = fresh.innerHTML;
  part.replaceChildren(...document.adoptNode(fresh).childNodes);
  part.dataset.source = source;
  tellTimes(part);
  if (held) document.getElementById(held)?.focus();
}

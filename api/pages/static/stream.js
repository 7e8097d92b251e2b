// A job's live news: server-sent events while the yard has a stream to spare, polling otherwise.

import { get } from "./yard.js";

const POLL_MS = 2000;
const TRY_AGAIN_MS = 60_000;

/**
 * Follow a job until it has finished.
 * @param {string} api the job's address in the API
 * @param {Record<string, (data: object) => void>} hear what to call, by the name of the event; `job` gets the job's JSON
 * @param {() => Promise<void>} catchUp called after each poll that found news, to fetch what no event brought
 */
export function follow(api, hear, catchUp) {
  const tag = { value: null };
  let timer = 0;
  let retryAt = 0;

  const listen = () => {
    const source = new EventSource(`${api}/stream`);
    for (const [name, heard] of Object.entries(hear)) {
      source.addEventListener(name, (event) => heard(JSON.parse(event.data)));
    }
    source.addEventListener("end", () => { source.close(); poll(); });
    // A refused stream (429) closes at once; a broken one is opened again by the browser.
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return;
      retryAt = Date.now() + TRY_AGAIN_MS;
      poll();
    });
  };
  const poll = async () => {
    clearTimeout(timer);
    const job = await get(api, { tag }).catch(() => null);
    if (job) {
      hear.job(job);
      await catchUp().catch(() => {});
      if (job.finished_at && !["queued", "running"].includes(job.status)) return again(POLL_MS * 3);
    }
    if (Date.now() > retryAt && retryAt) { retryAt = 0; listen(); } else again(POLL_MS);
  };
  const again = (ms) => { timer = setTimeout(poll, ms); };
  listen();
}

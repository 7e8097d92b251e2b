// A job's live news: server-sent events while the yard has a stream to spare, polling otherwise.

import { get } from "./yard.js";

const POLL_MS = 2000;
const FINISHED_POLL_MS = 6000; // somebody may retry it elsewhere
const TRY_AGAIN_MS = 60_000;
const NEWS = ["submitted", "moved", "placed", "cancel_requested", "checkpoint", "attempt_ended", "edited"];

/**
 * Follow a job as long as the page is open.
 * @param {string} api the job's address in the API
 * @param {number} after the last job event that the page shows already
 * @param {{job(job: object): void, metrics(points: object[]): void, news(): void, polled(): void}} hear
 *   `news` tells that something happened; `polled`, that a poll found a change whose points and lines no stream brings
 */
export function follow(api, after, hear) {
  const tag = { value: null };
  let status = "";
  let streamFrom = 0; // no stream is asked for before this time

  const listen = () => {
    const source = new EventSource(`${api}/stream?after=${after}`);
    const on = (name, heard) => source.addEventListener(name, (event) => heard(JSON.parse(event.data)));
    on("job", (job) => { status = job.status; hear.job(job); });
    on("metrics", ({ items }) => hear.metrics(items));
    for (const name of NEWS) on(name, ({ id }) => { after = id; hear.news(); });
    source.addEventListener("end", () => { source.close(); wait(FINISHED_POLL_MS); });
    // A refused stream (429) closes at once; a broken one is opened again by the browser.
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return;
      streamFrom = Date.now() + TRY_AGAIN_MS;
      poll();
    });
  };
  const poll = async () => {
    const job = document.hidden ? null : await get(api, { tag }).catch(() => null);
    if (job) {
      status = job.status;
      hear.job(job);
      hear.polled();
    }
    const open = status === "queued" || status === "running";
    if (open && Date.now() >= streamFrom) listen();
    else wait(open || !status ? POLL_MS : FINISHED_POLL_MS);
  };
  const wait = (ms) => setTimeout(poll, ms);
  listen();
}

// One job's page: acts on the job, and keeps standing, curves, log and lists current.

import { showConfusion } from "./confusion.js";
import { makeCurves } from "./curves.js";
import { makeLog } from "./log.js";
import { makePredict } from "./predict.js";
import { refresh } from "./refresh.js";
import { follow } from "./stream.js";
import { duration } from "./words.js";
import { get, post } from "./yard.js";

const api = document.querySelector("main").dataset.api;
const byId = (id) => document.getElementById(id);
const curves = makeCurves(api, byId("charts"), byId("chart-card"), byId("no-charts"));
const fetchLog = makeLog(api, byId("log"), byId("follow"));
let seen = ""; // what of the job is drawn by the server; when it changes, the page is fetched again
let due = 0;
let confusion = false;
let asked = null; // the reason to wait for which it was asked what would start the job sooner

document.addEventListener("click", act);
if (byId("try")) makePredict(api, byId("try"));
fetchLog().catch(() => {});
loadConfusion();
follow(api, Number(document.querySelector("main").dataset.lastEvent), {
  job: showJob,
  metrics: curves.add,
  news: soon,
  polled: () => curves.load().catch(() => {}),
});

function showJob(job) {
  const drawn = JSON.stringify([job.status, job.reason, job.place_in_queue, job.attempts, job.live.stage, job.cancel_requested, job.name, job.note, job.tags, job.expected_start, job.promise, job.needs]);
  if (drawn !== seen) {
    if (seen) soon();
    seen = drawn;
  }
  if (job.status === "running") showProgress(job);
  showSooner(job);
  byId("try")?.toggleAttribute("hidden", job.status !== "succeeded");
  fetchLog().catch(() => {});
}

/** What would start a waiting job sooner: asked once for each reason to wait, as the answer is worked out anew. */
async function showSooner({ status, reason }) {
  const card = byId("sooner");
  const about = status === "queued" ? reason?.code ?? "" : null;
  if (about === asked) return;
  asked = about;
  const { items } = about ? await get(`${api}/sooner`).catch(() => ({ items: [] })) : { items: [] };
  card.hidden = !items.length;
  card.querySelector("ul").replaceChildren(...items.map(({ text, change }) => {
    const row = document.createElement("li");
    const code = document.createElement("code");
    code.textContent = Object.entries(change).map(([field, value]) => `${field}: ${JSON.stringify(value)}`).join(", ");
    row.append(`${text} `, code);
    return row;
  }));
}

function showProgress({ progress, live, time_left_s: left }) {
  const card = byId("standing");
  const bar = card.querySelector("progress");
  if (!bar) return;
  bar.value = progress;
  document.title = document.title.replace(/^(\d+ % )?/, `${Math.floor(progress * 100)} % `);
  const unit = { training: "Training · epoch", painting: "Painting · size" }[live.stage];
  const epoch = unit && live.epochs ? `${unit} ${live.epoch} of ${live.epochs}` : null;
  if (epoch) card.querySelector("[data-live-line]").textContent = epoch;
  card.querySelector("[data-time-left]").textContent = left === null ? "" : `${duration(left)} left`;
  const whole = (value) => Math.round(value).toLocaleString("en");
  const facts = [
    live.steps && `step ${whole(live.step)} of ${whole(live.steps)}`,
    live.images_per_s && `${whole(live.images_per_s)} images/s`,
  ];
  card.querySelector("[data-live-facts]").textContent = facts.filter(Boolean).join(" · ");
}

/** Fetch the page's server-drawn parts again, once for a burst of news. */
function soon() {
  due ||= setTimeout(async () => {
    due = 0;
    await refresh().catch(() => {});
    document.title = document.title.replace(/^\d+ % /, "");
    loadConfusion();
  }, 250);
}

function loadConfusion() {
  const link = document.querySelector("[data-confusion]");
  if (!link || confusion) return;
  confusion = true;
  showConfusion(byId("confusion"), link.href).catch(() => { confusion = false; });
}

async function act(event) {
  const button = event.target.closest("[data-act]");
  if (!button) return;
  const refusal = byId("refusal");
  button.disabled = true;
  refusal.hidden = true;
  try {
    await post(`${api}/${button.dataset.act}`);
  } catch (refused) {
    refusal.textContent = refused.message;
    refusal.hidden = false;
    button.disabled = false;
  }
  await refresh().catch(() => {});
}

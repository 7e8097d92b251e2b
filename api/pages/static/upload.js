// The upload page: choose images, send them, and go to the page where their check can be watched.

import { archiveOf, chosen, dropped, nameOf } from "./picking.js";
import { sendBlob } from "./sending.js";
import { makeTar } from "./tar.js";
import { duration } from "./words.js";
import { post } from "./yard.js";

const byId = (id) => document.getElementById(id);
const form = byId("images");
const add = form.dataset.add;
const drop = byId("drop");
let picked = { root: "", files: [] };
let sent = null; // the upload of what is picked, once it is there: another name or option need not send it again
let stopping = null;

byId("choose-folder").addEventListener("click", () => byId("folder").click());
byId("choose-files").addEventListener("click", () => byId("files").click());
for (const input of [byId("folder"), byId("files")]) input.addEventListener("change", () => pick(chosen(input)));
for (const kind of ["dragover", "dragleave", "drop"]) drop.addEventListener(kind, onDrag);
form.addEventListener("submit", submit);
byId("stop").addEventListener("click", () => stopping?.abort());

async function onDrag(event) {
  event.preventDefault();
  drop.toggleAttribute("data-over", event.type === "dragover");
  if (event.type !== "drop") return;
  try { pick(await dropped(event.dataTransfer)); } catch { tell("What was dropped cannot be read. Choose it with the buttons instead."); }
}

function pick(found) {
  picked = found;
  sent = null;
  clearProblems();
  const size = found.files.reduce((sum, { file }) => sum + file.size, 0);
  const count = found.files.length;
  byId("chosen").textContent = !count ? "No file was found there" : archiveOf(found.files) ? found.files[0].path : `${count.toLocaleString("en")} files`;
  byId("chosen-more").textContent = count ? bytes(size) + (found.root && !archiveOf(found.files) ? ` from ${found.root}` : "") : "or choose";
  if (byId("name") && !byId("name").value) byId("name").value = nameOf(archiveOf(found.files)?.name ?? found.root);
}

async function submit(event) {
  event.preventDefault();
  clearProblems();
  if (!picked.files.length) return tell("Choose images first.");
  if (byId("name") && !byId("name").checkValidity()) return showAt("name", "Expected 1 to 63 small letters, digits, - and _, the first a letter or digit.");
  stopping = new AbortController();
  busy(true);
  try {
    sent ??= await sendAll(stopping.signal);
    say("Sent. Beginning the check…", 1);
    const path = add ? `/api/v1/datasets/${encodeURIComponent(add)}/versions` : "/api/v1/datasets";
    const made = await post(path, JSON.stringify({ ...options(), upload: sent }));
    location.assign(`${document.querySelector("main").dataset.pageUrl.replace("NAME", encodeURIComponent(made.dataset))}?version=${made.number}`);
  } catch (refused) {
    busy(false);
    if (stopping.signal.aborted) tell("Stopped. What was sent has been dropped.");
    else showRefusal(refused);
  }
}

function sendAll(signal) {
  const archive = archiveOf(picked.files);
  const began = Date.now();
  const hear = (done, of) => {
    const left = done ? ((Date.now() - began) / 1000) * (of / done - 1) : null;
    say(`Sending ${bytes(done)} of ${bytes(of)}`, done / of, left === null ? "" : `${duration(left)} left`);
  };
  return sendBlob(archive ?? makeTar(picked.files), archive?.name ?? `${picked.root || "images"}.tar`, { tell: hear, signal });
}

function options() {
  const number = (id) => { const text = byId(id).value.trim(); return text === "" || Number.isNaN(Number(text)) ? text : Number(text); };
  const fields = {
    task: byId("task").value,
    skip_bad: byId("skip_bad").checked,
    keep_duplicates: byId("keep_duplicates").checked,
    splits: { train: number("train"), val: number("val"), test: number("test"), seed: number("seed") },
    longest_px: number("longest_px") || null,
  };
  if (byId("labels").value.trim()) fields.labels = byId("labels").value.trim();
  return add ? { ...fields, replace: byId("replace").checked } : { ...fields, name: byId("name").value.trim() };
}

function busy(on) {
  byId("send").disabled = on;
  byId("stop").hidden = byId("sending-card").hidden = !on;
}

function say(text, share, left = "") {
  byId("sending").textContent = text;
  byId("left").textContent = left;
  byId("bar").value = share;
}

function showRefusal(refused) {
  const listed = refused.problem?.problems ?? [];
  const homeless = listed.filter(({ path, text }) => !showAt(path.split(".")[0], text));
  if (homeless.length || !listed.length) tell(homeless.map(({ path, text }) => `${path || "request"}: ${text}`).join("\n") || refused.message);
}

function showAt(field, text) {
  const error = form.querySelector(`[data-error-for="${CSS.escape(field)}"]`);
  if (!error) return false;
  error.textContent = text;
  error.hidden = false;
  error.closest("details")?.setAttribute("open", "");
  error.closest(".field").querySelector("input")?.focus();
  return true;
}

function clearProblems() {
  byId("problems").hidden = true;
  for (const error of form.querySelectorAll(".error")) error.hidden = true;
}

function tell(text) {
  byId("problems").textContent = text;
  byId("problems").hidden = false;
  byId("problems").scrollIntoView({ block: "nearest" });
}

function bytes(count) {
  let size = count;
  for (const unit of ["B", "kB", "MB"]) {
    if (size < 1000) return unit === "B" ? `${size} B` : `${size.toFixed(1)} ${unit}`;
    size /= 1000;
  }
  return `${size.toFixed(1)} GB`;
}

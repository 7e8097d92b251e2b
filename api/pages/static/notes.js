// What people write on a job, and giving its model a name.

import { refresh } from "./refresh.js";
import { change, get } from "./yard.js";

const api = document.querySelector("main").dataset.api;
const byId = (id) => document.getElementById(id);
const known = { value: null }; // the job's ETag when the form was filled

byId("write")?.addEventListener("toggle", () => byId("write").open && fill());
document.addEventListener("submit", (event) => { // the second form comes when the job has succeeded
  if (event.target.id === "writing") send(event, byId("write-refusal"), save);
  if (event.target.id === "registering") send(event, byId("register-refusal"), register);
});

/** Show what is written now; until then nobody can type, as it would be lost. */
async function fill() {
  const fields = byId("writing").querySelector("fieldset");
  fields.disabled = true;
  known.value = null;
  const job = await get(api, { tag: known });
  byId("write-name").value = job.name;
  byId("write-note").value = job.note ?? "";
  byId("write-tags").value = job.tags.join(" ");
  fields.disabled = false;
}

async function save() {
  const tags = byId("write-tags").value.split(/[\s,]+/).filter(Boolean);
  const body = { name: byId("write-name").value, note: byId("write-note").value || null, tags };
  await change("PATCH", api, JSON.stringify(body), { "If-Match": known.value });
  byId("write").open = false;
  await refresh();
}

async function register() {
  const form = byId("registering");
  const name = byId("register-name").value.trim();
  const body = { job: Number(form.dataset.job), artifact: form.elements.artifact.value };
  await change("POST", `/api/v1/models/${encodeURIComponent(name)}/versions`, JSON.stringify(body));
  location.assign(form.dataset.modelUrl.replace("NAME", encodeURIComponent(name)));
}

async function send(event, refusal, act) {
  event.preventDefault();
  const button = event.target.querySelector("button");
  button.disabled = true;
  refusal.hidden = true;
  try {
    await act();
  } catch (refused) {
    const listed = refused.problem?.problems?.map(({ path, text }) => `${path}: ${text}`);
    refusal.textContent = listed?.join(" ") || refused.message;
    refusal.hidden = false;
  }
  button.disabled = false;
}

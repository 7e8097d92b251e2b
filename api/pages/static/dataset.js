// One dataset's page: deletes it or a version, and has a refused upload checked again.

import { post, send } from "./yard.js";

const refusal = document.getElementById("refusal");

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-delete], [data-again]");
  if (button) act(button).catch((refused) => tell(button, refused));
});

async function act(button) {
  refusal.hidden = true;
  if (button.dataset.delete) {
    if (!confirm(`Delete ${button.dataset.what}? This cannot be taken back.`)) return;
    button.disabled = true;
    await send(button.dataset.delete, { method: "DELETE" });
    location.assign(button.dataset.then ?? document.querySelector("main").dataset.listUrl);
    return;
  }
  button.disabled = true;
  const { upload, options, name, parent, fresh } = JSON.parse(button.dataset.again);
  const base = fresh ? { name } : parent ? { parent } : { replace: true };
  const path = fresh ? "/api/v1/datasets" : `/api/v1/datasets/${encodeURIComponent(name)}/versions`;
  const made = await post(path, JSON.stringify({ ...options, ...base, upload, skip_bad: true }));
  location.assign(`${location.pathname}?version=${made.number}`);
}

function tell(button, refused) {
  button.disabled = false;
  const jobs = refused.problem?.jobs ?? [];
  refusal.textContent = refused.message;
  for (const job of jobs.slice(0, 20)) {
    refusal.append(" ", Object.assign(document.createElement("a"), { href: `/jobs/${job}`, textContent: `#${job}` }));
  }
  refusal.hidden = false;
}

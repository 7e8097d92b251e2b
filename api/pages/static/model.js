// A registered model's page: moving aliases, and deleting what no alias points at.

import { change } from "./yard.js";

const { api, owner, listUrl } = document.querySelector("main").dataset;
const etags = JSON.parse(document.getElementById("etags").textContent);
const refusal = document.getElementById("refusal");

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-version]");
  if (!form) return;
  event.preventDefault();
  const alias = form.querySelector("input").value.trim();
  act(form.querySelector("button"), () => move(alias, Number(form.dataset.version)));
});
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-drop-alias], [data-drop-version], [data-drop-model]");
  if (!button) return;
  const { dropAlias: alias, dropVersion: version } = button.dataset;
  const path = alias ? `/aliases/${encodeURIComponent(alias)}` : version ? `/versions/${version}` : "";
  const what = alias ? `the alias ${alias}` : version ? `version ${version}` : "this model with all its versions";
  if (confirm(`Delete ${what}?`)) act(button, () => change("DELETE", address(path), undefined, alias ? known(alias) : {}), !path);
});

const address = (path) => `${api}${path}?owner=${encodeURIComponent(owner)}`;
const known = (alias) => (etags[alias] ? { "If-Match": etags[alias] } : { "If-None-Match": "*" });
const move = (alias, version) => change("PUT", address(`/aliases/${encodeURIComponent(alias)}`), JSON.stringify({ version }), known(alias));

async function act(button, send, leave = false) {
  button.disabled = true;
  refusal.hidden = true;
  try {
    await send();
    if (leave) location.assign(listUrl); else location.reload();
  } catch (refused) {
    refusal.textContent = refused.status === 412 ? "Somebody has moved this alias since the page was loaded. Load it again, then decide." : refused.message;
    refusal.hidden = false;
    refusal.scrollIntoView({ block: "nearest" });
    button.disabled = false;
  }
}

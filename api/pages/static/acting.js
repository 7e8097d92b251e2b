// Forms that say themselves what they send: data-method, data-address, and their fields as JSON by name.
//
// A field with data-in-address stands in the address, in the place of its name in braces; one with data-json holds the
// members themselves; an empty one is left out. data-secret names the member of the reply that is shown this once.

import { change } from "./yard.js";

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-address]");
  if (!form) return;
  event.preventDefault();
  if (!form.dataset.confirm || confirm(form.dataset.confirm)) act(form, event.submitter);
});

async function act(form, button) {
  const refusal = form.querySelector("[role=alert]");
  if (refusal) refusal.hidden = true;
  if (button) button.disabled = true;
  try {
    const { address, body } = read(form);
    const reply = await change(form.dataset.method, address, body && JSON.stringify(body));
    if (form.dataset.secret && reply[form.dataset.secret]) show(form, reply[form.dataset.secret]);
    else location.reload();
  } catch (refused) {
    const told = refused.problem?.problems?.map(({ text }) => text).join(" ") || refused.message;
    if (refusal) { refusal.textContent = told; refusal.hidden = false; } else alert(told);
    if (button) button.disabled = false;
  }
}

function read(form) {
  let address = form.dataset.address, body;
  for (const field of form.elements) {
    if (!field.name) continue;
    if ("inAddress" in field.dataset) address = address.replace(`{${field.name}}`, encodeURIComponent(field.value.trim()));
    else if ("json" in field.dataset) body = { ...body, ...JSON.parse(field.value) };
    else if (field.value) body = { ...body, [field.name]: field.type === "number" ? Number(field.value) : field.value };
  }
  return { address, body };
}

/** What can never be read again stays on the page until it is left. */
function show(form, secret) {
  const place = form.parentElement.querySelector(".secret") ?? document.querySelector(".secret");
  place.querySelector("code").textContent = secret;
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
  place.focus();
}

// The submit page: fields ↔ spec, the JSON view, and problems shown at the fields that they name.

import { post } from "./yard.js";

const form = document.getElementById("spec");
// Read here: `form.dataset` is the field of that name, as fields of a form hide its own properties.
const { kind, jobUrl, cloneOf } = document.querySelector("main").dataset;
const json = document.getElementById("json");
const problems = document.getElementById("problems");
const tabs = { form: document.getElementById("tab-form"), json: document.getElementById("tab-json") };
const prefill = JSON.parse(document.getElementById("prefill").textContent);
let key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`; // sent with the job, so that a second click makes no second job

form.addEventListener("change", (event) => settle(event.target));
form.addEventListener("input", (event) => clearError(event.target));
form.addEventListener("submit", submit);
for (const [name, tab] of Object.entries(tabs)) {
  tab.addEventListener("click", () => show(name));
  tab.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = name === "form" ? "json" : "form";
    if (show(other)) tabs[other].focus();
  });
}
if (prefill && fill(prefill).length) { // a network of one's own has no fields: such a spec begins as JSON
  show("json");
  json.value = JSON.stringify(prefill, null, 2);
}
form.inert = false; // whoever typed before the values came would have mixed both

// ── fields to spec ──────────────────────────────────────────────────────────────────────────────────────────

function fields() {
  return [...form.querySelectorAll("[data-path]")].filter((input) => !input.closest("fieldset[disabled]"));
}

/** The spec that the form stands for: required fields, choices, and all that differs from its default. */
function readSpec() {
  const spec = { kind: kind };
  for (const box of form.querySelectorAll("[data-optional]")) {
    if (box.closest("fieldset[disabled]")) continue;
    if (box.querySelector("input").checked) put(spec, box.dataset.optional, {});
    else if ("on" in box.dataset) put(spec, box.dataset.optional, null);
  }
  for (const input of fields()) {
    const value = readValue(input);
    const isDefault = JSON.stringify(value) === JSON.stringify(JSON.parse(input.dataset.default));
    if (value !== undefined && (!isDefault || input.matches("#panel-form > section > .fields > .field > input, [data-required], [data-explicit]"))) {
      put(spec, input.dataset.path, value);
    }
  }
  return spec;
}

function readValue(input) {
  if (input.tagName === "FIELDSET") return [...input.querySelectorAll("input:checked")].map((box) => box.value);
  if (input.type === "checkbox") return input.checked;
  const text = input.value.trim();
  if (input.dataset.type === "string") return text || input.dataset.default === '""' ? text : undefined;
  if (text === "") return input.dataset.type === "list" ? [] : undefined;
  return looseJson(input.dataset.type === "list" || text.includes(",") ? `[${text.replace(/^\[|\]$/g, "")}]` : text, text);
}

/** JSON where it is some; otherwise the text itself, so that the yard can say what is wrong with it. */
function looseJson(source, text) {
  try { return JSON.parse(source); } catch { return text; }
}

function put(object, path, value) {
  const parts = path.split(".");
  const last = parts.pop();
  for (const part of parts) object = object[part] ??= {};
  object[last] = value;
}

// ── spec to fields ──────────────────────────────────────────────────────────────────────────────────────────

/** Show a spec in the form. Returns the paths that the form has no field for. */
function fill(spec) {
  for (const box of form.querySelectorAll("[data-optional]")) {
    const check = box.querySelector("input");
    const given = look(spec, box.dataset.optional);
    check.checked = given === undefined ? "on" in box.dataset : given !== null;
    settle(check);
    if (check.checked && given) box.closest("details").open = true;
  }
  const choices = [...form.querySelectorAll("[data-choice] > select")];
  for (const input of [...choices, ...form.querySelectorAll("[data-path]:not([data-choice] > select)")]) {
    const value = look(spec, input.dataset.path);
    // An object that is given says all that differs from its class's defaults, which an explicit field does not show.
    const silent = value === undefined && "explicit" in input.dataset && look(spec, input.dataset.path.replace(/\.[^.]*$/, ""));
    write(input, silent ? null : value === undefined ? fallback(input) : value);
    settle(input);
    input.dispatchEvent(new CustomEvent("filled"));
  }
  return unknownPaths(spec);
}

function fallback(input) {
  const preset = JSON.parse(input.dataset.default);
  return preset === null && input.tagName === "SELECT" ? [...input.options].find((o) => o.defaultSelected)?.value : preset;
}

function write(input, value) {
  if (input.tagName === "FIELDSET") for (const box of input.querySelectorAll("input")) box.checked = (value ?? []).includes(box.value);
  else if (input.type === "checkbox") input.checked = value === true;
  else if (Array.isArray(value)) input.value = value.map((item) => (item && typeof item === "object" ? JSON.stringify(item) : item)).join(", ");
  else if (value && typeof value === "object") input.value = JSON.stringify(value);
  else input.value = value ?? "";
}

function look(object, path) {
  return path.split(".").reduce((value, part) => value?.[part], object);
}

function unknownPaths(spec) {
  const known = new Set(["kind", ...fields().map((input) => input.dataset.path)]);
  const leaves = (value, path) =>
    value && typeof value === "object" && !Array.isArray(value)
      ? Object.entries(value).flatMap(([name, inner]) => leaves(inner, path ? `${path}.${name}` : name))
      : [path];
  return leaves(spec, "").filter((path) => look(spec, path) !== null && !known.has(path));
}

/** After a change: show the fields of the chosen variant, or of an optional part. */
function settle(input) {
  const choice = input.closest("[data-choice]");
  if (choice && input.parentElement === choice) {
    for (const part of choice.querySelectorAll(":scope > fieldset")) toggle(part, part.dataset.variant === input.value);
  }
  const optional = input.closest("[data-optional]");
  if (optional && input.type === "checkbox" && !input.dataset.path) toggle(optional.querySelector("fieldset"), input.checked);
}

function toggle(part, on) {
  part.hidden = part.disabled = !on;
}

// ── the JSON view ───────────────────────────────────────────────────────────────────────────────────────────

/** Open one of the two views. Stays, and says why, when the JSON cannot be shown as a form. */
function show(name) {
  if (name === "json" && jsonIsOpen()) return true;
  clearProblems();
  if (name === "json") json.value = JSON.stringify(readSpec(), null, 2);
  else if (jsonIsOpen() && !takeJson()) return false;
  for (const [one, tab] of Object.entries(tabs)) {
    document.getElementById(`panel-${one}`).hidden = one !== name;
    tab.setAttribute("aria-selected", String(one === name));
    tab.tabIndex = one === name ? 0 : -1;
  }
  return true;
}

function takeJson() {
  let spec;
  try { spec = JSON.parse(json.value); } catch (error) { return tell(`This is not JSON: ${error.message}.`); }
  if (!spec || typeof spec !== "object" || Array.isArray(spec)) return tell("Expected a JSON object with a spec.");
  if ((spec.kind ?? kind) !== kind) return tell(`This form is for jobs of kind “${kind}”.`);
  const unknown = fill(spec);
  return unknown.length ? tell(`The form has no field for ${unknown.join(", ")}. Remove it, or submit from here.`) : true;
}

function jsonIsOpen() {
  return tabs.json.getAttribute("aria-selected") === "true";
}

// ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────

async function submit(event) {
  event.preventDefault();
  clearProblems();
  const button = form.querySelector("[type=submit]");
  const sending = document.getElementById("sending");
  button.disabled = true;
  sending.textContent = "Sending…";
  try {
    const body = jsonIsOpen() ? json.value : JSON.stringify(readSpec());
    const job = await post(`/api/v1/jobs${cloneOf ? `?clone_of=${cloneOf}` : ""}`, body, { "Idempotency-Key": key });
    location.assign(jobUrl.replace(/0$/, job.id));
  } catch (refused) {
    key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    button.disabled = false;
    sending.textContent = "";
    showRefusal(refused);
  }
}

function showRefusal(refused) {
  const listed = refused.problem?.problems ?? [];
  const homeless = jsonIsOpen() ? listed : listed.filter(({ path, text }) => !showAtField(path, text));
  if (!listed.length) return tell(refused.message);
  const first = form.querySelector("[aria-invalid=true]");
  if (homeless.length) tell(homeless.map(({ path, text }) => `${path || "spec"}: ${text}`).join("\n"));
  else {
    tell(`${listed.length === 1 ? "One field needs" : `${listed.length} fields need`} another value.`);
    first?.focus();
  }
}

/** Mark the field whose path is the longest that lies in this one (paths may name a union's branches too). */
function showAtField(path, text) {
  const parts = path.split(".");
  const within = (inner) => { let i = 0; for (const part of parts) if (part === inner[i]) i++; return i === inner.length; };
  const found = fields().map((input) => [input, input.dataset.path.split(".")]).filter(([, inner]) => within(inner));
  const [input] = found.sort((a, b) => b[1].length - a[1].length)[0] ?? [];
  if (!input) return false;
  input.setAttribute("aria-invalid", "true");
  input.closest("details")?.setAttribute("open", "");
  const error = document.getElementById(`${input.id}-error`);
  error.textContent = text;
  error.hidden = false;
  return true;
}

function clearError(input) {
  input = input.closest("fieldset[data-path]") ?? input;
  if (!input.matches("[aria-invalid]")) return;
  input.removeAttribute("aria-invalid");
  document.getElementById(`${input.id}-error`).hidden = true;
}

function clearProblems() {
  problems.hidden = true;
  form.querySelectorAll("[aria-invalid]").forEach(clearError);
}

function tell(text) {
  problems.textContent = text;
  problems.hidden = false;
  problems.scrollIntoView({ block: "nearest" });
  return false;
}

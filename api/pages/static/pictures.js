// Pictures for a style transfer: dropped or chosen, sent at once, and named in the form's hidden fields.

import { postForm } from "./yard.js";

const MOST_STYLES = 8;

for (const field of document.querySelectorAll("[data-picture]")) makePicture(field);

/** Set up one field: `content` takes one picture's number, `styles` a list of objects. */
function makePicture(field) {
  const value = field.querySelector("[data-path]");
  const many = value.dataset.type === "list";
  const picked = field.querySelector("[data-picked]");
  const pick = field.querySelector("input[type=file]");
  const drop = field.querySelector("[data-drop]");
  const said = field.querySelector("[data-said]");
  let styles = read();

  value.addEventListener("filled", () => { styles = read(); draw(); });
  pick.addEventListener("change", () => { take([...pick.files]); pick.value = ""; });
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => hover(event, true));
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, (event) => hover(event, false));
  drop.addEventListener("drop", (event) => take([...event.dataTransfer.files]));
  draw();

  function read() {
    try {
      const found = JSON.parse(`[${value.value}]`);
      return found.map((one) => (typeof one === "object" ? one : { picture: one })).filter((one) => one?.picture);
    } catch {
      return [];
    }
  }

  function write() {
    value.value = many ? styles.map((one) => JSON.stringify(one)).join(", ") : styles.map((one) => one.picture).join("");
    value.dispatchEvent(new Event("input", { bubbles: true }));
    draw();
  }

  async function take(files) {
    const wanted = many ? files.slice(0, MOST_STYLES - styles.length) : files.slice(0, 1);
    if (!wanted.length) return say(many ? `A picture can have ${MOST_STYLES} styles.` : "Choose a picture.");
    const sent = await upload(wanted);
    if (!sent) return;
    const added = sent.map((one) => ({ picture: one.id }));
    styles = many ? [...styles, ...added] : added;
    write();
  }

  async function upload(files) {
    say(files.length === 1 ? "Sending a picture …" : `Sending ${files.length} pictures …`);
    const form = new FormData();
    for (const file of files) form.append("images", file);
    try {
      const { items } = await postForm("/api/v1/pictures", form);
      say("");
      return items;
    } catch (refused) {
      say(refused.message, true);
      return null;
    }
  }

  function draw() {
    picked.replaceChildren(...styles.map((one, index) => row(one, index)));
    drop.hidden = many ? styles.length >= MOST_STYLES : styles.length > 0;
  }

  function row(one, index) {
    const item = document.createElement("li");
    const picture = document.createElement("img");
    picture.src = `/api/v1/pictures/${one.picture}/file`;
    picture.alt = many ? `Style ${index + 1}` : "Content";
    const controls = document.createElement("div");
    if (many) controls.append(weight(one), mask(one));
    controls.append(button("Remove", () => { styles.splice(index, 1); write(); }));
    item.append(picture, controls);
    return item;
  }

  function weight(one) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    input.type = "text";
    input.inputMode = "decimal";
    input.value = one.weight ?? 1;
    input.addEventListener("change", () => { one.weight = Number(input.value.replace(",", ".")); write(); });
    label.append("Weight ", input);
    return label;
  }

  function mask(one) {
    if (one.mask) return button("Remove the mask", () => { delete one.mask; write(); });
    const label = document.createElement("label");
    const input = document.createElement("input");
    const text = document.createElement("span");
    label.className = "button";
    input.type = "file";
    input.accept = "image/png,image/jpeg,image/webp";
    input.className = "visually-hidden";
    text.textContent = "Add a mask";
    input.setAttribute("aria-label", "Add a mask: white where this style goes, of the content's size");
    label.title = "White where this style goes, black elsewhere; of the content's size";
    input.addEventListener("change", async () => {
      const sent = await upload([...input.files]);
      if (sent) { one.mask = sent[0].id; write(); }
    });
    label.append(input, text);
    return label;
  }

  function button(words, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = words;
    made.addEventListener("click", act);
    return made;
  }

  function hover(event, on) {
    event.preventDefault();
    drop.classList.toggle("over", on);
  }

  function say(text, failed = false) {
    said.textContent = text;
    said.classList.toggle("failed-text", failed);
  }
}

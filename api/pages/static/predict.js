// Trying a trained model: images picked, dropped or pasted are sent to it, and what it says is shown beside each.

import { get, postForm } from "./yard.js";
import { percent } from "./words.js";

const MOST_IMAGES = 64; // of one request
const LOOK_AGAIN_MS = 500;
const MOST_SHOWN = 200;

/** Set up the section; `api` is the address of the job. */
export function makePredict(api, section) {
  const pick = section.querySelector("input[type=file]");
  const drop = section.querySelector("[data-drop]");
  const seen = section.querySelector("[data-seen]");
  const invert = section.querySelector("[data-invert]");
  const said = section.querySelector("[data-said]");

  const take = (files) => {
    const images = [...files].filter((file) => file.type.startsWith("image/") || !file.type);
    if (images.length) ask(images);
    else said.textContent = "None of that is an image.";
  };
  pick.addEventListener("change", () => {
    take(pick.files);
    pick.value = ""; // so that the same file can be picked again
  });
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => hover(event, true));
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, (event) => hover(event, false));
  drop.addEventListener("drop", (event) => take(event.dataTransfer.files));
  document.addEventListener("paste", (event) => {
    if (!section.hidden && event.clipboardData?.files.length) take(event.clipboardData.files);
  });

  function hover(event, on) {
    event.preventDefault();
    drop.classList.toggle("over", on);
  }

  async function ask(images) {
    const rows = images.map((file) => row(file));
    seen.prepend(...rows.map((one) => one.item));
    while (seen.childElementCount > MOST_SHOWN) forget(seen.lastElementChild);
    for (let first = 0; first < images.length; first += MOST_IMAGES) {
      await askSome(images.slice(first, first + MOST_IMAGES), rows.slice(first, first + MOST_IMAGES));
    }
  }

  async function askSome(images, rows) {
    said.textContent = images.length === 1 ? "Asking about one image …" : `Asking about ${images.length} images …`;
    try {
      const answer = await answered(api, images, invert?.checked ?? false);
      answer.images.forEach((image, index) => rows[index].show(image));
      said.textContent = told(answer);
    } catch (refused) {
      const problems = refused.problem?.code === "unreadable_images" ? refused.problem.problems : [];
      rows.forEach((one, index) => one.show({ classes: [], problem: problems[index] ?? { text: refused.message } }));
      said.textContent = problems.length ? "No image could be read." : "That did not work.";
    }
  }
}

function told({ images, seconds }) {
  const good = images.filter((image) => !image.problem).length;
  const took = seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
  return good === images.length ? `Told in ${took}.` : `Told ${good} of ${images.length} in ${took}.`;
}

/** The prediction, once a worker has answered. */
async function answered(api, images, invert) {
  const form = new FormData();
  for (const image of images) form.append("images", image);
  let prediction = await postForm(`${api}/predict?invert=${invert}`, form);
  while (prediction.status === "waiting" || prediction.status === "running") {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    prediction = await get(`/api/v1/predictions/${prediction.id}`);
  }
  if (prediction.status === "failed") throw new Error(prediction.reason.text);
  return prediction;
}

/** A row for one image, with its thumbnail at once and its classes when they are known. */
function row(file) {
  const item = document.createElement("li");
  const picture = document.createElement("img");
  const text = document.createElement("div");
  const name = document.createElement("div");
  picture.src = URL.createObjectURL(file);
  picture.alt = "";
  picture.addEventListener("error", () => picture.classList.add("broken"));
  name.className = "name";
  name.textContent = file.name || "pasted image";
  text.append(name, note("Asking …"));
  item.append(picture, text);
  return { item, show };

  function show({ classes, pixels, problem }) {
    if (pixels) item.replaceChildren(masked(picture, pixels, file.name || "pasted image"));
    else text.replaceChildren(name, problem ? note(problem.text, "failed-text") : bars(classes));
  }
}

/** An image with its mask over it, a slider for how much of it is seen, and the share of each class. */
function masked(picture, { width, height, shares, mask, overlay }, title) {
  const figure = document.createElement("figure");
  const stack = document.createElement("div");
  const layer = document.createElement("img");
  const slider = document.createElement("input");
  const label = document.createElement("label");
  const caption = document.createElement("figcaption");
  layer.src = `data:image/png;base64,${mask}`;
  layer.alt = `The classes of ${title}`;
  layer.className = "mask";
  stack.className = "stacked";
  stack.style.setProperty("aspect-ratio", `${width} / ${height}`);
  stack.append(picture, layer);
  Object.assign(slider, { type: "range", min: 0, max: 100, value: 55 });
  const fade = () => layer.style.setProperty("opacity", slider.value / 100);
  slider.addEventListener("input", fade);
  fade();
  label.className = "small soft";
  label.append("Mask ", slider);
  caption.className = "name";
  caption.textContent = title;
  const stem = title.replace(/\.[^.]*$/, "");
  const kept = document.createElement("p");
  kept.className = "small";
  kept.append(
    link("Mask", `data:image/png;base64,${mask}`, `${stem}-mask.png`), " · ",
    link("Overlay", `data:image/jpeg;base64,${overlay}`, `${stem}-overlay.jpg`),
  );
  figure.append(caption, stack, label, shareBars(shares), kept);
  return figure;
}

function link(text, href, download) {
  return Object.assign(document.createElement("a"), { textContent: text, href, download });
}

/** The classes with their colours, the largest first, as bars. */
function shareBars(shares) {
  const largest = [...shares].sort((one, other) => other.share - one.share);
  const list = bars(largest.map(({ name, share }) => ({ name, probability: share })));
  largest.forEach(({ colour }, index) => {
    const swatch = document.createElement("i");
    swatch.className = "swatch";
    swatch.style.setProperty("background", colour);
    list.children[index].firstElementChild.prepend(swatch);
  });
  return list;
}

function forget(item) {
  URL.revokeObjectURL(item.querySelector("img").src); // the first is the image itself
  item.remove();
}

/** The classes, the likeliest first, each with a bar as long as it is likely. */
function bars(classes) {
  const list = document.createElement("ol");
  list.className = "bars";
  for (const { name, probability } of classes) {
    const line = document.createElement("li");
    const label = document.createElement("span");
    const share = document.createElement("span");
    label.textContent = name;
    share.textContent = percent(probability);
    share.className = "number";
    line.style.setProperty("--share", `${(probability * 100).toFixed(2)}%`);
    line.append(label, share);
    list.append(line);
  }
  return list;
}

function note(text, className = "soft") {
  const line = document.createElement("p");
  line.className = `small ${className}`;
  line.textContent = text;
  return line;
}

// The charts of a job: one for each quantity, with training and validation together.

import { makeChart } from "./chart.js";
import { percent, short } from "./words.js";
import { get } from "./yard.js";

const MAX_POINTS = 1000;
const MOST_CHARTS = 16;
const ORDER = ["loss", "accuracy", "learning_rate", "images_per_s"];
export const SPLITS = { train: "Training", val: "Validation" };

/** @returns {{add(points: object[]): void, load(): Promise<void>}} `add` takes the API's metric points as they come */
export function makeCurves(api, host, card, empty) {
  const lines = new Map(); // metric name → Map(step → value)
  const charts = new Map(); // quantity → {chart, names}
  let dirty = false;

  const add = (points) => {
    for (const { name, step, value } of points) {
      if (!isDrawn(name)) continue;
      if (!lines.has(name)) lines.set(name, new Map());
      lines.get(name).set(step, value);
    }
    if (!dirty) requestAnimationFrame(draw);
    dirty = true;
  };
  const draw = () => {
    dirty = false;
    layOut();
    for (const { chart, names } of charts.values()) {
      for (const name of names) chart.set(name, [...(lines.get(name) ?? [])].sort((a, b) => a[0] - b[0]));
      chart.draw();
    }
  };
  const layOut = () => {
    const wanted = quantities([...lines.keys()]);
    empty.hidden = wanted.size > 0;
    host.hidden = !wanted.size;
    for (const [quantity, names] of wanted) {
      const known = charts.get(quantity);
      if (known?.names.length === names.length) continue;
      const element = card.content.firstElementChild.cloneNode(true);
      element.querySelector("h2").textContent = title(quantity);
      element.dataset.quantity = quantity;
      if (quantity !== "loss") element.querySelector("[data-log]").remove();
      if (known) known.element.replaceWith(element);
      else host.insertBefore(element, [...host.children].find((c) => rank(c.dataset.quantity) > rank(quantity)) ?? null);
      charts.set(quantity, { chart: makeChart(element, drawing(quantity, names)), names, element });
    }
  };
  const load = async () => {
    const { items } = await get(`${api}/metrics?max_points=${MAX_POINTS}`);
    lines.clear();
    add(items);
  };
  return { add, load };
}

function drawing(quantity, names) {
  const series = names.map((name) => ({ name, label: SPLITS[split(name)] ?? "", look: split(name) === "val" ? "val" : "train" }));
  return { title: title(quantity), series, format: quantity.endsWith("accuracy") ? percent : short };
}

function quantities(names) {
  const found = new Map();
  for (const name of names.sort()) {
    const quantity = SPLITS[split(name)] ? name.slice(split(name).length + 1) : name;
    found.set(quantity, [...(found.get(quantity) ?? []), name]);
  }
  return new Map([...found].sort((a, b) => rank(a[0]) - rank(b[0])).slice(0, MOST_CHARTS));
}

export const split = (name) => name.split("/")[0];
export const isDrawn = (name) => split(name) !== "test"; // one number each; they stand above the charts
export const rank = (quantity) => (ORDER.includes(quantity) ? ORDER.indexOf(quantity) : ORDER.length);

export function title(quantity) {
  const words = quantity.replace(/_per_s$/, " a second").replace(/[_/]/g, " ");
  return words[0].toUpperCase() + words.slice(1);
}

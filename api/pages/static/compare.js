// Curves of several jobs over each other: a chart for each metric, a line for each job that has it.

import { makeChart } from "./chart.js";
import { SPLITS, isDrawn, rank, split, title } from "./curves.js";
import { percent, short } from "./words.js";
import { get } from "./yard.js";

const MAX_POINTS = 400;
const MOST_CHARTS = 16;
const host = document.getElementById("charts");
const card = document.getElementById("chart-card");
const jobs = JSON.parse(document.getElementById("compared").textContent);

const found = await Promise.all(jobs.map(({ id }) => get(`/api/v1/jobs/${id}/metrics?max_points=${MAX_POINTS}`).catch(() => ({ items: [] }))));
const lines = new Map(); // metric name → one line a job
found.forEach(({ items }, place) => {
  for (const { name, step, value } of items) {
    if (!isDrawn(name)) continue;
    if (!lines.has(name)) lines.set(name, jobs.map(() => []));
    lines.get(name)[place].push([step, value]);
  }
});
const names = [...lines.keys()].sort((a, b) => rank(quantity(a)) - rank(quantity(b)) || a.localeCompare(b)).slice(0, MOST_CHARTS);
names.forEach(draw);
host.hidden = !names.length;
document.getElementById("no-charts").hidden = names.length > 0;

function draw(name) {
  const element = card.content.firstElementChild.cloneNode(true);
  element.querySelector("h2").textContent = words(name);
  element.dataset.metric = name;
  if (quantity(name) !== "loss") element.querySelector("[data-log]").remove();
  host.append(element);
  const shown = jobs.map((job, place) => ({ place, line: lines.get(name)[place] })).filter(({ line }) => line.length);
  const series = shown.map(({ place }) => ({ name: String(place), label: `#${jobs[place].id}`, look: `run-${place}` }));
  const chart = makeChart(element, { title: words(name), series, format: name.endsWith("accuracy") ? percent : short });
  for (const { place, line } of shown) chart.set(String(place), line);
  chart.draw();
}

function quantity(name) {
  return SPLITS[split(name)] ? name.slice(split(name).length + 1) : name;
}

function words(name) {
  const kind = title(quantity(name));
  return SPLITS[split(name)] ? `${SPLITS[split(name)]} ${kind.toLowerCase()}` : kind;
}

// A line chart in SVG: two axes, a few series, a read-out that follows pointer and arrow keys, and a log scale.
// Colours and dashes come from the style sheet, by the class of each series.

import { make, text } from "./svg.js";

const MARGIN = { top: 10, right: 12, bottom: 26, left: 52 };

/**
 * @param {HTMLElement} host an element with `[data-plot]`, `[data-legend]` and maybe `[data-log]` inside
 * @param {{title: string, series: {name: string, label: string, look: string}[], format: (v: number) => string}} what
 * @returns {{set(name: string, points: [number, number][]): void, draw(): void}} points are [step, value], by step
 */
export function makeChart(host, { title, series, format }) {
  const plot = host.querySelector("[data-plot]");
  const svg = make("svg", { tabindex: "0", role: "img" });
  const empty = document.createElement("p");
  empty.className = "chart-empty";
  empty.textContent = "No points yet.";
  plot.replaceChildren(svg, empty);
  const keys = series.map((one) => legendKey(one, host.querySelector("[data-legend]")));
  const points = new Map(series.map((one) => [one.name, []]));
  let log = false;
  let at = null; // the step that the read-out stands on; null means the newest
  let scales = null;

  const draw = () => {
    const shown = series.map((one) => points.get(one.name).filter(([, v]) => v !== null && (!log || v > 0)));
    const all = shown.flat();
    empty.hidden = all.length > 0;
    svg.replaceChildren();
    describe(svg, title, series, shown, format);
    if (!all.length || !plot.clientWidth) return;
    scales = makeScales(all, plot.clientWidth, svg.clientHeight || 220, log);
    drawAxes(svg, scales, format);
    shown.forEach((line, i) => drawLine(svg, line, series[i].look, scales));
    readOut(svg, shown, series, keys, at, scales, format);
  };
  const stand = (step) => { at = step; draw(); };
  svg.addEventListener("pointermove", (event) => scales && stand(scales.step(event.offsetX)));
  svg.addEventListener("pointerleave", () => stand(null));
  svg.addEventListener("blur", () => stand(null));
  svg.addEventListener("keydown", (event) => {
    const steps = [...new Set([...points.values()].flat().map(([s]) => s))].sort((a, b) => a - b);
    const next = nextStep(event.key, steps, at);
    if (next === undefined) return;
    event.preventDefault();
    stand(next);
  });
  host.querySelector("[data-log]")?.addEventListener("click", (event) => {
    log = !log;
    event.currentTarget.setAttribute("aria-pressed", String(log));
    draw();
  });
  new ResizeObserver(draw).observe(plot);
  return { set: (name, line) => { points.set(name, line); }, draw };
}

function makeScales(all, width, height, log) {
  const x0 = 0, x1 = bounds(all.map(([s]) => s))[1];
  const values = all.map(([, v]) => (log ? Math.log10(v) : v));
  let [low, high] = bounds(values);
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  if (!log && low >= 0 && low - room < 0) low = 0; else low -= room;
  high += room;
  const inner = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
  const span = x1 - x0 || 1;
  return {
    ...inner, log, low, high, x0, x1,
    x: (step) => inner.left + ((step - x0) / span) * (inner.right - inner.left),
    y: (value) => inner.bottom - (((log ? Math.log10(value) : value) - low) / (high - low)) * (inner.bottom - inner.top),
    step: (px) => x0 + ((px - inner.left) / (inner.right - inner.left)) * span,
  };
}

function drawAxes(svg, scales, format) {
  for (const value of valueTicks(scales)) {
    const y = scales.y(value);
    svg.append(make("line", { class: "grid", x1: scales.left, x2: scales.right, y1: y, y2: y }));
    svg.append(text(format(value), { class: "axis", x: scales.left - 8, y: y + 4, "text-anchor": "end" }));
  }
  const count = Math.max(2, Math.floor((scales.right - scales.left) / 65));
  for (const step of ticks(scales.x0, scales.x1, count).filter(Number.isInteger)) {
    const anchor = scales.right - scales.x(step) < 18 ? "end" : "middle";
    svg.append(text(step.toLocaleString("en"), { class: "axis", x: scales.x(step), y: scales.bottom + 18, "text-anchor": anchor }));
  }
}

function drawLine(svg, line, look, scales) {
  if (line.length === 1) dot(svg, line[0], look, scales);
  const path = line.map(([s, v], i) => `${i ? "L" : "M"}${scales.x(s).toFixed(1)},${scales.y(v).toFixed(1)}`).join("");
  svg.append(make("path", { class: look, d: path }));
  // Dots where points are far apart, such as one an epoch; close together they would hide the line.
  const apart = (scales.right - scales.left) / line.length;
  if (line.length > 1 && apart > 20) line.forEach((point) => dot(svg, point, look, scales));
}

function readOut(svg, shown, series, keys, at, scales, format) {
  const near = shown.map((line) => (at === null ? line.at(-1) : nearest(line, at)));
  if (at !== null) {
    const step = near.filter(Boolean).reduce((a, b) => (Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a))[0];
    const x = scales.x(step);
    svg.append(make("line", { class: "cross", x1: x, x2: x, y1: scales.top, y2: scales.bottom }));
    near.forEach((point, i) => point && dot(svg, point, series[i].look, scales));
  }
  near.forEach((point, i) => {
    const where = point && at !== null ? ` at ${point[0].toLocaleString("en")}` : "";
    keys[i].value.textContent = point ? format(point[1]) : "–";
    keys[i].step.textContent = where;
  });
}

function nextStep(key, steps, at) {
  const last = steps.length - 1;
  const here = at === null ? last : steps.findIndex((s) => s >= at);
  const jump = Math.max(1, Math.round(steps.length / 50));
  const to = { ArrowLeft: here - jump, ArrowRight: here + jump, Home: 0, End: last }[key];
  if (key === "Escape") return null;
  return to === undefined ? undefined : steps[Math.min(Math.max(to, 0), last)];
}

function nearest(line, step) {
  let low = 0, high = line.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (line[middle][0] < step) low = middle; else high = middle;
  }
  const [a, b] = [line[low], line[high]];
  return !b || (a && step - a[0] <= b[0] - step) ? a : b;
}

function valueTicks({ log, low, high, top, bottom }) {
  const count = Math.max(2, Math.floor((bottom - top) / 42));
  if (!log) return ticks(low, high, count);
  const decades = [];
  for (let e = Math.floor(low); e <= high; e++) for (const m of high - low > 2.5 ? [1] : [1, 2, 5]) decades.push(m * 10 ** e);
  const inside = decades.filter((v) => Math.log10(v) >= low && Math.log10(v) <= high);
  return inside.length > 1 ? inside : ticks(10 ** low, 10 ** high, count);
}

function ticks(low, high, count) {
  const rough = (high - low || 1) / count;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * size).find((s) => s >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-9) + 1e-12; i++) found.push(Number((i * step).toPrecision(12)));
  return found;
}

const bounds = (values) => values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);

function describe(svg, title, series, shown, format) {
  const parts = shown.map((line, i) => line.length && `${series[i].label} ${format(line.at(-1)[1])} at step ${line.at(-1)[0]}`.trim());
  svg.setAttribute("aria-label", `${title}: ${parts.filter(Boolean).join(", ") || "no points yet"}`);
}

function legendKey({ label, look }, legend) {
  const key = document.createElement("span");
  const [value, step] = [document.createElement("b"), document.createElement("span")];
  key.className = `key ${look}`;
  const both = document.createElement("span");
  both.append(label && `${label} `, value, step);
  key.append(both);
  legend.append(key);
  return { value, step };
}

function dot(svg, [step, value], look, scales) {
  svg.append(make("circle", { class: look, r: 3.5, cx: scales.x(step), cy: scales.y(value) }));
}

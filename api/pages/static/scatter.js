// Estimated against measured peaks in SVG: both axes logarithmic and alike, the line of "just right", the range of
// each estimate as a bar, and a read-out that follows pointer and arrow keys. Colours come from the style sheet.

import { make, text } from "./svg.js";

const MARGIN = { top: 10, right: 14, bottom: 40, left: 62 };
const LEAST_BYTES = 1000;
const WAYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };

/**
 * @param {HTMLElement} host an element with `[data-plot]` and `[data-reading]` inside
 * @param {{measured: number, likely: number, low: number, high: number, inRange: boolean, words: string}[]} points
 * @param {(bytes: number) => string} format
 */
export function drawScatter(host, points, format) {
  const plot = host.querySelector("[data-plot]");
  const reading = host.querySelector("[data-reading]");
  const shown = [...points].sort((a, b) => a.measured - b.measured);
  const label = `Estimated and measured peaks of ${shown.length} attempts; the table below tells the same`;
  const svg = make("svg", { tabindex: "0", role: "img", "aria-label": label });
  plot.replaceChildren(svg);
  const usual = reading.textContent;
  let at = null; // the point that the read-out stands on
  let scale = null;

  const draw = () => {
    svg.replaceChildren();
    if (!plot.clientWidth) return;
    scale = makeScale(shown, plot.clientWidth, svg.clientHeight);
    drawAxes(svg, scale, format);
    shown.forEach((point, i) => drawPoint(svg, point, scale, i === at));
    reading.textContent = at === null ? usual : shown[at].words;
  };
  const stand = (index) => { if (index !== at) { at = index; draw(); } };
  svg.addEventListener("pointermove", (event) => scale && stand(nearest(shown, scale, event.offsetX, event.offsetY)));
  svg.addEventListener("pointerleave", () => stand(null));
  svg.addEventListener("blur", () => stand(null));
  svg.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return stand(null);
    if (!(event.key in WAYS)) return;
    event.preventDefault();
    const from = at ?? (WAYS[event.key] > 0 ? -1 : shown.length);
    stand(Math.min(Math.max(from + WAYS[event.key], 0), shown.length - 1));
  });
  new ResizeObserver(draw).observe(plot);
}

function makeScale(points, width, height) {
  const sizes = points.flatMap((p) => [p.measured, p.low, p.high].map(size));
  const [low, high] = [Math.min(...sizes) - 0.08, Math.max(...sizes) + 0.08];
  const inner = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
  const share = (bytes) => (size(bytes) - low) / (high - low);
  return {
    ...inner, low, high,
    x: (bytes) => inner.left + share(bytes) * (inner.right - inner.left),
    y: (bytes) => inner.bottom - share(bytes) * (inner.bottom - inner.top),
  };
}

/** The logarithm; what is next to nothing stands at the lower edge. */
const size = (bytes) => Math.log10(Math.max(bytes, LEAST_BYTES));

function drawAxes(svg, scale, format) {
  for (const bytes of ticks(scale)) {
    const [x, y] = [scale.x(bytes), scale.y(bytes)];
    svg.append(make("line", { class: "grid", x1: scale.left, x2: scale.right, y1: y, y2: y }));
    svg.append(make("line", { class: "grid", x1: x, x2: x, y1: scale.top, y2: scale.bottom }));
    svg.append(text(format(bytes), { class: "axis", x: scale.left - 8, y: y + 4, "text-anchor": "end" }));
    svg.append(text(format(bytes), { class: "axis", x, y: scale.bottom + 16, "text-anchor": "middle" }));
  }
  svg.append(make("line", { class: "right-on", x1: scale.left, y1: scale.bottom, x2: scale.right, y2: scale.top }));
  svg.append(text("measured", { class: "axis", x: scale.right, y: scale.bottom + 34, "text-anchor": "end" }));
  svg.append(text("estimated", { class: "axis", x: scale.left + 6, y: scale.top + 10 }));
}

function drawPoint(svg, point, scale, chosen) {
  const x = scale.x(point.measured);
  const look = `${point.inRange ? "inside" : "outside"}${chosen ? " chosen" : ""}`;
  svg.append(make("line", { class: `span ${look}`, x1: x, x2: x, y1: scale.y(point.low), y2: scale.y(point.high) }));
  const y = scale.y(point.likely);
  const size = chosen ? 6 : 4.5;
  if (point.inRange) svg.append(make("circle", { class: look, r: size, cx: x, cy: y }));
  else svg.append(make("path", { class: look, d: `M${x},${y - size - 1}l${size + 1},${size + 1}l${-size - 1},${size + 1}l${-size - 1},${-size - 1}z` }));
}

function nearest(points, scale, x, y) {
  const far = (p) => Math.hypot(scale.x(p.measured) - x, scale.y(p.likely) - y);
  return points.reduce((best, p, i) => (far(p) < far(points[best]) ? i : best), 0);
}

/** Some sizes inside the scale: 1, 2 and 5 times powers of ten, or every power where there are many. */
function ticks({ low, high }) {
  const decades = [];
  const steps = high - low > 2.2 ? [1] : high - low > 0.8 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 7];
  for (let e = Math.floor(low); e <= high; e++) for (const m of steps) decades.push(m * 10 ** e);
  return decades.filter((v) => Math.log10(v) >= low && Math.log10(v) <= high);
}

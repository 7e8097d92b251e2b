// The page of estimates: what the API says of estimated and measured peaks, drawn.

import { drawScatter } from "./scatter.js";
import { bytes, percent } from "./words.js";
import { get } from "./yard.js";

const host = document.getElementById("scatter");
if (host) {
  const { items } = await get("/api/v1/estimates/accuracy");
  drawScatter(host, items.map(asPoint), bytes);
  host.hidden = !items.length;
}

function asPoint(row) {
  const error = `${row.error < 0 ? "−" : "+"}${percent(Math.abs(row.error))}`;
  const range = `${bytes(row.low_bytes)} to ${bytes(row.high_bytes)}`;
  return {
    measured: row.measured_bytes,
    likely: row.likely_bytes,
    low: row.low_bytes,
    high: row.high_bytes,
    inRange: row.in_range,
    words: `Job ${row.job_id}, ${row.network}: measured ${bytes(row.measured_bytes)}, estimated ${bytes(row.likely_bytes)} (${range}), ${error}`,
  };
}

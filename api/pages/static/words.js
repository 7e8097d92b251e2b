// Numbers and times in words.

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const SPANS = [["d", 86400], ["h", 3600], ["min", 60]];

/** "2 min ago", from a time in milliseconds. */
export function ago(time, now = Date.now()) {
  const seconds = (now - time) / 1000;
  for (const [unit, size] of SPANS) {
    if (seconds >= size) return `${Math.trunc(seconds / size)} ${unit} ago`;
  }
  return seconds < 10 ? "just now" : `${Math.trunc(seconds)} s ago`;
}

/** "1 h 20 min", "2 min 5 s", "8 s". */
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s >= 86400) return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
  if (s >= 3600) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  if (s >= 60) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${s} s`;
}

/** A number with as many digits as tell something. */
export function short(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(1).replace("e+", "e");
  return size >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(size < 1 ? 3 : 4)));
}

/** A share as percent, with more digits near 100 %. */
export function percent(value) {
  return `${Number((value * 100).toFixed(value > 0.9 && value < 1 ? 2 : 1))} %`;
}

/** `512 B`, `1.4 MB`. */
export function bytes(count) {
  const unit = ["B", "kB", "MB"].find((_, i) => count < 1000 ** (i + 1)) ?? "GB";
  const size = count / 1000 ** ["B", "kB", "MB", "GB"].indexOf(unit);
  return `${Number(size.toPrecision(size < 10 ? 2 : 3))} ${unit}`;
}

/** Write every `<time datetime>` and every `[data-since]` below an element in words. */
export function tellTimes(root = document) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const time = Date.parse(element.dateTime);
    element.textContent = ago(time);
    element.title ||= full.format(time);
  }
  for (const element of root.querySelectorAll("[data-since]")) {
    const end = element.dataset.until ? Date.parse(element.dataset.until) : Date.now();
    element.textContent = duration((end - Date.parse(element.dataset.since)) / 1000);
  }
}

// A job's log: lines as they come, and staying at the newest while `Follow` is pressed.

import { get } from "./yard.js";

const MOST_LINES = 5000;

/** @returns {() => Promise<void>} fetches the lines that are new */
export function makeLog(api, box, follow) {
  let after = 0;
  let busy = null;
  const following = () => follow.getAttribute("aria-pressed") === "true";
  const toEnd = () => { box.scrollTop = box.scrollHeight; };

  follow.addEventListener("click", () => {
    follow.setAttribute("aria-pressed", String(!following()));
    if (following()) toEnd();
  });
  const fetchLines = async () => {
    for (;;) {
      const { items, next } = await get(`${api}/logs?after=${after}&limit=1000`);
      if (items.length) {
        after = items.at(-1).id;
        document.getElementById("no-log")?.remove();
        box.append(...items.map(line));
        while (box.childElementCount > MOST_LINES) box.firstElementChild.remove();
        if (following()) toEnd();
      }
      if (!next || !items.length) return;
    }
  };
  return () => (busy ??= fetchLines().finally(() => { busy = null; }));
}

function line({ at, level, text }) {
  const row = document.createElement("span");
  const time = document.createElement("span");
  row.className = "line";
  time.className = "at";
  time.textContent = new Date(at).toLocaleTimeString(undefined, { hour12: false });
  time.title = new Date(at).toLocaleString();
  const words = document.createElement("span");
  words.className = level;
  words.textContent = level === "info" ? text : `${level}: ${text}`;
  row.append(time, words);
  return row;
}

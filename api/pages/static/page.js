// What every page does: times in words, kept true, and lists that stay current.

import { keepFresh } from "./refresh.js";
import { tellTimes } from "./words.js";

tellTimes();
setInterval(tellTimes, 10_000);
const every = Number(document.querySelector("main").dataset.refreshS);
if (every) keepFresh(every);

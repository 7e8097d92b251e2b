// The picture of a running style transfer, drawn anew every few seconds.

const LOOK_AGAIN_MS = 2000;

setInterval(look, LOOK_AGAIN_MS);

/** Put the newest picture in place of the one that is shown, once it has come whole. */
async function look() {
  const shown = document.querySelector("#painting [data-progress]");
  const running = document.getElementById("painting")?.dataset.status === "running";
  if (!shown || !running || document.hidden) return;
  const next = new Image();
  next.src = `${shown.dataset.progress}?at=${Date.now()}`;
  try {
    await next.decode();
  } catch {
    return; // it may just be replaced; the one that is shown stays
  }
  if (document.contains(shown)) shown.src = shown.closest("a").href = next.src;
}

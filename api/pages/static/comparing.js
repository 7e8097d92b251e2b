// Choosing jobs in the list, to compare them. What is chosen stays while the list is fetched again.

const MOST = 10;
const list = document.getElementById("jobs");
const link = document.getElementById("compare");
const chosen = new Set();

list.addEventListener("change", ({ target }) => {
  if (!target.dataset.pick) return;
  if (target.checked) chosen.add(target.dataset.pick); else chosen.delete(target.dataset.pick);
  show();
});
new MutationObserver(show).observe(list, { childList: true });
for (const box of list.querySelectorAll("[data-pick]:checked")) chosen.add(box.dataset.pick); // the browser remembers
show();

function show() {
  for (const box of list.querySelectorAll("[data-pick]")) {
    box.checked = chosen.has(box.dataset.pick);
    box.disabled = !box.checked && chosen.size >= MOST;
  }
  link.hidden = chosen.size < 2;
  link.textContent = `Compare ${chosen.size}`;
  link.href = `${link.dataset.address}?jobs=${[...chosen].sort((a, b) => a - b).join(",")}`;
}

// The confusion matrix as a table: what was right in one colour, mistakes in another, each as a share of its row.

import { get } from "./yard.js";

/** Fetch the matrix and show it in a section that was hidden until now. */
export async function showConfusion(section, address) {
  const { classes, matrix } = await get(address);
  const table = document.createElement("table");
  table.className = "confusion";
  const head = table.createTHead().insertRow();
  head.append(heading(""), ...classes.map((name) => heading(name, "col")));
  const body = table.createTBody();
  matrix.forEach((row, truth) => {
    const line = body.insertRow();
    const total = row.reduce((a, b) => a + b, 0) || 1;
    line.append(heading(classes[truth], "row"));
    row.forEach((count, said) => {
      const cell = line.insertCell();
      const share = count / total;
      cell.textContent = count ? count.toLocaleString("en") : "·";
      cell.title = `${classes[truth]} taken for ${classes[said]}: ${count} of ${total}`;
      cell.className = count ? (truth === said ? "right" : "wrong") : "zero";
      cell.style.setProperty("--strength", `${Math.round(strength(share, truth === said))}%`);
    });
  });
  section.querySelector(".scroll").replaceChildren(table);
  section.hidden = false;
}

/** Percent of the colour. Mistakes go by a root of their share, so that 1 % of a class can be seen beside 99 %. */
function strength(share, right) {
  if (!share) return 0;
  return right ? share ** 2 * 45 : 6 + share ** 0.5 * 64;
}

function heading(text, scope) {
  const cell = document.createElement(scope ? "th" : "td");
  if (scope) cell.scope = scope;
  cell.textContent = text;
  return cell;
}

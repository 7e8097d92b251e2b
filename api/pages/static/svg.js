// Elements of SVG.

const SVG = "http://www.w3.org/2000/svg";

/** An element with these attributes. */
export function make(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** A text element. */
export function text(content, attributes) {
  const element = make("text", attributes);
  element.textContent = content;
  return element;
}

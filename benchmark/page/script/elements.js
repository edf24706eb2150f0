"use strict";
// The page's behaviour. The address after # holds what is shown; whatever a reader does changes the address, and the
// address draws the page. Numbers arrive as text, as the Markdown tables print them: here they are sorted, filtered,
// drawn and shown, never computed. Text enters the page as text: nothing here parses HTML.

const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);

// Making elements, and reading the numbers of a text.

function make(space, tag, attributes, children) {
  const element = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}
const h = (tag, attributes, ...children) => make(null, tag, attributes, children);
const s = (tag, attributes, ...children) => make("http://www.w3.org/2000/svg", tag, attributes, children);
const count = (n) => n.toLocaleString("en");
const plural = (n, one) => `${count(n)} ${one}${n === 1 ? "" : "s"}`;

/** The first number of a text such as "+5.0 ± 5.4" or "> 0.31", and the half-width behind its ±; null without one. */
function number(text) {
  const found = /([−+-]?)(\d[\d,]*\.?\d*)(?: ± (\d+\.?\d*))?/.exec(String(text ?? ""));
  if (!found) return null;
  const size = Number(found[2].replaceAll(",", ""));
  return { mean: /[−-]/.test(found[1]) ? -size : size, half: found[3] === undefined ? null : Number(found[3]) };
}

/** Running text in which numbers keep their units and intervals. */
const prose = (text) =>
  text.replaceAll(" ± ", "\u00a0±\u00a0").replaceAll(" %", "\u00a0%").replaceAll(" = ", "\u00a0=\u00a0");

/** An estimate with its interval set back. */
function estimate(text) {
  const [mean, half] = String(text).split(" ± ");
  return half === undefined ? text : [mean, h("span", { class: "half" }, ` ± ${half}`)];
}

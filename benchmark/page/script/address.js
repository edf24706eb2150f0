// What is shown, as the address holds it.

const VIEWS = ["leaderboard", "claims", "methods", "cells"];
const KEYS = ["view", "suite", "regime", "eps", "place", "q", "end", "status", "sort", "cell", "method"];

function read() {
  const given = new URLSearchParams(location.hash.slice(1));
  const state = Object.fromEntries(KEYS.map((key) => [key, given.get(key) || ""]));
  state.show = given.has("show") ? given.getAll("show") : null;
  if (!VIEWS.includes(state.view)) state.view = "leaderboard";
  return state;
}

function address(state) {
  const given = new URLSearchParams();
  for (const key of KEYS) if (state[key]) given.set(key, state[key]);
  for (const name of state.show || []) given.append("show", name);
  return `#${given}`;
}

/** Changes what is shown. A new view or dialog is a step that the browser's back button undoes. */
function go(changes, step = false) {
  const next = address({ ...read(), ...changes });
  if (next === location.hash) return;
  if (step) location.hash = next;
  else location.replace(next);
}

const say = (text) => {
  if (at("said").textContent !== text) at("said").textContent = text;
};

// Which leaderboard, which rows, and the controls that choose them.

function chosen(state) {
  const suite = data.suites.find((each) => each.name === state.suite) || data.suites[0];
  const board = suite.boards.find((each) => each.regime === state.regime) || suite.boards[0];
  const eps = board.epsilons.includes(state.eps) ? board.epsilons.indexOf(state.eps) : (board.primary ?? 0);
  const place = Math.max(0, board.places.indexOf(state.place));
  return { suite, board, eps, place, mean: board.places[place] === "mean" };
}

const inPlace = (texts, place) => (texts ? texts[Math.min(place, texts.length - 1)] : "–");
const card = (method) => data.methods.find((each) => each.name === method);

function wanted(row, state) {
  const named = row.label.toLowerCase().includes(state.q.trim().toLowerCase());
  return named && (!state.end || card(row.method)?.direction === state.end);
}

const SLOTS = 8;
/** Rows that stand out in the charts, each in its slot; unless the reader chose: the first, the baseline, EasyCore. */
function standingOut(state, board) {
  if (state.show)
    return state.show.slice(0, SLOTS).map((name) => (board.rows.some((row) => row.row === name) ? name : ""));
  const names = [board.rows[0]?.row, "easycore", board.baseline, ...board.rows.slice(1).map((row) => row.row)];
  const there = new Set(board.rows.filter((row) => row.row !== "full").map((row) => row.row));
  return [...new Set(names)].filter((name) => there.has(name)).slice(0, 4);
}

function toggle(name) {
  const state = read();
  const slots = [...standingOut(state, chosen(state).board)];
  const now = slots.indexOf(name);
  const free = slots.indexOf("");
  if (now >= 0) slots[now] = "";
  else if (free >= 0) slots[free] = name;
  else if (slots.length < SLOTS) slots.push(name);
  else return say(`The charts hold ${SLOTS} rows; take one away first.`);
  go({ show: slots.some(Boolean) ? slots : [""] });
}

const ENDS = { easy: "easy samples", hard: "hard samples", middle: "the middle", cover: "cover", any: "no end" };

function drawFilters(state) {
  const form = at("filters");
  form.hidden = !["leaderboard", "cells", "methods"].includes(state.view) || !data.suites.length;
  if (form.hidden) return;
  const { suite, board, eps, place } = chosen(state);
  const unique = (values) => [...new Set(values)];
  const base = (each) => each.regime.split("@")[0];
  const sameData = data.suites.filter((each) => each.dataset === suite.dataset);
  const sameTrack = sameData.filter((each) => each.track === suite.track);
  const toSuite = (found) => go({ suite: found.name, place: "", sort: "", show: null, ...kept(found, board) });
  const controls = [];
  if (state.view !== "methods")
    controls.push(
      select("dataset", "Data set", unique(data.suites.map((each) => each.dataset)), suite.dataset, (value) =>
        toSuite(
          data.suites.find((each) => each.dataset === value && each.track === suite.track) ||
            data.suites.find((each) => each.dataset === value),
        ),
      ),
      select("track", "Track", unique(sameData.map((each) => each.track)), suite.track, (value) =>
        toSuite(sameData.find((each) => each.track === value)),
      ),
      select(
        "suite",
        "Suite",
        sameTrack.map((each) => each.name),
        suite.name,
        (value) => toSuite(sameTrack.find((each) => each.name === value)),
      ),
      select("regime", "Training", unique(suite.boards.map((each) => each.training)), board.training, (value) =>
        go({
          regime: (
            suite.boards.find((each) => each.training === value && each.clock === board.clock) ||
            suite.boards.find((each) => each.training === value)
          ).regime,
          eps: "",
          sort: "",
        }),
      ),
      select(
        "clock",
        "Clock",
        unique(suite.boards.filter((each) => base(each) === base(board)).map((each) => each.clock)),
        board.clock,
        (value) =>
          go({ regime: suite.boards.find((each) => base(each) === base(board) && each.clock === value).regime }),
      ),
      select(
        "eps",
        "ε",
        board.epsilons,
        board.epsilons[eps],
        (value) => go({ eps: value }),
        (value) => (value === board.epsilons[board.primary] ? `${value} (primary)` : value),
      ),
      select(
        "place",
        suite.track === "dynamic" ? "Presentations" : "Fraction kept",
        state.view === "cells" ? ["", ...board.places.filter((each) => each !== "mean")] : board.places,
        state.view === "cells" ? state.place : board.places[place],
        (value) => go({ place: value === "mean" ? "" : value, sort: "" }),
        (value) => ({ "": "all", mean: "mean over fractions" })[value] || value,
      ),
    );
  controls.push(
    select(
      "end",
      "Keeps",
      ["", ...unique(data.methods.map((each) => each.direction)).sort()],
      state.end,
      (value) => go({ end: value }),
      (value) => ENDS[value] || value || "anything",
    ),
  );
  if (state.view === "cells")
    controls.push(
      select(
        "status",
        "Cells",
        ["", "flagged", "failed"],
        state.status,
        (value) => go({ status: value }),
        (value) => value || "all",
      ),
    );
  controls.push(["q", "Method contains", state.q]);
  fill(form, controls.filter(Boolean));
}

/** What of the view another suite has as well. */
function kept(suite, board) {
  const same = suite.boards.find((each) => each.regime === board.regime);
  return { regime: same ? same.regime : "", eps: "", cell: "", method: "" };
}

/** A choice with its label; none where there is nothing to choose. */
function select(id, label, values, value, onchange, spell = (each) => each) {
  if (values.length < 2) return null;
  return { id, label, values, value, onchange, spell };
}

/** Elements that are there stay, so that focus and a half-typed word survive. */
function fill(form, controls) {
  const keep = new Map([...form.children].map((child) => [child.dataset.name, child]));
  form.replaceChildren(
    ...controls.map((control) => {
      if (Array.isArray(control)) {
        const [id, label, value] = control;
        const field =
          keep.get(id) ||
          h(
            "label",
            { "data-name": id },
            label,
            h("input", {
              id: `filter-${id}`,
              type: "search",
              autocomplete: "off",
              spellcheck: "false",
              oninput: (event) => go({ q: event.target.value }),
            }),
          );
        const input = field.querySelector("input");
        if (input.value !== value && document.activeElement !== input) input.value = value;
        return field;
      }
      const { id, label, values, value, onchange, spell } = control;
      return h(
        "label",
        { "data-name": id },
        label,
        h(
          "select",
          { id: `filter-${id}`, onchange: (event) => onchange(event.target.value) },
          values.map((each) => h("option", { value: each, selected: each === value }, spell(each))),
        ),
      );
    }),
  );
}

// The other views: claims, methods, cells.

function drawClaims() {
  say(data.claims.counted);
  let topic = "";
  return [
    h("h1", null, "The paper’s claims, tested"),
    h(
      "p",
      { class: "lead" },
      "Each claim of the EasyCore paper (arXiv:2510.11018), and what it leaves open, as a question put to published " +
        "records.",
    ),
    h(
      "p",
      { class: "more" },
      `${data.claims.counted} A verdict holds for the data, the number N of images and the network beside it, and for ` +
        "no other: on small data a claim may fail that holds for ResNet-18, and hold that fails there.",
    ),
    data.claims.questions.map((question, index) => {
      const heading = question.topic !== topic && h("h2", null, question.topic);
      topic = question.topic;
      return h(
        "section",
        { class: heading ? "topic" : "next", "aria-label": question.asks },
        heading,
        claim(question, index),
      );
    }),
  ];
}

function claim(question, index) {
  const columns = [
    {
      name: "suite",
      text: true,
      head: true,
      key: (row) => row.suite,
      cell: (row) => [row.suite, h("span", { class: "small" }, row.scale)],
    },
    { name: "case", text: true, class: "wrap", cell: (row) => row.case },
    { name: "against", text: true, class: "wrap", wide: true, cell: (row) => row.against },
    { name: question.unit, cell: (row) => row.value },
    { name: "95 % interval", cell: (row) => row.interval },
    { name: "replicates", wide: true, cell: (row) => row.replicates },
    {
      name: "verdict",
      text: true,
      key: (row) => row.verdict,
      cell: (row) => h("span", { class: `verdict ${VERDICTS[row.verdict] || "undecided"}` }, row.verdict),
    },
  ].filter(({ name, cell }) => !["case", "against"].includes(name) || question.answers.some(cell));
  const remarks = question.answers
    .filter((row) => row.remarks)
    .map((row) => `${[row.suite, row.case].filter(Boolean).join(", ")}: ${row.remarks}.`);
  const measured = question.answers.filter((row) => row.made_of.length);
  const holder = h("div");
  const redraw = (sort) =>
    keepingPlace(() =>
      holder.replaceChildren(
        table({
          id: `claim-${index}`,
          caption: question.measures,
          columns,
          rows: question.answers,
          sort,
          onsort: redraw,
        }),
      ),
    );
  if (question.answers.length) redraw("");
  return h(
    "article",
    { class: "claim" },
    h("h3", null, question.asks),
    h("p", { class: "said" }, `Paper: ${question.claim} `, h("br"), question.rule),
    question.answers.length ? holder : h("p", null, question.measures, " No records answer this yet."),
    remarks.length > 0 &&
      h(
        "ul",
        { class: "remarks" },
        remarks.map((text) => h("li", null, text)),
      ),
    measured.length > 0 &&
      fold(
        "What it rests on: each replicate’s value, further facts, stages",
        measured.map((row) => [h("h4", null, [row.suite, row.case].filter(Boolean).join(", ")), list(row.made_of)]),
      ),
    question.missing.length > 0 &&
      h(
        "details",
        null,
        h("summary", null, plural(question.missing.length, "setting"), " without an answer"),
        h(
          "ul",
          { class: "notes" },
          question.missing.map((text) => h("li", null, text)),
        ),
      ),
  );
}

const VERDICTS = { supported: "supported", "not supported": "refuted" };

function drawMethods(state) {
  const needle = state.q.trim().toLowerCase();
  const found = data.methods.filter(
    (each) =>
      (!state.end || each.direction === state.end) && `${each.name} ${each.keeps}`.toLowerCase().includes(needle),
  );
  say(plural(found.length, "method"));
  return [
    h("h1", null, "The methods"),
    h(
      "p",
      { class: "under" },
      `${plural(data.methods.length, "method")}. A name opens its card: definition, what it reads, what it costs, ` +
        "what its paper leaves open, and where it stands.",
    ),
    h(
      "section",
      { "aria-label": "Table" },
      found.length
        ? table({
            id: "methods",
            caption: "What each one keeps",
            rows: found,
            sort: state.sort,
            onsort: (sort) => go({ sort }),
            columns: [
              {
                name: "name",
                text: true,
                head: true,
                key: (row) => row.name,
                cell: (row) =>
                  h(
                    "button",
                    {
                      type: "button",
                      class: "opens",
                      id: `card-${row.name}`,
                      onclick: () => go({ method: row.name }, true),
                    },
                    row.name,
                  ),
              },
              { name: "kind", text: true, wide: true, cell: (row) => row.kind },
              { name: "end", text: true, wide: true, cell: (row) => row.end },
              { name: "keeps", text: true, class: "wrap", key: (row) => row.keeps, cell: (row) => marked(row.keeps) },
              { name: "reads", text: true, wide: true, class: "wrap", cell: (row) => row.reads },
            ],
          })
        : h(
            "p",
            { class: "empty" },
            "No method matches. ",
            h("a", { href: address({ ...state, q: "", end: "" }) }, "Show all of them."),
          ),
    ),
  ];
}

// ---- cells

/** A cell's values by name. */
function named(cells, values) {
  const found = Object.fromEntries(cells.columns.map((name, index) => [name, values[index]]));
  for (const pool of ["row", "training", "seeds", "attacks", "origin", "regime"]) {
    if (found[pool] !== null) found[pool] = cells.pools[pool][found[pool]];
  }
  return found;
}

const cache = new Map();
function cellsOf(suite) {
  if (!cache.has(suite.name))
    cache.set(
      suite.name,
      suite.cells.cells.map((values) => named(suite.cells, values)),
    );
  return cache.get(suite.name);
}

const PAGE = 200;
let shownCells = PAGE;

function drawCells(state) {
  const { suite, board, eps } = chosen(state);
  const needle = state.q.trim().toLowerCase();
  const found = cellsOf(suite).filter(
    (cell) =>
      cell.regime === board.regime &&
      cell.row.row.toLowerCase().includes(needle) &&
      (!state.place || cell.fraction === state.place) &&
      (!state.end || card(cell.row.method)?.direction === state.end) &&
      (!state.status || (state.status === "failed" ? cell.failure : cell.flags.length > 0)),
  );
  say(`${plural(found.length, "cell")} of ${suite.name}, ${board.training}, ${board.clock}`);
  const robust = (cell) => (cell.failure ? "failed" : (cell.robust?.[eps]?.[2] ?? "–"));
  const columns = [
    {
      name: "method",
      text: true,
      head: true,
      key: (cell) => cell.row.row,
      cell: (cell) =>
        h(
          "button",
          {
            type: "button",
            class: "opens",
            id: `cell-${cell.cell}`,
            "aria-label": `Cell ${cell.cell}`,
            onclick: () => go({ cell: cell.cell }, true),
          },
          cell.row.row,
        ),
    },
    { name: "fraction", cell: (cell) => cell.fraction },
    {
      name: "replicate",
      cell: (cell) => cell.replicate,
      key: (cell) => cell.replicate,
    },
    {
      name: "robust",
      class: "main",
      key: robust,
      cell: (cell) => (cell.failure ? h("span", { class: "failed" }, "failed") : robust(cell)),
    },
    { name: "clean", key: (cell) => cell.clean?.[2] ?? "", cell: (cell) => cell.clean?.[2] ?? "–" },
    { name: "median smallest ε", wide: true, key: (cell) => cell.median ?? "", cell: (cell) => cell.median ?? "–" },
    { name: "steps", wide: true, cell: (cell) => count(cell.picks[2]) },
    { name: "flags", text: true, class: "wrap", cell: (cell) => cell.failure || cell.flags.join(", ") },
  ];
  const sort = columns.some((column) => column.name === state.sort.replace("-", "")) ? state.sort : "";
  const by = columns.find((column) => column.name === sort.replace("-", ""));
  const ordered = by ? sorted(found, by, sort.startsWith("-")) : found;
  return [
    h("h1", null, "The cells"),
    h(
      "p",
      { class: "under" },
      `${suite.title} · ${board.training} · ${board.clock} · ε = ${board.epsilons[eps]}. ` +
        "A cell is one coreset, one model trained on it and its outcome on every test image; a name opens its record." +
        (suite.cells.draws
          ? ` The suite’s ${count(suite.cells.draws)} random draws, among which the leaderboard places its rows, are in its records alone.`
          : ""),
    ),
    h(
      "section",
      { "aria-label": "Table" },
      found.length
        ? [
            table({
              id: "cells",
              caption: `Robust and clean accuracy in % of ${plural(found.length, "cell")}`,
              columns,
              rows: ordered.slice(0, shownCells),
              sort,
              onsort: (next) => go({ sort: next }),
            }),
            found.length > shownCells &&
              h(
                "p",
                { class: "tally" },
                `The first ${count(shownCells)} of ${count(found.length)}. `,
                h(
                  "button",
                  {
                    type: "button",
                    class: "quiet",
                    id: "more",
                    onclick: () => {
                      shownCells += PAGE;
                      drawn = null;
                      draw();
                    },
                  },
                  `Show ${PAGE} more`,
                ),
              ),
          ]
        : h(
            "p",
            { class: "empty" },
            state.status ? `No cell is ${state.status} here. ` : "No cell matches. ",
            h("a", { href: address({ ...state, q: "", end: "", status: "" }) }, "Show all of them."),
          ),
    ),
  ];
}

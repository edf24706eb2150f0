// What opens on a click: a cell's record, a method's card.

function drawDialog(state) {
  const dialog = at("dialog");
  const content = state.cell ? cellContent(state.cell) : state.method ? methodContent(state.method) : null;
  if (!content) {
    if (dialog.open) dialog.close();
    return;
  }
  at("dialog-title").replaceChildren(content.title);
  at("dialog-body").replaceChildren(...content.body.flat(Infinity).filter(Boolean));
  if (!dialog.open) dialog.showModal();
}

const list = (pairs) =>
  h(
    "dl",
    { class: "facts" },
    pairs
      .filter(([, value]) => value !== null && value !== undefined && value !== "")
      .map(([term, value]) => [h("dt", null, term), h("dd", null, value)]),
  );
const part = (title, ...content) => h("section", null, h("h3", null, title), content);
const code = (text) => h("code", null, text);

/** Nested settings, one line each: "augment.pad: 4". */
function settings(values, prefix = "") {
  return Object.entries(values || {}).flatMap(([key, value]) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? settings(value, `${prefix}${key}.`)
      : [[prefix + key, Array.isArray(value) ? value.join(", ") : String(value)]],
  );
}

// ---- a cell

function openCells(suite, board, row, where) {
  const found = cellsOf(suite).find(
    (cell) => cell.row.row === row.row && cell.regime === board.regime && cell.fraction === where,
  );
  if (found) go({ cell: found.cell }, true);
}

function cellContent(name) {
  const suite = data.suites.find((each) => cellsOf(each).some((cell) => cell.cell === name));
  if (!suite) return { title: "No such cell", body: [h("p", null, `These records hold no cell named ${name}.`)] };
  const all = cellsOf(suite);
  const cell = all.find((each) => each.cell === name);
  const board = suite.boards.find((each) => each.regime === cell.regime);
  const siblings = all.filter(
    (each) => each.row.row === cell.row.row && each.regime === cell.regime && each.fraction === cell.fraction,
  );
  const [k, effective, steps, presentations] = cell.picks;
  return {
    title: [cell.row.row, cell.fraction, board.training, `replicate ${cell.replicate}`].join(", "),
    body: [
      siblings.length > 1 &&
        h(
          "div",
          { class: "replicates", role: "group", "aria-label": "Replicates" },
          siblings.map((each) =>
            h(
              "button",
              {
                type: "button",
                class: "quiet",
                id: `replicate-${each.replicate}`,
                "aria-current": each === cell ? "true" : null,
                onclick: () => go({ cell: each.cell }),
              },
              `replicate ${each.replicate}${each.failure ? " (failed)" : ""}`,
            ),
          ),
        ),
      cell.failure
        ? part("Outcome", h("p", { class: "failed" }, `This cell failed at ${cell.failure}`))
        : part("Outcome", outcomes(cell, board)),
      cell.flags.length > 0 && part("Flags", h("p", null, cell.flags.join(", "))),
      part("To check it", commands(suite, cell)),
      part(
        "What was trained",
        list([
          [
            "coreset",
            `${count(k)} samples${effective !== k ? `, ${count(effective)} of them with a positive weight` : ""}`,
          ],
          [
            "method",
            h(
              "button",
              { type: "button", class: "opens", onclick: () => go({ cell: "", method: cell.row.method }) },
              cell.row.method,
            ),
          ],
          ["policy", cell.row.policy],
          [
            "parameters",
            settings(cell.row.params)
              .map((pair) => pair.join(" = "))
              .join(", "),
          ],
          [
            "proxy",
            cell.row.proxy && cell.row.proxy_epochs
              ? `${cell.row.proxy} (${cell.row.proxy_model}), ${cell.row.proxy_epochs} epochs that this row needs alone`
              : "",
          ],
          ["held-out part", cell.row.reads_select ? "may see the labelled images held out for selection" : ""],
          ["optimiser steps", count(steps)],
          ["presentations", presentations ? count(presentations) : ""],
          ["model", cell.training.model],
        ]),
        fold("Every setting of its training", list(settings(cell.training))),
        cell.row.proxy_recipe && fold("Every setting of the proxy’s training", list(settings(cell.row.proxy_recipe))),
      ),
      part("Seeds", list(Object.entries(cell.seeds).map(([key, value]) => [key, code(String(value))]))),
      part(
        "Cost when first computed",
        list([
          ...suite.cells.pools.stages[cell.seconds[0]].map((stage, index) => [stage, `${cell.seconds[index + 1]} s`]),
          ["passes", `${count(cell.passes[0])} samples forward, ${count(cell.passes[1])} back`],
          ["memory", cell.passes[2] ? `${count(Math.round(cell.passes[2] / 2 ** 20))} MiB at most` : ""],
        ]),
      ),
      part(
        "Where its stages lie",
        list(suite.cells.pools.keys[cell.keys[0]].map((stage, index) => [stage, code(cell.keys[index + 1])])),
      ),
      part("What it ran on", list(settings(cell.origin))),
    ],
  };
}

const fold = (title, content) => h("details", null, h("summary", null, title), content);

function outcomes(cell, board) {
  const of = (counted) => (counted ? `${count(counted[0])} of ${count(counted[1])} (${counted[2]} %)` : "–");
  const lines = cell.attacks.map((attack, index) => ({ ...attack, right: cell.counts[index] }));
  const signs = Object.entries(cell.signs || {});
  return [
    list([
      ["clean", of(cell.clean)],
      ...board.epsilons.map((epsilon, index) => [
        `robust, ε = ${epsilon}${index === board.primary ? " (primary)" : ""}`,
        of(cell.robust[index]),
      ]),
      ["median smallest ε", cell.median],
      [
        "worst class",
        cell.worst_class && `class ${cell.worst_class[0]}: ${cell.worst_class[1]} of ${cell.worst_class[2]}`,
      ],
      ...signs.map(([name, [found, among]]) => [name, `${count(found)} of ${count(among)} images`]),
    ]),
    table({
      id: "attacks",
      caption:
        "Right images under each attack; robust is the worst case, image by image, over those that every cell met",
      rows: lines,
      columns: [
        { name: "attack", text: true, head: true, cell: (row) => row.attack },
        { name: "ε", cell: (row) => row.epsilon },
        { name: "right", class: "main", cell: (row) => count(row.right) },
        { name: "of", cell: (row) => count(row.images) },
        {
          name: "settings",
          text: true,
          class: "wrap",
          wide: true,
          cell: (row) =>
            [
              ...settings(row.settings).map((pair) => pair.join(" ")),
              ...row.omitted.map((text) => `without ${text}`),
            ].join(", "),
        },
      ],
    }),
  ];
}

/** One word for a shell, and for --only a name with nothing to match but itself. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const literal = (text) => text.replace(/[[*?]/g, "[$&]");

function commands(suite, cell) {
  const { explain, run, file } = suite.cells.commands;
  const joined = (parts) => parts.filter(Boolean).join(" ");
  return [
    command("command-explain", joined([explain[0], quoted(cell.cell), explain[1]])),
    command("command-run", joined([run[0], quoted(literal(cell.cell)), run[1]])),
    h(
      "p",
      { class: "under" },
      "The first shows every stage and its key, the second makes the cell anew in a folder of its own. ",
      file.length > 0 && `${file[0]} is the suite’s own file.`,
    ),
  ];
}

function command(id, text) {
  const shown = h("pre", { tabindex: 0 }, h("code", { id }, text));
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say("Copied");
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(shown);
      say("Selected; copy it from the keyboard");
    }
  };
  const button = h("button", { type: "button", class: "quiet", onclick: copy }, "Copy");
  return h("div", { class: "command" }, shown, button);
}

// ---- a method

function methodContent(name) {
  const found = card(name);
  if (!found)
    return {
      title: name,
      body: [
        h(
          "p",
          null,
          "There is no card: this method is not part of the package, or was not installed where this page was built.",
        ),
      ],
    };
  return {
    title: name,
    body: [
      h("p", { class: "lead" }, marked(`${found.keeps}.`)),
      part(
        "At a glance",
        list(found.facts.map(([term, texts]) => [term, texts.map((text) => h("div", null, marked(text)))])),
      ),
      part("Definition", found.about.map(paragraph)),
      found.left_open.length > 0 &&
        part(
          "Left open by its paper",
          found.left_open.map((text) => paragraph(text.replace(/^Left open[^:]*: /, ""))),
        ),
      part("Where it stands", standings(name)),
    ],
  };
}

const paragraph = (text) =>
  text.startsWith(" ")
    ? h("pre", { class: "formula" }, text)
    : text.split("\n").map((line) => h("p", null, marked(line)));
/** `names` of code set as code. */
const marked = (text) => text.split("`").map((piece, index) => (index % 2 ? code(piece) : piece));

function standings(method) {
  const lines = data.suites.flatMap((suite) =>
    suite.boards.flatMap((board) =>
      board.primary === null
        ? []
        : board.rows
            .filter((row) => row.method === method && row.row !== "full")
            .flatMap((row) =>
              (board.places[0] === "mean"
                ? [["mean over fractions", 0]]
                : row.alone
                  ? [[row.presented[0], 0]]
                  : board.places.map((each, index) => [each, index])
              ).map(([where, index]) => ({
                suite,
                board,
                row,
                where,
                robust: row.robust[board.primary][index],
                gain: row.gain[board.primary]?.[index],
                clean: row.clean[index],
              })),
            ),
    ),
  );
  if (!lines.length) return h("p", null, "It is in no published suite.");
  return table({
    id: "stands",
    caption: "Robust and clean accuracy in % at each primary ε",
    rows: lines,
    columns: [
      {
        name: "suite",
        text: true,
        cell: (line) =>
          h(
            "a",
            {
              href: address({
                ...read(),
                view: "leaderboard",
                suite: line.suite.name,
                regime: line.board.regime,
                method: "",
                place: "",
                eps: "",
                q: "",
                end: "",
                sort: "",
                show: null,
              }),
            },
            line.suite.name,
          ),
      },
      { name: "training", text: true, cell: (line) => `${line.board.training}, ${line.board.clock}` },
      { name: "row", text: true, cell: (line) => line.row.label },
      { name: "at", text: true, cell: (line) => line.where },
      { name: "place", cell: (line) => [line.board.place, line.row.rank].filter(Boolean).join(" ") || "–" },
      { name: "robust", class: "main", cell: (line) => estimate(line.robust) },
      { name: "against baseline", cell: (line) => estimate(line.gain ?? "–") },
      { name: "clean", cell: (line) => estimate(line.clean) },
    ],
  });
}

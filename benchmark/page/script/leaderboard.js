// The leaderboard of one regime.

function drawLeaderboard(state) {
  const { suite, board, eps, place, mean } = chosen(state);
  const primary = board.primary === null || eps === board.primary;
  const rows = board.rows.filter((row) => row.row !== "full" && wanted(row, state));
  const whole = board.rows.filter((row) => row.row === "full");
  const slots = standingOut(state, board);
  const where = `ε = ${board.epsilons[eps]}, ${mean ? "mean over fractions" : board.places[place]}`;
  const said = primary && (mean || suite.track === "dynamic");
  say(`${plural(rows.length, "row")} of ${suite.name}, ${board.training}, ${board.clock}, ${where}`);
  return [
    h("h1", null, `${board.training}, ${suite.dataset}`),
    h("p", { class: "under" }, `${suite.title} · ${board.model} · ${board.clock} · ${where} · ${board.attacks}`),
    said
      ? [
          h("p", { class: "lead" }, prose(board.headline[0])),
          h("p", { class: "more" }, prose(board.headline.slice(1).join(" "))),
        ]
      : h(
          "p",
          { class: "lead" },
          "Not what the suite declares as its comparison, so nothing is ranked here. ",
          h("a", { href: address({ ...state, eps: "", place: "", sort: "" }) }, "Show the declared one."),
        ),
    charts(board, eps, place, slots, suite.track === "dynamic"),
    h(
      "section",
      { "aria-label": "Table" },
      rows.length || !board.rows.length
        ? mainTable(state, suite, board, eps, place, rows, whole, slots)
        : h(
            "p",
            { class: "empty" },
            "No method matches. ",
            h("a", { href: address({ ...state, q: "", end: "" }) }, "Show all of them."),
          ),
      board.remarks.length > 0 &&
        h(
          "ul",
          { class: "remarks" },
          board.remarks.map((remark) => h("li", null, prose(remark))),
        ),
    ),
    h("section", null, h("h2", null, "Behind the table"), unfolding(suite, board)),
    h(
      "section",
      null,
      h("h2", null, "How it was measured"),
      h(
        "dl",
        { class: "facts" },
        suite.facts
          .filter(([, , regime]) => !regime || [board.regime, board.regime.split("@")[0]].includes(regime))
          .map(([term, text]) => [h("dt", null, term), h("dd", null, prose(text))]),
      ),
    ),
    h(
      "section",
      null,
      h("h2", null, "Reading the tables"),
      h(
        "ul",
        { class: "notes" },
        suite.notes.map((note) => h("li", null, note)),
        h(
          "li",
          null,
          "On this page a number of one fraction opens the cells behind it, a name opens the method’s card, " +
            "and the mark before a name puts the row into the charts or takes it out.",
        ),
      ),
    ),
  ];
}

function mainTable(state, suite, board, eps, place, rows, whole, slots) {
  const mean = board.places[place] === "mean";
  const dynamic = suite.track === "dynamic";
  const primary = board.primary === null || eps === board.primary;
  const open = (row, where, text) =>
    number(text) || text === "failed"
      ? h(
          "button",
          {
            type: "button",
            class: `opens${text === "failed" ? " failed" : ""}`,
            id: `open-${row.row}-${where}`,
            "aria-label": `${text}: cells of ${row.label} at ${where}`,
            onclick: () => openCells(suite, board, row, where),
          },
          estimate(text),
        )
      : text;
  const robust = (row) => inPlace(row.robust[eps], place);
  const where = (row) => (row.row === "full" || row.alone ? "100 %" : board.places[place]);
  const columns = [
    { name: "In the charts", plain: true, text: true, cell: (row) => swatch(row, slots) },
    primary &&
      mean &&
      board.rows.some((row) => row.rank) && {
        name: board.place,
        cell: (row) => row.rank,
        key: (row) => row.rank,
        title: board.place === "rank" ? "Ranks that the comparisons leave open" : "What the family of comparisons shows",
      },
    dynamic && {
      name: "presented",
      cell: (row) => inPlace(row.presented, place),
      title: "Share of the presentations of training on the whole pool",
    },
    {
      name: "method",
      text: true,
      head: true,
      key: (row) => row.label,
      cell: (row) =>
        row.row === "full"
          ? row.label
          : h(
              "button",
              {
                type: "button",
                class: "opens",
                id: `card-${row.row}`,
                onclick: () => go({ method: row.method }, true),
              },
              row.label,
            ),
    },
    {
      name: "robust",
      class: "main",
      key: robust,
      cell: (row) => (mean && row.row !== "full" ? estimate(robust(row)) : open(row, where(row), robust(row))),
      title: "Robust accuracy in %",
    },
    {
      name: "interval",
      plain: true,
      class: "whisker wide",
      wide: true,
      cell: whiskers([...rows, ...whole].map(robust), robust),
    },
    board.baseline && {
      name: `− ${board.baseline}`,
      key: (row) => inPlace(row.gain[eps], place),
      cell: (row) => estimate(inPlace(row.gain[eps], place)),
      title: `Points more than ${board.baseline}, paired by replicate`,
    },
    {
      name: "clean",
      key: (row) => inPlace(row.clean, place),
      cell: (row) => estimate(inPlace(row.clean, place)),
      title: "Clean accuracy in %",
    },
    {
      name: "worst class",
      wide: true,
      key: (row) => inPlace(row.worst, place),
      cell: (row) => estimate(inPlace(row.worst, place)),
      title: "Lowest clean accuracy of a class in %",
    },
    ...(mean
      ? board.places.slice(1).map((each, index) => ({
          name: each,
          wide: true,
          key: (row) => (row.row === "full" ? "" : inPlace(row.robust[eps], index + 1)),
          cell: (row) => (row.row === "full" ? "" : open(row, each, inPlace(row.robust[eps], index + 1))),
          title: `Robust accuracy in %, ${each} kept`,
        }))
      : []),
  ].filter(Boolean);
  return table({
    id: "board",
    columns,
    rows,
    apart: whole,
    sort: state.sort || (mean && primary ? "" : "-robust"),
    onsort: (sort) => go({ sort }),
    caption:
      `Robust and clean accuracy in % (ε = ${board.epsilons[eps]}, ${board.attacks}, ${board.clock}` +
      `; ${board.intervals})`,
  });
}

function swatch(row, slots) {
  if (row.row === "full") return "";
  const slot = slots.indexOf(row.row);
  return h(
    "button",
    {
      type: "button",
      class: "swatch",
      id: `swatch-${row.row}`,
      "aria-pressed": slot >= 0 ? "true" : "false",
      "aria-label": `${row.label} in the charts`,
      title: slot >= 0 ? "Take out of the charts" : "Show in the charts",
      onclick: () => toggle(row.row),
    },
    s(
      "svg",
      { width: 16, height: 16, viewBox: "-8 -8 16 16", class: slot >= 0 ? `s${slot}` : null, "aria-hidden": "true" },
      slot >= 0
        ? s("path", { d: MARKS[slot], class: "dot", transform: "scale(1.25)" })
        : s("circle", { r: 2, class: "ghost-dot" }),
    ),
  );
}

/** Draws each row's estimate and interval on one scale, as printed. */
function whiskers(texts, of) {
  const found = texts.map(number).filter(Boolean);
  const low = Math.min(...found.map(({ mean, half }) => mean - (half || 0)));
  const high = Math.max(...found.map(({ mean, half }) => mean + (half || 0)));
  const x = scale(low, high, 4, 116);
  return (row) => {
    const point = number(of(row));
    if (!point) return "";
    const { mean, half } = point;
    return s(
      "svg",
      { width: 120, height: 16, viewBox: "0 0 120 16", "aria-hidden": "true" },
      half !== null && s("path", { class: "bar", d: `M${x(mean - half)} 8H${x(mean + half)}` }),
      s("circle", { class: "bar-dot", cx: x(mean), cy: 8, r: 2.6 }),
    );
  };
}

function unfolding(suite, board) {
  const grids = suite.track === "dynamic" ? [board.main, ...board.details] : board.details;
  return grids.map((found, index) => {
    const holder = h("div");
    return h(
      "details",
      {
        ontoggle: (event) => {
          if (event.target.open && !holder.firstChild) holder.append(grid(`detail-${index}`, found));
        },
      },
      h("summary", null, found.title),
      holder,
    );
  });
}

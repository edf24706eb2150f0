// Curves and points, drawn from the printed texts.

const DASHES = [null, "7 3", "2 2.5", "9 3 2 3", "5 2", "1.5 3.5", "12 3", "6 2 1.5 2 1.5 2"];
const MARKS = [
  "M-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0 -6.8 0z",
  "M-3 -3h6v6h-6z",
  "M0 -4L3.9 3H-3.9z",
  "M0 -4.3L4.3 0L0 4.3L-4.3 0z",
  "M0 4L3.9 -3H-3.9z",
  "M-1.3 -4h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7v-2.6h2.7z",
  "M-4 -1.6h8v3.2h-8z",
  "M-1.6 -4h3.2v8h-3.2z",
];
const SIZE = "0 0 400 262";
const BOX = { left: 34, right: 284, top: 12, bottom: 224 };

function scale(low, high, from, to) {
  const span = high - low || 1;
  return (value) => Math.round(10 * (from + ((value - low) / span) * (to - from))) / 10;
}

function ticks(low, high) {
  const step = [1, 2, 5, 10, 20, 25, 50].find((each) => (high - low) / each <= 5) || 100;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(value);
  return found;
}

/** A number with the text that it was read from. */
function printed(text) {
  const found = number(text);
  return found && { text, ...found };
}

/** What a board's texts look like as curves over fractions and over ε, and as robust against clean accuracy. */
function charts(board, eps, place, slots, dynamic) {
  const whole = board.rows.find((row) => row.row === "full");
  const rows = board.rows.filter((row) => row !== whole);
  const mean = board.places[place] === "mean";
  const skipped = board.places[0] === "mean" ? 1 : 0;
  const where = mean ? "mean over fractions" : `${board.places[place]} ${dynamic ? "presented" : "kept"}`;
  const percent = (text) => number(text)?.mean;
  const line = (row, xs, texts) => ({
    row,
    points: texts
      .map((text, index) => ({ x: xs[index], text, ...number(text) }))
      .filter((p) => p.mean !== undefined && p.x !== undefined),
  });

  const shares = (row) => (dynamic ? row.presented.map(percent) : board.places.slice(skipped).map(percent));
  const byFraction = rows.map((row) =>
    line(row, shares(row), row.alone ? row.robust[eps] : row.robust[eps].slice(skipped)),
  );
  const radii = [0, ...board.radii];
  const byRadius = rows.map((row) =>
    line(
      row,
      radii,
      [row.clean, ...row.robust].map((texts) => inPlace(texts, place)),
    ),
  );
  const trade = rows
    .map((row) => ({
      row,
      clean: printed(inPlace(row.clean, place)),
      robust: printed(inPlace(row.robust[eps], place)),
    }))
    .filter(({ clean, robust }) => clean && robust);
  const level = whole ? number(whole.robust[eps][0])?.mean : undefined;
  const found = [
    curves(
      `Robust accuracy in % against the ${dynamic ? "presentations" : "share kept"}, ε = ${board.epsilons[eps]}`,
      byFraction,
      slots,
      dynamic ? "% of all presentations" : "% of the pool kept",
      level === undefined ? null : { level, name: whole.label },
    ),
    curves(
      `Robust accuracy in % against ε, ${where}; at 0 clean accuracy`,
      byRadius,
      slots,
      "ε",
      null,
      ["0", ...board.epsilons],
      radii,
    ),
    scatter(`Robust against clean accuracy in %, ε = ${board.epsilons[eps]}, ${where}`, trade, slots),
  ].filter(Boolean);
  return found.length ? h("div", { class: "charts" }, found) : null;
}

function frame(x, y, xticks, yticks, xlabel) {
  return [
    yticks.map((value) => [
      s("path", { class: "axis", d: `M${BOX.left} ${y(value)}H${BOX.right}` }),
      s("text", { x: BOX.left - 6, y: y(value) + 4, "text-anchor": "end" }, value),
    ]),
    xticks.map(([value, text]) => s("text", { x: x(value), y: BOX.bottom + 16, "text-anchor": "middle" }, text)),
    s("text", { x: (BOX.left + BOX.right) / 2, y: BOX.bottom + 33, "text-anchor": "middle" }, xlabel),
  ];
}

const figure = (caption, ...drawn) =>
  h(
    "figure",
    null,
    h("figcaption", null, prose(caption)),
    s("svg", { viewBox: SIZE, role: "img", "aria-label": `${caption}. The table below holds these numbers.` }, drawn),
  );

function curves(caption, lines, slots, xlabel, level, names, values) {
  const points = lines.flatMap(({ points: each }) => each);
  if (!points.length || new Set(points.map(({ x }) => x)).size < 2) return null;
  const out = lines.filter(({ row }) => slots.includes(row.row));
  const ends = out.flatMap(({ points: each }) =>
    each.flatMap(({ mean, half }) => [mean - (half || 0), mean + (half || 0)]),
  );
  const heights = [...points.map(({ mean }) => mean), ...ends, ...(level ? [level.level] : [])];
  const [bottom, top] = [Math.max(0, Math.min(...heights)), Math.min(100, Math.max(...heights))];
  const xs = [
    ...new Set(values || lines.filter(({ row }) => !row.alone).flatMap(({ points: each }) => each.map(({ x }) => x))),
  ].sort((a, b) => a - b);
  const [first, last] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  const x = scale(first, last, BOX.left + 8, BOX.right - 4);
  const y = scale(bottom, top, BOX.bottom, BOX.top);
  const clamped = (value) => y(Math.max(bottom, Math.min(top, value)));
  const path = (each) => each.map((p, index) => `${index ? "L" : "M"}${x(p.x)} ${y(p.mean)}`).join("");
  const named = [];
  const drawn = out
    .sort((a, b) => slots.indexOf(a.row.row) - slots.indexOf(b.row.row))
    .map(({ row, points: each }) => {
      if (!each.length) return null;
      const slot = slots.indexOf(row.row);
      const end = each[each.length - 1];
      named.push({ name: row.label, y: y(end.mean), from: [x(end.x), y(end.mean)] });
      const wide = each.filter((p) => p.half !== null);
      const upper = wide.map((p) => `${x(p.x)} ${clamped(p.mean + p.half)}`);
      const lower = wide.map((p) => `${x(p.x)} ${clamped(p.mean - p.half)}`).reverse();
      const band = wide.length > 1 && `M${[...upper, ...lower].join("L")}Z`;
      return s(
        "g",
        { class: `s${slot}` },
        band && s("path", { class: "band", d: band }),
        s("path", { class: "curve", d: path(each), "stroke-dasharray": DASHES[slot] }),
        each.map((p) =>
          s(
            "path",
            { class: "dot", d: MARKS[slot], transform: `translate(${x(p.x)} ${y(p.mean)})` },
            s("title", null, `${row.label}: ${p.text} %`),
          ),
        ),
      );
    });
  if (level) named.push({ name: level.name, y: y(level.level), from: [BOX.right, y(level.level)] });
  return figure(
    caption,
    frame(
      x,
      y,
      thinned(
        xs.map((value, index) => [value, names ? names[index] : value]),
        x,
      ),
      ticks(bottom, top),
      xlabel,
    ),
    lines
      .filter(({ row }) => !slots.includes(row.row))
      .map(({ row, points: each }) =>
        each.length > 1
          ? s("path", { class: "ghost", d: path(each) }, s("title", null, row.label))
          : each.map((p) =>
              s(
                "circle",
                { class: "ghost-dot", cx: x(p.x), cy: y(p.mean), r: 2.2 },
                s("title", null, `${row.label}: ${p.text} %`),
              ),
            ),
      ),
    level && s("path", { class: "zero", d: `M${BOX.left} ${y(level.level)}H${BOX.right}` }),
    drawn,
    labels(named),
  );
}

/** Tick names that do not run into each other. */
function thinned(pairs, x) {
  let free = -Infinity;
  return pairs.filter(([value, text]) => {
    const half = 3.4 * String(text).length;
    if (x(value) - half < free) return false;
    free = x(value) + half + 4;
    return true;
  });
}

/** Names to the right of the curves, moved apart, each led to the end of its own. */
function labels(ends) {
  const gap = 13;
  const found = [...ends].sort((a, b) => a.y - b.y);
  found.forEach((each, index) => {
    each.at = Math.max(each.y, index ? found[index - 1].at + gap : BOX.top);
  });
  const over = found.length ? found[found.length - 1].at - BOX.bottom : 0;
  for (let index = found.length - 1; over > 0 && index >= 0; index -= 1) {
    found[index].at = Math.min(found[index].at, index === found.length - 1 ? BOX.bottom : found[index + 1].at - gap);
  }
  return found.map(({ name, at: height, from }) => [
    s("path", { class: "axis", d: `M${from[0] + 5} ${from[1]}L${BOX.right + 10} ${height}` }),
    s("text", { class: "name", x: BOX.right + 13, y: height + 4 }, short(name), s("title", null, name)),
  ]);
}

const short = (name) => (name.length > 17 ? `${name.slice(0, 16)}…` : name);

function scatter(caption, points, slots) {
  if (points.length < 2) return null;
  const range = (of) => [Math.min(...points.map(of)), Math.max(...points.map(of))];
  const pad = ([low, high]) => {
    const more = 0.06 * (high - low || 1);
    return [Math.max(0, low - more), Math.min(100, high + more)];
  };
  const [left, right] = pad(range(({ clean }) => clean.mean));
  const [bottom, top] = pad(range(({ robust }) => robust.mean));
  const x = scale(left, right, BOX.left + 8, BOX.right);
  const y = scale(bottom, top, BOX.bottom, BOX.top);
  const across = (value) => x(Math.max(left, Math.min(right, value)));
  const up = (value) => y(Math.max(bottom, Math.min(top, value)));
  const bar = (d) => s("path", { class: "bar", d });
  const ends = [];
  const drawn = points.map(({ row, clean, robust }) => {
    const slot = slots.indexOf(row.row);
    const title = s("title", null, `${row.label}: robust ${robust.text} %, clean ${clean.text} %`);
    if (slot < 0) return s("circle", { class: "ghost-dot", cx: x(clean.mean), cy: y(robust.mean), r: 2.6 }, title);
    ends.push({ name: row.label, y: y(robust.mean), from: [x(clean.mean), y(robust.mean)] });
    return s(
      "g",
      { class: `s${slot}` },
      clean.half !== null &&
        bar(`M${across(clean.mean - clean.half)} ${y(robust.mean)}H${across(clean.mean + clean.half)}`),
      robust.half !== null &&
        bar(`M${x(clean.mean)} ${up(robust.mean - robust.half)}V${up(robust.mean + robust.half)}`),
      s("path", { class: "dot", d: MARKS[slot], transform: `translate(${x(clean.mean)} ${y(robust.mean)})` }, title),
    );
  });
  return figure(
    caption,
    frame(
      x,
      y,
      ticks(left, right).map((value) => [value, value]),
      ticks(bottom, top),
      "clean accuracy in %",
    ),
    labels(ends),
    drawn,
  );
}

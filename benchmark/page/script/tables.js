// Tables that sort.

/**
 * A sortable table. Columns have `name`, `cell(row)` and, where that is not text, `key(row)` to sort by; `text` sets a
 * column to the left, `wide` drops it on a phone, `plain` has no name to see. `sort` is "name", "-name" (descending) or
 * ""; `onsort` hears what was asked for, and without it nothing sorts. Rows without a value stay last, either way.
 */
function table({ id, caption, columns, rows, apart = [], sort = "", onsort }) {
  const descending = sort.startsWith("-");
  const by = columns.find((column) => column.name === sort.replace("-", "") && !column.plain);
  const shown = by ? sorted(rows, by, descending) : rows;
  const head = columns.map((column, index) => {
    const classes = [column.text && "text", column.wide && "wide"].filter(Boolean).join(" ") || null;
    if (column.plain) return h("th", { scope: "col", class: classes }, h("span", { class: "unseen" }, column.name));
    if (!onsort) return h("th", { scope: "col", class: classes }, column.name);
    const active = column === by;
    const next = !active ? (column.text ? "" : "-") + column.name : descending === !column.text ? turned(sort) : "";
    return h(
      "th",
      { scope: "col", class: classes, "aria-sort": active ? (descending ? "descending" : "ascending") : null },
      h(
        "button",
        { type: "button", id: `${id}-${index}`, title: column.title, onclick: () => onsort(next) },
        column.name,
      ),
    );
  });
  const line = (row) =>
    h(
      "tr",
      null,
      columns.map((column) => {
        const classes = [column.text && "text", column.wide && "wide", column.class].filter(Boolean).join(" ") || null;
        const cell = column.cell(row);
        return column.head ? h("th", { scope: "row", class: classes }, cell) : h("td", { class: classes }, cell);
      }),
    );
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      { id },
      h("caption", null, h("span", null, prose(caption))),
      h("thead", null, h("tr", null, head)),
      h("tbody", null, shown.map(line)),
      apart.length > 0 && h("tbody", { class: "apart" }, apart.map(line)),
    ),
  );
}

const turned = (sort) => (sort.startsWith("-") ? sort.slice(1) : `-${sort}`);

function sorted(rows, column, descending) {
  const of = column.key || column.cell;
  const keyed = rows.map((row) => {
    const raw = of(row);
    const value = column.text ? String(raw).toLowerCase() : typeof raw === "number" ? raw : (number(raw)?.mean ?? null);
    return { row, value };
  });
  const order = (a, b) => (column.text ? a.localeCompare(b, "en", { numeric: true }) : a - b);
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) return (a.value === null) - (b.value === null);
    return descending ? order(b.value, a.value) : order(a.value, b.value);
  });
  return keyed.map(({ row }) => row);
}

/** A table of text that sorts in place. */
function grid(id, { title, columns, rows, reference }) {
  const holder = h("div");
  const draw = (sort) =>
    keepingPlace(() =>
      holder.replaceChildren(
        table({
          id,
          caption: title,
          sort,
          onsort: draw,
          rows,
          apart: reference ? [reference] : [],
          columns: columns.map((name, index) => ({
            name,
            cell: (row) => estimate(row[index]),
            key: (row) => row[index],
            text: name === "method",
            head: name === "method",
          })),
        }),
      ),
    );
  draw("");
  return holder;
}

/** Draws anew; what had the focus, was scrolled or unfolded is so again. */
function keepingPlace(draw) {
  const id = document.activeElement?.id;
  const unfolded = new Set(
    [...document.querySelectorAll("#view details[open] > summary")].map((each) => each.textContent),
  );
  const scrolled = [...document.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
  draw();
  document.querySelectorAll(".scroll").forEach((box, index) => {
    box.scrollLeft = scrolled[index] || 0;
  });
  document.querySelectorAll("#view details:not([open]) > summary").forEach((each) => {
    if (unfolded.has(each.textContent)) each.parentElement.open = true;
  });
  if (id && document.activeElement?.id !== id) at(id)?.focus({ preventScroll: true });
}

// Drawing the page, the theme, and what the keyboard and the printer do.

const DRAW = { leaderboard: drawLeaderboard, claims: drawClaims, methods: drawMethods, cells: drawCells };
let drawn = null; // the address of the view at hand, dialogs apart

function draw() {
  const state = read();
  for (const link of at("views").children) {
    const here = link.dataset.view === state.view;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    link.href = address({ view: link.dataset.view, suite: state.suite, regime: state.regime });
  }
  const behind = address({ ...state, cell: "", method: "" });
  if (behind !== drawn)
    keepingPlace(() => {
      drawFilters(state);
      const content =
        data.suites.length || state.view === "methods"
          ? DRAW[state.view](state)
          : [h("p", { class: "empty" }, "Nothing is published yet.")];
      at("view").replaceChildren(...content.flat(Infinity).filter(Boolean));
      at("view").className = state.view;
    });
  drawn = behind;
  drawDialog(state);
  const heading = at("view").querySelector("h1")?.textContent;
  document.title = heading ? `${heading} · coreset-bench` : "coreset-bench";
}

// ---- theme: the system's, until the reader chooses

let theme = null;
const remembered = {
  get: () => {
    try {
      return theme || localStorage.getItem("theme");
    } catch {
      return theme;
    }
  },
  set: (value) => {
    theme = value;
    try {
      localStorage.setItem("theme", value);
    } catch {
      /* for this visit only */
    }
  },
};
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (remembered.get() || (systemDark.matches ? "dark" : "light")) === "dark";
function drawTheme() {
  if (remembered.get()) document.documentElement.dataset.theme = remembered.get();
  at("theme").textContent = isDark() ? "Light theme" : "Dark theme";
}
at("theme").addEventListener("click", () => {
  remembered.set(isDark() ? "light" : "dark");
  drawTheme();
});
systemDark.addEventListener("change", drawTheme);

// ---- the rest

at("skip").addEventListener("click", (event) => {
  event.preventDefault();
  at("main").focus();
});
at("filters").addEventListener("submit", (event) => event.preventDefault());
at("dialog-close").addEventListener("click", () => at("dialog").close());
at("dialog").addEventListener("click", (event) => {
  if (event.target === at("dialog")) at("dialog").close();
});
at("dialog").addEventListener("close", () => {
  const { cell, method } = read();
  if (cell || method) go({ cell: "", method: "" });
});
addEventListener("hashchange", draw);

let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("#view details:not([open])")];
  opened.forEach((each) => {
    each.open = true;
    each.dispatchEvent(new Event("toggle"));
  });
});
addEventListener("afterprint", () =>
  opened.forEach((each) => {
    each.open = false;
  }),
);

drawTheme();
draw();

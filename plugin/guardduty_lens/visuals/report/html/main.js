// The page: tabs, filters, what is said of it, light and dark.

const content = document.getElementById("content");
const status = document.getElementById("status");
const TABLE = "findings";

const tabs = [
  ...report.dashboards.map((dashboard) => ({ id: dashboard.id, title: dashboard.title, question: dashboard.question, panels: dashboard.panels })),
  { id: TABLE, title: "Findings", question: "Which findings are they, and what exactly do they say?", panels: null },
];

const goTo = (event, id) => {
  event.preventDefault();
  show(id);
  document.getElementById(`tab-${id}`).focus();
};

for (const tab of tabs) {
  tab.views = null;
  tab.button = element(
    "button",
    { type: "button", role: "tab", id: `tab-${tab.id}`, "aria-controls": `board-${tab.id}`, "aria-selected": "false", tabindex: "-1", onclick: () => show(tab.id) },
    tab.title,
  );
  tab.board = element(
    "div",
    { role: "tabpanel", id: `board-${tab.id}`, class: "board", "aria-labelledby": `tab-${tab.id}`, hidden: true },
    element("h2", {}, tab.title, " ", element("span", { class: "question" }, tab.question)),
  );
  document.getElementById("tabs").append(tab.button);
  content.append(tab.board);
}

const viewsOf = (tab) => {
  if (tab.views === null) {
    tab.views = tab.panels === null ? [new FindingsTable()] : tab.panels.map((each) => new PanelView(each, goTo));
    tab.board.append(element("div", { class: tab.panels === null ? "" : "grid" }, ...tab.views.map((view) => view.root)));
    if (tab === tabs[0] && report.releases.length > 0) tab.board.append(releasesSection());
  }
  return tab.views;
};

let current = tabs[0];
let passing = passingScopes();

const drawCurrent = () => {
  for (const view of viewsOf(current)) view.draw(passing);
};

// Charts are drawn when their tab is shown, and let go when it is left.
function show(id) {
  const next = tabs.find((tab) => tab.id === id) ?? tabs[0];
  for (const view of current.views ?? []) view.end();
  for (const tab of tabs) {
    const chosen = tab === next;
    tab.board.hidden = !chosen;
    tab.button.setAttribute("aria-selected", String(chosen));
    tab.button.tabIndex = chosen ? 0 : -1;
  }
  current = next;
  if (location.hash !== `#${next.id}`) history.replaceState(null, "", `#${next.id}`);
  drawCurrent();
}

document.getElementById("tabs").addEventListener("keydown", (event) => {
  const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -tabs.length, End: tabs.length };
  if (!(event.key in steps)) return;
  event.preventDefault();
  const at = tabs.indexOf(current) + steps[event.key];
  const inside = event.key.startsWith("Arrow") ? (at + tabs.length) % tabs.length : Math.min(Math.max(at, 0), tabs.length - 1);
  show(tabs[inside].id);
  current.button.focus();
});
addEventListener("hashchange", () => {
  if (location.hash.slice(1) !== current.id) show(location.hash.slice(1));
});

// Filters

const total = () => {
  const { scope, values } = report.total;
  return scope.reduce((sum, each, row) => sum + (passing[each] ? values[0][row] : 0), 0);
};

const refilter = () => {
  passing = passingScopes();
  drawFilters();
  sayStatus();
  drawCurrent();
};

function chooseOnly(set, value) {
  const alone = set.size === 1 && set.has(value);
  set.clear();
  if (!alone) set.add(value);
  refilter();
}

const toggle = (set, value) => {
  if (!set.delete(value)) set.add(value);
  refilter();
};

const severityButtons = report.severities.map((label, place) =>
  element("button", { type: "button", class: "chip", onclick: () => toggle(filters.severities, place) }, swatch(report.colours[label]), label),
);

const accountSearch = element("input", { type: "search", "aria-label": "Search accounts", placeholder: "Search", oninput: () => drawAccounts() });
const accountList = element("div", { class: "choices", role: "group", "aria-label": "Accounts" });
const accountSummary = element("summary", { class: "chip" });
const accountMenu = element("details", { class: "menu" }, accountSummary, element("div", { class: "menu-body" }, accountSearch, accountList));

const accountChoices = report.accounts.map((account, place) => {
  const box = element("input", { type: "checkbox", onchange: () => toggle(filters.accounts, place) });
  return { account, box, label: element("label", {}, box, account) };
});
accountList.append(...accountChoices.map(({ label }) => label));

function drawAccounts() {
  const words = accountSearch.value.trim().toLowerCase();
  accountChoices.forEach(({ account, box, label }, place) => {
    label.hidden = !account.toLowerCase().includes(words);
    box.checked = filters.accounts.has(place);
  });
}

const flagMenu = (key, name) => {
  const choices = [["all", null], [`without ${name}`, false], [`only ${name}`, true]];
  const select = element(
    "select",
    { class: "chip", "aria-label": name, onchange: () => {
      [, filters[key]] = choices[select.selectedIndex];
      refilter();
    } },
    ...choices.map(([label]) => element("option", {}, label === "all" ? `with ${name}` : label)),
  );
  return { select, draw: () => { select.selectedIndex = choices.findIndex(([, value]) => value === filters[key]); } };
};
const samples = flagMenu("sample", "samples");
const archived = flagMenu("archived", "archived");
const reset = element("button", { type: "button", class: "quiet", onclick: () => {
  filters.severities.clear();
  filters.accounts.clear();
  filters.sample = null;
  filters.archived = null;
  refilter();
} }, "Reset");

document.getElementById("filters").append(
  element("div", { class: "chips", role: "group", "aria-label": "Severity" }, ...severityButtons),
  accountMenu,
  samples.select,
  archived.select,
  reset,
);

function drawFilters() {
  severityButtons.forEach((button, place) => button.setAttribute("aria-pressed", String(filters.severities.has(place))));
  const { size } = filters.accounts;
  const [only] = filters.accounts;
  accountSummary.textContent = size === 0 ? `All ${number(report.accounts.length)} accounts` : size === 1 ? report.accounts[only] : `${number(size)} accounts`;
  accountSummary.classList.toggle("active", size > 0);
  drawAccounts();
  samples.draw();
  archived.draw();
  reset.disabled = !isFiltered();
}

function sayStatus() {
  const found = total();
  status.textContent = isFiltered() ? `${number(found)} of ${number(report.findings)} findings pass the filters.` : `${number(report.findings)} findings.`;
}

document.addEventListener("click", (event) => {
  if (!accountMenu.contains(event.target)) accountMenu.open = false;
});
accountMenu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  accountMenu.open = false;
  accountSummary.focus();
});

// Light and dark

const themeButton = document.getElementById("theme");
const setTheme = (dark) => {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  themeButton.textContent = dark ? "Light" : "Dark";
  themeButton.setAttribute("aria-label", dark ? "Light colours" : "Dark colours");
};
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
setTheme(prefersDark.matches);
themeButton.addEventListener("click", () => {
  setTheme(!isDark());
  drawCurrent();
});
prefersDark.addEventListener("change", () => {
  setTheme(prefersDark.matches);
  drawCurrent();
});

// Paper is white, and as wide as it is.
let darkBefore = false;
addEventListener("beforeprint", () => {
  darkBefore = isDark();
  setTheme(false);
  drawCurrent();
  for (const view of current.views) view.resize();
});
addEventListener("afterprint", () => {
  setTheme(darkBefore);
  drawCurrent();
});

let resizing = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(() => {
    for (const view of current.views ?? []) view.resize();
  });
});

document.getElementById("title").textContent = report.title;
const range = report.first === null ? "" : ` · ${date(report.first)} to ${date(report.last)}`;
const rejected = report.rejected === 0 ? [] : [`${number(report.rejected)} rejected, in the dead letters`];
const odd = [...rejected, ...report.left_out].map((what) => ` · ${what}`).join("");
document.getElementById("about").textContent =
  `${number(report.findings)} findings, ${number(report.updates)} updates${range} · as of ${dateTime(report.as_of)} UTC${odd}`;
document.getElementById("foot").textContent =
  `Made by guardduty-lens ${report.version} on ${dateTime(report.made_at)} UTC. Times are UTC; ages and weeks count from ${dateTime(report.as_of)}. ` +
  "Findings are counted once, however often they were updated. This page loads nothing and sends nothing.";

drawFilters();
sayStatus();
show(location.hash.slice(1));

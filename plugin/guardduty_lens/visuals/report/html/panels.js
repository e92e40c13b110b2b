// Panels: a title, what is counted, the chart or the table, and the table of the chart's numbers.

const ROW_PIXELS = 20;

const isEmpty = (panel, rows) => {
  if (panel.chart === "metric" || panel.chart === "markdown") return false;
  return !rows.some((row) => row.values.some((value) => value));
};

const nothing = () => element("p", { class: "empty" }, isFiltered() ? "Nothing passes the filters." : "Nothing to show.");

// The numbers of a panel, for whoever does not see the chart, or wants to read or copy them.
const rowsTable = (panel, rows) =>
  element(
    "table",
    { class: "numbers" },
    element("caption", { class: "unseen" }, panel.title),
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        ...panel.splits.map((split) => element("th", { scope: "col" }, split.label)),
        ...panel.measures.map((measure) => element("th", { scope: "col", class: "amount" }, measure.label)),
      ),
    ),
    element(
      "tbody",
      {},
      ...rows.map((row) =>
        element(
          "tr",
          {},
          ...row.keys.map((key, level) =>
            element("td", {}, panel.splits[level].is_severity ? severityLabel(key) : keyLabel(panel.splits[level], key)),
          ),
          ...row.values.map((value, place) => element("td", { class: "amount" }, valueLabel(panel.measures[place], value))),
        ),
      ),
    ),
  );

const metric = (panel, rows) => {
  const [value] = rows[0].values;
  const figure = element("p", { class: "figure" }, value === null ? "–" : number(value));
  if (panel.colour) {
    figure.prepend(swatch(panelColour(panel)));
  }
  return figure;
};

const tagCloud = (panel, rows) => {
  const most = Math.max(...rows.map((row) => row.values[0]));
  const sized = [...rows].sort((a, b) => (labelled(panel, a, 0) < labelled(panel, b, 0) ? -1 : 1));
  return element(
    "ul",
    { class: "cloud" },
    ...sized.map((row) =>
      element(
        "li",
        { class: `size-${Math.ceil(5 * Math.sqrt(row.values[0] / most)) || 1}` },
        labelled(panel, row, 0),
        element("span", { class: "amount" }, ` ${number(row.values[0])}`),
      ),
    ),
  );
};

const searchTable = (panel, passing) => {
  const rows = panel.rows.filter((_, place) => passing[panel.row_scopes[place]]);
  if (rows.length === 0) return nothing();
  const table = element(
    "table",
    { class: "numbers" },
    element("caption", { class: "unseen" }, panel.title),
    element("thead", {}, element("tr", {}, ...panel.columns.map((column) => element("th", { scope: "col" }, column.label)))),
    element(
      "tbody",
      {},
      ...rows.map((row) => element("tr", {}, ...row.map((value, place) => element("td", { class: cellClass(panel.columns[place], value) }, cellContent(panel.columns[place], value))))),
    ),
  );
  return table;
};

const HTML = {
  metric,
  table: rowsTable,
  tag_cloud: tagCloud,
  markdown: (panel) => element("div", { class: "prose" }, ...panel.text.split(/\n{2,}/).map((text) => element("p", {}, text))),
};

class PanelView {
  constructor(panel, goTo) {
    this.panel = panel;
    this.chart = null;
    this.asTable = false;
    this.body = element("div", { class: "body" });
    const unit = panel.from_run !== null ? "this run" : panel.unit;
    this.toggle = panel.chart in OPTIONS
      ? element("button", { type: "button", class: "quiet small", "aria-pressed": "false", onclick: () => this.flip() }, "Table")
      : null;
    const link = panel.link && report.dashboards.some((each) => each.id === panel.link)
      ? element("a", { class: "more", href: `#${panel.link}`, onclick: (event) => goTo(event, panel.link) }, "more")
      : null;
    this.selection = element("p", { class: "hint" });
    this.root = element(
      "section",
      { class: `panel chart-${panel.chart}`, "aria-label": panel.title, id: `panel-${panel.id}` },
      element(
        "header",
        {},
        element("h3", {}, panel.title),
        unit ? element("span", { class: "unit" }, unit) : null,
        element("span", { class: "tools" }, link, this.toggle),
      ),
      this.body,
      this.selection,
      panel.note ? element("p", { class: "hint" }, panel.note) : null,
    );
    this.root.style.setProperty("--x", panel.x + 1);
    this.root.style.setProperty("--width", panel.width);
    this.root.style.setProperty("--y", panel.y + 1);
    this.root.style.setProperty("--height", panel.height);
    this.root.style.setProperty("--pixels", `${panel.height * ROW_PIXELS}px`);
  }

  flip() {
    this.asTable = !this.asTable;
    this.toggle.setAttribute("aria-pressed", String(this.asTable));
    this.toggle.textContent = this.asTable ? "Chart" : "Table";
    this.draw(this.passing);
  }

  draw(passing) {
    this.passing = passing;
    const { panel } = this;
    this.end();
    if (panel.chart === "search") {
      this.body.replaceChildren(searchTable(panel, passing));
      this.selection.textContent = this.searchHint();
      return;
    }
    const rows = panel.chart === "markdown" ? [] : recompute(panel, passing);
    this.selection.textContent = this.hiddenHint();
    if (isEmpty(panel, rows)) this.body.replaceChildren(nothing());
    else if (panel.chart in HTML) this.body.replaceChildren(HTML[panel.chart](panel, rows));
    else if (this.asTable) this.body.replaceChildren(rowsTable(panel, rows));
    else this.drawChart(rows);
  }

  drawChart(rows) {
    const { panel } = this;
    const canvas = element("div", { class: "canvas", role: "img", "aria-label": `${panel.title}. ${this.summary(rows)}` });
    this.body.replaceChildren(canvas);
    this.chart = echarts.init(canvas, null, { renderer: "svg" });
    this.chart.setOption(OPTIONS[panel.chart](panel, rows));
    this.chart.on("click", (event) => this.pick(event));
  }

  summary(rows) {
    const shown = rows.slice(0, 5).map((row) => `${row.keys.map((_, level) => labelled(panel(this), row, level)).join(", ")}: ${valueLabel(panel(this).measures[0], row.values[0])}`);
    return `${shown.join("; ")}${rows.length > 5 ? `; and ${rows.length - 5} more` : ""}. The button Table shows all numbers.`;
  }

  // Choosing a severity or an account in a chart filters by it.
  pick(event) {
    const { panel } = this;
    const severity = [event.name, event.seriesName].find((name) => report.severities.includes(name));
    const split = panel.splits.find((each) => each.is_severity);
    if (split && severity !== undefined) chooseOnly(filters.severities, report.severities.indexOf(severity));
    else if (panel.splits[0]?.is_account) {
      const account = report.accounts.indexOf(event.name);
      if (account >= 0) chooseOnly(filters.accounts, account);
    }
  }

  searchHint() {
    const { panel } = this;
    if (panel.rows_of <= panel.rows.length) return "";
    const among = isFiltered() ? "of these, those that pass the filters" : "";
    return `The first ${number(panel.rows.length)} of ${number(panel.rows_of)}${among ? `; ${among}` : ""}.`;
  }

  hiddenHint() {
    const hidden = this.panel.splits.reduce((sum, split) => sum + split.hidden, 0);
    return hidden && isFiltered() ? `${number(hidden)} rarer values are not in this page, and not among these.` : "";
  }

  resize() {
    if (this.chart) this.chart.resize();
  }

  end() {
    if (this.chart) this.chart.dispose();
    this.chart = null;
  }
}

const panel = (view) => view.panel;

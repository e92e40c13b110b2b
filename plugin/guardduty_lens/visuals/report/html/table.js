// The table of findings: sorted, searched, opened; a page of it at a time.

const PAGE = 50;

class FindingsTable {
  constructor() {
    const { columns, rows, total } = report.table;
    this.columns = columns;
    this.rows = rows.map(([values, scope], place) => ({ values, scope, place, words: null }));
    this.total = total;
    this.sortedBy = null;
    this.descending = false;
    this.page = 0;
    this.opened = new Set();
    this.hint = element("p", { class: "hint", role: "status" });
    this.search = element("input", {
      type: "search",
      id: "find",
      placeholder: "Type, account, resource, id …",
      oninput: () => this.restart(),
    });
    this.body = element("tbody");
    this.heads = columns.map((column, place) => this.head(column, place));
    this.pager = element("div", { class: "pager" });
    this.root = element(
      "section",
      { class: "panel whole", "aria-label": "Findings" },
      element("header", {}, element("h3", {}, "Findings"), element("label", { class: "find", for: "find" }, "Search ", this.search)),
      this.hint,
      element(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of findings" },
        element("table", { class: "numbers findings" }, element("thead", {}, element("tr", {}, element("th", { scope: "col" }, element("span", { class: "unseen" }, "Record")), ...this.heads)), this.body),
      ),
      this.pager,
    );
  }

  head(column, place) {
    const button = element("button", { type: "button", class: "sort", onclick: () => this.sortBy(place) }, column.label);
    return element("th", { scope: "col", "aria-sort": "none" }, button);
  }

  sortBy(place) {
    this.descending = this.sortedBy === place ? !this.descending : ["date", "number", "severity"].includes(this.columns[place].kind);
    this.sortedBy = place;
    this.heads.forEach((head, each) => {
      head.setAttribute("aria-sort", each === place ? (this.descending ? "descending" : "ascending") : "none");
    });
    this.restart();
  }

  restart() {
    this.page = 0;
    this.draw(this.passing);
  }

  wordsOf(row) {
    row.words ??= row.values.filter((value) => value !== null).join(" ").toLowerCase();
    return row.words;
  }

  wanted() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = this.rows.filter(
      (row) => this.passing[row.scope] && words.every((word) => this.wordsOf(row).includes(word)),
    );
    return this.sortedBy === null ? found : this.sorted(found);
  }

  sorted(found) {
    const { kind } = this.columns[this.sortedBy];
    const of = (row) => {
      const value = row.values[this.sortedBy];
      return kind === "severity" ? -report.severities.indexOf(value) : value;
    };
    const sign = this.descending ? -1 : 1;
    return found.sort((a, b) => {
      const [one, other] = [of(a), of(b)];
      if (one === null || other === null) return (one === null) - (other === null);
      if (one === other) return a.place - b.place;
      return one < other ? -sign : sign;
    });
  }

  draw(passing) {
    this.passing = passing;
    const found = this.wanted();
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    this.page = Math.min(this.page, pages - 1);
    const shown = found.slice(this.page * PAGE, (this.page + 1) * PAGE);
    this.body.replaceChildren(...shown.flatMap((row) => this.drawRow(row)));
    this.hint.textContent = this.say(found.length);
    this.drawPager(pages);
  }

  say(found) {
    const all = this.rows.length;
    const selection = all < this.total ? `A selection: the ${number(all)} most severe and newest of ${number(this.total)} findings. ` : "";
    return `${selection}${number(found)} of ${number(all)} shown here pass search and filters.`;
  }

  drawRow(row) {
    const open = this.opened.has(row.place);
    const button = element(
      "button",
      { type: "button", class: "open", "aria-expanded": String(open), "aria-label": "Show the record", onclick: () => this.openOrClose(row) },
      open ? "▾" : "▸",
    );
    const line = element("tr", {}, element("td", {}, button), ...row.values.map((value, place) => element("td", { class: cellClass(this.columns[place], value) }, cellContent(this.columns[place], value))));
    if (!open) return [line];
    const text = JSON.stringify(JSON.parse(recordText(row.place)), null, 2);
    return [line, element("tr", { class: "record" }, element("td", { colspan: this.columns.length + 1 }, element("pre", { tabindex: "0" }, text)))];
  }

  openOrClose(row) {
    if (!this.opened.delete(row.place)) this.opened.add(row.place);
    const place = [...this.body.querySelectorAll("button.open")].indexOf(document.activeElement);
    this.draw(this.passing);
    this.body.querySelectorAll("button.open")[place]?.focus();
  }

  drawPager(pages) {
    const go = (by) => () => {
      this.page += by;
      this.draw(this.passing);
    };
    this.pager.replaceChildren(
      element("button", { type: "button", class: "quiet", disabled: this.page === 0, onclick: go(-1) }, "Previous"),
      element("span", {}, `Page ${number(this.page + 1)} of ${number(pages)}`),
      element("button", { type: "button", class: "quiet", disabled: this.page === pages - 1, onclick: go(1) }, "Next"),
    );
  }

  resize() {}

  end() {}
}

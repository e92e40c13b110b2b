// Releases: lines in the charts over time, and what followed each.

// The lines of a chart whose times are these: each stands where its time begins.
const releaseLines = (times) => {
  const step = STEPS[report.every] ?? 31 * STEPS.day;
  const data = report.releases
    .map(({ at, label }) => ({ place: times.findLastIndex((moment) => moment <= at), at, label }))
    .filter(({ place, at }) => place >= 0 && at < times[place] + step)
    .map(({ place, label }) => ({ xAxis: place, name: label }));
  if (data.length === 0) return undefined;
  return {
    silent: true,
    symbol: "none",
    animation: false,
    lineStyle: { color: "#b5418b", type: "dashed", width: 1.5 },
    label: {
      show: true,
      position: "end",
      distance: 3,
      color: isDark() ? "#f0a6d3" : "#8f2a6a",
      fontSize: 10,
      width: 110,
      overflow: "truncate",
      formatter: ({ name }) => name,
    },
    data,
  };
};

const releasesSection = () => {
  const head = ["release", "at (UTC)", "findings created before", "and after", "types never seen before"];
  const table = element(
    "table",
    { class: "numbers" },
    element("caption", { class: "unseen" }, "What followed each release"),
    element("thead", {}, element("tr", {}, ...head.map((label) => element("th", { scope: "col" }, label)))),
    element(
      "tbody",
      {},
      ...report.releases.map(({ at, label, before, after, first_types: types }) =>
        element(
          "tr",
          {},
          element("td", {}, label),
          element("td", {}, dateTime(at)),
          element("td", { class: "amount" }, number(before)),
          element("td", { class: "amount" }, element(after > before ? "strong" : "span", {}, number(after))),
          element("td", {}, types.join(", ")),
        ),
      ),
    ),
  );
  return element(
    "section",
    { class: "panel releases", "aria-label": "What followed each release", id: "panel-releases" },
    element("header", {}, element("h3", {}, "What followed each release"), element("span", { class: "unit" }, "distinct findings")),
    element("div", { class: "body" }, table),
    element("p", { class: "hint" }, `Created within ${report.release_hours} hours before and after it, whatever the filters say.`),
  );
};

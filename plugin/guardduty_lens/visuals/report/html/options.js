// What ECharts is asked to draw, by chart.

const isDark = () => document.documentElement.dataset.theme === "dark";

const ink = () =>
  isDark()
    ? { text: "#d7dbe3", soft: "#99a1b0", line: "#343a46", ground: "#1d2027", low: "#22304a", high: "#8cc4ff" }
    : { text: "#23272f", soft: "#5d6675", line: "#dde1e8", ground: "#ffffff", low: "#dbe8f6", high: "#0d3b73" };

const ramp = () =>
  isDark() ? ["#1f3350", "#2b5c95", "#3f8bdb", "#a9d5ff"] : ["#d9e7f5", "#8fbbe6", "#2f7ec4", "#0f3a6b"];

const colourOf = (split, place) => {
  if (split.is_severity) return report.colours[split.keys[place]] ?? report.colours.Unknown;
  return report.series[place % report.series.length];
};

const panelColour = (panel) => (panel.colour ? report.colours[panel.colour] ?? report.series[0] : report.series[0]);

// The wider the panel, the more of a long name is shown.
const longest = (panel) => Math.round(panel.width * 1.8);

const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// Severities in their order, other keys in the order of first appearance: a key has one colour however it ranks.
const places = (rows, level, split) => {
  const met = [...new Set(rows.map((row) => row.places[level]))];
  if (!split.is_severity) return met;
  const rank = (place) => report.severities.indexOf(split.keys[place]);
  return met.sort((a, b) => rank(a) - rank(b));
};

const tooltip = (lines) => {
  const made = element("div", { class: "tip" });
  for (const [name, value] of lines) made.append(element("div", {}, name, " ", element("strong", {}, value)));
  return made;
};

// ECharts measures texts by itself, and so has to know the font that they are drawn in.
const FONT = getComputedStyle(document.body).fontFamily;

const base = () => ({
  animation: false,
  textStyle: { color: ink().text, fontFamily: FONT },
});

const tip = (trigger, formatter) => ({
  trigger,
  formatter,
  confine: true,
  backgroundColor: ink().ground,
  borderColor: ink().line,
  textStyle: { color: ink().text, fontSize: 12, fontFamily: FONT },
});

const legend = (names) => ({
  show: names.length > 1,
  type: "scroll",
  pageIconColor: ink().soft,
  pageTextStyle: { color: ink().soft },
  top: 0,
  left: 0,
  icon: "roundRect",
  itemWidth: 12,
  itemHeight: 10,
  textStyle: { color: ink().text, fontSize: 12 },
  data: names,
});

const labelled = (panel, row, level) => keyLabel(panel.splits[level], row.keys[level]);

const pieOption = (panel, rows) => {
  const [split] = panel.splits;
  const total = rows.reduce((sum, row) => sum + row.values[0], 0);
  const share = (value) => (total ? ` · ${Math.round((100 * value) / total)} %` : "");
  return {
    ...base(),
    tooltip: tip("item", ({ data }) => tooltip([[data.name, number(data.value) + share(data.value)]])),
    series: [
      {
        type: "pie",
        radius: ["38%", "66%"],
        center: ["50%", "50%"],
        minAngle: 2,
        minShowLabelAngle: 9,
        itemStyle: { borderColor: ink().ground, borderWidth: 1 },
        label: { color: ink().text, fontSize: 12, formatter: ({ data }) => `${cut(data.name, longest(panel) - 4)} ${number(data.value)}` },
        labelLayout: { hideOverlap: true },
        labelLine: { lineStyle: { color: ink().soft }, length: 8, length2: 8 },
        data: rows.map((row, position) => ({
          name: labelled(panel, row, 0),
          value: row.values[0],
          place: row.places,
          itemStyle: { color: split.is_severity ? colourOf(split, row.places[0]) : report.series[position % report.series.length] },
        })),
      },
    ],
  };
};

// Two rings: within each of the first split, the second.
const ringsOption = (panel, rows) => {
  const outer = new Map();
  for (const row of rows) {
    if (!outer.has(row.places[0])) outer.set(row.places[0], []);
    outer.get(row.places[0]).push(row);
  }
  const data = [...outer].map(([place, below], position) => {
    const colour = colourOf(panel.splits[0], position);
    return {
      name: keyLabel(panel.splits[0], panel.splits[0].keys[place]),
      itemStyle: { color: colour },
      children: below.map((row) => ({
        name: labelled(panel, row, 1),
        value: row.values[0],
        itemStyle: { color: colour, opacity: 0.75 },
      })),
    };
  });
  return {
    ...base(),
    tooltip: tip("item", ({ name, value }) => tooltip([[name, number(value)]])),
    series: [
      {
        type: "sunburst",
        radius: ["18%", "96%"],
        nodeClick: false,
        sort: null,
        emphasis: { focus: "ancestor" },
        itemStyle: { borderColor: ink().ground, borderWidth: 1 },
        levels: [
          {},
          { r0: "18%", r: "52%", label: { color: "#fff", fontSize: 11, minAngle: 14, textBorderColor: "rgba(0,0,0,.45)", textBorderWidth: 2 } },
          {
            r0: "52%",
            r: "70%",
            label: { position: "outside", color: ink().text, fontSize: 11, minAngle: 10, rotate: 0, formatter: ({ name }) => cut(name, 40) },
          },
        ],
        data,
      },
    ],
  };
};

const categoryAxis = (panel, names) => ({
  type: "category",
  inverse: true,
  data: names,
  axisTick: { show: false },
  axisLine: { lineStyle: { color: ink().line } },
  axisLabel: { color: ink().text, fontSize: 12, interval: 0, formatter: (name) => cut(name, longest(panel)) },
});

const valueAxis = () => ({
  type: "value",
  minInterval: 1,
  splitLine: { lineStyle: { color: ink().line } },
  axisLabel: { color: ink().soft, fontSize: 11, hideOverlap: true, formatter: number },
});

const grid = (hasLegend) => ({ left: 4, right: 34, top: hasLegend ? 30 : 6, bottom: 4, containLabel: true });

const barOption = (panel, rows) => ({
  ...base(),
  grid: grid(false),
  tooltip: tip("item", ({ name, value }) => tooltip([[name, number(value)]])),
  xAxis: valueAxis(),
  yAxis: categoryAxis(panel, rows.map((row) => labelled(panel, row, 0))),
  series: [
    {
      type: "bar",
      barMaxWidth: 22,
      label: { show: true, position: "right", color: ink().text, fontSize: 12, formatter: ({ value }) => number(value) },
      data: rows.map((row) => ({
        value: row.values[0],
        itemStyle: {
          color: panel.splits[0].is_severity ? colourOf(panel.splits[0], row.places[0]) : panelColour(panel),
          borderRadius: [0, 2, 2, 0],
        },
      })),
    },
  ],
});

const stackedOption = (panel, rows) => {
  const [first, second] = panel.splits;
  const bars = places(rows, 0, first);
  const stacks = places(rows, 1, second);
  const at = new Map(rows.map((row) => [row.places.join(SEPARATOR), row.values[0]]));
  const names = stacks.map((place) => keyLabel(second, second.keys[place]));
  return {
    ...base(),
    legend: legend(names),
    grid: grid(names.length > 1),
    tooltip: tip("item", ({ name, seriesName, value }) => tooltip([[`${name} · ${seriesName}`, number(value)]])),
    xAxis: valueAxis(),
    yAxis: categoryAxis(panel, bars.map((place) => keyLabel(first, first.keys[place]))),
    series: stacks.map((place, position) => ({
      type: "bar",
      name: names[position],
      stack: "all",
      barMaxWidth: 22,
      itemStyle: { color: second.is_severity ? colourOf(second, place) : colourOf(second, position), borderColor: ink().ground, borderWidth: 0.5 },
      data: bars.map((bar) => at.get(`${bar}${SEPARATOR}${place}`) ?? null),
    })),
  };
};

const STEPS = { hour: 3600000, day: 86400000, week: 7 * 86400000 };

// Every time from the first to the last of the report, so that what is not there is drawn as nothing.
const allTimes = (split) => {
  if (split.keys.length === 0) return [];
  const [first, last] = [split.keys[0], split.keys[split.keys.length - 1]];
  const given = [];
  if (report.every === "month") {
    const start = new Date(first);
    for (let moment = first, n = 1; moment <= last; n += 1) {
      given.push(moment);
      moment = Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + n, 1);
    }
    return given;
  }
  for (let moment = first; moment <= last; moment += STEPS[report.every]) given.push(moment);
  return given;
};

const trendOption = (panel, rows) => {
  const time = panel.splits[panel.splits.length - 1];
  const several = panel.splits.length > 1;
  const times = allTimes(time);
  const series = several ? places(rows, 0, panel.splits[0]) : [null];
  const names = series.map((place) => (several ? keyLabel(panel.splits[0], panel.splits[0].keys[place]) : panel.title));
  const counts = panel.measures[0].of !== "avg";
  const line = (place, position) => {
    const own = rows.filter((row) => !several || row.places[0] === place);
    const at = new Map(own.map((row) => [row.keys[row.keys.length - 1], row.values[0]]));
    const colour = several
      ? panel.splits[0].is_severity ? colourOf(panel.splits[0], place) : colourOf(panel.splits[0], position)
      : panelColour(panel);
    return {
      type: "line",
      name: names[position],
      stack: panel.chart === "area" && several ? "all" : undefined,
      areaStyle: panel.chart === "area" ? { opacity: several ? 0.55 : 0.25 } : undefined,
      symbol: times.length > 60 ? "none" : "circle",
      symbolSize: 4,
      lineStyle: { width: several ? 1.5 : 2 },
      color: colour,
      data: times.map((moment) => at.get(moment) ?? (counts ? 0 : null)),
    };
  };
  const lines = ([first, ...others]) =>
    tooltip([[first.axisValue, ""], ...[first, ...others].filter(({ value }) => value).map((each) => [each.seriesName, number(each.value)])]);
  const marks = releaseLines(times);
  const area = grid(several && names.length > 1);
  return {
    ...base(),
    legend: legend(several ? names : []),
    grid: { ...area, top: area.top + (marks ? 16 : 0), right: marks ? 60 : 14 },
    tooltip: tip("axis", lines),
    xAxis: {
      type: "category",
      boundaryGap: times.length === 1,
      data: times.map(timeLabel),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: ink().line } },
      axisLabel: { color: ink().soft, fontSize: 11, hideOverlap: true },
    },
    yAxis: valueAxis(),
    series: series.map((place, position) => ({ ...line(place, position), markLine: position === 0 ? marks : undefined })),
  };
};

const scale = (rows) => ({
  min: 0,
  max: Math.max(1, ...rows.map((row) => row.values[0])),
  calculable: false,
  orient: "horizontal",
  left: 0,
  bottom: 0,
  itemHeight: 90,
  itemWidth: 10,
  textStyle: { color: ink().soft, fontSize: 11 },
  inRange: { color: ramp() },
  text: [number(Math.max(1, ...rows.map((row) => row.values[0]))), "0"],
});

const heatOption = (panel, rows) => {
  const [down, across] = panel.splits;
  const [y, x] = [places(rows, 0, down), places(rows, 1, across)];
  const [rowNames, columnNames] = [y.map((place) => keyLabel(down, down.keys[place])), x.map((place) => keyLabel(across, across.keys[place]))];
  return {
    ...base(),
    grid: { ...grid(false), bottom: 30, right: 12 },
    tooltip: tip("item", ({ data }) => tooltip([[`${rowNames[data.value[1]]} · ${columnNames[data.value[0]]}`, number(data.value[2])]])),
    visualMap: scale(rows),
    xAxis: {
      type: "category",
      data: columnNames,
      axisTick: { show: false },
      axisLine: { show: false },
      splitArea: { show: false },
      axisLabel: { color: ink().text, fontSize: 11, rotate: 35, interval: 0, formatter: (name) => cut(name, 20) },
    },
    yAxis: categoryAxis(panel, rowNames),
    series: [
      {
        type: "heatmap",
        itemStyle: { borderColor: ink().ground, borderWidth: 2 },
        data: rows.map((row) => ({ value: [x.indexOf(row.places[1]), y.indexOf(row.places[0]), row.values[0]] })),
      },
    ],
  };
};

let mapIsKnown = false;
const countryNames = new Map();
const learnMap = () => {
  if (mapIsKnown) return;
  const shapes = block("countries");
  for (const { properties } of shapes.features) countryNames.set(properties.name, properties.title);
  echarts.registerMap("countries", shapes);
  mapIsKnown = true;
};

const mapOption = (panel, rows) => {
  learnMap();
  return {
    ...base(),
    tooltip: tip("item", ({ name, value }) =>
      tooltip([[countryNames.get(name) ?? name, Number.isFinite(value) ? number(value) : "none"]]),
    ),
    visualMap: scale(rows),
    series: [
      {
        type: "map",
        map: "countries",
        roam: false,
        selectedMode: false,
        left: 0,
        right: 0,
        top: 0,
        bottom: 0,
        boundingCoords: [[-170, 80], [180, -56]],
        itemStyle: { areaColor: isDark() ? "#2a2f39" : "#eef1f5", borderColor: ink().line, borderWidth: 0.6 },
        emphasis: { label: { show: false }, itemStyle: { areaColor: "#e0a52b" } },
        data: rows.map((row) => ({ name: row.keys[0], value: row.values[0] })),
      },
    ],
  };
};

const OPTIONS = {
  pie: (panel, rows) => (panel.splits.length === 2 ? ringsOption(panel, rows) : pieOption(panel, rows)),
  bar: barOption,
  stacked_bar: stackedOption,
  line: trendOption,
  area: trendOption,
  heat_map: heatOption,
  region_map: mapOption,
};

// Rows of a panel for the scopes that pass: visuals/report/recompute.py says the same, and is tested against SQL.
//
// Recomputed are counts of findings and updates, sums, means, the least and the most. A finding is in one cell of each
// bucket, whatever combinations its updates have, so that distinct counts stay right.

const SEPARATOR = ",";

const together = (cells, measure, rows) => {
  const there = rows.map((row) => cells.values[measure.column][row]).filter((value) => value !== null);
  if (measure.of === "min" || measure.of === "max") {
    const better = measure.of === "min" ? (a, b) => (b < a ? b : a) : (a, b) => (b > a ? b : a);
    return there.length ? there.reduce(better) : null;
  }
  const sum = there.reduce((a, b) => a + b, 0);
  if (measure.count_column === null) return sum;
  const number = rows.reduce((a, row) => a + (cells.values[measure.count_column][row] ?? 0), 0);
  return number ? sum / number : null;
};

// A map from the bucket's places, joined, to the measure.
const byBucket = (cells, measure, passing) => {
  const gathered = new Map();
  if (!cells) return gathered;
  for (let row = 0; row < cells.scope.length; row += 1) {
    if (!passing[cells.scope[row]]) continue;
    const bucket = cells.keys.map((column) => column[row]).join(SEPARATOR);
    if (gathered.has(bucket)) gathered.get(bucket).push(row);
    else gathered.set(bucket, [row]);
  }
  for (const [bucket, rows] of gathered) gathered.set(bucket, together(cells, measure, rows));
  return gathered;
};

const ordered = (split, keys) => {
  const places = [...keys.keys()];
  if (split.kind !== "field") return places.sort((a, b) => a - b);
  const sign = split.ascending ? 1 : -1;
  places.sort((a, b) => {
    const [one, other] = [keys.get(a), keys.get(b)];
    if ((one === null) !== (other === null)) return one === null ? 1 : -1;
    return sign * ((one ?? 0) - (other ?? 0)) || a - b;
  });
  return places.slice(0, split.size);
};

// Keys of a level below a bucket, each with its measure.
const keysBelow = (values, above) => {
  const prefix = above.length ? above.join(SEPARATOR) + SEPARATOR : "";
  const found = new Map();
  for (const [bucket, value] of values) {
    if (bucket.startsWith(prefix)) found.set(Number(bucket.slice(prefix.length)), value);
  }
  return found;
};

const walk = (splits, levels, above, found) => {
  if (above.length === splits.length) {
    found.push(above);
    return found;
  }
  const split = splits[above.length];
  let keys = keysBelow(levels[above.length], above);
  if (split.kind === "groups" && splits.length === 1) {
    keys = new Map(split.keys.map((_, place) => [place, keys.get(place) ?? null]));
  }
  for (const place of ordered(split, keys)) walk(splits, levels, [...above, place], found);
  return found;
};

const nothingOf = (measure) => (["min", "max", "avg"].includes(measure.of) ? null : 0);

// Rows of {places, keys, values}; places are positions in the splits' keys.
const recompute = (panel, passing) => {
  if (panel.from_run !== null) return [{ places: [], keys: [], values: [panel.from_run] }];
  const cellsOf = (measure) => (measure.of === "findings" ? panel.findings : panel.records);
  const values = panel.measures.map((measure) => byBucket(cellsOf(measure), measure, passing));
  const first = panel.measures[0];
  const ordering = { ...first, column: 0, count_column: first.of === "avg" ? 1 : null };
  const above = panel.above.map((cells) => byBucket(cells, ordering, passing));
  const buckets = panel.splits.length ? walk(panel.splits, [...above, values[0]], [], []) : [[]];
  return buckets.map((places) => ({
    places,
    keys: places.map((place, level) => panel.splits[level].keys[place]),
    values: values.map((found, number) => found.get(places.join(SEPARATOR)) ?? nothingOf(panel.measures[number])),
  }));
};

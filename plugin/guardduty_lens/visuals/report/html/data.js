// The report's data, as visuals/report/data.py describes it.

const block = (id) => JSON.parse(document.getElementById(id).textContent);
const report = block("data");

// Records are only looked at when a finding is opened; they are most of the page.
let recordTexts = null;
const recordText = (row) => {
  recordTexts ??= block("records");
  return recordTexts[row];
};

const ACCOUNT = 0;
const SEVERITY = 1;
const SAMPLE = 2;
const ARCHIVED = 3;

// Elements, with text that is always text, and how values are written.

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
};

const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const number = (value) => numbers.format(value);

const two = (value) => String(value).padStart(2, "0");
const date = (milliseconds) => {
  const moment = new Date(milliseconds);
  return `${moment.getUTCFullYear()}-${two(moment.getUTCMonth() + 1)}-${two(moment.getUTCDate())}`;
};
const dateTime = (milliseconds) => {
  const moment = new Date(milliseconds);
  return `${date(milliseconds)} ${two(moment.getUTCHours())}:${two(moment.getUTCMinutes())}`;
};

const timeLabel = (milliseconds) => (report.every === "hour" ? dateTime(milliseconds) : date(milliseconds));
const keyLabel = (split, key) => (split.kind === "time" ? timeLabel(key) : String(key));
const valueLabel = (measure, value) => {
  if (value === null) return "–";
  return measure.is_date ? dateTime(value) : number(value);
};

const severityLabel = (label) =>
  element("span", { class: "severity" }, swatch(report.colours[label] ?? report.colours.Unknown), label);

function swatch(colour) {
  const made = element("span", { class: "swatch", "aria-hidden": "true" });
  made.style.backgroundColor = colour;
  return made;
}

// A link leaves the page only over https, and only when it is followed.
const safeLink = (text) => {
  let url = null;
  try {
    url = new URL(text);
  } catch {
    return document.createTextNode(text);
  }
  if (url.protocol !== "https:") return document.createTextNode(text);
  return element("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, "open");
};

// Short words such as ids and regions are not broken; sentences, names and arns are.
const cellClass = (column, value) => {
  if (column.kind === "number") return "amount";
  return column.kind === "date" || (typeof value === "string" && /^[\w.:-]{1,24}$/.test(value)) ? "whole-word" : "";
};

const cellContent = (column, value) => {
  if (value === null || value === undefined) return "";
  if (column.kind === "severity") return severityLabel(value);
  if (column.kind === "date") return dateTime(value);
  if (column.kind === "number") return number(value);
  if (column.kind === "link") return safeLink(value);
  return Array.isArray(value) ? value.join(", ") : String(value);
};

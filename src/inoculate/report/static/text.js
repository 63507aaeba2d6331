// Elements and text. Model output enters the page only as text nodes, never as markup.

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Invisible characters, direction marks and lone surrogates are shown as escapes.
const UNSEEN = new RegExp(
  "([\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]" +
  "|\\r(?!\\n)|[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff])");

function appendText(element, text, needle) {
  const parts = String(text).split(UNSEEN);
  parts.forEach((part, place) => {
    if (place % 2) element.append(make("span", { class: "ctl" }, escaped(part)));
    else if (part) highlight(element, part, needle);
  });
  return element;
}

function escaped(character) {
  return "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0");
}

function highlight(element, text, needle) {
  const lowText = text.toLowerCase();
  // Some letters change length in lower case. Then positions in the two texts differ, and nothing is marked.
  if (!needle || lowText.length !== text.length) return element.append(text);
  const lowered = needle.toLowerCase();
  let from = 0;
  for (let at = lowText.indexOf(lowered); at >= 0; at = lowText.indexOf(lowered, from)) {
    element.append(text.slice(from, at), make("mark", {}, text.slice(at, at + lowered.length)));
    from = at + lowered.length;
  }
  element.append(text.slice(from));
}

function count(number) {
  return number.toLocaleString("en");
}

function seedName(seed) {
  return seed === null || seed === undefined ? "none" : String(seed);
}

function stepName(step) {
  return step === null ? "" : String(step);
}

// Where in training: the share of it after which a sample was drawn, or the step of RL that drew it.
function describeTraining(cell) {
  if (cell.step === null) return `trained ${percentOf(cell.at)}`;
  return cell.step === 0 ? "step 0, the untrained policy" : `step ${cell.step}`;
}

function percentOf(share) {
  return `${Number((100 * share).toFixed(1))}%`;
}

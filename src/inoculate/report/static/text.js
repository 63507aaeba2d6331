// Elements and text. Whatever a model wrote enters the page as text nodes only, never as markup.

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Characters that do not show, turn the reading direction, or are half of one: shown as their number.
const UNSEEN = new RegExp(
  "([\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]" +
  "|\\r(?!\\n)|[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff])");

function paint(element, text, needle) {
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
  const low = text.toLowerCase();
  // Some letters change in length when lowered: then places in the two texts do not agree, and nothing is marked.
  if (!needle || low.length !== text.length) return element.append(text);
  const wanted = needle.toLowerCase();
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, from)) {
    element.append(text.slice(from, at), make("mark", {}, text.slice(at, at + wanted.length)));
    from = at + wanted.length;
  }
  element.append(text.slice(from));
}

function count(number) {
  return number.toLocaleString("en");
}

function seedName(seed) {
  return seed === null || seed === undefined ? "none" : String(seed);
}

function percentOf(share) {
  return `${Number((100 * share).toFixed(1))}%`;
}

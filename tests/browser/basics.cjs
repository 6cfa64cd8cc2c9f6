// What any page owes its readers: names for controls, contrast, headings, nothing that overflows. Runs inside the page.
"use strict";

/** What is wrong with names, tables, headings and ids. */
function structure() {
  const wrong = [];
  const seen = new Set();
  for (const element of document.querySelectorAll("[id]")) {
    if (seen.has(element.id)) wrong.push(`two elements have the id ${element.id}`);
    seen.add(element.id);
  }
  for (const control of document.querySelectorAll("input, select, textarea")) {
    if (!control.labels.length && !control.getAttribute("aria-label")) wrong.push(`#${control.id} has no label`);
  }
  for (const named of document.querySelectorAll("button, a[href]")) {
    if (!named.textContent.trim() && !named.getAttribute("aria-label")) wrong.push(`a ${named.localName} has no name`);
  }
  for (const table of document.querySelectorAll("table")) {
    if (!table.caption) wrong.push("a table has no caption");
    for (const head of table.querySelectorAll("th")) if (!head.scope) wrong.push(`a th "${head.textContent}" has no scope`);
  }
  for (const reference of ["aria-labelledby", "for"]) {
    for (const element of document.querySelectorAll(`[${reference}]`)) {
      if (!document.getElementById(element.getAttribute(reference))) wrong.push(`${reference}=${element.getAttribute(reference)} leads nowhere`);
    }
  }
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    if (!document.getElementById(link.hash.slice(1))) wrong.push(`${link.hash} leads nowhere`);
  }
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((heading) => Number(heading.localName[1]));
  if (levels.filter((level) => level === 1).length !== 1) wrong.push("there is not exactly one h1");
  levels.forEach((level, index) => { if (index && level > levels[index - 1] + 1) wrong.push(`a heading skips to level ${level}`); });
  if (!document.documentElement.lang) wrong.push("the language is not said");
  if (!document.querySelector("main")) wrong.push("there is no main");
  return wrong;
}

/** Texts with less contrast than WCAG 2.2 asks for (1.4.3): 4.5, or 3 for large ones. */
function contrast() {
  const numbers = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const light = ([red, green, blue]) => {
    const part = (value) => { const share = value / 255; return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = numbers(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] > 0.99) return color;
    }
    return [255, 255, 255];
  };
  const wrong = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.getClientRects().length || element.closest("noscript, option")) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize), isLarge = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
    const color = element instanceof SVGElement ? style.fill : style.color;
    const [one, other] = [light(numbers(color)), light(behind(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < (isLarge ? 3 : 4.5)) wrong.push(`"${walker.currentNode.textContent.trim().slice(0, 40)}": ${ratio.toFixed(2)}`);
  }
  return wrong;
}

module.exports = { structure, contrast };

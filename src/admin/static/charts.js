"use strict";
// Line charts in SVG, drawn from rows of numbers. A gap in the numbers is a gap in the line.
const Charts = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 480, HEIGHT = 140, LEFT = 46, RIGHT = 8, TOP = 8, BOTTOM = 18;

  function element(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // A number that people would have chosen at or above the largest value.
  function ceiling(value) {
    if (!(value > 0)) return 1;
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
  }

  function short(value) {
    for (const [limit, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
      if (value >= limit) return `${+(value / limit).toPrecision(3)} ${unit}`;
    }
    return `${+value.toPrecision(3)}`;
  }

  function path(values, top, count) {
    const x = (index) => LEFT + (WIDTH - LEFT - RIGHT) * (count > 1 ? (index + count - values.length) / (count - 1) : 1);
    const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
    let drawing = "", down = false;
    values.forEach((value, index) => {
      if (value === undefined || value === null) { down = false; return; }
      drawing += `${down ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
      // A single point between gaps is seen as a dot.
      if (!down && (values[index + 1] === undefined || values[index + 1] === null)) drawing += "h1";
      down = true;
    });
    return drawing;
  }

  function clock(seconds) {
    return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  }

  // `series`: [{ name, className, values }], all of them as long as `times`.
  function draw(where, legend, series, times, count, unit) {
    const largest = Math.max(0, ...series.flatMap((one) => one.values.filter((value) => value !== undefined && value !== null)));
    const top = ceiling(largest);
    const last = series.map((one) => `${one.name} ${short(one.values.at(-1) ?? 0)}${unit}`).join(", ");
    const picture = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `now: ${last}; the scale ends at ${short(top)}${unit}` });
    for (const share of [0, 0.5, 1]) {
      const y = TOP + (HEIGHT - TOP - BOTTOM) * (1 - share);
      picture.append(element("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }));
      picture.append(element("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, short(top * share)));
    }
    if (times.length) {
      picture.append(element("text", { x: WIDTH - RIGHT, y: HEIGHT - 4, "text-anchor": "end" }, clock(times.at(-1))));
      if (times.length >= count) picture.append(element("text", { x: LEFT, y: HEIGHT - 4 }, clock(times[0])));
    }
    for (const one of series) picture.append(element("path", { d: path(one.values, top, count), class: one.className }));
    where.replaceChildren(picture);
    legend.replaceChildren(...series.map((one) => {
      const item = document.createElement("span");
      item.className = one.className;
      item.textContent = `${one.name}: ${one.values.at(-1) === undefined ? "none" : short(one.values.at(-1) ?? 0) + unit}`;
      return item;
    }));
  }

  return { draw, short };
})();

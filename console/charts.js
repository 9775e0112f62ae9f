// Small charts as SVG. Text goes in as text, never as markup.
const space = 'http://www.w3.org/2000/svg';
const size = { width: 260, height: 180, left: 40, right: 8, top: 8, bottom: 30 };
const colours = ['#b45309', '#0369a1', '#4d7c0f', '#7c3aed', '#be123c', '#0f766e', '#a16207', '#1d4ed8', '#9f1239', '#3f6212'];

function shape(tag, attributes, text) {
  const made = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

const short = (value) => (value === 0 ? '0' : String(Number(value.toPrecision(3))));

function range(values, given) {
  if (given) return given;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/**
 * Lines or dots over two axes.
 * @param series [{name, points: [[x, y], …]}]
 * @param options {x, y: names of the axes; xRange, yRange; log: whether x is; dots; diagonal}
 */
export function chart(title, series, { x, y, xRange, yRange, log = false, dots = false, diagonal = false }) {
  const { width, height, left, right, top, bottom } = size;
  const points = series.flatMap((each) => each.points).filter((point) => point.every(Number.isFinite));
  const scale = log ? Math.log : (value) => value;
  const xs = range(
    points.map(([value]) => value),
    xRange,
  );
  const ys = range(
    points.map(([, value]) => value),
    yRange,
  );
  const at = (value, [low, high], from, to) => from + ((scale(value) - scale(low)) / (scale(high) - scale(low))) * (to - from);
  const across = (value) => at(value, xs, left, width - right);
  const up = (value) => height - bottom - ((value - ys[0]) / (ys[1] - ys[0])) * (height - bottom - top);
  const drawing = shape('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': title });
  drawing.append(shape('path', { d: `M${left} ${top}V${height - bottom}H${width - right}`, class: 'axis' }));
  if (diagonal) drawing.append(shape('path', { d: `M${across(xs[0])} ${up(xs[0])}L${across(xs[1])} ${up(xs[1])}`, class: 'diagonal' }));
  for (const [i, each] of series.entries()) {
    const colour = colours[i % colours.length];
    const placed = each.points.filter((point) => point.every(Number.isFinite)).map(([a, b]) => [across(a), up(b)]);
    if (!dots) drawing.append(shape('path', { d: `M${placed.map((point) => point.join(' ')).join('L')}`, class: 'line', stroke: colour }));
    if (dots || placed.length <= 15)
      for (const [cx, cy] of placed) drawing.append(shape('circle', { cx, cy, r: 2, fill: colour }, undefined));
  }
  for (const [value, anchor] of [
    [xs[0], 'start'],
    [xs[1], 'end'],
  ])
    drawing.append(shape('text', { x: across(value), y: height - bottom + 12, 'text-anchor': anchor }, short(value)));
  for (const value of ys) drawing.append(shape('text', { x: left - 3, y: up(value) + 4, 'text-anchor': 'end' }, short(value)));
  drawing.append(shape('text', { x: (left + width - right) / 2, y: height - 4, 'text-anchor': 'middle' }, `${y} by ${x}`));
  return figure(title, drawing, series.length > 1 ? series.map((each) => each.name) : []);
}

/** Bars from 0, with how far they may be off. @param bars [{name, value, error}], the longest first */
export function bars(title, entries, unit) {
  const [row, label, width] = [16, 130, 420];
  const most = Math.max(...entries.map(({ value, error }) => value + error), Number.MIN_VALUE);
  const across = (value) => label + (Math.max(0, value) / most) * (width - label - 50);
  const drawing = shape('svg', { viewBox: `0 0 ${width} ${entries.length * row + 4}`, role: 'img', 'aria-label': title, class: 'wide' });
  for (const [i, { name, value, error }] of entries.entries()) {
    const y = i * row + 2;
    const shown = name.length > 20 ? `${name.slice(0, 19)}…` : name;
    drawing.append(shape('text', { x: label - 4, y: y + 11, 'text-anchor': 'end' }, shown));
    drawing.append(shape('rect', { x: label, y: y + 2, width: across(value) - label, height: row - 5, fill: colours[0] }));
    drawing.append(shape('path', { d: `M${across(value - error)} ${y + 7}H${across(value + error)}`, class: 'axis' }));
    drawing.append(shape('text', { x: across(value + error) + 4, y: y + 11 }, short(value)));
  }
  return figure(`${title} (${unit})`, drawing, []);
}

function figure(title, drawing, names) {
  const made = document.createElement('figure');
  const caption = document.createElement('figcaption');
  caption.textContent = title;
  made.append(caption, drawing);
  for (const [i, name] of names.entries()) {
    const key = document.createElement('span');
    key.className = 'key';
    key.style.setProperty('--colour', colours[i % colours.length]);
    key.textContent = name;
    made.append(key);
  }
  return made;
}

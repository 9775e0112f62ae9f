// What the page is built of: elements whose text is text.
export function node(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = String(text);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

export function row(...cells) {
  const made = node('tr');
  for (const cell of cells) {
    const td = node('td', cell instanceof Node ? undefined : (cell ?? ''), typeof cell === 'number' ? { class: 'number' } : {});
    if (cell instanceof Node) td.append(cell);
    made.append(td);
  }
  return made;
}

export function table(headings, rows) {
  const made = node('table');
  const head = node('tr');
  head.append(...headings.map((text) => node('th', text)));
  made.createTHead().append(head);
  made.createTBody().append(...rows);
  return made;
}

export const rounded = (value) => (typeof value === 'number' ? Math.round(value * 1e4) / 1e4 : value);

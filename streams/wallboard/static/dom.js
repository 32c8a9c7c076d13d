// Small ways of building and changing elements. Text is always set as text: ids come from other people's systems.

export const find = (testid, root = document) => root.querySelector(`[data-testid="${testid}"]`);

export function make(tag, className = "", attributes = {}) {
  const el = document.createElement(tag);
  if (className) el.className = className;
  for (const [name, value] of Object.entries(attributes)) el.setAttribute(name, value);
  return el;
}

// Only what differs touches the document.
export function setText(el, text) {
  if (el.shownText === text) return;
  el.shownText = text;
  el.textContent = text;
}

export function setClass(el, name) {
  if (el.className !== name) el.className = name;
}

// Makes `order` the children of `parent`, moving no more than needed.
export function arrange(parent, order) {
  let next = parent.firstElementChild;
  for (const el of order) {
    if (el === next) next = next.nextElementSibling;
    else parent.insertBefore(el, next);
  }
  while (next) {
    const gone = next;
    next = next.nextElementSibling;
    gone.remove();
  }
}

// Elements made by hand: texts are texts, never markup, whoever wrote them (R53).

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Record<string, any>} Attributes A function is a listener: `onclick`. False and null are left out. */

/** @typedef {(event: any) => unknown} Heard */
/** What each element does at an event, null where it does nothing any more. @type {WeakMap<Element, Map<string, Heard | null>>} */
const hearing = new WeakMap();
/** What a field shows at first; what a person makes of it stands beside it. @type {Record<string, string>} */
const DEFAULTS = { value: "defaultValue", checked: "defaultChecked", selected: "defaultSelected" };

/** @type {(element: Element, kind: string, act: Heard | null) => void} */
function hear(element, kind, act) {
  const known = hearing.get(element) ?? new Map();
  if (!known.has(kind)) element.addEventListener(kind, (event) => hearing.get(element)?.get(kind)?.(event));
  hearing.set(element, known.set(kind, act));
}

/** Return whether an element does something at this event. @type {(element: Element, kind: string) => boolean} */
export const listens = (element, kind) => Boolean(hearing.get(element)?.get(kind));

/** Let an element do what another one would, which was drawn in its place. @type {(element: Element, other: Element) => void} */
export function hearAs(element, other) {
  const acts = hearing.get(other) ?? new Map();
  const kinds = new Set([...(hearing.get(element)?.keys() ?? []), ...acts.keys()]);
  for (const kind of kinds) hear(element, kind, acts.get(kind) ?? null);
}

/** @type {(element: Element, name: string, value: any) => void} */
function put(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (typeof value === "function") hear(element, name.slice(2), value);
  else if (DEFAULTS[name] in element) Object.assign(element, { [DEFAULTS[name]]: value });
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** @type {(element: Element, children: (Child | Child[])[]) => void} */
function fill(element, children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/**
 * Return an element; `h("p", {class: "under"}, "text")`.
 * @type {<K extends keyof HTMLElementTagNameMap>(tag: K, attributes?: Attributes, ...children: (Child | Child[])[]) => HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, children); // a select has its options before its value
  for (const [name, value] of Object.entries(attributes)) put(element, name, value);
  return element;
}

/** Return an element of SVG. @type {(tag: string, attributes?: Attributes, ...children: (Child | Child[])[]) => SVGElement} */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) put(element, name, value);
  fill(element, children);
  return element;
}

/** Put other children in an element's place of its own. @type {(element: Element, ...children: (Child | Child[])[]) => void} */
export function show(element, ...children) {
  element.replaceChildren();
  fill(element, children);
}

/** Return the element of this id, which the page has. @type {(id: string) => HTMLElement} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no ${id}`);
  return found;
}

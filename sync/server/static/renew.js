// What is shown is drawn anew whenever something came, and only what differs takes the place of what stood there: focus,
// selection, scroll, opened pictures and half-typed text stay, and a screen reader speaks of news alone (R64, R65).

import { hearAs, listens } from "./element.js";

/** @typedef {() => Promise<(Node | null)[]>} Fill Return what a place is filled with. */
/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Field */

const NEAR = "600px 0px";
const FIELDS = "input, textarea, select";
// What a person changes in a field is not what was drawn: it has a default beside it.
const DEFAULTS = ["value", "checked", "selected"];

/** As each node was drawn: what came into it later, was opened or was typed, is not of it. @type {WeakMap<Node, { form: string, attributes: Map<string, string> }>} */
const drawn = new WeakMap();

export class Drawing {
  /** @type {WeakMap<Element, Fill>} */
  #fills = new WeakMap();
  /** @type {WeakSet<Element>} places whose filling has begun */
  #begun = new WeakSet();
  /** @type {WeakMap<Element, () => Promise<void>>} */
  #near = new WeakMap();
  /** @type {Element | null} the form whose content was taken: what was typed into it stands elsewhere now */
  #taken = null;
  #watch = new IntersectionObserver((entries) => this.#came(entries), { rootMargin: NEAR });
  #fault;

  /** @param {(fault: unknown) => void} fault is told what went wrong while a place was filled */
  constructor(fault) {
    this.#fault = fault;
  }

  /** Do something once the element comes near the window. @type {(element: Element, act: () => Promise<void>) => void} */
  whenNear(element, act) {
    this.#near.set(element, act);
    this.#watch.observe(element);
  }

  /** Fill a place once it comes near the window; drawn anew it is filled anew, and stays where that is the same. @type {(place: Element, fill: Fill) => void} */
  fill(place, fill) {
    this.#fills.set(place, fill);
    this.whenNear(place, () => this.#filled(place));
  }

  /** Show these nodes in a place, those that stand there already left as they are; `taken` is the form whose content was sent. @type {(place: Element, nodes: (Node | null)[], taken?: Element | null) => void} */
  renew(place, nodes, taken = null) {
    const focused = document.activeElement;
    const held = focused !== place && place.contains(focused) ? focused : null;
    this.#taken = taken;
    this.#children(place, nodes.filter((node) => node !== null));
    this.#taken = null;
    if (held && !held.isConnected) successor(place, held)?.focus({ preventScroll: true });
  }

  /** @type {(entries: IntersectionObserverEntry[]) => void} */
  #came(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      this.#watch.unobserve(target);
      this.#near.get(target)?.().catch(this.#fault);
    }
  }

  /** @type {(place: Element) => Promise<void>} */
  async #filled(place) {
    const fill = this.#fills.get(place);
    this.#begun.add(place);
    const nodes = (await fill?.()) ?? [];
    if (this.#fills.get(place) !== fill) return; // drawn anew meanwhile: it is being filled by that
    this.renew(place, nodes);
    place.setAttribute("data-shown", "");
  }

  /** @type {(place: Element, fresh: Node[]) => void} */
  #children(place, fresh) {
    const old = [...place.childNodes];
    const pairs = paired(old, fresh.map((node) => this.#formOf(node)), fresh);
    const kept = new Set(pairs);
    for (const node of old) if (!kept.has(node)) node.remove();
    let next = place.firstChild;
    for (const [at, node] of fresh.entries()) {
      const stood = pairs[at];
      if (!stood) {
        place.insertBefore(node, next);
        continue;
      }
      next = stood.nextSibling;
      if (drawn.get(stood)?.form === drawn.get(node)?.form) this.#keep(stood, node, false);
      else this.#change(stood, node);
    }
  }

  /** What was drawn alike stays; it hears by what was drawn last. @type {(stood: Node, fresh: Node, isInForm: boolean) => void} */
  #keep(stood, fresh, isInForm) {
    if (!(stood instanceof Element && fresh instanceof Element)) return;
    const within = isInForm || listens(stood, "submit"); // who hears a form reads its own fields
    if (isField(stood) && isField(fresh)) takeDefault(stood, fresh, this.#isTaken(stood));
    if (!within) hearAs(stood, fresh);
    if (this.#fills.has(fresh)) return this.#takeFill(stood, fresh);
    const others = fresh.childNodes;
    stood.childNodes.forEach((child, at) => others[at] && this.#keep(child, others[at], within));
    return undefined;
  }

  /** @type {(stood: Node, fresh: Node) => void} */
  #change(stood, fresh) {
    if (stood instanceof Text && fresh instanceof Text) {
      stood.data = fresh.data;
      note(stood, fresh);
    }
    if (!(stood instanceof HTMLElement || stood instanceof SVGElement) || !(fresh instanceof Element)) return;
    if (listens(stood, "submit") || this.#fills.has(stood) !== this.#fills.has(fresh)) {
      if (this.#isTaken(stood) || !isTouched(stood)) stood.replaceWith(fresh);
      return;
    }
    takeAttributes(stood, fresh);
    hearAs(stood, fresh);
    note(stood, fresh);
    if (this.#fills.has(fresh)) this.#takeFill(stood, fresh);
    else this.#children(stood, [...fresh.childNodes]);
    if (isField(stood) && isField(fresh)) takeDefault(stood, fresh, this.#isTaken(stood));
  }

  /** @type {(stood: Element, fresh: Element) => void} */
  #takeFill(stood, fresh) {
    this.#watch.unobserve(fresh);
    this.#fills.set(stood, /** @type {Fill} */ (this.#fills.get(fresh)));
    if (this.#begun.has(stood)) this.#filled(stood).catch(this.#fault);
  }

  /** Return whether what a person put in was taken already: it was sent, or counted as soon as it was chosen. @type {(element: Element) => boolean} */
  #isTaken(element) {
    return listens(element, "change") || (this.#taken !== null && element.closest("form") === this.#taken);
  }

  /** Return what a node was drawn as, noted for it and all in it; a place to be filled counts empty. @type {(node: Node) => string} */
  #formOf(node) {
    if (!(node instanceof Element)) {
      const form = JSON.stringify(node.textContent);
      drawn.set(node, { form, attributes: new Map() });
      return form;
    }
    const attributes = new Map([...node.attributes].map(({ name, value }) => [name, value]));
    const told = [...attributes].filter(([name]) => !(DEFAULTS.includes(name) && node.matches("input, option")));
    if (node instanceof HTMLOptionElement) told.push(["value", node.value]);
    const within = [...node.childNodes].map((child) => this.#formOf(child)).join();
    const form = `<${node.tagName} ${JSON.stringify(told)}>${this.#fills.has(node) ? "…" : within}</>`;
    drawn.set(node, { form, attributes });
    return form;
  }
}

/** @type {(stood: Node, fresh: Node) => void} */
function note(stood, fresh) {
  const as = drawn.get(fresh);
  if (as) drawn.set(stood, as);
}

/**
 * Return which node that stands is each fresh one: first those drawn alike, in order, then between them those of one kind and name.
 * @type {(old: Node[], forms: string[], fresh: Node[]) => (Node | null)[]}
 */
function paired(old, forms, fresh) {
  const alike = inOrder(old, forms);
  /** @type {(Node | null)[]} */
  const pairs = alike.map((at) => (at === null ? null : old[at]));
  const taken = new Set(alike);
  let from = 0;
  for (const [at, node] of fresh.entries()) {
    const same = alike[at];
    if (same !== null) {
      from = same + 1;
      continue;
    }
    const until = alike.slice(at).find((place) => place !== null) ?? old.length;
    for (let place = from; place < until; place += 1) {
      if (taken.has(place) || !isOneKind(old[place], node)) continue;
      pairs[at] = old[place];
      from = place + 1;
      break;
    }
  }
  return pairs;
}

/** Return where each form stands among the old ones, in order; null where it does not. @type {(old: Node[], forms: string[]) => (number | null)[]} */
function inOrder(old, forms) {
  const stood = old.map((node) => drawn.get(node)?.form);
  let start = 0;
  while (start < forms.length && stood[start] === forms[start]) start += 1;
  let end = 0;
  while (end < forms.length - start && end < stood.length - start && stood.at(-1 - end) === forms.at(-1 - end)) end += 1;
  let from = start;
  return forms.map((form, at) => {
    if (at < start) return at;
    if (at >= forms.length - end) return stood.length - (forms.length - at);
    const found = stood.indexOf(form, from);
    if (found < 0 || found >= stood.length - end) return null;
    from = found + 1;
    return found;
  });
}

/** @type {(one: Node, other: Node) => boolean} */
function isOneKind(one, other) {
  if (!(one instanceof Element && other instanceof Element)) return one instanceof Text && other instanceof Text;
  return one.tagName === other.tagName && nameOf(one) === nameOf(other);
}

/** @type {(element: Element) => string} */
const nameOf = (element) => element.id || element.getAttribute("href") || element.getAttribute("data-first") || "";

/** @type {(stood: Element, fresh: Element) => void} */
function takeAttributes(stood, fresh) {
  const before = drawn.get(stood)?.attributes ?? new Map();
  const after = drawn.get(fresh)?.attributes ?? new Map();
  for (const [name, value] of after) if (before.get(name) !== value) stood.setAttribute(name, value);
  for (const name of before.keys()) if (!after.has(name)) stood.removeAttribute(name);
}

/** @param {Element} element @returns {element is Field} */
function isField(element) {
  return element.matches(FIELDS);
}

/** Return whether a person has typed or chosen something in the element. @type {(element: Element) => boolean} */
const isTouched = (element) =>
  [element, ...element.querySelectorAll(FIELDS)].some((one) => isField(one) && isChanged(one));

/** @type {(field: Field) => boolean} */
function isChanged(field) {
  if (field instanceof HTMLSelectElement) return field.value !== defaultOf(field);
  if (field instanceof HTMLTextAreaElement) return field.value !== field.defaultValue;
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  return field.type === "file" ? field.value !== "" : field.value !== field.defaultValue;
}

/** @type {(select: HTMLSelectElement) => string | undefined} */
const defaultOf = ({ options }) => ([...options].find((one) => one.defaultSelected) ?? options[0])?.value;

/** Give a field what was drawn last; what a person typed stays, but where it was `taken`. @type {(stood: Field, fresh: Field, isTaken: boolean) => void} */
function takeDefault(stood, fresh, isTaken) {
  const stays = isChanged(stood) && !isTaken;
  if (stood instanceof HTMLSelectElement && fresh instanceof HTMLSelectElement) {
    const chosen = stays ? stood.value : fresh.value;
    for (const [at, option] of [...stood.options].entries())
      option.defaultSelected = fresh.options[at]?.defaultSelected ?? false;
    stood.value = chosen;
    return;
  }
  if (stood instanceof HTMLInputElement && fresh instanceof HTMLInputElement) {
    stood.defaultValue = fresh.defaultValue;
    stood.defaultChecked = fresh.defaultChecked;
    if (!stays) stood.checked = fresh.checked;
  }
  if (!stays && !(stood instanceof HTMLSelectElement)) stood.value = stood.defaultValue;
}

/** Return what the keyboard goes on from where what had it is gone: what was drawn in its place, or the page. @type {(place: Element, gone: Element) => HTMLElement | null} */
function successor(place, gone) {
  const same = [...place.querySelectorAll(gone.tagName)].find(
    (one) => nameOf(one) === nameOf(gone) && (nameOf(gone) !== "" || one.textContent === gone.textContent),
  );
  return /** @type {HTMLElement | null} */ (same ?? place.closest("[tabindex='-1']"));
}

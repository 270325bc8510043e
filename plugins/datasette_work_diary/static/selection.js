// Selection on a day's page: by click, by drag, by Shift, by keyboard. Without this file the checkboxes still work.
// Arrow keys move, Space selects, Shift extends, Enter opens, Escape selects nothing.

const form = /** @type {HTMLFormElement} */ (document.getElementById("selection"));
const said = /** @type {HTMLElement} */ (document.getElementById("selected"));
const none = /** @type {HTMLButtonElement | null} */ (document.getElementById("select-none"));
const boxes = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input[name=place]")]);
const MINUTES = 10;
let anchor = 0;

/** Say what is selected, and offer the acts only where there is something to act on. */
function tell() {
  const count = boxes.filter((box) => box.checked).length;
  const minutes = count * MINUTES;
  const length = minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  if (boxes.length) said.textContent = count ? `${count} selected, ${length}.` : "Nothing is selected.";
  if (none) none.hidden = count === 0;
  for (const button of form.querySelectorAll("button[type=submit]")) {
    /** @type {HTMLButtonElement} */ (button).disabled = count === 0;
  }
}

/** Make one box the only stop of the Tab key within the sheet. @param {number} index */
function stopAt(index) {
  for (const [at, box] of boxes.entries()) box.tabIndex = at === index ? 0 : -1;
}

/** Select everything between the anchor and `index`. @param {number} index @param {boolean} on */
function extend(index, on) {
  const [from, to] = anchor < index ? [anchor, index] : [index, anchor];
  for (const box of boxes.slice(from, to + 1)) box.checked = on;
}

/** The box above or below, nearest in the same column. @param {number} index @param {1 | -1} way */
function inNextRow(index, way) {
  const here = boxes[index].getBoundingClientRect();
  const beyond = boxes
    .map((box, at) => ({ at, spot: box.getBoundingClientRect() }))
    .filter(({ spot }) => (spot.top - here.top) * way > 1);
  beyond.sort((one, other) => (one.spot.top - other.spot.top) * way
    || Math.abs(one.spot.left - here.left) - Math.abs(other.spot.left - here.left));
  return beyond.length ? beyond[0].at : index;
}

/** Where a key leads from `index`, or null where it leads nowhere. @param {string} key @param {number} index */
function target(key, index) {
  switch (key) {
    case "ArrowRight": return Math.min(index + 1, boxes.length - 1);
    case "ArrowLeft": return Math.max(index - 1, 0);
    case "ArrowDown": return inNextRow(index, 1);
    case "ArrowUp": return inNextRow(index, -1);
    case "Home": return 0;
    case "End": return boxes.length - 1;
    default: return null;
  }
}

for (const [index, box] of boxes.entries()) {
  const link = box.parentElement?.querySelector("a");
  if (link) link.tabIndex = -1; // Enter on the box opens it: one stop a segment, not two
  box.addEventListener("click", (event) => {
    if (event.shiftKey) extend(index, box.checked);
    else anchor = index;
    stopAt(index);
    tell();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      link?.click();
      return;
    }
    const to = target(event.key, index);
    if (to === null) return;
    event.preventDefault();
    if (event.shiftKey) {
      if (!boxes[index].checked) anchor = index;
      extend(to, true);
    }
    stopAt(to);
    boxes[to].focus();
    tell();
  });
}

/** Where a drag began, what it sets, and what stood before it; null while there is none.
 * @type {{ from: number, on: boolean, before: boolean[] } | null} */
let drag = null;

/** The index of the box whose segment is under the pointer, or -1. @param {PointerEvent} event */
function under(event) {
  const spot = document.elementFromPoint(event.clientX, event.clientY);
  const box = spot?.closest(".segment")?.querySelector("input[name=place]");
  return boxes.indexOf(/** @type {HTMLInputElement} */ (box));
}

form.addEventListener("pointerdown", (event) => {
  const at = under(event);
  if (at < 0 || event.button !== 0 || event.pointerType === "touch" || event.shiftKey) return;
  drag = { from: at, on: !boxes[at].checked, before: boxes.map((box) => box.checked) };
});
window.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const at = under(event);
  if (at < 0 || (at === drag.from && !form.classList.contains("dragged"))) return;
  form.classList.add("dragged");
  const [first, last] = drag.from < at ? [drag.from, at] : [at, drag.from];
  for (const [index, box] of boxes.entries()) {
    box.checked = first <= index && index <= last ? drag.on : drag.before[index];
  }
  anchor = drag.from;
  tell();
});
window.addEventListener("pointerup", () => {
  drag = null;
  // After the click that ends a drag, which must neither open a segment nor turn a box again.
  setTimeout(() => form.classList.remove("dragged"));
});
form.addEventListener("click", (event) => {
  if (form.classList.contains("dragged")) {
    event.preventDefault();
    event.stopPropagation();
  }
}, { capture: true });
form.addEventListener("dragstart", (event) => event.preventDefault());

/** Select nothing. */
function clear() {
  for (const box of boxes) box.checked = false;
  tell();
}

none?.addEventListener("click", clear);
form.addEventListener("keydown", (event) => {
  if (event.key === "Escape") clear();
});
window.addEventListener("pageshow", tell); // a browser's Back restores the boxes
if (boxes.length) stopAt(0);
tell();

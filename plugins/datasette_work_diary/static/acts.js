// What every form and every answer to one needs: a form is sent once, however often its button is pressed,
// and what came of it is heard. Without this file both still work: the answer has the focus.

export {}; // a module: its names are its own

const AGAIN_AFTER_MILLIS = 5000; // whoever stopped the page from loading may send the form again

/** @type {WeakSet<EventTarget>} */
const sent = new WeakSet();

addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form) return;
  if (sent.has(form)) {
    event.preventDefault();
    return;
  }
  sent.add(form);
  setTimeout(() => sent.delete(form), AGAIN_AFTER_MILLIS);
});

// A live region is read when it changes, not for what it held when the page came.
const said = document.querySelector("#said .said");
if (said && document.activeElement !== said) {
  const text = said.textContent;
  said.textContent = "";
  setTimeout(() => { said.textContent = text; }, 100);
}

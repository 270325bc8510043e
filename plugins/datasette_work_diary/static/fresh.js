// Keep a page true to the diary while it lies open: ask now and then whether the file changed, and if so
// show the page anew, unless somebody is in the middle of something; then only say so.

const EVERY_MILLIS = 4000;
const main = /** @type {HTMLElement} */ (document.getElementById("diary"));
const known = main.dataset.version; // the file as it was when this page was made
let coming = false; // whether the page is on its way anew

/** Whether somebody has selected or typed something that a new page would lose. */
function busy() {
  if (main.querySelector("input[name=place]:checked")) return true;
  const active = document.activeElement;
  if (active instanceof HTMLElement && main.contains(active) && active !== main) return true;
  return [.../** @type {NodeListOf<HTMLInputElement | HTMLTextAreaElement>} */ (main.querySelectorAll("textarea, input:not([type=hidden], [type=checkbox])"))]
    .some((field) => field.value !== field.defaultValue);
}

/** Say once that there is something newer. */
function offer() {
  if (document.getElementById("newer")) return;
  const line = document.createElement("p");
  const link = document.createElement("a");
  line.id = "newer";
  line.className = "said";
  link.href = location.href;
  link.textContent = "Show it as it is now.";
  line.append("The diary has changed. ", link);
  document.getElementById("said")?.append(line);
}

async function look() {
  if (coming || document.visibilityState !== "visible") return;
  const answer = await fetch("/-/diary/version.json", { cache: "no-store" });
  if (!answer.ok) return;
  const { version } = await answer.json();
  if (version === known) return;
  if (busy()) {
    offer();
    return;
  }
  coming = true;
  // Who begins to type or select while the new page is on its way keeps this one.
  main.addEventListener("input", () => { window.stop(); coming = false; offer(); }, { once: true });
  location.reload();
}

setInterval(() => look().catch(() => { /* the viewer was ended; the page stays as it is */ }), EVERY_MILLIS);

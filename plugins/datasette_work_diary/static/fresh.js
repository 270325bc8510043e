// Keep a page true to the diary while it lies open: ask now and then whether the file changed, and if this
// page would read otherwise show it anew, unless somebody is in the middle of something; then only say so.

const EVERY_MILLIS = 4000;
const LEAVING_MILLIS = 10000; // a page that did not come by then, or was a file, keeps nobody from seeing news
const main = /** @type {HTMLElement} */ (document.getElementById("diary"));
let known = main.dataset.version; // the file as it was when this page was made; "" of an answer to a form
let coming = false; // whether the page is on its way anew
let left = -Infinity; // when somebody last set out from this page, in milliseconds of `performance.now`

/** Whether somebody has selected or typed something that a new page would lose. */
function busy() {
  if (main.querySelector("input[name=place]:checked")) return true;
  const active = document.activeElement;
  if (active instanceof HTMLElement && main.contains(active) && active !== main && !active.closest("#said")) return true;
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

const READ = ["src", "href", "value", "selected", "aria-label", "data-active"];

/** What a reader finds on a page: its words, its pictures and what is drawn. How an act was answered is said
 * once, and left out. @param {Document} page */
function reading(page) {
  const parts = [...page.querySelectorAll("#diary > :not(#said), #diary > :not(#said) :not([type=hidden])")];
  return parts.map((part) => [
    part.parentElement?.id === "diary" ? part.textContent : "",
    ...READ.map((name) => part.getAttribute(name) ?? ""),
  ].join(" ")).join("\n");
}

const before = reading(document); // before other modules have added to it

/** Whether this page would read otherwise now; one that does not come in time is taken to. */
async function changed() {
  const asked = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(EVERY_MILLIS) }).catch(() => null);
  return !asked?.ok || reading(new DOMParser().parseFromString(await asked.text(), "text/html")) !== before;
}

async function look() {
  if (coming || document.visibilityState !== "visible") return;
  const answer = await fetch("/-/diary/version.json", { cache: "no-store" });
  if (!answer.ok) return;
  const { version } = await answer.json();
  if (version === known) return;
  if (!await changed()) {
    known = version; // something else was written: whoever reads this page is left in peace
    return;
  }
  if (busy()) {
    offer();
    return;
  }
  if (performance.now() - left < LEAVING_MILLIS) return;
  coming = true;
  // Who begins to type or select while the new page is on its way keeps this one.
  main.addEventListener("input", () => { window.stop(); coming = false; offer(); }, { once: true });
  location.reload();
}

// Whoever has followed a link is on the way elsewhere: this page shown anew would call them back.
addEventListener("beforeunload", () => { left = performance.now(); });

/** Look, and some time after look again. */
async function keepLooking() {
  await look().catch(() => { /* the viewer was ended; the page stays as it is */ });
  setTimeout(keepLooking, EVERY_MILLIS);
}

if (known) setTimeout(keepLooking, EVERY_MILLIS);

// A conversation while it lies open: new messages are added where a screen reader hears of them, states
// follow, and what was seen is marked as read. Nothing typed is lost: the page is never shown anew.

export {}; // a module: its names are its own

const EVERY_MILLIS = 4000;
const main = /** @type {HTMLElement} */ (document.getElementById("diary"));
const log = /** @type {HTMLElement} */ (document.getElementById("conversation"));
const list = /** @type {HTMLElement} */ (log.firstElementChild);
const write = /** @type {HTMLFormElement} */ (document.getElementById("write"));
const text = /** @type {HTMLTextAreaElement} */ (document.getElementById("text"));
const isNewest = !new URLSearchParams(location.search).has("before");
let known = main.dataset.version; // the file as it was when this page was made

const readForm = () => /** @type {HTMLFormElement} */ (document.getElementById("read"));

/** Say by a request of its own that what is shown was read; the button does the same. */
async function markRead() {
  const form = readForm();
  if (form.hidden || !isNewest || document.visibilityState !== "visible" || !document.hasFocus()) return;
  form.hidden = true;
  const said = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  await fetch(form.action, { method: "POST", body: said, redirect: "manual" });
}

/** Take over what the page would show now: new messages behind, states where they stand. @type {(now: Document) => void} */
function follow(now) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  for (const fresh of now.querySelectorAll(".message")) {
    const here = document.getElementById(fresh.id);
    if (here === null) list.append(document.adoptNode(fresh));
    else if (here instanceof HTMLElement && fresh instanceof HTMLElement && here.dataset.state !== fresh.dataset.state)
      here.replaceWith(document.adoptNode(fresh));
  }
  if (log.querySelector(".message")) log.querySelector(".empty")?.remove();
  const form = now.getElementById("read");
  if (form) readForm().replaceWith(document.adoptNode(form));
  if (atEnd) log.scrollTop = log.scrollHeight;
}

async function look() {
  if (document.visibilityState !== "visible" || !isNewest) return;
  const answer = await fetch("/-/diary/version.json", { cache: "no-store" });
  if (!answer.ok) return;
  const { version } = await answer.json();
  if (version !== known) {
    const shown = await fetch(location.href, { cache: "no-store" });
    if (!shown.ok) return;
    follow(new DOMParser().parseFromString(await shown.text(), "text/html"));
    known = version;
  }
  await markRead();
}

log.scrollTop = log.scrollHeight;
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) write.requestSubmit();
});
const ask = () => look().catch(() => { /* the viewer was ended; the page stays as it is */ });
setInterval(ask, EVERY_MILLIS);
addEventListener("focus", ask);
ask();

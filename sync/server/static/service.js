// Keeps the page itself for when there is no network; rows and pictures lie sealed in the browser's database,
// and requests to the server pass untouched. Shell files are taken from the network first: a new release counts
// at once.

const SHELL = "workdiary shell";
const FILES = [
  ...["join", "client/icon.svg"],
  ...["client/grid.css", "client/page.css", "client/forms.css", "client/sheet.css"],
  ...["client/conversation.css", "client/talk.css", "client/paper.css"],
  ...["acts", "agreement", "alarms", "asking", "auditor", "billed", "billing", "box", "content", "csv", "day", "devices", "element"],
  ...["fault", "feed", "gateway", "granted", "header", "healing", "home", "judging", "look", "sealed", "start", "statement", "tree"],
  ...[
    "invitation",
    "invoice",
    "invoices",
    "ledger",
    "line",
    "merge",
    "merkle",
    "message",
    "missing",
    "money",
    "open",
    "outbox",
    "page",
    "parts",
    "paying",
    "pictures",
    "payments",
    "reading",
    "renew",
    "seal",
    "seat",
    "segment",
  ],
  ...[
    "shapes",
    "sheet",
    "showing",
    "store",
    "talk",
    "talking",
    "terms",
    "times",
    "timesheet",
    "unanswered",
    "verdict",
    "week",
    "weekly",
    "whereabouts",
    "worker",
    "words",
    "zone",
  ],
].map((name) => (/[/.]/.test(name) || name === "join" ? `../${name}` : `${name}.js`));
const worker = /** @type {any} */ (self); // a page's types know no service worker

/** @type {(url: URL) => boolean} */
const isShell = ({ origin, pathname }) =>
  origin === location.origin &&
  (pathname.endsWith("/join") || /\/client\/[a-z_]+\.(js|css|svg)$/.test(pathname));

worker.addEventListener("install", (/** @type {any} */ event) => {
  const kept = caches
    .open(SHELL)
    .then((shell) => shell.addAll(FILES.map((name) => new URL(name, location.href).href)));
  event.waitUntil(kept.then(() => worker.skipWaiting()));
});
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || !isShell(url)) return;
  url.hash = "";
  event.respondWith(fresh(event.request, url.href));
});

/** @type {(request: Request, name: string) => Promise<Response>} */
async function fresh(request, name) {
  const kept = await caches.open(SHELL);
  try {
    const answer = await fetch(request);
    if (answer.ok) await kept.put(name, answer.clone());
    return answer;
  } catch (error) {
    const before = await kept.match(name);
    if (before) return before;
    throw error;
  }
}

// The first page: contracts of this browser, and how one is joined by a link (R51, R53, R64).

import { h } from "./element.js";

/** @typedef {import("./page.js").Desk} Desk */

/** What a link's page says before anything is sent (R53). @type {() => HTMLElement} */
export function trust() {
  return h(
    "section",
    { class: "card prose", "aria-labelledby": "trust-title" },
    h("h2", { id: "trust-title" }, "Who is trusted with what"),
    h(
      "ul",
      {},
      h(
        "li",
        {},
        "The diary is encrypted on the freelancer's computer. The server that carries it cannot read memos, titles, counts or pictures; it sees when time was recorded, and the terms it bills by.",
      ),
      h(
        "li",
        {},
        "This page opens the diary here, in your browser. Whoever serves this page could change it, and so is trusted with what it opens. If you do not trust them, read the diary with a program of your own instead: ",
        h("code", {}, "diary join LINK"),
        ".",
      ),
      h(
        "li",
        {},
        "The link holds a secret behind its #, which browsers do not send. Who has the link before you join can join in your place: do not pass it on. It works once.",
      ),
      h(
        "li",
        {},
        "Joining makes a key in this browser that nothing can take out again. If you delete this site's data, ask for a new link.",
      ),
      h(
        "li",
        {},
        "Everything shown was checked: who signed it, and that nothing was left out or swapped. What fails is said by name and is not shown.",
      ),
      h(
        "li",
        {},
        "Only you set the terms once you have joined. Only the freelancer can change their diary, until Monday 12:00 UTC after each week.",
      ),
    ),
  );
}

/** `isMissing`: the address names a contract that is not among them. @type {(desk: Desk, contracts: Record<string, any>[], isMissing: boolean) => (Node | null)[]} */
export function home(desk, contracts, isMissing) {
  return [
    h("h1", {}, "Your contracts"),
    isMissing
      ? h(
          "p",
          { class: "notice" },
          "This browser does not hold the contract of this address: another browser joined it, or this site's data was deleted here. Open it in the browser that joined, or ask for a new link.",
        )
      : null,
    contracts.length
      ? h(
          "ul",
          { class: "contracts" },
          contracts.map((one) =>
            h(
              "li",
              { class: "card" },
              h(
                "h2",
                {},
                h(
                  "a",
                  { href: `#/${one.id}` },
                  one.title || (one.joining ? "Joining is not finished" : "A contract"),
                ),
              ),
              h(
                "p",
                { class: "under" },
                [one.client, one.terms?.state, one.ended ? "access ended" : ""].filter(Boolean).join(" · "),
              ),
              one.alarms.length
                ? h("p", { class: "notice", "data-tone": "grave" }, "There is an alarm.")
                : null,
            ),
          ),
        )
      : h(
          "p",
          {},
          "This browser has joined no contract yet. Open the invitation link that was sent to you, or paste it here.",
        ),
    linkForm(desk),
    trust(),
  ];
}

/** @type {(desk: Desk) => HTMLElement} */
function linkForm(desk) {
  const field = h("input", {
    id: "link",
    name: "link",
    type: "url",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
  });
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const text = field.value;
    field.value = "";
    const elsewhere = ofAnotherServer(text);
    if (elsewhere) location.assign(elsewhere);
    else desk.invite(text);
  };
  return h(
    "form",
    { class: "card", onsubmit: submit },
    h("h2", {}, "Open an invitation"),
    h("p", {}, h("label", { for: "link" }, "Invitation link"), field),
    h("button", { type: "submit" }, "Look at it"),
  );
}

/** Return the address of an invitation to another server, whose own page alone may speak with it; null for any other text (R53). @type {(text: string) => string | null} */
function ofAnotherServer(text) {
  if (!URL.canParse(text.trim())) return null;
  const { href, protocol, origin, pathname, hash } = new URL(text.trim());
  const isLink = ["https:", "http:"].includes(protocol) && pathname.endsWith("/join") && hash.startsWith("#1.");
  return isLink && `${origin}${pathname}` !== `${location.origin}${location.pathname}` ? href : null;
}

/** What stands before joining: nothing is sent until it is pressed; `known` was joined here before. @type {(desk: Desk, link: string, known?: Record<string, any>) => Node[]} */
export function invited(desk, link, known) {
  if (known) {
    return [
      h("h1", {}, "You have joined this contract already"),
      h(
        "div",
        { class: "card prose" },
        h("p", {}, "The link was used by this browser: you need it no more. This page's address without it is a good bookmark."),
        h("p", {}, h("a", { href: `#/${known.id}` }, `Open “${known.title || "the contract"}”`)),
      ),
      trust(),
    ];
  }
  const button = h("button", { type: "button", id: "join" }, "Join this contract");
  button.addEventListener("click", async () => {
    button.disabled = true;
    await desk.join(link);
    button.disabled = false;
  });
  return [
    h("h1", {}, "You are invited to read a work diary"),
    h(
      "div",
      { class: "card prose" },
      h(
        "p",
        {},
        "A freelancer invites you to a contract: its timesheet, screenshots, memos and totals, opened in this browser and nowhere else.",
      ),
      h(
        "p",
        {},
        "Nothing was sent yet. Joining makes your key, tells the server of it, and uses the link up.",
      ),
      h("p", { class: "acts" }, button, " ", h("a", { href: "#/" }, "Not now")),
    ),
    trust(),
  ];
}

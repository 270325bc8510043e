// Before the page: what this browser lacks to open a diary is said in words, and nothing is sent (R49, R53, R64).
//
// It is written so that older browsers can read it too.

const OLD =
  "This browser is too old to open an encrypted diary: it knows no X25519 and Ed25519 keys, or other things that are needed. Chrome and Edge do from version 137, Firefox from 130, Safari from 17.4. Nothing was sent, and your link still works: open it in a newer browser.";
const OPEN_LINE =
  "This page came over a line that anybody can read and change (http). Over such a line a browser makes no keys and opens nothing encrypted. Nothing was sent, and your link still works: ask whoever invited you for an address that begins with https.";
export const HALF =
  "A part of this page did not come: the line is weak, or the server is being changed. Load the page again in a moment.";

/** Return what this browser lacks, in words; null for nothing. @type {() => Promise<string | null>} */
async function lacking() {
  if (!isSecureContext) return OPEN_LINE;
  if (!("groupBy" in Map) || !("locks" in navigator) || !("toSorted" in Array.prototype)) return OLD;
  try {
    await crypto.subtle.generateKey("X25519", false, ["deriveBits"]);
    await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return null;
  } catch {
    return OLD;
  }
}

/** @type {(text: string) => void} */
function say(text) {
  const main = document.getElementById("main");
  const title = document.createElement("h1");
  title.textContent = "The diary cannot be opened here";
  const card = document.createElement("p");
  card.className = "card prose";
  card.setAttribute("role", "alert");
  card.textContent = text;
  if (main) main.replaceChildren(title, card);
}

lacking().then(
  (text) => (text === null ? import("./page.js").then(() => undefined, () => say(HALF)) : say(text)),
  () => say(HALF),
);

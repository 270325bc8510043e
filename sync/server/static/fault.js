// What goes wrong: a log is not what honest writers and an honest server could have made, which is an alarm (R45, R56),
// or the browser keeps nothing.

/** @typedef {import("./statement.js").Evidence} Evidence */

/** `kind` names the alarm; `evidence` are statements of the server's that cannot both be true. */
export class FeedFault extends Error {
  /** @param {string} kind @param {string} what @param {Evidence[]} [evidence] */
  constructor(kind, what, evidence = []) {
    super(what);
    this.kind = kind;
    this.evidence = evidence;
  }
}

/** What the browser itself would not do with what the page keeps in it, by the browser's name of it. @type {Record<string, string>} */
const STORAGE = {
  QuotaExceededError: "storage_full",
  SecurityError: "no_storage",
  NotAllowedError: "no_storage",
  InvalidStateError: "storage_closed",
};

/** Return the word for what the browser's own database refused, null for any other error. @type {(error: unknown) => string | null} */
export const kindOfStorage = (error) => (error instanceof DOMException && STORAGE[error.name]) || null;

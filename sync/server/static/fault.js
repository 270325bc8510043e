// A log is not what honest writers and an honest server could have made: an alarm (R45, R56).

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

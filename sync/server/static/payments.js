// What the parties' bonuses and payments amount to: as diary/rules/payments.py says it (R62, R63). Each is a
// function of the rows of one contract's log in the log's order.

import { nameOf } from "./header.js";

/** @typedef {import("./acts.js").Act} Act */
/** @typedef {import("./invoice.js").PaymentState} PaymentState */
/** @typedef {{ name: string, replica: string, n: number, week: string, minor: number, currency: string, given_at_ms: number }} Bonus */
/**
 * @typedef {{ issuer: string, id: string, invoice: number, currency: string, state: PaymentState, claim: string | null,
 *   claimed_minor: number | null, claimed_at_ms: number | null, settled: string | null,
 *   settled_minor: number | null, settled_at_ms: number | null }} Payment
 */

/** @type {(acts: Act[]) => Bonus[]} */
export const bonuses = (acts) =>
  acts.flatMap(({ header, received_at_ms: at }) =>
    header.bonus
      ? [{ name: nameOf(header), replica: header.replica, n: header.n, ...header.bonus, given_at_ms: at }]
      : [],
  );

/** Return rows of several logs, or of one that was healed, in the order of receipt (R43, R63). @type {(acts: Act[]) => Act[]} */
export const inOrder = (acts) => acts.toSorted((one, other) => one.received_at_ms - other.received_at_ms);

/** Return the payments in the order in which they were first spoken of; of one issuer's an id is one (R61, R63). @type {(acts: Act[]) => Payment[]} */
export function payments(acts) {
  /** @type {Map<string, Payment>} */
  const found = new Map();
  for (const act of inOrder(acts)) {
    const part = act.header.payment;
    if (!part) continue;
    const issuer = issuerOf(act.header, part);
    const said = saidOf(found.get(`${issuer}/${part.id}`) ?? null, { ...part, issuer }, act);
    if (said) found.set(`${issuer}/${part.id}`, said);
  }
  return [...found.values()];
}

/** Return whose invoice a row pays: that of the account in whose log it stands, where it names none (R61). @type {(header: import("./header.js").Header, part: import("./parts.js").Payment) => string} */
export const issuerOf = (header, part) => part.issuer ?? header.account;

/** Return the payment with one more row about it, null where that says nothing about it. @type {(known: Payment | null, part: import("./parts.js").Payment & { issuer: string }, act: Act) => Payment | null} */
function saidOf(known, part, { header, received_at_ms: at }) {
  const { issuer, id, invoice, currency, act, minor } = part;
  const nothing = { claim: null, claimed_minor: null, claimed_at_ms: null };
  const unsettled = { settled: null, settled_minor: null, settled_at_ms: null };
  const claim = { claim: nameOf(header), claimed_minor: minor, claimed_at_ms: at };
  const settled = { settled: nameOf(header), settled_minor: minor, settled_at_ms: at };
  if (act === "withdrawn_claim") return known?.state === "claimed" ? { ...known, state: "withdrawn" } : null;
  if (act === "paid") {
    if (!known) return { issuer, id, invoice, currency, state: "claimed", ...claim, ...unsettled };
    if (known.claim !== null || known.state === "refunded") return null;
    const same = known.invoice === invoice && known.currency === currency && known.settled_minor === minor;
    return { ...known, state: same ? "received" : "disagrees", ...claim };
  }
  if (!known) return { issuer, id, invoice, currency, state: act, ...nothing, ...settled };
  if (known.state !== "claimed" || act === "refunded") return null;
  const same = known.invoice === invoice && known.currency === currency && known.claimed_minor === minor;
  return { ...known, invoice, currency, state: same ? "received" : "disagrees", ...settled };
}

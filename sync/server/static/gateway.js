// What the payment gateway told of a contract's money, as devices fold it into their ledgers (R63):
// diary/billing_methods.py and diary/rules/ledger.py. It is the server's word; no party's key signs it.

import { byCodePoint } from "./content.js";
import { billingOf } from "./line.js";
import { PARTS } from "./parts.js";
import { isNone, isText, isWhole, oneOf } from "./shapes.js";

/** @typedef {import("./ledger.js").Account} Account */
/** @typedef {import("./ledger.js").Event} Event */
/** @typedef {import("./ledger.js").Position} Position */
/**
 * One event of the gateway's: `id` is its own, once for ever; `at_ms` is when the server took it; `issuer` is
 * whose invoice it is of, where it is told: else the contract's own account's (R61).
 * @typedef {{ id: string, at_ms: number, what: string, contract: string, invoice: number, currency: string, minor: number, issuer?: string | null }} Moved
 */

/**
 * What an agency says in its own log of a payment of its bill, as the server tells it.
 * @typedef {{ account: string, contract: string, replica: string, n: number, at_ms: number, payment: import("./parts.js").Payment }} Said
 */

const BILLING_MS = 600_000; // how one pays changes seldom, and is asked for with a pull that comes anyway
const PAYING_MS = 3600_000; // who has just paid waits to see it: so long each pull asks
const OVERLAP_MS = 600_000; // other accounts' rows are received under other locks: not in one order

/** Where an amount goes by each of the gateway's words: from the second to the first. @type {Record<string, [Account, Account]>} */
export const GATEWAY_MOVES = {
  paid: ["gateway", "client_owes"],
  refunded: ["refunded", "gateway"],
  refund_failed: ["gateway", "refunded"],
  charged_back: ["client_owes", "gateway"],
  charge_back_returned: ["gateway", "client_owes"],
  paid_out: ["paid_out", "gateway"],
  paid_out_returned: ["gateway", "paid_out"],
  fee: ["fees", "gateway"],
};

/** What each word says to a client; what is between the freelancer and the gateway is not told. @type {Record<string, string>} */
export const GATEWAY_WORDS = {
  paid: "paid through the payment gateway",
  refunded: "given back through the payment gateway",
  refund_failed: "could not be given back: the payment gateway keeps it for the freelancer",
  charged_back: "taken back by your bank",
  charge_back_returned: "returned by your bank",
};

/** @type {Record<string, string>} */
const TAKEN_BACK = { refund_failed: "refunded", charge_back_returned: "charged_back", paid_out_returned: "paid_out" };
const isWord = oneOf(...Object.keys(GATEWAY_MOVES));

/** Whether this page understands it; a newer server may tell of more. @type {(told: any) => boolean} */
const isMoved = (told) =>
  [told?.id, told?.contract, told?.currency].every(isText) &&
  [told.at_ms, told.invoice, told.minor].every(isWhole) &&
  (isNone(told.issuer) || isText(told.issuer)) &&
  isWord(told.what);

/** Return what is known of a contract's money with what was told since; what was known before stays. @type {(known: Moved[], told: unknown[], contract: string) => Moved[]} */
export function withMoved(known, told, contract) {
  const before = new Set(known.map(({ id }) => id));
  const events = /** @type {Moved[]} */ (told.filter(isMoved));
  const own = events.filter((event) => event.contract === contract && !before.has(event.id));
  return [...known, ...new Map(own.map((event) => [event.id, event])).values()];
}

/** Whether this page understands a row that an agency wrote in its own log (R61, R63). @type {(told: any) => boolean} */
const isSaid = (told) =>
  [told?.account, told?.contract, told?.replica].every(isText) &&
  [told.n, told.at_ms].every(isWhole) &&
  !isNone(told.payment) &&
  PARTS.payment(told.payment);

/** Return what is known of what agencies said of a contract's money, with what was told since. @type {(known: Said[], told: unknown[], contract: string) => Said[]} */
export function withSaid(known, told, contract) {
  const rows = /** @type {Said[]} */ (told.filter(isSaid)).filter((row) => row.contract === contract);
  return [...new Map([...known, ...rows].map((row) => [`${row.replica}:${row.n}`, row])).values()];
}

/** Return it as a row of the contract's, as far as money goes. @type {(said: Said) => import("./acts.js").Act} */
export const actOf = ({ account, contract, replica, n, at_ms, payment }) => ({
  header: { v: 1, type: "payment", account, contract, replica, n, head: null, payment },
  received_at_ms: at_ms,
});

/** Return from which instant on the server is asked: about that of the last that is known. @type {(known: Moved[], said: Said[]) => number} */
export const movedFromMs = (known, said) =>
  Math.max(0, ...[...known, ...said].map(({ at_ms: at }) => at - OVERLAP_MS));

/**
 * Return what of that concerns a position, in an order that does not hang on that of delivery. What takes another
 * event back counts where that one is known, whichever of them came first.
 * @type {(position: { issuer: string, own: boolean, invoice: number, currency: string, closed_at_ms: number }, known: Moved[]) => (Event & { minor: number })[]}
 */
export function movedOf(position, known) {
  const byId = new Map(known.map((event) => [event.id, event]));
  const inOrder = [...byId.values()].sort((one, other) => one.at_ms - other.at_ms || byCodePoint(one.id, other.id));
  return inOrder.flatMap((event) => {
    const taken = TAKEN_BACK[event.what];
    const before = taken ? byId.get(`${taken}/${event.id.split("/").slice(1).join("/")}`) : event;
    const ours = event.issuer ? event.issuer === position.issuer : position.own;
    if (!before || !ours || event.invoice !== position.invoice || event.currency !== position.currency) return [];
    const at = Math.max(event.at_ms, before.at_ms, position.closed_at_ms);
    return [{ key: `gateway/${event.id}`, at_ms: at, what: event.what, minor: event.minor }];
  });
}

/** Return whether a pull asks how the client pays. @type {(contract: import("./store.js").Contract, atMs: number) => boolean} */
export function isBillingDue({ billing_asked_at_ms: asked = 0, paying_since_ms: paying = 0 }, atMs) {
  return atMs - asked >= BILLING_MS || atMs - paying < PAYING_MS;
}

/** Keep how the client pays, and what the gateway told of money (R11, R63). @type {(contract: import("./store.js").Contract, told: import("./line.js").Billing, atMs: number) => void} */
export function learnBilling(contract, told, atMs) {
  const moved = withMoved(contract.moved ?? [], told.moved ?? [], contract.id);
  const said = withSaid(contract.said ?? [], told.said ?? [], contract.id);
  Object.assign(contract, { billing: billingOf(told), billing_asked_at_ms: atMs, moved, said });
}

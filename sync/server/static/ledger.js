// The ledger of one contract's part of one invoice, as diary/rules/ledger.py folds it (R62, R63): what moved from
// where to where by a key that counts once, a debit above nothing and a credit below.

import { GATEWAY_MOVES, movedOf } from "./gateway.js";
import { nameOf } from "./header.js";
import { amountMinor } from "./money.js";
import { inOrder, payments } from "./payments.js";

/** @typedef {import("./acts.js").Act} Act */
/** @typedef {import("./gateway.js").Moved} Moved */
/** @typedef {"in_review" | "security_period" | "available"} Stage */
/** @typedef {"client_owes" | "paid_by_hand" | "gateway" | "paid_out" | "fees" | "disputed" | "withdrawn" | "refunded" | Stage} Account */
/**
 * `billing` are the slots behind its line of hours, by which disputes count; none where it corrects another.
 * `own` says that its issuer is the account in whose log the contract stands.
 * @typedef {{ issuer: string, own: boolean, invoice: number, currency: string, amount_minor: number, closed_at_ms: number,
 *   review_ends_at_ms: number, available_at_ms: number, billing: Set<number>, rate_minor: number }} Position
 */
/** @typedef {{ key: string, at_ms: number, what: string, minor?: number, slots?: number[] }} Event */
/** @typedef {{ sums: Record<string, number>, credited: number }} Standing */

/** @type {Record<string, string>} */
const DISPUTE_WORDS = { raised: "disputed", withdrawn: "dispute_withdrawn", conceded: "conceded" };

/** Where an amount goes: from the second to the first. @type {Record<string, [Account, Account]>} */
const MOVES = { received: ["paid_by_hand", "client_owes"], refunded: ["refunded", "paid_by_hand"] };
for (const [word, move] of Object.entries(GATEWAY_MOVES)) MOVES[`gateway_${word}`] = move;

/** What has come from the client, and what was given back though it was owed. @type {Account[]} */
const REACHED = ["paid_by_hand", "paid_out", "fees", "refunded"];

/** Return what the client has paid, on whatever way, less what is owed back to them. @type {(standing: Standing) => number} */
export const paidOf = ({ sums }) => [...REACHED, "gateway"].reduce((sum, account) => sum + (sums[account] ?? 0), 0);

/** Return what stands in each account at the instant, and what was credited of it. @type {(position: Position, acts: Act[], moved: Moved[], atMs: number) => Standing} */
export function standingAt(position, acts, moved, atMs) {
  const fold = new Fold(position);
  const seen = new Set();
  const done = movedOf(position, moved).map((event) => ({ ...event, what: `gateway_${event.what}` }));
  const events = [...life(position), ...said(position, acts), ...done].sort(
    (one, other) => one.at_ms - other.at_ms,
  );
  for (const event of events) {
    if (event.at_ms > atMs || seen.has(event.key)) continue;
    seen.add(event.key);
    fold.take(event);
  }
  return { sums: fold.sums, credited: fold.credited };
}

/** @type {(position: Position) => Event[]} */
function life({ closed_at_ms: closed, review_ends_at_ms: ends, available_at_ms: available }) {
  const over = Math.max(closed, ends);
  return [
    { key: "closed", at_ms: closed, what: "closed" },
    { key: "review_ended", at_ms: over, what: "review_ended" },
    { key: "available", at_ms: Math.max(over, available), what: "available" },
  ];
}

/** @type {(position: Position, acts: Act[]) => Event[]} */
function said(position, acts) {
  const settled = new Map(payments(acts).map((one) => [one.settled, one]));
  /** @type {(act: Act) => Event[]} */
  const of = ({ header, received_at_ms: received }) => {
    const at = Math.max(received, position.closed_at_ms);
    const name = nameOf(header);
    const word = header.dispute && DISPUTE_WORDS[header.dispute.act];
    if (header.dispute && word) {
      const slots = header.dispute.slots.filter((slot) => position.billing.has(slot));
      return [{ key: name, at_ms: at, what: word, slots }];
    }
    const one = settled.get(name);
    if (one?.issuer !== position.issuer || one.invoice !== position.invoice) return [];
    if (one.currency !== position.currency) return [];
    const what = one.state === "refunded" ? "refunded" : "received";
    return [{ key: `payment/${one.id}`, at_ms: at, what, minor: one.settled_minor ?? 0 }];
  };
  return inOrder(acts).flatMap(of);
}

class Fold {
  /** @type {Record<string, number>} */
  sums = {};
  credited = 0;
  /** @type {Stage} */
  #stage = "in_review";
  /** @type {Set<number>} */
  #disputed = new Set();
  /** @type {Set<number>} */
  #conceded = new Set();

  /** @param {Position} position */
  constructor(position) {
    this.position = position;
  }

  /** @type {(event: Event) => void} */
  take({ what, minor = 0, slots = [] }) {
    if (what === "closed") this.#move("client_owes", "in_review", this.position.amount_minor);
    else if (what === "review_ended") this.#enter("security_period");
    else if (what === "available") this.#enter("available");
    else if (MOVES[what]) this.#move(...MOVES[what], minor);
    else this.#dispute(what, slots);
    this.#settle();
  }

  /** @type {(account: Account) => number} */
  #in(account) {
    return this.sums[account] ?? 0;
  }

  /** @type {(to: Account, of: Account, amount: number) => void} */
  #move(to, of, amount) {
    this.sums[to] = this.#in(to) + amount;
    this.sums[of] = this.#in(of) - amount;
  }

  /** @type {(stage: Stage) => void} */
  #enter(stage) {
    this.#move(this.#stage, stage, -this.#in(this.#stage));
    this.#stage = stage;
  }

  /** @type {(what: string, slots: number[]) => void} */
  #dispute(what, slots) {
    const [credited, apart] = this.#shares();
    for (const slot of slots) {
      if (what === "disputed") {
        if (!this.#conceded.has(slot)) this.#disputed.add(slot);
        continue;
      }
      if (what === "conceded" && this.#disputed.has(slot)) this.#conceded.add(slot);
      this.#disputed.delete(slot);
    }
    const [creditedNow, apartNow] = this.#shares();
    this.#move(this.#stage, "disputed", apartNow - apart);
    this.#move(this.#stage, "client_owes", creditedNow - credited);
    this.credited = creditedNow;
  }

  /** Return what the conceded and the disputed slots are of the line's amount, which is rounded once. @type {() => [number, number]} */
  #shares() {
    const { billing, rate_minor: rate } = this.position;
    const left = billing.size - this.#conceded.size;
    /** @type {(segments: number) => number} */
    const amount = (segments) => Number(amountMinor(segments, rate));
    return [amount(billing.size) - amount(left), amount(left) - amount(left - this.#disputed.size)];
  }

  /** Let what was given back settle what was paid too much; what is free and has come is withdrawn. */
  #settle() {
    const [owedBack, givenBack] = [-this.#in("client_owes"), this.#in("refunded")];
    if (owedBack > 0 && givenBack > 0) this.#move("client_owes", "refunded", Math.min(owedBack, givenBack));
    const reached = REACHED.reduce((sum, account) => sum + this.#in(account), 0);
    const withdrawn = -this.#in("withdrawn");
    const free = withdrawn - this.#in("available");
    const wanted = Math.min(Math.max(reached, Math.min(0, free)), Math.max(0, free));
    this.#move("available", "withdrawn", wanted - withdrawn);
  }
}

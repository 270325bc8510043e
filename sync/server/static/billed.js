// Invoices in the client's browser: this contract's part of each, as the server signed it, held to what the rows
// here come to, and put together with what the parties said of it (R57, R61-R63).

import { GATEWAY_WORDS, movedOf } from "./gateway.js";
import { nameOf } from "./header.js";
import { paidOf, standingAt } from "./ledger.js";
import { amountMinor } from "./money.js";
import * as open from "./open.js";
import { bonuses, payments } from "./payments.js";
import { DAY_MS, isFrozen, weekAt, weekNamed, weekOf } from "./week.js";

/** @typedef {import("./acts.js").Act} Act */
/** @typedef {import("./invoice.js").InvoiceView} InvoiceView */
/** @typedef {import("./invoice.js").What} What */
/** @typedef {{ text: string, signature: string }} Signed */
/** @typedef {{ contract: string, what: What, week: string, segments: number, rate_minor: number, amount_minor: number, act?: [string, number] | null }} Line */
/**
 * @typedef {{ account: string, contract: string, payer: string, currency: string, week: string, number: number,
 *   lines: Line[], closed_at_ms: number, review_ends_at_ms: number, available_at_ms: number,
 *   corrects?: number | null }} Part
 */
/** What a week here comes to: its slots that bill of before the lock, and late ones that were accepted. @typedef {{ week: string, rate_minor: number, currency: string, hours: Set<number>, late: Set<number> }} Reckoned */
/** @typedef {{ id: string, account: string, server_key: string, reader: { seats: Map<string, { agency?: string | null }> } | null }} Billable What is asked of a contract. */
/** @typedef {Map<string, number>} Own amounts by what they are for */

const HOUR_MS = 3600_000;
const REVIEW_MS = 4.5 * DAY_MS; // R62: Monday 12:00 to the end of Friday, UTC
const WEEKS_MAX = 60; // a review of a year is a mistake in the server's settings

/** An invoice is not what the server signed, or another's. */
export class BilledFault extends Error {
  /** @param {string} kind @param {string} what */
  constructor(kind, what) {
    super(what);
    this.kind = kind;
  }
}

/** Return the agencies whose managers were ever let in: each may bill the contract (R51, R61). @type {(contract: Billable) => string[]} */
export const agenciesOf = ({ reader }) => [
  ...new Set([...(reader?.seats ?? new Map()).values()].flatMap(({ agency }) => (agency ? [agency] : []))),
];

/** Return the parts that the server signed for this contract. @type {(contract: Billable, shown: Signed[]) => Promise<Part[]>} */
export async function partsOf(contract, shown) {
  const issuers = [contract.account, ...agenciesOf(contract)];
  const parts = [];
  for (const { text, signature } of shown) {
    const signed = await open.verify(
      contract.server_key,
      "workdiary/1/invoice-part",
      open.utf8(text),
      open.unbase64(signature),
    );
    if (!signed) throw new BilledFault("unsigned_invoice", "An invoice that is shown is not signed");
    /** @type {Part} */
    const part = JSON.parse(text);
    const own = part.lines.every((line) => line.contract === contract.id);
    if (!issuers.includes(part.account) || part.contract !== contract.id || !own)
      throw new BilledFault("wrong_place", "An invoice that is shown is another's");
    parts.push(part);
  }
  return parts.sort((one, other) => one.number - other.number);
}

/** @type {(what: What, week: string, currency: string, act: string) => string} */
const keyOf = (what, week, currency, act) => [what, week, currency, act].join("/");

/** @type {(line: Line, currency: string) => string} */
const keyOfLine = ({ what, week, act }, currency) => keyOf(what, week, currency, act ? act.join(":") : "");

/** Return by which row each late slot was accepted first (R38). @type {(acts: Act[]) => Map<number, string>} */
function acceptedBy(acts) {
  const found = new Map();
  for (const { header } of acts)
    for (const slot of header.acceptance?.slots ?? [])
      if (!found.has(slot)) found.set(slot, nameOf(header));
  return found;
}

/** Return what the rows here make due (R38, R61, R62). @type {(weeks: Reckoned[], acts: Act[]) => Own} */
export function ownOf(weeks, acts) {
  /** @type {Own} */
  const own = new Map();
  const accepted = acceptedBy(acts);
  for (const { week, rate_minor: rate, currency, hours, late } of weeks) {
    own.set(keyOf("hours", week, currency, ""), Number(amountMinor(hours.size, rate)));
    const byAct = Map.groupBy(late, (slot) => accepted.get(slot) ?? "");
    for (const [act, slots] of byAct)
      own.set(keyOf("late", week, currency, act), Number(amountMinor(slots.length, rate)));
  }
  for (const { name, week, currency, minor } of bonuses(acts))
    own.set(keyOf("bonus", week, currency, name), minor);
  return own;
}

/**
 * Return whether a part is what is due here, with what was billed before it, and else to what it should come.
 * @type {(part: Part, every: Part[], own: Own) => { agrees: boolean, own_total_minor: number | null }}
 */
export function borne(part, every, own) {
  let total = 0;
  let holds = true;
  for (const line of part.lines) {
    const due = dueOf(line, part, every, own);
    holds &&= due === line.amount_minor;
    total += due;
  }
  const hours = keyOf("hours", part.week, part.currency, "");
  const billed = every.some((one) => one.lines.some((line) => keyOfLine(line, one.currency) === hours));
  if (!billed) total += own.get(hours) ?? 0;
  holds &&= billed || !own.get(hours);
  return holds ? { agrees: true, own_total_minor: null } : { agrees: false, own_total_minor: total };
}

/** What a later invoice corrects was right when it was made: the later one is judged by the sum (R43). @type {(line: Line, part: Part, every: Part[], own: Own) => number} */
function dueOf(line, part, every, own) {
  const key = keyOfLine(line, part.currency);
  let before = 0;
  for (const other of every) {
    const same = other.lines.filter((one) => keyOfLine(one, other.currency) === key);
    if (other.number > part.number && same.length) return line.amount_minor;
    if (other.number < part.number) before += same.reduce((sum, one) => sum + one.amount_minor, 0);
  }
  return (own.get(key) ?? 0) - before;
}

/**
 * Return an invoice as it is shown at an instant; `words` are what was sealed in rows, by the row's name;
 * `account` is the contract's own.
 * @type {(part: Part, known: { account: string, billing: Set<number>, acts: Act[], words: Map<string, string>,
 *   moved: import("./gateway.js").Moved[],
 *   borne: { agrees: boolean | null, own_total_minor: number | null } }, nowMs: number) => InvoiceView}
 */
export function invoiceView(part, known, nowMs) {
  const { account, billing, acts, words, moved } = known;
  const { agrees, own_total_minor } = known.borne;
  const hours = part.corrects ? undefined : part.lines.find(({ what }) => what === "hours");
  const total = part.lines.reduce((sum, line) => sum + line.amount_minor, 0);
  const position = {
    ...part,
    issuer: part.account,
    own: part.account === account,
    invoice: part.number,
    amount_minor: total,
    billing: hours ? billing : new Set(),
    rate_minor: hours?.rate_minor ?? 0,
  };
  const standing = standingAt(position, acts, moved, nowMs);
  const { sums, credited } = standing;
  const disputed = -(sums.disputed ?? 0);
  const over = Math.max(part.closed_at_ms, part.review_ends_at_ms);
  const steps = /** @type {import("./invoice.js").Step[]} */ ([
    { state: "in_review", from_ms: part.closed_at_ms },
    { state: "security_period", from_ms: over },
    { state: "available", from_ms: Math.max(over, part.available_at_ms) },
  ]);
  const stage = steps.findLast(({ from_ms: from }) => from <= nowMs)?.state ?? "in_review";
  const owed = sums.client_owes ?? 0;
  return {
    number: part.number,
    agency: part.account === account ? null : part.account,
    week: part.week,
    currency: part.currency,
    closed_at_ms: part.closed_at_ms,
    corrects: part.corrects ?? null,
    lines: part.lines.map((line) => ({
      ...line,
      disputed_minor: line.what === "hours" ? disputed : 0,
      credited_minor: line.what === "hours" ? credited : 0,
      note: line.what === "bonus" && line.act ? (words.get(line.act.join(":")) ?? "") : "",
    })),
    steps,
    state: sums.withdrawn && !sums.available && !sums.disputed ? "withdrawn" : stage,
    agrees,
    own_total_minor,
    payments: payments(acts)
      .filter(({ issuer, invoice }) => issuer === part.account && invoice === part.number)
      .map((one) => ({
        id: one.id,
        state: one.state,
        amount_minor: one.settled_minor ?? one.claimed_minor ?? 0,
        at_ms: one.settled_at_ms ?? one.claimed_at_ms,
        reference: [...new Set([one.claim, one.settled].map((name) => (name && words.get(name)) || ""))]
          .filter(Boolean)
          .join(" · "),
        file: "",
      })),
    total_minor: total,
    disputed_minor: disputed,
    credited_minor: credited,
    moved: movedOf(position, moved).filter(({ what }) => GATEWAY_WORDS[what]),
    paid_minor: paidOf(standing),
    due_minor: agrees === true ? owed - disputed : null,
  };
}

/** Return whether the server may have invoices that are not here: from a lock on, and once a day (R61). @type {(contract: { invoices_at_ms?: number, weeks: Map<number, number> }, serverMs: number) => boolean} */
export function areInvoicesWanted({ invoices_at_ms: asked, weeks }, serverMs) {
  if (asked === undefined) return [...weeks.keys()].some((first) => isFrozen(weekOf(first), serverMs));
  const before = weekOf(weekAt(serverMs).firstSlot - 1);
  const lock = isFrozen(before, serverMs) ? before.lockedAtMs : before.lockedAtMs - 7 * DAY_MS;
  // For an hour after a lock the server may still be closing the week.
  return asked < lock + HOUR_MS || serverMs - asked > DAY_MS;
}

/** Return how long weeks are in review here, by the newest invoice: the server's to set (R62). @type {(signed: Signed[]) => number} */
export function reviewMsOf(signed) {
  const newest = signed.map(({ text }) => /** @type {Part} */ (JSON.parse(text))).at(-1);
  const lock = newest && weekNamed(newest.week)?.lockedAtMs;
  return newest && lock !== undefined ? newest.review_ends_at_ms - lock : REVIEW_MS;
}

/** Return the weeks for which a bonus may be added now: those in review (R62). @type {(serverMs: number, reviewMs: number) => string[]} */
export function weeksInReview(serverMs, reviewMs) {
  const found = [];
  let week = weekOf(weekAt(serverMs).firstSlot - 1);
  if (!isFrozen(week, serverMs)) week = weekOf(week.firstSlot - 1);
  for (; serverMs < week.lockedAtMs + reviewMs && found.length < WEEKS_MAX; week = weekOf(week.firstSlot - 1))
    found.push(week.name);
  return found;
}

/** Return the slots of a week that bill, apart by whether they came before the lock. @type {(segments: import("./timesheet.js").Segment[]) => { hours: Set<number>, late: Set<number> }} */
export function billingOf(segments) {
  const bills = segments.filter((segment) => segment.bills);
  const late = bills.filter(({ state }) => state === "late");
  const hours = bills.filter(({ state }) => state !== "late");
  return { hours: new Set(hours.map(({ slot }) => slot)), late: new Set(late.map(({ slot }) => slot)) };
}

/** Return the weeks that invoices say something about, by their first slot. @type {(parts: Part[], acts: Act[]) => string[]} */
export const weeksBilled = (parts, acts) => [
  ...new Set([
    ...parts.flatMap(({ week, lines }) => [week, ...lines.map((line) => line.week)]),
    ...[...acceptedBy(acts).keys()].map((slot) => weekOf(slot).name),
  ]),
];

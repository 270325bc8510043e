// An invoice as it is shown: the fields and words of diary/rules/invoice_view.py (R61, R62, R63).

import { MINUTES_PER_SLOT } from "./week.js";

/** @typedef {"in_review" | "security_period" | "available" | "withdrawn"} LineState */
/** @typedef {"claimed" | "received" | "disagrees" | "refunded" | "withdrawn"} PaymentState */
/** @typedef {"hours" | "late" | "bonus"} What */
/** @typedef {{ state: LineState, from_ms: number }} Step */
/**
 * @typedef {{ what: What, week: string, segments: number, rate_minor: number, amount_minor: number,
 *   disputed_minor: number, credited_minor: number, note: string }} LineView
 */
/** @typedef {{ id: string, state: PaymentState, amount_minor: number, at_ms: number | null, reference: string, file: string }} PaymentView */
/** @typedef {{ key: string, at_ms: number, what: string, minor: number }} MovedView what the gateway told of it, by its words */
/**
 * `agency` is the account that bills it where that is not the contract's own: numbers count by issuer (R61).
 * `agrees` is null until this browser could come to it by itself.
 * @typedef {{ number: number, agency: string | null, week: string, currency: string, closed_at_ms: number, corrects: number | null,
 *   lines: LineView[], steps: Step[], state: LineState, agrees: boolean | null, own_total_minor: number | null,
 *   payments: PaymentView[], moved: MovedView[], total_minor: number, disputed_minor: number, credited_minor: number,
 *   paid_minor: number, due_minor: number | null }} InvoiceView
 */

/** @type {Record<LineState, string>} */
export const STATE_WORDS = {
  in_review: "in review",
  security_period: "security period",
  available: "available",
  withdrawn: "withdrawn",
};
/** @type {Record<What, string>} */
export const WHAT_WORDS = { hours: "hours", late: "late time, accepted", bonus: "bonus" };
/** @type {Record<PaymentState, string>} */
export const PAYMENT_WORDS = {
  claimed: "marked as paid by you, not confirmed",
  received: "received",
  disagrees: "received, though you say another amount",
  refunded: "given back",
  withdrawn: "you took it back",
};

/** Return what names an invoice within its contract, for addresses: two issuers count each for themselves (R61). @type {(view: InvoiceView) => string} */
export const nameOfInvoice = ({ number, agency }) => (agency ? `${number}-${agency}` : String(number));

/** Return so many segments as hours and minutes, 7 as "1:10". @type {(segments: number) => string} */
export function hoursOf(segments) {
  const minutes = segments * MINUTES_PER_SLOT;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

/** Return where an invoice stands, and what comes next and when (R62). @type {(view: InvoiceView) => string} */
export function stateSays(view) {
  const said = STATE_WORDS[view.state];
  if (view.agrees === false)
    return `${said}; not what this browser comes to, so nothing of it is shown as due`;
  if (view.agrees === null) return `${said}; not checked here yet`;
  const here = view.steps.findIndex(({ state }) => state === view.state);
  const coming = here < 0 ? undefined : view.steps[here + 1];
  if (!coming) return said;
  const day = new Date(coming.from_ms).toISOString();
  return `${said}; ${STATE_WORDS[coming.state]} from ${day.slice(0, 10)} ${day.slice(11, 16)} UTC`;
}

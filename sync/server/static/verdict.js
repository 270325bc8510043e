// What bills, and why the rest does not (R16, R27-R29, R38). It depends on clear headers, terms, instants of
// receipt and on what the server states as overlapping, and so reaches what the freelancer's device reaches.

import { isFrozen, MINUTES_PER_SLOT } from "./week.js";

/** @typedef {import("./week.js").Week} Week */
/** @typedef {import("./terms.js").TermsHistory} TermsHistory */
/** @typedef {"deleted" | "late" | "overlapping" | "over_limit" | "manual_not_allowed" | "fixed_price"} WhyNot */
/**
 * What a verdict needs to know of a slot of one contract; a `Standing` has all of it but the slot.
 * @typedef {{ slot: number, kind: "automatic" | "manual" | null, deleted: boolean, has_picture: boolean,
 *   received_at_ms: number | null, claimed_at_ms: number | null, accepted?: boolean }} Fact
 */
/** @typedef {{ bills: boolean, why_not: WhyNot | null, bonus?: boolean }} Verdict `bonus`: late time that was accepted (R38). */

/** Return the slots that the weekly limit lets bill: the earliest (R27). @type {(slots: number[], limitMinutes: number | null) => Set<number>} */
export function withinLimit(slots, limitMinutes) {
  const inOrder = [...slots].sort((one, other) => one - other);
  return new Set(
    limitMinutes === null ? inOrder : inOrder.slice(0, Math.floor(limitMinutes / MINUTES_PER_SLOT)),
  );
}

/**
 * Return the verdict on every fact of one contract's week, by slot (R27, R28, R38).
 *
 * `overlapping` are the slots that the server states to be another contract's. It counts only where the
 * segment could bill at all: deleted, late, what may never bill, overlapping, limit, in this order.
 * @type {(week: Week, facts: Fact[], history: TermsHistory, overlapping: Set<number>) => Map<number, Verdict>}
 */
export function verdicts(week, facts, history, overlapping) {
  /** @type {Map<number, Verdict>} */
  const judged = new Map();
  const owned = [];
  for (const fact of facts) {
    const why = neverBills(week, fact, history);
    if (why !== null || fact.kind === null) judged.set(fact.slot, { bills: false, why_not: why });
    else if (overlapping.has(fact.slot)) judged.set(fact.slot, { bills: false, why_not: "overlapping" });
    // Accepted late time bills whatever the limit is, and uses nothing of it.
    else if (isLate(week, fact)) judged.set(fact.slot, { bills: true, why_not: null, bonus: true });
    else owned.push(fact.slot);
  }
  const billing = withinLimit(owned, history.limitMinutes(week));
  for (const slot of owned)
    judged.set(
      slot,
      billing.has(slot) ? { bills: true, why_not: null } : { bills: false, why_not: "over_limit" },
    );
  return judged;
}

/** @type {(week: Week, fact: Fact, history: TermsHistory) => WhyNot | null} */
function neverBills(week, fact, history) {
  if (fact.deleted) return "deleted";
  const late = isLate(week, fact);
  if (late && !fact.accepted) return "late";
  if (history.at(week.startsAtMs).kind === "fixed_price") return "fixed_price";
  // The last claim decides: who was allowed manual time later may claim a capture without a picture then.
  const claimed = fact.claimed_at_ms ?? fact.received_at_ms ?? week.lockedAtMs - 1;
  return !late && !fact.has_picture && !history.manualAllowedFor(week, claimed) ? "manual_not_allowed" : null;
}

/** @type {(week: Week, fact: Fact) => boolean} */
const isLate = (week, fact) => fact.received_at_ms !== null && isFrozen(week, fact.received_at_ms);

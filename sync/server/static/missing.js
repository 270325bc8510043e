// Whether the server left nothing out of what it bills a contract (R38, R56, R61, R62).
//
// What is shown is held to the rows elsewhere; this looks for what is not shown. What came before a lock is billed by
// that lock's transaction, and a signed seal or invoice tells that the lock was dealt with.

import { SEAL_DOMAIN } from "./sealed.js";
import { FIRST_EPOCH } from "./feed.js";
import { nameOf } from "./header.js";
import { weekAt, weekOf } from "./week.js";

/** @typedef {import("./billed.js").Own} Own */
/** @typedef {import("./billed.js").Part} Part */
/** @typedef {import("./sealed.js").KeptSeal} KeptSeal */
/** @typedef {import("./statement.js").Evidence} Evidence */
/** @typedef {{ what: string, evidence: Evidence[] }} Missing */
/** A part of an invoice, and as it was signed. @typedef {{ part: Part, signed: { text: string, signature: string } }} Shown */

const PART_DOMAIN = "workdiary/1/invoice-part";

/** Return the lock of the week on whose invoices stands what was received then. @type {(atMs: number) => number} */
function lockAfter(atMs) {
  const week = weekAt(atMs);
  const before = weekOf(week.firstSlot - 1);
  return atMs < before.lockedAtMs ? before.lockedAtMs : week.lockedAtMs;
}

/**
 * Return what no invoice bills. `own` is what late time and bonuses come to here, by what they are for; `rows` those
 * that said so; `epoch` the newest of the log: what was signed before a restore says nothing of what came after (R43).
 * @type {(seals: KeptSeal[], shown: Shown[], own: Own, rows: import("./feed.js").Row[], epoch: number) => Missing[]}
 */
export function missingBills(seals, shown, own, rows, epoch) {
  const billed = new Set(
    shown.flatMap(({ part }) =>
      part.lines.map(({ what, week, act }) => [what, week, part.currency, act ? act.join(":") : ""].join("/")),
    ),
  );
  const standing = seals.filter(({ seal }) => Math.max(seal.log_epoch, FIRST_EPOCH) === epoch);
  /** @type {Missing[]} */
  const found = [];
  for (const { seal, signed, agrees } of standing) {
    const { amount_minor, terms } = seal.reckoning;
    if (!agrees || !amount_minor || billed.has(["hours", seal.week, terms.currency, ""].join("/"))) continue;
    found.push({ what: `no invoice bills the hours of ${seal.week}`, evidence: [{ domain: SEAL_DOMAIN, ...signed }] });
  }
  const since = epoch === FIRST_EPOCH ? 0 : epoch;
  const proofs = [
    ...standing.map(({ seal, signed }) => ({ at: seal.sealed_at_ms, evidence: { domain: SEAL_DOMAIN, ...signed } })),
    ...shown
      .filter(({ part }) => part.closed_at_ms >= since)
      .map(({ part, signed }) => ({ at: part.closed_at_ms, evidence: { domain: PART_DOMAIN, ...signed } })),
  ].sort((one, other) => other.at - one.at);
  const [proof] = proofs;
  if (!proof) return found;
  for (const [key, amount] of own) {
    const [what, week, , act] = key.split("/");
    const row = rows.find(({ header }) => nameOf(header) === act);
    if (what === "hours" || !amount || billed.has(key) || !row || lockAfter(row.received_at_ms) > proof.at) continue;
    const says = what === "bonus" ? "a bonus" : "late time that was accepted";
    found.push({ what: `no invoice bills ${says} for ${week} (row ${act})`, evidence: [proof.evidence] });
  }
  return found;
}

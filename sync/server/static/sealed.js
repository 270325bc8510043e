// The seal of a frozen week, recomputed from the rows of its log: what the browser shows as sealed, and what it
// does not (R37b, R57). tests/vectors/seal.json binds it to diary/evidence/seal.py.

import { FeedFault } from "./fault.js";
import { fields, isHash, isId, isObject, isText, isWhole, orNull, tuple } from "./shapes.js";
import { standing } from "./merge.js";
import { amountMinor } from "./money.js";
import { hex, joined, sha256, unhex } from "./open.js";
import { stated } from "./statement.js";
import { verdicts } from "./verdict.js";
import { isFrozen, weekNamed, weekOf } from "./week.js";

/** @typedef {import("./statement.js").Signed} Signed */
/** @typedef {import("./merge.js").Held} Held */
/** @typedef {import("./week.js").Week} Week */
/** @typedef {[slot: number, kind: "automatic" | "manual" | null, state: "synced" | "deleted", bills: boolean, whyNot: string | null, digest: string | null]} SealedSlot */
/** @typedef {{ terms: { kind: string, limit_minutes: number | null, rate_minor: number, currency: string }, slots: SealedSlot[], billable: number, amount_minor: number }} Reckoning */
/** @typedef {{ account: string, contract: string, week: string, number: number, log_epoch: number, size: number, root: string, sealed_at_ms: number, reckoning: Reckoning, replaces: [number, number] | null }} Seal */
/** A seal as it came; `agrees` is null until its rows were read and it was recomputed. @typedef {{ seal: Seal, signed: Signed, agrees: boolean | null }} KeptSeal */

export const SEAL_DOMAIN = "workdiary/1/seal";

const SEAL = fields(
  {
    account: isId,
    contract: isId,
    week: isText,
    number: isWhole,
    log_epoch: isWhole,
    size: isWhole,
    root: isHash,
    sealed_at_ms: isWhole,
    reckoning: isObject,
  },
  { replaces: orNull(tuple(isWhole, isWhole)) },
);

/** @type {(seal: any) => boolean} */
function isSeal(seal) {
  if (!SEAL(seal) || seal.number < 1 || seal.size < 0 || !Array.isArray(seal.reckoning.slots)) return false;
  const week = weekNamed(seal.week);
  return (
    week !== null &&
    seal.reckoning.slots.every(
      (/** @type {any} */ slot) => Array.isArray(slot) && weekOf(slot[0]).name === week.name,
    )
  );
}

/** Return the seal that the server's key signed, of this contract. @type {(key: string, of: { account: string, id: string }, signed: Signed) => Promise<KeptSeal>} */
export async function sealOf(key, { account, id }, signed) {
  /** @type {Seal | null} */
  const seal = await stated(key, SEAL_DOMAIN, signed);
  if (seal === null || !isSeal(seal))
    throw new FeedFault("unsigned_head", "a seal is shown that the server did not sign");
  if (seal.account !== account || seal.contract !== id)
    throw new FeedFault("wrong_place", "a seal that is shown is another contract's");
  return { seal, signed, agrees: null };
}

/** Return the slots that the seal states to be another contract's (R28). @type {(seal: Seal) => Set<number>} */
export const overlappingIn = ({ reckoning }) =>
  new Set(reckoning.slots.filter(([, , , , why]) => why === "overlapping").map(([slot]) => slot));

/**
 * Return what a week of one contract came to at its lock, null for nothing (R37b).
 *
 * `held` are captures and entries of the week, `history` its terms, each as the log held them then and in its
 * order; a slot's digest is over the leaves of its rows, null without leaves.
 * @type {(week: Week, held: (Held & { leaf?: string })[], history: import("./terms.js").TermsHistory, overlapping: Set<number>) => Reckoning | null}
 */
export function reckoned(week, held, history, overlapping) {
  const before = held.filter(({ received_at_ms: at }) => at !== null && !isFrozen(week, at));
  const bySlot = Map.groupBy(before, ({ header }) => /** @type {number} */ (header.slot));
  const facts = [...bySlot]
    .map(([slot, there]) => ({ slot, ...standing(there), digest: digestOf(there) }))
    .filter(({ deleted, kind }) => deleted || kind !== null)
    .sort((one, other) => one.slot - other.slot);
  if (!facts.length) return null;
  const judged = verdicts(week, facts, history, overlapping);
  const slots = facts.map(({ slot, kind, deleted, digest }) => {
    const { bills, why_not: why } = judged.get(slot) ?? { bills: false, why_not: null };
    return /** @type {SealedSlot} */ ([slot, kind, deleted ? "deleted" : "synced", bills, why, digest]);
  });
  const billable = slots.filter(([, , , bills]) => bills).length;
  const [rate_minor, currency] = history.rateOf(week);
  return {
    terms: {
      kind: history.at(week.startsAtMs).kind,
      limit_minutes: history.limitMinutes(week),
      rate_minor,
      currency,
    },
    slots,
    billable,
    amount_minor: Number(amountMinor(billable, rate_minor)),
  };
}

/** @type {(there: { leaf?: string }[]) => string | null} */
function digestOf(there) {
  const leaves = there.flatMap(({ leaf }) => (leaf ? [unhex(leaf)] : []));
  return leaves.length === there.length ? hex(sha256(joined(...leaves))) : null;
}

/** Return whether a seal states what its rows make, digests apart where it has none. @type {(made: Reckoning | null, sealed: Reckoning) => boolean} */
export function sameReckoning(made, sealed) {
  if (made === null) return false;
  const hasDigests = sealed.slots.some((slot) => (slot[5] ?? null) !== null);
  /** @type {(reckoning: Reckoning) => Reckoning} */
  const compared = (one) => ({
    ...one,
    slots: one.slots.map(
      ([slot, kind, state, bills, why, digest]) =>
        /** @type {SealedSlot} */ ([slot, kind, state, bills, why, hasDigests ? (digest ?? null) : null]),
    ),
  });
  return inOrder(compared(made)) === inOrder(compared(sealed));
}

/** @type {(value: unknown) => string} */
const inOrder = (value) =>
  JSON.stringify(value, (_, part) =>
    part && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );

/** Return what is shown of a seal, null where this browser does not bear it out (R57). @type {(kept: KeptSeal | null) => object | null} */
export function sealShown(kept) {
  if (kept?.agrees !== true) return null;
  const { number, sealed_at_ms, reckoning, replaces } = kept.seal;
  const { billable, amount_minor, terms } = reckoning;
  return { number, sealed_at_ms, billable, amount_minor, currency: terms.currency, replaces: replaces?.[0] ?? null };
}

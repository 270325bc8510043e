// What the parties of a contract say to each other, as it stands in clear: invitations, joinings, requests,
// answers, disputes, redactions, bonuses, payments (R10, R38, R46, R51, R54, R62, R63). Shapes, and what is
// wrong with each.

import {
  fields,
  isBool,
  isHash,
  isId,
  isNone,
  isText,
  isWhole,
  listOf,
  oneOf,
  orNull,
  tuple,
} from "./shapes.js";
import { SLOTS_PER_WEEK, weekNamed } from "./week.js";

/** @typedef {import("./shapes.js").Shape} Shape */
/** @typedef {[string, number]} VersionName Replica and n: one version for ever (R33). */
/** @typedef {{ auth: string, expires_at_ms: number, ends?: string[], agency?: string }} Invitation */
/** @typedef {{ sign: string, box: string, invitation: string }} SeatKeys */
/** @typedef {{ kind: "manual_time", week?: string | null, withdraws?: VersionName | null }} Request */
/** @typedef {{ request?: VersionName | null, allows?: boolean | null, slots?: number[] | null }} Acceptance */
/** @typedef {{ act: "raised" | "withdrawn" | "replied" | "conceded", slots: number[] }} Dispute */
/** @typedef {{ slots: number[] }} Redaction */
/** @typedef {{ week: string, minor: number, currency: string }} Bonus */
/** @typedef {"paid" | "withdrawn_claim" | "received" | "refunded"} PaymentAct */
/** Of another account's invoice, an agency's, with its `issuer`. @typedef {{ id: string, act: PaymentAct, invoice: number, minor: number, currency: string, issuer?: string | null, contract?: string | null }} Payment */

export const SLOT_END = 2 ** 28;
const NUMBER_END = 2 ** 53;
const ENDS_MAX = 100;
const MANUAL_WEEKS_MAX = 60;
const AMOUNT_END = 2 ** 40;
const INVOICE_END = 2 ** 31;
const RECEIPTS_MAX = 4;

const NAME = tuple(isText, isWhole);
const SLOTS = listOf(isWhole);

/** @type {Record<string, Shape>} */
export const PARTS = {
  request: fields({ kind: oneOf("manual_time") }, { week: orNull(isText), withdraws: orNull(NAME) }),
  acceptance: fields({}, { request: orNull(NAME), allows: orNull(isBool), slots: orNull(SLOTS) }),
  dispute: fields({ act: oneOf("raised", "withdrawn", "replied", "conceded"), slots: SLOTS }),
  redaction: fields({ slots: SLOTS }),
  bonus: fields({ week: isText, minor: isWhole, currency: isText }),
  payment: fields(
    {
      id: isText,
      act: oneOf("paid", "withdrawn_claim", "received", "refunded"),
      invoice: isWhole,
      minor: isWhole,
      currency: isText,
    },
    { issuer: orNull(isText), contract: orNull(isText) },
  ),
  seat: fields({ sign: isText, box: isText, invitation: isText }),
  invitation: fields({ auth: isText, expires_at_ms: isWhole }, { ends: listOf(isText), agency: isText }),
};

/** @type {(grant: { to: string, epoch: number, invitation?: Invitation | null } | null | undefined) => string | null} */
export function faultOfGrant(grant) {
  if (!grant) return "a grant carries its own part";
  const invitation = grant.invitation ?? null;
  if ((grant.to === "invitation") !== (invitation !== null)) {
    return "a grant to an invitation names it, and no other does";
  }
  if (invitation === null) return null;
  const { auth, expires_at_ms: expires, ends = [], agency } = invitation;
  if (!isHash(auth) || !(expires >= 0 && expires < NUMBER_END)) {
    return "an invitation has a key of 64 hexadecimal digits and the instant at which it expires";
  }
  if (agency !== undefined && !isId(agency)) {
    return "an agency is an account, named by 32 hexadecimal digits";
  }
  return ends.length <= ENDS_MAX && ends.every(isId) ? null : `an invitation ends at most ${ENDS_MAX} seats`;
}

/** @type {(n: number, seat: SeatKeys | null | undefined) => string | null} */
export function faultOfSeat(n, seat) {
  if (!seat) return "a joining carries its own part";
  if (![seat.sign, seat.box, seat.invitation].every(isHash)) {
    return "a seat's keys and its invitation are 64 hexadecimal digits each";
  }
  return n === 1 ? null : "a joining is the first version of its seat";
}

/** Return what is wrong with what one party says to the other. @type {(header: import("./header.js").Header) => string | null} */
export function faultOfAct(header) {
  const isSealed = !isNone(header.commit);
  if (isSealed === isNone(header.epoch)) return "epoch and commit come together or not at all";
  switch (header.type) {
    case "request":
      return faultOfRequest(header.request, isSealed);
    case "acceptance":
      return faultOfAcceptance(header.acceptance);
    case "dispute":
      return faultOfDispute(header.dispute, isSealed);
    case "bonus":
      return faultOfBonus(header.bonus);
    case "payment":
      return faultOfPayment(header, isSealed);
    default:
      return header.redaction ? faultOfSlots(header.redaction.slots) : "a redaction carries its own part";
  }
}

/** @type {(part: Request | null | undefined, isSealed: boolean) => string | null} */
function faultOfRequest(part, isSealed) {
  if (!part) return "a request carries its own part";
  if (!isNone(part.week) && weekNamed(part.week) === null) return "a week is written like 2026-W47";
  return isNone(part.withdraws) && !isSealed ? "a request is sealed: epoch and commit are needed" : null;
}

/** @type {(part: Acceptance | null | undefined) => string | null} */
function faultOfAcceptance(part) {
  if (!part) return "an acceptance carries its own part";
  const answers = !isNone(part.request);
  if (answers === isNone(part.allows) || answers !== isNone(part.slots)) {
    return "an acceptance answers a request or names slots of late time";
  }
  return isNone(part.slots) ? null : faultOfSlots(part.slots);
}

/** @type {(part: Dispute | null | undefined, isSealed: boolean) => string | null} */
function faultOfDispute(part, isSealed) {
  if (!part) return "a dispute carries its own part";
  const needsReason = part.act === "raised" || part.act === "replied";
  if (needsReason && !isSealed) return "a dispute is sealed: epoch and commit are needed";
  return faultOfSlots(part.slots);
}

/** @type {(part: Bonus | null | undefined) => string | null} */
function faultOfBonus(part) {
  if (!part) return "a bonus carries its own part";
  return weekNamed(part.week) === null ? "a week is written like 2026-W47" : faultOfAmount(part);
}

/** @type {(header: import("./header.js").Header, isSealed: boolean) => string | null} */
function faultOfPayment(header, isSealed) {
  const part = header.payment;
  const receipts = header.pictures ?? [];
  if (!part) return "a payment carries its own part";
  if (!isId(part.id)) return "a payment's id is 32 hexadecimal digits";
  const misplaced = faultOfPlace(part, header, isSealed);
  if (misplaced) return misplaced;
  if (!(part.invoice >= 1 && part.invoice < INVOICE_END)) return "invoices are numbered from 1";
  if (receipts.length > RECEIPTS_MAX || (receipts.length > 0 && !isSealed))
    return `a payment's receipts are sealed, and at most ${RECEIPTS_MAX}`;
  if (!receipts.every(([name, size]) => isHash(name) && size > 0))
    return "a picture is named by 64 hexadecimal digits and a size over 0";
  return faultOfAmount(part);
}

/** Return why a payment cannot stand in the log in which it does (R61, R63). @type {(part: Payment, header: import("./header.js").Header, isSealed: boolean) => string | null} */
function faultOfPlace({ act, issuer, contract }, header, isSealed) {
  const own = header.contract === header.account;
  const names = !isNone(contract);
  if (names !== own) return "a payment in the account's own log names its contract, and no other does";
  if (own && (!["received", "refunded"].includes(act) || !isNone(issuer) || isSealed))
    return "in its own log an account says bare what it received or gave back";
  if (!isNone(issuer) && (issuer === header.account || !isId(issuer)))
    return "an issuer is another account, named by 32 hexadecimal digits";
  return !isNone(contract) && !isId(contract) ? "a contract is named by 32 hexadecimal digits" : null;
}

/** @type {(part: { minor: number, currency: string }) => string | null} */
function faultOfAmount({ minor, currency }) {
  if (!(minor >= 1 && minor < AMOUNT_END)) return `an amount is 1 to ${AMOUNT_END - 1} minor units`;
  return /^[A-Z]{3}$/.test(currency) ? null : "a currency is three capital letters";
}

/** @type {(slots: number[]) => string | null} */
function faultOfSlots(slots) {
  if (slots.length < 1 || slots.length > SLOTS_PER_WEEK) return `1 to ${SLOTS_PER_WEEK} slots are named`;
  const inOrder = slots.every((slot, at) => slot > (slots[at - 1] ?? -1));
  return inOrder && slots[slots.length - 1] < SLOT_END ? null : "named slots stand in order, each once";
}

/** @type {(weeks: string[]) => string | null} */
export function faultOfManualWeeks(weeks) {
  const inOrder = weeks.every((week, at) => week > (weeks[at - 1] ?? ""));
  if (weeks.length > MANUAL_WEEKS_MAX || !inOrder) {
    return `weeks of manual time stand in order, each once, at most ${MANUAL_WEEKS_MAX}`;
  }
  return weeks.every((week) => weekNamed(week) !== null) ? null : "a week is written like 2026-W47";
}

// The clear part of one version, parsed with the same refusals as diary/rules/segment.py (R32, R46).
// Readers refuse fields they do not know.

import { faultOfAct, faultOfGrant, faultOfManualWeeks, faultOfSeat, PARTS, SLOT_END } from "./parts.js";
import {
  fields,
  isBool,
  isHash,
  isId,
  isNone,
  isText,
  isWhole,
  listOf,
  mapOf,
  oneOf,
  orNull,
  tuple,
} from "./shapes.js";

/** @typedef {[number, string]} Stamp Milliseconds and replica: of two texts the greater wins (R36). */
/** @typedef {"active" | "paused" | "closed"} ContractState */
/**
 * @typedef {{ state: ContractState, kind: "hourly" | "fixed_price", limit_minutes: number | null,
 *   manual_allowed: boolean, masking_allowed: boolean, label_required: boolean, rate_minor: number,
 *   currency: string, manual_weeks?: string[], payer?: string | null }} TermsInClear
 */
/** @typedef {{ replica: string, sign: string, box: string, successor_of?: string | null, revoked_from?: number | null }} ListedDevice */
/** @typedef {{ number: number, root: string, recovery: string, signer: string, devices: ListedDevice[] }} DeviceList */
/**
 * @typedef {{ v: number, type: string, account: string, contract: string, replica: string, n: number,
 *   head: unknown, slot?: number | null, vector?: Record<string, number> | null, life?: number | null,
 *   manual?: boolean | null, stamp?: Stamp | null, pictures?: [string, number][] | null, epoch?: number | null,
 *   commit?: string | null, terms?: TermsInClear | null, state?: ContractState | null,
 *   request?: import("./parts.js").Request | null, acceptance?: import("./parts.js").Acceptance | null,
 *   dispute?: import("./parts.js").Dispute | null, redaction?: import("./parts.js").Redaction | null,
 *   bonus?: import("./parts.js").Bonus | null, payment?: import("./parts.js").Payment | null,
 *   devices?: DeviceList | null, seat?: import("./parts.js").SeatKeys | null,
 *   grant?: { to: string, epoch: number, invitation?: import("./parts.js").Invitation | null } | null }} Header
 */

const HEADER_VERSION = 1;
const HEADER_BYTES_MAX = 64 * 1024;
const PICTURES_MAX = 8;
const VECTOR_MAX = 1000;
const NUMBER_END = 2 ** 53;

/** The bytes are no header; `message` says where they differ. */
export class MalformedHeader extends Error {}

const STAMP = tuple(isWhole, isText);

const STATE = oneOf("active", "paused", "closed");

const TERMS = fields(
  {
    state: STATE,
    kind: oneOf("hourly", "fixed_price"),
    limit_minutes: orNull(isWhole),
    manual_allowed: isBool,
    masking_allowed: isBool,
    label_required: isBool,
    rate_minor: isWhole,
    currency: isText,
  },
  { manual_weeks: listOf(isText), payer: orNull(isText) },
);

const DEVICE = fields(
  { replica: isText, sign: isText, box: isText },
  { successor_of: orNull(isText), revoked_from: orNull(isWhole) },
);

const DEVICES = fields({
  number: isWhole,
  root: isText,
  recovery: isText,
  signer: isText,
  devices: listOf(DEVICE),
});

const GRANT = fields({ to: isText, epoch: isWhole }, { invitation: orNull(PARTS.invitation) });

const TYPES = [
  "capture",
  "entry",
  "terms",
  "request",
  "acceptance",
  "dispute",
  "redaction",
  "bonus",
  "payment",
  "message",
  "grant",
  "device_list",
  "joining",
];

const HEADER = fields(
  {
    v: isWhole,
    type: oneOf(...TYPES),
    account: isText,
    contract: isText,
    replica: isText,
    n: isWhole,
    head: orNull(tuple(isText, isWhole, isWhole, isText)),
  },
  {
    slot: orNull(isWhole),
    vector: orNull(mapOf(isWhole)),
    life: orNull(isWhole),
    manual: orNull(isBool),
    stamp: orNull(STAMP),
    pictures: orNull(listOf(tuple(isText, isWhole))),
    epoch: orNull(isWhole),
    commit: orNull(isText),
    terms: orNull(TERMS),
    state: orNull(STATE),
    request: orNull(PARTS.request),
    acceptance: orNull(PARTS.acceptance),
    dispute: orNull(PARTS.dispute),
    redaction: orNull(PARTS.redaction),
    bonus: orNull(PARTS.bonus),
    payment: orNull(PARTS.payment),
    seat: orNull(PARTS.seat),
    devices: orNull(DEVICES),
    grant: orNull(GRANT),
  },
);

/** What only one type may say (R8, R49, R50). @type {Record<string, (header: Header) => unknown[]>} */
const OWN_PARTS = {
  terms: ({ terms, state }) => [terms, state],
  request: ({ request }) => [request],
  acceptance: ({ acceptance }) => [acceptance],
  dispute: ({ dispute }) => [dispute],
  redaction: ({ redaction }) => [redaction],
  bonus: ({ bonus }) => [bonus],
  payment: ({ payment }) => [payment],
  device_list: ({ devices }) => [devices],
  grant: ({ grant }) => [grant],
  joining: ({ seat }) => [seat],
};

/** Return the version's name for ever (R33). @type {(header: Header) => string} */
export const nameOf = (header) => `${header.replica}:${header.n}`;

/**
 * Return the header that the text holds, its fields checked against its type; throws `MalformedHeader`.
 * @type {(text: string) => Header}
 */
export function parseHeader(text) {
  // A header's characters are one byte each; one that is not is refused below, as a name of no field.
  if (text.length > HEADER_BYTES_MAX)
    throw new MalformedHeader(`the header has more than ${HEADER_BYTES_MAX} bytes`);
  // A number with a fraction or an exponent is no whole number, whatever it comes to.
  if (/[:,[]\s*-?\d+[.eE]/.test(text)) throw new MalformedHeader("a number of a header is whole");
  let header;
  try {
    header = JSON.parse(text);
  } catch {
    throw new MalformedHeader("it is no JSON");
  }
  if (!HEADER(header)) throw new MalformedHeader("a field is unknown, missing, or of another kind");
  const fault = faultOfAny(header) ?? faultOfItsType(header);
  if (fault) throw new MalformedHeader(fault);
  return header;
}

/** @type {(header: Header) => string | null} */
function faultOfAny(header) {
  const bearsAnothers = Object.entries(OWN_PARTS).some(
    ([type, parts]) => type !== header.type && !parts(header).every(isNone),
  );
  if (bearsAnothers) return `a ${header.type} carries no part of another type`;
  if (header.v !== HEADER_VERSION) return `format version ${header.v} is not known here`;
  if (![header.account, header.contract, header.replica].every(isId))
    return "account, contract and replica are 32 hexadecimal digits each";
  if (!(header.n >= 1 && header.n < NUMBER_END)) return "n counts from 1";
  if (!isNone(header.commit) && !isHash(header.commit)) return "commit is 64 hexadecimal digits";
  const stamp = header.stamp;
  if (stamp && !(stamp[0] >= 0 && stamp[0] < NUMBER_END && isId(stamp[1])))
    return "a stamp is milliseconds and a replica";
  return null;
}

/** @type {(header: Header) => string | null} */
function faultOfItsType(header) {
  if (header.type === "capture") return faultOfCapture(header);
  if (header.type === "entry") return faultOfEntry(header);
  // It would stand among the captures and entries of the slot, and be merged with them.
  if (!isNone(header.slot)) return "only a capture or an entry stands in a slot";
  switch (header.type) {
    case "terms":
      return faultOfTerms(header);
    case "joining":
      return faultOfSeat(header.n, header.seat);
    case "request":
    case "acceptance":
    case "dispute":
    case "redaction":
    case "bonus":
    case "payment":
      return faultOfAct(header);
    case "message":
      return faultOfMessage(header);
    case "device_list":
      return header.devices ? null : "a device_list carries its own part";
    case "grant":
      return faultOfGrant(header.grant);
    default:
      return null;
  }
}

/** @type {(header: Header) => boolean} */
const hasNoSlot = ({ slot }) => isNone(slot) || !(slot >= 0 && slot < SLOT_END);

/** @type {(header: Header) => string | null} */
function faultOfCapture(header) {
  if (hasNoSlot(header)) return "a capture or an entry names its slot";
  if (isNone(header.commit) || isNone(header.epoch))
    return "a capture is sealed: epoch and commit are needed";
  const { pictures } = header;
  if (!pictures || pictures.length > PICTURES_MAX)
    return `a capture lists its pictures, at most ${PICTURES_MAX}`;
  if (![header.vector, header.life, header.manual].every(isNone))
    return "a capture has no vector, life or claim";
  return faultOfPictures(pictures);
}

/** @type {(pictures: [string, number][]) => string | null} */
const faultOfPictures = (pictures) =>
  pictures.every(([name, size]) => isHash(name) && size > 0)
    ? null
    : "a picture is named by 64 hexadecimal digits and a size over 0";

/** What a message says, and what kind it is, is sealed (R46, R68). @type {(header: Header) => string | null} */
function faultOfMessage(header) {
  const { pictures } = header;
  if (isNone(header.commit) || isNone(header.epoch))
    return "a message is sealed: epoch and commit are needed";
  if (![header.vector, header.life, header.manual, header.stamp].every(isNone))
    return "a message has no vector, life, claim or stamp";
  if (isNone(pictures)) return null;
  if (pictures.length < 1 || pictures.length > PICTURES_MAX)
    return `a message with files lists them, at most ${PICTURES_MAX}`;
  return faultOfPictures(pictures);
}

/** @type {(header: Header) => string | null} */
function faultOfEntry(header) {
  if (hasNoSlot(header)) return "a capture or an entry names its slot";
  const { life, commit, epoch } = header;
  if (isNone(life) || life < 0 || isNone(header.manual) || !isNone(header.pictures)) {
    return "an entry has a life from 0, says whether it claims manual time, and has no pictures";
  }
  // A deletion may be its header alone (R17); what says anything is sealed.
  if (isNone(commit) !== isNone(epoch) || (isNone(commit) && life % 2 === 0))
    return "an entry is sealed: epoch and commit are needed";
  const vector = Object.entries(header.vector ?? {});
  if (vector.length < 1 || vector.length > VECTOR_MAX || header.vector?.[header.replica] !== header.n)
    return "an entry's vector holds its own name";
  if (!vector.every(([replica, n]) => isId(replica) && n >= 1 && n < NUMBER_END))
    return "a vector maps replicas to numbers from 1";
  return null;
}

/** @type {(header: Header) => string | null} */
function faultOfTerms({ terms, state, commit, epoch }) {
  if (isNone(terms) === isNone(state)) {
    return "a terms row carries its own part: all terms, or the contract's state";
  }
  if (!terms) return isNone(commit) && isNone(epoch) ? null : "a change of state has nothing sealed";
  if ((terms.limit_minutes ?? 0) < 0 || !(terms.rate_minor >= 0 && terms.rate_minor < NUMBER_END)) {
    return "a limit and a rate are not below 0";
  }
  if (!/^[A-Z]{3}$/.test(terms.currency)) return "a currency is three capital letters";
  if (!isNone(terms.payer) && !isId(terms.payer)) return "a payer is 32 hexadecimal digits";
  return faultOfManualWeeks(terms.manual_weeks ?? []);
}

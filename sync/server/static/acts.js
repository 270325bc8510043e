// What the parties' requests, answers, disputes and redactions amount to, and who may write which
// (R8, R10, R38, R48, R54, R62). Each is a function of the rows of one contract's log, in the log's order.

import { nameOf } from "./header.js";

/** @typedef {import("./header.js").Header} Header */
/** @typedef {{ header: Header, received_at_ms: number }} Act */
/** @typedef {"open" | "allowed" | "declined" | "withdrawn"} RequestState */
/** @typedef {{ name: string, version: [string, number], week: string | null, asked_at_ms: number, state: RequestState, answer: string | null }} Request */
/** @typedef {{ name: string, slots: number[], open_slots: number[], conceded_slots: number[], raised_at_ms: number, replies: string[] }} Dispute */
/** @typedef {{ freelancer: string | null, client: string | null }} Redaction */

const SEAT_TYPES = ["joining", "terms", "acceptance", "dispute", "redaction", "bonus", "payment", "message"];
const MANAGER_TYPES = ["joining", "message"]; // an agency's manager reads, and changes nothing
const CLIENTS_ACTS = ["raised", "withdrawn"];
const CLIENTS_PAYMENTS = ["paid", "withdrawn_claim"];
const REPLIES = ["replied", "conceded"];
const MAY_FOLLOW = ["active paused", "active closed", "paused closed"];

/** @type {(name: [string, number]) => string} */
const named = ([replica, n]) => `${replica}:${n}`;

/** Return the requests in the order in which they were asked, each with its state (R10). @type {(acts: Act[]) => Request[]} */
export function requests(acts) {
  /** @type {Map<string, Request>} */
  const found = new Map();
  for (const { header, received_at_ms: at } of acts) {
    const name = nameOf(header);
    const { request, acceptance } = header;
    if (request && !request.withdraws) {
      const version = /** @type {[string, number]} */ ([header.replica, header.n]);
      found.set(name, {
        name,
        version,
        week: request.week ?? null,
        asked_at_ms: at,
        state: "open",
        answer: null,
      });
    } else if (request?.withdraws) {
      const asked = found.get(named(request.withdraws));
      if (asked?.state === "open") Object.assign(asked, { state: "withdrawn", answer: name });
    } else if (acceptance?.request) {
      const asked = found.get(named(acceptance.request));
      const state = acceptance.allows ? "allowed" : "declined";
      if (asked && asked.state !== "withdrawn") Object.assign(asked, { state, answer: name });
    }
  }
  return [...found.values()];
}

/** Return the slots of late time that the client accepted (R38). @type {(acts: Act[]) => Set<number>} */
export const acceptedSlots = (acts) => new Set(acts.flatMap(({ header }) => header.acceptance?.slots ?? []));

/** Return the disputes in the order in which they were raised (R62). @type {(acts: Act[]) => Dispute[]} */
export function disputes(acts) {
  const rows = acts.filter(({ header }) => header.dispute);
  return rows.flatMap(({ header, received_at_ms: at }, place) => {
    const part = /** @type {import("./parts.js").Dispute} */ (header.dispute);
    if (part.act !== "raised") return [];
    const ours = new Set(part.slots);
    const after = rows
      .slice(place + 1)
      .filter(
        ({ header: { dispute } }) =>
          dispute?.act !== "raised" && dispute?.slots.some((slot) => ours.has(slot)),
      );
    const taken = new Set(
      after.flatMap(({ header: { dispute } }) => (dispute?.act === "withdrawn" ? dispute.slots : [])),
    );
    const conceded = new Set(
      after.flatMap(({ header: { dispute } }) => (dispute?.act === "conceded" ? dispute.slots : [])),
    );
    const replies = after
      .filter(({ header: { dispute } }) => dispute && REPLIES.includes(dispute.act))
      .map((one) => nameOf(one.header));
    return [
      {
        name: nameOf(header),
        slots: part.slots,
        open_slots: part.slots.filter((slot) => !taken.has(slot) && !conceded.has(slot)),
        conceded_slots: part.slots.filter((slot) => conceded.has(slot)),
        raised_at_ms: at,
        replies,
      },
    ];
  });
}

/** Return how far the redaction of each named slot has come (R54). @type {(acts: Act[], seats: { has: (replica: string) => boolean }) => Map<number, Redaction>} */
export function redactions(acts, seats) {
  /** @type {Map<number, Redaction>} */
  const found = new Map();
  for (const { header } of acts) {
    const side = seats.has(header.replica) ? "client" : "freelancer";
    for (const slot of header.redaction?.slots ?? []) {
      const known = found.get(slot) ?? { freelancer: null, client: null };
      if (known[side] === null) known[side] = nameOf(header);
      found.set(slot, known);
    }
  }
  return found;
}

/**
 * Return why the row is not its writer's to write, null where it is (R8, R48).
 *
 * `seats` are all that ever joined earlier in the log, an agency's managers among them; `versions` are its
 * terms earlier in the log.
 * @type {(header: Header, seats: Map<string, { agency?: string | null }>, versions: import("./terms.js").TermsVersion[]) => string | null}
 */
export function wrongSide(header, seats, versions) {
  const act = header.dispute?.act;
  const pays = header.payment?.act;
  const first = versions.at(0);
  if (header.terms && first && (header.terms.payer ?? null) !== (first.terms.payer ?? null))
    return "who pays for a contract is what its first terms say";
  const seat = seats.get(header.replica);
  if (seat) {
    const [role, types] = seat.agency ? ["manager", MANAGER_TYPES] : ["client", SEAT_TYPES];
    if (!types.includes(header.type)) return `a ${role} writes no ${header.type}`;
    if (act && !CLIENTS_ACTS.includes(act)) return "the freelancer replies to a dispute, or concedes it";
    return pays && !CLIENTS_PAYMENTS.includes(pays)
      ? "the freelancer says what they received and gave back"
      : null;
  }
  const isClients = (act && CLIENTS_ACTS.includes(act)) || (pays && CLIENTS_PAYMENTS.includes(pays));
  if (isClients || ["acceptance", "bonus"].includes(header.type))
    return "only the client accepts, disputes, adds a bonus and says they paid";
  if (header.payment?.issuer)
    return "what came in for an agency's invoice the agency says, in its own log";
  const newest = versions.at(-1);
  const clients = new Set([...seats].flatMap(([replica, { agency }]) => (agency ? [] : [replica])));
  if (header.type !== "terms" || !clients.size || !newest) return null;
  if (!header.state) return "the terms are the client's since they have joined";
  const known = newest.terms.state;
  if (header.state === known || MAY_FOLLOW.includes(`${known} ${header.state}`)) return null;
  if (known === "closed") return "the contract is closed, and only the client can open it again";
  const active = versions.findLastIndex(({ terms }) => terms.state !== "paused");
  const byClient = versions
    .slice(active + 1)
    .some(({ replica }) => replica !== undefined && clients.has(replica));
  return byClient ? "the client has paused the contract, and resumes it" : null;
}

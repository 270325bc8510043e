// What stands in a slot: the merge of every version that is held (R34, R35, R36). A function of a set of
// versions: the order in which they came, and how often, changes nothing.

import { nameOf } from "./header.js";

/** @typedef {import("./header.js").Header} Header */
/** @typedef {Record<string, number>} Vector Which versions of which replicas were known (R33). */
/** @typedef {{ header: Header, received_at_ms: number | null }} Held A capture or an entry that is held. */
/**
 * What one (contract, slot) holds. `kind` is null where nothing bills; `received_at_ms` is the first receipt
 * of a capture or claim of the present life, `claimed_at_ms` the last.
 * @typedef {{ life: number, deleted: boolean, kind: "automatic" | "manual" | null, frontier: Held[],
 *   captures: Held[], vector: Vector, received_at_ms: number | null, claimed_at_ms: number | null,
 *   has_picture: boolean }} Standing
 */

/** Return whether `later` knew all that `earlier` knew (R34). @type {(later: Vector, earlier: Vector) => boolean} */
export const descendsFrom = (later, earlier) =>
  Object.entries(earlier).every(([replica, n]) => (later[replica] ?? 0) >= n);

/** Return the least vector that descends from all, replicas in order (R34). @type {(vectors: Vector[]) => Vector} */
export function join(vectors) {
  /** @type {Vector} */
  const all = {};
  for (const vector of vectors) {
    for (const [replica, n] of Object.entries(vector)) all[replica] = Math.max(all[replica] ?? 0, n);
  }
  return Object.fromEntries(Object.entries(all).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** @type {(one: Header, other: Header) => number} */
export const byName = (one, other) =>
  one.replica === other.replica ? one.n - other.n : one.replica < other.replica ? -1 : 1;

/** @type {(held: Held) => Vector} */
const vectorOf = (held) => held.header.vector ?? {};

/** @type {(held: Held) => boolean} */
const isCapture = (held) => held.header.type === "capture";

/**
 * Return what stands in a slot of which `held` are the versions, in any order (R35, R36).
 * @type {(held: Held[]) => Standing}
 */
export function standing(held) {
  const versions = once(held);
  const life = Math.max(
    0,
    ...versions.map(({ header }) => (header.type === "capture" ? 0 : (header.life ?? 0))),
  );
  const captures = life ? [] : versions.filter(isCapture);
  const entries = versions.filter((one) => !isCapture(one) && (one.header.life ?? 0) === life);
  const claims = [...captures, ...entries.filter(({ header }) => header.manual)];
  const received = claims.flatMap(({ received_at_ms: at }) => (at === null ? [] : [at]));
  const deleted = life % 2 === 1;
  const counts = !deleted && received.length > 0;
  return {
    life,
    deleted,
    kind: kindOf(life, captures, claims),
    frontier: frontierOf(entries),
    captures,
    vector: join(versions.map(vectorOf)),
    received_at_ms: counts ? Math.min(...received) : null,
    claimed_at_ms: counts ? Math.max(...received) : null,
    has_picture: captures.some(hasPicture),
  };
}

/** @type {(held: Held) => boolean} */
const hasPicture = ({ header }) => Boolean(header.pictures?.length);

/** Return each version once, by name; the first receipt counts. @type {(held: Held[]) => Held[]} */
function once(held) {
  /** @type {Map<string, Held>} */
  const known = new Map();
  for (const version of held) {
    const name = nameOf(version.header);
    const before = known.get(name);
    const at = version.received_at_ms;
    const isEarlier = at !== null && (before?.received_at_ms ?? Infinity) > at;
    if (!before || isEarlier) known.set(name, version);
  }
  return [...known.values()].sort((one, other) => byName(one.header, other.header));
}

/** @type {(life: number, captures: Held[], claims: Held[]) => "automatic" | "manual" | null} */
function kindOf(life, captures, claims) {
  if (life % 2 === 1) return null;
  if (captures.some(hasPicture)) return "automatic";
  // From life 2 on a segment is manual: it was added again by hand (R35).
  return claims.length || life > 0 ? "manual" : null;
}

/** Return the entries of one life that no other descends from (R34). @type {(entries: Held[]) => Held[]} */
function frontierOf(entries) {
  return entries.filter(
    (one) => !entries.some((other) => other !== one && supersedes(vectorOf(other), vectorOf(one))),
  );
}

/** Of equal vectors neither supersedes the other, so that one always stands. @type {(later: Vector, earlier: Vector) => boolean} */
const supersedes = (later, earlier) => descendsFrom(later, earlier) && !descendsFrom(earlier, later);

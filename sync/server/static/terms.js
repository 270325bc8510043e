// Terms, and from when each of them holds (R7, R8). Nothing here asks what time it is.

import { weekAt, MINUTES_PER_SLOT } from "./week.js";

/** @typedef {import("./header.js").TermsInClear} TermsInClear */
/** @typedef {import("./week.js").Week} Week */
/** @typedef {import("./header.js").Header} Header */
/** @typedef {{ terms: TermsInClear, received_at_ms: number, replica?: string }} TermsVersion */

/** A contract's terms in the order of receipt; the first holds for all time before its receipt too (R8). */
export class TermsHistory {
  /** @param {TermsVersion[]} versions at least one, those of one instant in the log's order */
  constructor(versions) {
    if (!versions.length) throw new RangeError("a contract has at least one version of its terms");
    this.versions = [...versions].sort((one, other) => one.received_at_ms - other.received_at_ms);
  }

  get newest() {
    return this.versions[this.versions.length - 1].terms;
  }

  /** Return the newest terms received until the instant (R8). @type {(atMs: number) => TermsInClear} */
  at(atMs) {
    const found = this.versions.findLast(({ received_at_ms: at }) => at <= atMs);
    return (found ?? this.versions[0]).terms;
  }

  /** Return the greatest limit in force in the week, null for none (R8). @type {(week: Week) => number | null} */
  limitMinutes(week) {
    const limits = this.#inForce(week.startsAtMs, week.endsAtMs - 1).map((terms) => terms.limit_minutes);
    const known = limits.filter((limit) => limit !== null);
    return known.length === limits.length ? Math.max(...known) : null;
  }

  /** Return the limit in whole segments (R8). @type {(week: Week) => number | null} */
  limitSegments(week) {
    const minutes = this.limitMinutes(week);
    return minutes === null ? null : Math.floor(minutes / MINUTES_PER_SLOT);
  }

  /** Return rate and currency as they stood at the week's start (R8). @type {(week: Week) => [number, string]} */
  rateOf(week) {
    const terms = this.at(week.startsAtMs);
    return [terms.rate_minor, terms.currency];
  }

  /** Return whether manual time of `week` may be added at the instant (R8). @type {(week: Week, atMs: number) => boolean} */
  manualAllowedFor(week, atMs) {
    return this.#inForce(week.startsAtMs, Math.max(atMs, week.startsAtMs)).some(
      (terms) => terms.manual_allowed || terms.manual_weeks?.includes(week.name),
    );
  }

  /** Return whether a masked picture may be taken at the instant (R8, R22). @type {(atMs: number) => boolean} */
  maskingAllowedAt(atMs) {
    return this.#inForce(weekAt(atMs).startsAtMs, atMs).some((terms) => terms.masking_allowed);
  }

  /** @type {(firstMs: number, lastMs: number) => TermsInClear[]} */
  #inForce(firstMs, lastMs) {
    const later = this.versions.filter(({ received_at_ms: at }) => firstMs < at && at <= lastMs);
    // Of several received in one instant only the last was ever in force.
    return [this.at(firstMs), ...later.map(({ received_at_ms: at }) => this.at(at))];
  }
}

/**
 * Return the versions that a log's terms rows make, in the order of receipt (R8).
 *
 * A row that says nothing but the state leaves all else as it was; one that nothing precedes says nothing.
 * @type {(rows: { header: Header, received_at_ms: number }[]) => TermsVersion[]}
 */
export function versionsOf(rows) {
  /** @type {TermsVersion[]} */
  const found = [];
  const inOrder = [...rows].sort((one, other) => one.received_at_ms - other.received_at_ms);
  for (const { header, received_at_ms } of inOrder) {
    const before = found.at(-1)?.terms;
    const changed = before && header.state ? { ...before, state: header.state } : null;
    const terms = header.terms ?? changed;
    if (terms) found.push({ terms, received_at_ms, replica: header.replica });
  }
  return found;
}

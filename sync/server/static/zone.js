// The zone in which the freelancer reads times, as their newest capture tells it (R5): diary/told_zone.py.

import { opened } from "./showing.js";

/** @typedef {import("./feed.js").Row} Row */
/** @typedef {import("./store.js").Contract} Contract */

const WEEKS_MAX = 3; // weeks of manual time alone tell none; so many are looked through for one that does

/** Return whether this browser knows the zone. @type {(zone: string) => boolean} */
function isKnown(zone) {
  try {
    return Boolean(zone && new Intl.DateTimeFormat("en", { timeZone: zone }));
  } catch {
    return false;
  }
}

/** Return the zone that the newest capture tells, null for none. @type {(contract: Contract, rowsOf: (first: number) => Promise<Row[]>) => Promise<string | null>} */
export async function zoneTold(contract, rowsOf) {
  const weeks = [...contract.weeks.keys()].sort((one, other) => other - one).slice(0, WEEKS_MAX);
  for (const first of weeks) {
    const captures = (await rowsOf(first)).filter(({ header, body }) => header.type === "capture" && body !== null);
    if (!captures.length) continue;
    const slotOf = (/** @type {Row} */ { header }) => /** @type {number} */ (header.slot);
    const newest = captures.reduce((one, other) => (slotOf(other) > slotOf(one) ? other : one));
    const zone = (await opened(contract, newest))?.zone ?? "";
    return isKnown(zone) ? zone : null;
  }
  return null;
}

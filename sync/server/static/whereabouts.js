// Which pictures are missing: due at the server and not there, by the server's word (R41). It is asked about those
// of the weeks that are looked at, once they are due; what it did not have is asked about again.

import { Line, LineFault } from "./line.js";
import { authorizationOf } from "./seat.js";
import { DAY_MS, endsAtMs, weekOf } from "./week.js";

/** @typedef {import("./feed.js").Row} Row */
/** @typedef {import("./store.js").Contract} Contract */
/** Names of pictures of one week that the server did not have when it was `asked`. @typedef {{ asked_at_ms: number, absent: string[] }} Whereabouts */

const ON_ITS_WAY_MS = 7 * DAY_MS;
const ASKED_MAX = 500; // the server answers no more names at once
const AGAIN_MS = 60_000;

/** Return the instant from which a slot's picture that is not at the server is missing (R41). @type {(slot: number) => number} */
export const dueAtMs = (slot) => Math.max(endsAtMs(slot) + ON_ITS_WAY_MS, weekOf(slot).lockedAtMs);

/** Return whether a slot misses a picture of these snapshots at the instant (R41). @type {(slot: number, snapshots: import("./content.js").Snapshot[], absent: Set<string>, atMs: number) => boolean} */
export const missesPicture = (slot, snapshots, absent, atMs) =>
  atMs >= dueAtMs(slot) &&
  snapshots.some(({ screen, thumbnail, camera }) => [screen, thumbnail, camera].some((name) => absent.has(name)));

/** Return of which pictures of a week the server is to be asked now. @type {(rows: Row[], known: Whereabouts | undefined, atMs: number) => string[]} */
function toAsk(rows, known, atMs) {
  const absent = new Set(known?.absent ?? []);
  const isAgain = atMs - (known?.asked_at_ms ?? 0) >= AGAIN_MS;
  const names = rows.flatMap(({ header, body, received_at_ms: received }) => {
    const dueMs = Math.max(dueAtMs(/** @type {number} */ (header.slot)), received);
    if (body === null || dueMs > atMs) return []; // what is destroyed has no pictures
    const isNew = dueMs > (known?.asked_at_ms ?? 0);
    return (header.pictures ?? []).map(([name]) => name).filter((name) => isNew || (isAgain && absent.has(name)));
  });
  return [...new Set(names)];
}

/**
 * Ask the server for pictures of a week that are due, and return what is known then; null where nothing is new.
 * Without a line nothing is.
 * @type {(contract: Contract, rows: Row[], known: Whereabouts | undefined, atMs: number) => Promise<Whereabouts | null>}
 */
export async function askedFor(contract, rows, known, atMs) {
  const names = toAsk(rows, known, atMs);
  if (!names.length) return null;
  const { account, id, log_epoch } = contract;
  const cursor = contract.reader?.cursor;
  const line = new Line(contract.server_url, authorizationOf(contract));
  const absent = new Set([...(known?.absent ?? []), ...names]);
  try {
    for (let at = 0; at < names.length; at += ASKED_MAX) {
      const asked = { cursors: cursor ? { [id]: cursor } : {}, rows_max: 1, awaited: names.slice(at, at + ASKED_MAX) };
      const { arrived } = await line.pull({ account, log_epoch, ...asked });
      for (const name of arrived ?? []) absent.delete(name);
    }
  } catch (error) {
    if (error instanceof LineFault) return null;
    throw error;
  }
  return { asked_at_ms: atMs, absent: [...absent] };
}

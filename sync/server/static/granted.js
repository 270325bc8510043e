// The keys of a contract's epochs, as they were granted to the invitation or to this seat (R51).

import { boxKeyOf } from "./box.js";
import * as open from "./open.js";

/** @typedef {import("./feed.js").Row} Row */
/** @typedef {import("./store.js").Contract} Contract */

/** Open the epochs' keys that the rows grant, into `keys`. @type {(contract: Contract, keys: Contract["keys"], rows: Row[]) => Promise<void>} */
export async function learnKeys({ joining, seat }, keys, rows) {
  for (const { header, raw, body } of rows) {
    const grant = header.grant;
    if (!grant || !body?.length || keys.has(grant.epoch)) continue;
    const sealed = { header: raw, body, wrap: null };
    if (grant.to === seat.replica) {
      keys.set(grant.epoch, await open.wrappingOf(await open.openGrant(sealed, await boxKeyOf(seat.box))));
    } else if (joining && grant.invitation?.auth === joining.auth) {
      keys.set(grant.epoch, await open.wrappingOf(await open.openInvitation(sealed, joining.wrap)));
    }
  }
}

// What the server states: the exact text, under its signature in the domain of its kind (R37d, R56, R57).

import { FeedFault } from "./fault.js";
import { unbase64, utf8, verify } from "./open.js";
import { fields, isHash, isId, isText, isWhole } from "./shapes.js";

/** @typedef {{ text: string, signature: string }} Signed A statement as it came, its signature in base64. */
/** @typedef {{ contract: string, log_epoch: number, size: number, root: string, at_ms: number }} Head */
/** @typedef {Signed & { domain: string }} Evidence */

const SIGNED = fields({ text: isText, signature: isText });
const HEAD = fields({ contract: isId, log_epoch: isWhole, size: isWhole, root: isHash, at_ms: isWhole });
export const HEAD_DOMAIN = "workdiary/1/head";

/** Return what the server's key stated, null where it did not. @type {(key: string, domain: string, signed: Signed | null | undefined) => Promise<any>} */
export async function stated(key, domain, signed) {
  if (!SIGNED(signed)) return null;
  const { text, signature } = /** @type {Signed} */ (signed);
  try {
    return (await verify(key, domain, utf8(text), unbase64(signature))) ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/**
 * Return the head that came with a page, once it is found to be the server's and to speak of that page.
 * @type {(key: string, page: import("./feed.js").Page) => Promise<Head>}
 */
export async function headOf(key, page) {
  const head = await stated(key, HEAD_DOMAIN, page.signed_head);
  if (!HEAD(head)) throw new FeedFault("unsigned_head", "the log came without a head that the server signed");
  const same =
    head.contract === page.contract &&
    head.log_epoch === page.head.log_epoch &&
    head.size === page.head.size;
  if (!same) throw new FeedFault("unsigned_head", "the head that is shown is of another log");
  return head;
}

/** @type {(signed: Signed) => Evidence} */
export const headEvidence = ({ text, signature }) => ({ domain: HEAD_DOMAIN, text, signature });

// The contract's Merkle log: leaves and root (R56; RFC 6962, section 2.1).

import { hex, joined, sha256, signedMessage, utf8 } from "./open.js";

/** @typedef {import("./open.js").Bytes} Bytes */

const LEAF = Uint8Array.of(0); // RFC 6962: a leaf can never pass for an inner node
const NODE = Uint8Array.of(1);

/** Return SHA-256 of a push as it was signed (R56). @type {(hashes: Uint8Array, signature: Uint8Array) => Bytes} */
export const pushHash = (hashes, signature) =>
  sha256(joined(signedMessage("workdiary/1/push", hashes), signature));

/**
 * Return the leaf of one accepted version; the hashes are hexadecimal (R56).
 * @type {(type: string, contract: string, logEpoch: number, receivedAtMs: number, header: string, body: string, push: string) => Bytes}
 */
export const leafHash = (...parts) => sha256(joined(LEAF, utf8(JSON.stringify(parts))));

/** Return the Merkle tree hash of a log, its leaves in order (R56). @type {(leaves: Bytes[]) => Bytes} */
export function rootOf(leaves) {
  if (!leaves.length) return sha256(new Uint8Array(0));
  let level = leaves;
  while (level.length > 1) {
    // Pairing from the left and carrying an odd last one up splits as the RFC defines it by recursion.
    const above = [];
    for (let at = 0; at + 1 < level.length; at += 2)
      above.push(sha256(joined(NODE, level[at], level[at + 1])));
    if (level.length % 2) above.push(level[level.length - 1]);
    level = above;
  }
  return level[0];
}

/**
 * Return the whole trees that a log of `size` rows consists of, the largest first, once it has grown by a leaf:
 * from them alone its root is known at every size (R56).
 * @type {(peaks: Bytes[], size: number, leaf: Bytes) => Bytes[]}
 */
export function grown(peaks, size, leaf) {
  const after = [...peaks];
  let node = leaf;
  for (let trees = size; trees % 2; trees = Math.floor(trees / 2)) {
    node = sha256(joined(NODE, /** @type {Bytes} */ (after.pop()), node));
  }
  return [...after, node];
}

/** Return the Merkle tree hash over whole trees, the largest first; at least one. @type {(peaks: Bytes[]) => Bytes} */
export const rootOfPeaks = (peaks) => peaks.reduceRight((right, left) => sha256(joined(NODE, left, right)));

/** What the server signs of a page: contract, first index and the hash of its leaves (R43). @type {(contract: string, first: number, leaves: Uint8Array) => Bytes} */
export const pagePayload = (contract, first, leaves) => utf8(`${contract}/${first}/${hex(sha256(leaves))}`);

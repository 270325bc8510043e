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

/** Return the inner node over two others (R56). @type {(left: Uint8Array, right: Uint8Array) => Bytes} */
export const nodeOf = (left, right) => sha256(joined(NODE, left, right));

/** Return the Merkle tree hash of a log, its leaves in order (R56). @type {(leaves: Bytes[]) => Bytes} */
export function rootOf(leaves) {
  if (!leaves.length) return sha256(new Uint8Array(0));
  let level = leaves;
  while (level.length > 1) {
    // Pairing from the left and carrying an odd last one up splits as the RFC defines it by recursion.
    const above = [];
    for (let at = 0; at + 1 < level.length; at += 2)
      above.push(nodeOf(level[at], level[at + 1]));
    if (level.length % 2) above.push(level[level.length - 1]);
    level = above;
  }
  return level[0];
}

/** What the server signs of a page: contract, first index and the hash of its leaves (R43). @type {(contract: string, first: number, leaves: Uint8Array) => Bytes} */
export const pagePayload = (contract, first, leaves) => utf8(`${contract}/${first}/${hex(sha256(leaves))}`);

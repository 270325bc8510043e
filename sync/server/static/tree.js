// A contract's log as a tree that grows: every earlier root of it is a few hashes away (R56; RFC 6962).

import { nodeOf } from "./merkle.js";
import { sha256 } from "./open.js";

/** @typedef {import("./open.js").Bytes} Bytes */

const HASH_BYTES = 32;
const FIRST_ROOM = 1024; // leaves

/** Leaves and complete inner nodes of one log: level k has a node for each 2^k leaves. */
export class LogTree {
  /** @type {Bytes[]} */
  #levels = [new Uint8Array(FIRST_ROOM * HASH_BYTES)];
  size = 0;

  /** Return the tree over leaves of 32 bytes each. @type {(leaves: Uint8Array) => LogTree} */
  static of(leaves) {
    const tree = new LogTree();
    for (let at = 0; at < leaves.length; at += HASH_BYTES) tree.append(leaves.subarray(at, at + HASH_BYTES));
    return tree;
  }

  /** @type {(leaf: Uint8Array) => void} */
  append(leaf) {
    this.#put(0, this.size, leaf);
    this.size += 1;
    for (let level = 1; this.size % 2 ** level === 0; level += 1) {
      const at = this.size / 2 ** level - 1;
      this.#put(level, at, nodeOf(this.#node(level - 1, 2 * at), this.#node(level - 1, 2 * at + 1)));
    }
  }

  /** Return the root of the first `size` leaves, at most those that there are. @type {(size: number) => Bytes} */
  rootAt(size) {
    if (size > this.size) throw new RangeError(`the log has ${this.size} rows, not ${size}`);
    if (size === 0) return sha256(new Uint8Array(0));
    /** @type {Bytes | null} */
    let root = null;
    // Complete subtrees from the right: the smallest, which is the last, is folded first.
    let left = size;
    for (let level = 0; left > 0; level += 1) {
      if (Math.floor(left / 2 ** level) % 2 === 0) continue;
      left -= 2 ** level;
      const peak = this.#node(level, left / 2 ** level);
      root = root === null ? peak.slice() : nodeOf(peak, root);
    }
    return /** @type {Bytes} */ (root);
  }

  /** Return the leaves from `first` to before `end`, 32 bytes each. @type {(first: number, end: number) => Bytes} */
  leaves(first, end) {
    return this.#levels[0].slice(first * HASH_BYTES, end * HASH_BYTES);
  }

  /** Forget all leaves from `size` on. @type {(size: number) => void} */
  truncate(size) {
    this.size = Math.min(this.size, size);
  }

  /** @type {(level: number, at: number) => Bytes} */
  #node(level, at) {
    return this.#levels[level].subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
  }

  /** @type {(level: number, at: number, node: Uint8Array) => void} */
  #put(level, at, node) {
    const known = this.#levels[level] ?? new Uint8Array(HASH_BYTES * 16);
    if ((at + 1) * HASH_BYTES > known.length) {
      const wider = new Uint8Array(known.length * 2);
      wider.set(known);
      this.#levels[level] = wider;
    } else this.#levels[level] = known;
    this.#levels[level].set(node, at * HASH_BYTES);
  }
}

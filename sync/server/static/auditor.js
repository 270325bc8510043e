// Holding the server to what it stated: heads, growth, order, receipts (R3, R37d, R56). Each check compares two
// things that the server signed, or one with what this browser was shown; what cannot be true together is a
// fault with the statements as evidence.

import { FeedFault } from "./fault.js";
import { HEAD_DOMAIN, headEvidence, headOf, stated } from "./statement.js";
import { leafHash, pushHash } from "./merkle.js";
import { hex, sha256, unbase64, utf8 } from "./open.js";

/** @typedef {import("./feed.js").Page} Page */
/** @typedef {import("./feed.js").Row} Row */
/** @typedef {import("./statement.js").Head} Head */
/** @typedef {import("./statement.js").Signed} Signed */
/** @typedef {import("./statement.js").Evidence} Evidence */
/** @typedef {import("./tree.js").LogTree} LogTree */
/** @typedef {{ head: Head, signed: Signed }} KeptHead */
/** @typedef {{ index: number, log_epoch: number, received_at_ms: number, leaf: string, name: string, evidence: Evidence }} KeptReceipt */
/**
 * What is kept between two visits: the newest head that held, those whose rows are still to be read, the last
 * row's epoch and time, receipts for what this browser wrote, and when each epoch was opened.
 * @typedef {{ newest: KeptHead | null, waiting: KeptHead[], last: { log_epoch: number, at_ms: number },
 *   receipts: KeptReceipt[], opened: Map<number, number> }} Audit
 */

const FIRST_EPOCH = 1;
// How far a clock may step without being doubted (R6): so far a time of receipt says nothing about the order
// of rows in an epoch behind a restored backup, in which healed rows keep the times of their receipts.
const CLOCK_STEP_MS = 120_000;

/** @type {() => Audit} */
export const newAudit = () => ({
  newest: null,
  waiting: [],
  last: { log_epoch: FIRST_EPOCH, at_ms: 0 },
  receipts: [],
  opened: new Map(),
});

export class Auditor {
  /** @param {string} serverKey @param {Audit} kept it is changed as more is known @param {LogTree} tree over the rows that were read */
  constructor(serverKey, kept, tree) {
    this.serverKey = serverKey;
    this.kept = kept;
    this.tree = tree;
  }

  /** Keep the head that came with a page. @type {(page: Page) => Promise<KeptHead>} */
  async takeHead(page) {
    const head = await headOf(this.serverKey, page);
    const shown = { head, signed: /** @type {Signed} */ (page.signed_head) };
    for (const known of [this.kept.newest, ...this.kept.waiting]) {
      if (known && known.head.log_epoch === head.log_epoch && known.head.size > head.size) {
        const what = `the log shrank from ${known.head.size} to ${head.size} rows`;
        throw new FeedFault("log_shrank", what, [headEvidence(known.signed), headEvidence(shown.signed)]);
      }
    }
    this.kept.waiting.push(shown);
    return shown;
  }

  /** Throw a fault that was found in rows; that of another log bears the heads by which it is one. @type {(error: unknown, shown: KeptHead) => never} */
  accuse(error, shown) {
    const heads = [...(this.kept.newest ? [this.kept.newest] : []), shown];
    if (error instanceof FeedFault && error.kind === "log_forked" && !error.evidence.length)
      error.evidence = heads.map(({ signed }) => headEvidence(signed));
    throw error;
  }

  /** Keep the heads that came with an answer, to be compared once their rows are read. @type {(contract: string, signed: Signed[]) => Promise<void>} */
  async takeHeads(contract, signed) {
    for (const one of signed) {
      /** @type {Head | null} */
      const head = await stated(this.serverKey, HEAD_DOMAIN, one);
      if (head === null || head.contract !== contract)
        throw new FeedFault("unsigned_head", "a head in an answer bears a false signature");
      this.kept.waiting.push({ head, signed: one });
    }
  }

  /** Check new rows before they count: their times, and that what has a receipt stands where it says. @type {(rows: Row[], shown: KeptHead) => void} */
  checkRows(rows, shown) {
    const evidence = [headEvidence(shown.signed)];
    for (const row of rows) this.#checkTime(row, evidence);
    for (const receipt of this.kept.receipts) {
      const row = rows.find(({ index }) => index === receipt.index);
      if (!row || row.log_epoch !== receipt.log_epoch || row.leaf === receipt.leaf) continue;
      const same = `${row.header.replica}:${row.header.n}` === receipt.name;
      const what = same
        ? `row ${row.index} of the log was received at another time before`
        : `row ${row.index} of the log is not version ${receipt.name} any more`;
      throw new FeedFault(same ? "retimed" : "log_forked", what, [receipt.evidence, ...evidence]);
    }
  }

  /** Times of receipt never fall among the rows first received in one epoch (R3, R43). @type {(row: Row, evidence: Evidence[]) => void} */
  #checkTime(row, evidence) {
    const { last } = this.kept;
    if (row.log_epoch !== last.log_epoch) Object.assign(last, { log_epoch: row.log_epoch, at_ms: 0 });
    const floor =
      row.log_epoch === FIRST_EPOCH
        ? 0
        : (this.kept.opened.get(row.log_epoch) ?? row.log_epoch) + CLOCK_STEP_MS;
    if (row.received_at_ms < floor) return; // healed
    if (row.received_at_ms < last.at_ms)
      throw new FeedFault("retimed", `row ${row.index} of the log bears a time before its place`, evidence);
    last.at_ms = row.received_at_ms;
  }

  /** Let the log grow by rows that passed, and compare each head that it has reached. @type {(rows: Row[]) => void} */
  grow(rows) {
    for (const { leaf } of rows) this.tree.append(unhexed(leaf));
    for (const { index, leaf, name, evidence } of this.kept.receipts) {
      // Of what had been read before its receipt came.
      if (index >= this.tree.size || hex(this.tree.leaves(index, index + 1)) === leaf) continue;
      throw new FeedFault("log_forked", `row ${index} of the log is not version ${name}`, [evidence]);
    }
    const reached = this.kept.waiting.filter(({ head }) => head.size <= this.tree.size);
    for (const { head, signed } of reached) {
      if (hex(this.tree.rootAt(head.size)) === head.root) continue;
      const what = `the first ${head.size} rows of the log are not those that the server signed`;
      const others = this.kept.newest ? [headEvidence(this.kept.newest.signed)] : [];
      throw new FeedFault("log_forked", what, [headEvidence(signed), ...others]);
    }
    this.kept.waiting = this.kept.waiting.filter((one) => !reached.includes(one));
    for (const one of reached) {
      if (!this.kept.newest || one.head.size >= this.kept.newest.head.size) this.kept.newest = one;
    }
    this.kept.receipts = this.kept.receipts.filter(({ index }) => index >= this.tree.size);
  }

  /**
   * Return what the heads that others name in their rows give away. Only their writers signed such a claim,
   * so it stops nothing: the rows are taken.
   * @type {(rows: Row[], own: string) => { kind: string, what: string, evidence: Evidence[] }[]}
   */
  claims(rows, own) {
    /** @type {Map<string, Row>} */
    const longest = new Map();
    for (const row of rows) {
      const claim = claimOf(row);
      const writer = row.header.replica;
      if (!claim || writer === own || claim[1] !== row.log_epoch) continue;
      const before = longest.get(writer);
      if (!before || (claimOf(before)?.[2] ?? 0) < claim[2]) longest.set(writer, row);
    }
    const shown = this.kept.newest ? [headEvidence(this.kept.newest.signed)] : [];
    return [...longest].flatMap(([writer, row]) => {
      const [, , size, root] = /** @type {[string, number, number, string]} */ (claimOf(row));
      if (size > row.index) {
        // The row came after all that its writer had been shown.
        const what = `${writer} was shown ${size} rows of the log`;
        return [{ kind: "withheld", what, evidence: shown }];
      }
      if (hex(this.tree.rootAt(size)) === root) return [];
      const what = `${writer} was shown another log at row ${size}`;
      return [{ kind: "heads_differ", what, evidence: shown }];
    });
  }

  /** Check that the last page of a sync reaches the head that it came with (R45). @type {(shown: KeptHead, read: number) => void} */
  requireWhole(shown, read) {
    if (read >= shown.head.size) return;
    const what = `the log has ${shown.head.size} rows and only ${read} are shown`;
    throw new FeedFault("withheld", what, [headEvidence(shown.signed)]);
  }

  /**
   * Check that each receipt's leaf is that of the version which was sent, and keep it until its row is read.
   * @type {(push: { versions: { header: string, body: string | null }[], signature: string }, answers: any[], signed: Signed) => void}
   */
  takeReceipts(push, answers, signed) {
    const evidence = { domain: "workdiary/1/answer", text: signed.text, signature: signed.signature };
    const none = new Uint8Array(0);
    const hashes = push.versions.map(({ header, body }) => ({
      header: sha256(utf8(header)),
      body: sha256(body === null ? none : unbase64(body)),
    }));
    const all = new Uint8Array(hashes.length * 64);
    hashes.forEach(({ header, body }, at) => (all.set(header, at * 64), all.set(body, at * 64 + 32)));
    const name = hex(pushHash(all, unbase64(push.signature)));
    for (const [at, answer] of answers.entries()) {
      const { type, contract, replica, n } = JSON.parse(push.versions[at].header);
      if (answer.replica !== replica || answer.n !== n)
        throw new FeedFault("bad_receipt", `the answer about version ${replica}:${n} is about another`, [evidence]);
      if (answer.is !== "receipt") continue;
      const made = leafHash(
        type,
        contract,
        answer.log_epoch,
        answer.received_at_ms,
        hex(hashes[at].header),
        hex(hashes[at].body),
        name,
      );
      if (answer.contract !== contract || hex(made) !== answer.leaf) {
        const what = `the receipt of version ${replica}:${n} is of something else`;
        throw new FeedFault("bad_receipt", what, [evidence]);
      }
      if (answer.index < this.tree.size) continue; // it was read already
      const { index, log_epoch, received_at_ms, leaf } = answer;
      this.kept.receipts.push({ index, log_epoch, received_at_ms, leaf, name: `${replica}:${n}`, evidence });
    }
  }
}

/** @type {(row: Row) => [string, number, number, string] | null} */
function claimOf({ header }) {
  const head = /** @type {[string, number, number, string] | null} */ (header.head);
  return head && head[0] === header.contract ? head : null;
}

/** @type {(digits: string) => Uint8Array} */
function unhexed(digits) {
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = parseInt(digits.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

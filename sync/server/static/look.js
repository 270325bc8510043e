// A first look at a contract: the weeks that are looked at come before its log is read (R45, R64).
//
// Each row of it is checked as every row of the log is. What only the whole log shows, that none was left out, is
// checked when it has been read up to the same head: so a look is kept in memory, compared row by row, and gone.

import { FeedFault } from "./fault.js";
import { Reader } from "./feed.js";
import { learnKeys } from "./granted.js";
import { hex } from "./open.js";
import { headEvidence, headOf } from "./statement.js";

/** @typedef {import("./feed.js").Row} Row */
/** @typedef {import("./store.js").Contract} Contract */
/** @typedef {import("./line.js").Line} Line */
/** @typedef {import("./line.js").WeeksAnswer} WeeksAnswer */
/** @typedef {import("./auditor.js").KeptHead} KeptHead */
/** @typedef {import("./tree.js").LogTree} LogTree */
/** @typedef {{ shown: KeptHead, weeks: Set<number>, leaves: Map<number, string> }} Looked What one answer showed, to be compared. */

export class FirstLook {
  /** @type {Looked[]} */
  looked = [];
  /** @type {Map<number, Promise<Row[]>>} */
  #weeks = new Map();
  /** @type {Contract["keys"]} */
  #keys = new Map();
  #overlapping = new Set();
  /** @type {Row[]} */
  #slotless = [];
  /** @type {ReturnType<Reader["state"]> | null} */
  #reader = null;
  /** @type {number[]} */
  #firstSlots = [];
  #clockAheadMs = 0;

  /** @param {Contract} contract @param {Line} line @param {() => number} nowMs */
  constructor(contract, line, nowMs) {
    this.nowMs = nowMs;
    this.contract = contract;
    this.line = line;
  }

  /** Look at the newest week. @type {() => Promise<void>} */
  async begin() {
    const answer = await this.#asked([]);
    const newest = answer.first_slots.at(-1);
    const rows = this.#taken(answer, newest === undefined ? [] : [newest]);
    if (newest !== undefined) this.#weeks.set(newest, rows);
    await rows;
  }

  /** Return a week's rows, asked for once. @type {(first: number) => Promise<Row[]>} */
  week(first) {
    if (!this.#firstSlots.includes(first)) return Promise.resolve([]);
    const known = this.#weeks.get(first);
    if (known) return known;
    const rows = this.#asked([Math.max(first, 0)]).then((answer) => this.#taken(answer, [first]));
    this.#weeks.set(first, rows);
    rows.catch(() => this.#weeks.delete(first)); // asked for anew where the line broke
    return rows;
  }

  /** Return the contract as it is seen by what was looked at. @type {(contract: Contract) => Contract} */
  over(contract) {
    return {
      ...contract,
      reader: this.#reader,
      slotless: this.#slotless,
      weeks: new Map(this.#firstSlots.map((first) => [first, 0])),
      keys: new Map([...contract.keys, ...this.#keys]),
      overlapping: /** @type {Set<number>} */ (this.#overlapping),
      overlaps_known: true,
      clock_ahead_ms: this.#clockAheadMs,
    };
  }

  /** @type {(firstSlots: number[]) => Promise<WeeksAnswer>} */
  async #asked(firstSlots) {
    const { account, id } = this.contract;
    const answer = await this.line.weeks({ account, contract: id, first_slots: firstSlots });
    this.#clockAheadMs = answer.server_ms - this.nowMs();
    return answer;
  }

  /** @type {(answer: WeeksAnswer, weeks: number[]) => Promise<Row[]>} */
  async #taken(answer, weeks) {
    const { account, id, server_key: key } = this.contract;
    const { page } = answer;
    const head = await headOf(key, page);
    const reader = new Reader(account, id);
    const rows = await reader.look(page);
    const leaves = new Map(rows.map(({ index, leaf }) => [index, leaf]));
    const signed = /** @type {import("./statement.js").Signed} */ (page.signed_head);
    this.looked.push({ shown: { head, signed }, weeks: new Set(weeks), leaves });
    await learnKeys(this.contract, this.#keys, rows);
    for (const slot of answer.overlapping) this.#overlapping.add(slot);
    const newest = Math.max(...this.looked.map(({ shown }) => shown.head.size));
    if (head.size === newest) {
      this.#reader = { ...reader.state(), cursor: { log_epoch: head.log_epoch, size: head.size } };
      this.#slotless = rows.filter(
        ({ header: { slot, type } }) => typeof slot !== "number" && type !== "grant" && type !== "device_list",
      );
      this.#firstSlots = answer.first_slots;
    }
    return rows.filter(({ header }) => typeof header.slot === "number");
  }
}

/**
 * Hold a log that was read to its head to what was shown of it before: each row that was shown stands in it, and
 * none of those weeks was left out (R45).
 * @type {(looked: Looked[], tree: LogTree, slotless: Row[], rowsOf: (first: number) => Promise<Row[]>) => Promise<void>}
 */
export async function compareLooks(looked, tree, slotless, rowsOf) {
  for (const { shown, weeks, leaves } of looked) {
    const evidence = [headEvidence(shown.signed)];
    const { size, root } = shown.head;
    if (size > tree.size)
      throw new FeedFault("withheld", `${size} rows of the log were shown first, and ${tree.size} now`, evidence);
    if (hex(tree.rootAt(size)) !== root) {
      const what = `the first ${size} rows of the log are not those that the server signed`;
      throw new FeedFault("log_forked", what, evidence);
    }
    for (const [index, leaf] of leaves) {
      if (hex(tree.leaves(index, index + 1)) === leaf) continue;
      const what = `row ${index} of the log is another one than was shown first`;
      throw new FeedFault("log_forked", what, evidence);
    }
    const rows = await Promise.all([...weeks].map(rowsOf));
    const said = slotless.filter(({ header }) => header.type !== "message");
    const missing = [...said, ...rows.flat()].find(
      ({ index }) => index < shown.head.size && !leaves.has(index),
    );
    if (missing) {
      const what = `row ${missing.index} of the log was left out of what was shown first`;
      throw new FeedFault("withheld", what, evidence);
    }
  }
}

// One contract's log, read into the browser's database: joined, pulled, checked, pruned (R25, R40, R45, R51).

import { redactions } from "./acts.js";
import { FeedFault, FIRST_EPOCH, Reader } from "./feed.js";
import { nameOf } from "./header.js";
import { billingOf, Line, LineFault } from "./line.js";
import { standing } from "./merge.js";
import * as open from "./open.js";
import { answersIn, authorizationOf } from "./seat.js";
import { isFrozen, weekOf } from "./week.js";

/** @typedef {import("./feed.js").Row} Row */
/** @typedef {import("./store.js").Contract} Contract */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./line.js").PullAnswer} PullAnswer */
/** @typedef {(read: number, size: number) => void} Progress */

const BILLING_MS = 600_000; // how one pays changes seldom, and is asked for with a pull that comes anyway
const PAGES_A_WRITE = 8; // a line that breaks loses at most so many pages

/** Return the alarm or refusal that an error is, null for our own mistakes. @type {(error: unknown) => { kind: string, what: string } | null} */
export function faultOf(error) {
  if (error instanceof FeedFault || error instanceof open.OpenFault)
    return { kind: error.kind, what: error.message };
  return error instanceof LineFault ? { kind: error.reason, what: error.message } : null;
}

/** Reads one contract; what it has changed lies in `contract` and `weeks` until `keep` writes it. */
export class Reading {
  /** @type {Map<number, Row[]>} */
  #weeks = new Map();
  /** @type {Set<number>} */
  #changed = new Set();
  /** @type {string[]} */
  #gone = [];
  /** @type {Row[]} */
  #messages = [];

  /** @param {Store} store @param {Contract} contract @param {Progress} progress */
  constructor(store, contract, progress) {
    this.store = store;
    this.contract = contract;
    this.progress = progress;
    this.line = new Line(contract.server_url, authorizationOf(contract));
    this.reader = this.#readerAsKept();
  }

  #readerAsKept() {
    const { account, id, reader } = this.contract;
    return reader ? new Reader(account, id).resume(structuredClone(reader)) : new Reader(account, id);
  }

  /** Join where that is not done, and read what is new; a fault is kept as an alarm, and thrown. @type {(nowMs: () => number) => Promise<void>} */
  async run(nowMs) {
    try {
      if (!this.contract.admitted) await this.#join();
      await this.#pullAll(nowMs);
    } catch (error) {
      const fault = faultOf(error);
      if (error instanceof FeedFault || error instanceof open.OpenFault) {
        this.contract.alarms.push({ ...(fault ?? { kind: "", what: "" }), at_ms: nowMs() });
        await this.store.keep({ ...this.contract });
      }
      if (fault?.kind === "device_revoked" && !this.contract.ended) {
        this.contract.ended = true;
        await this.store.keep(this.contract);
      }
      throw error;
    }
  }

  async #join() {
    const { joining } = this.contract;
    if (!joining) return;
    const line = new Line(this.contract.server_url);
    const facts = await line.facts();
    if (facts.key !== this.contract.server_key) throw new open.OpenFault("another_server");
    await answersIn(this.contract, await line.join(joining.message));
    // From here on the link is used up: what is kept in this browser is the only way in.
    this.contract.admitted = true;
    await this.store.keep(this.contract);
  }

  /** @type {(nowMs: () => number) => Promise<void>} */
  async #pullAll(nowMs) {
    let pages = 0;
    const billing = nowMs() - (this.contract.billing_asked_at_ms ?? 0) >= BILLING_MS;
    let asked = this.#ask(this.reader.cursor, billing);
    for (;;) {
      const answer = await asked;
      if (answer.billing)
        Object.assign(this.contract, { billing: billingOf(answer.billing), billing_asked_at_ms: nowMs() });
      this.contract.clock_ahead_ms = answer.server_ms - nowMs();
      if (answer.openings?.length) {
        await this.#beginAnew(answer, nowMs());
        asked = this.#ask(null);
        continue;
      }
      const page = answer.pages.find(({ contract }) => contract === this.contract.id);
      if (answer.pages.length > (page ? 1 : 0))
        throw new FeedFault("wrong_place", "it shows another contract's log");
      const last = page?.rows.at(-1);
      // The next page is on its way while this one is checked.
      if (answer.more && page && last)
        asked = this.#ask({ log_epoch: page.head.log_epoch, size: last.index + 1 });
      if (page) await this.#take(page).catch((error) => this.#stop(error, asked));
      pages += 1;
      if (page) this.progress(this.reader.cursor?.size ?? 0, page.head.size);
      if (!answer.more) {
        this.#learnOverlaps(answer);
        break;
      }
      if (pages % PAGES_A_WRITE === 0) await this.keep();
    }
    this.contract.synced_at_ms = nowMs() + this.contract.clock_ahead_ms;
    if (this.contract.keys.size) this.contract.joining = null;
    await this.keep();
  }

  /** Keep what passed before the fault, and nothing else. @type {(error: unknown, asked: Promise<PullAnswer>) => Promise<void>} */
  async #stop(error, asked) {
    asked.catch(() => undefined); // nobody waits for it any more
    await this.keep();
    throw error;
  }

  /** @type {(cursor: import("./feed.js").Cursor | null, billing?: boolean) => Promise<PullAnswer>} */
  #ask(cursor, billing = false) {
    const { account, id, log_epoch } = this.contract;
    // All that overlaps takes the server long to say: it is asked for once the rows are here and shown.
    const first =
      this.contract.synced_at_ms !== null && !this.contract.overlaps_known ? { overlapping_from: 0 } : {};
    const cursors = cursor ? { [id]: cursor } : {};
    return this.line.pull({ account, cursors, log_epoch, ...first, ...(billing ? { billing } : {}) });
  }

  /** Read a restored server's log from its start, by its signed statement (R43). @type {(answer: PullAnswer, atMs: number) => Promise<void>} */
  async #beginAnew(answer, atMs) {
    const { contract } = this;
    for (const { text, signature } of answer.openings ?? []) {
      const signed = await open.verify(
        contract.server_key,
        "workdiary/1/epoch",
        open.utf8(text),
        open.unbase64(signature),
      );
      const opening = signed ? JSON.parse(text) : null;
      if (
        !opening ||
        opening.account !== contract.account ||
        opening.log_epoch <= Math.max(contract.log_epoch, FIRST_EPOCH)
      ) {
        throw new open.OpenFault("forged_opening");
      }
      const lost = (this.reader.cursor?.size ?? 0) - (opening.heads[contract.id]?.size ?? 0);
      contract.log_epoch = opening.log_epoch;
      const what = `The server was restored from an older copy${lost > 0 ? `; ${lost} entries of its log were lost` : ""}.`;
      contract.notices.push({ kind: "restored", what, at_ms: atMs });
    }
    this.#weeks.clear();
    this.#changed.clear();
    Object.assign(contract, {
      reader: null,
      slotless: [],
      weeks: new Map(),
      late_weeks: new Set(),
      synced_at_ms: null,
      overlaps_known: false,
    });
    await this.store.forget(contract.id, false);
    this.reader = this.#readerAsKept();
  }

  /** @type {(page: import("./feed.js").Page) => Promise<void>} */
  async #take(page) {
    const rows = await this.reader.check(page);
    await this.#checkHead(page);
    const atMs = Date.now();
    for (const { kind, what } of this.reader.differing.splice(0)) {
      // Nobody but its writer signed it, so it stops nothing; each is said once.
      if (!this.contract.alarms.some((known) => known.kind === kind))
        this.contract.alarms.push({ kind, what, at_ms: atMs });
    }
    await this.#learnKeys(rows);
    /** @type {Map<number, Row[]>} */
    const byWeek = new Map();
    for (const row of rows) {
      const { slot } = row.header;
      if (row.header.type === "message") {
        this.#messages.push(row);
        continue;
      }
      if (typeof slot !== "number") {
        if (row.header.type !== "grant" && row.header.type !== "device_list")
          this.contract.slotless.push(row);
        continue;
      }
      const week = weekOf(slot);
      if (isFrozen(week, row.received_at_ms)) this.contract.late_weeks.add(week.firstSlot);
      byWeek.set(week.firstSlot, [...(byWeek.get(week.firstSlot) ?? []), row]);
    }
    for (const [first, found] of byWeek) await this.#addTo(first, found);
    if (rows.some(({ header }) => header.redaction)) await this.#redact();
    this.contract.reader = structuredClone(this.reader.state());
  }

  /** Hold the page to the head that the server signed of it, once all that it names is read (R56). @type {(page: import("./feed.js").Page) => Promise<void>} */
  async #checkHead({ head, signed_head: signed }) {
    const { reader, contract } = this;
    if (!signed) throw new FeedFault("unsigned_head", "the log came without a signed head");
    const root = reader.root();
    if (root === null || reader.cursor?.size !== head.size) return;
    const [text, signature] = [open.utf8(signed.text), open.unbase64(signed.signature)];
    if (!(await open.verify(contract.server_key, "workdiary/1/head", text, signature)))
      throw new FeedFault("unsigned_head", "the head of the log bears a false signature");
    const says = JSON.parse(signed.text);
    if (says.contract !== contract.id || says.log_epoch !== head.log_epoch || says.size !== head.size)
      throw new FeedFault("unsigned_head", "the head that is shown is of another log");
    if (says.root !== root)
      throw new FeedFault("log_forked", `the first ${head.size} rows of the log are not those that the server signed`);
  }

  /** @type {(first: number) => Promise<Row[]>} */
  async #rowsOf(first) {
    const known =
      this.#weeks.get(first) ??
      (this.contract.weeks.has(first) ? await this.store.week(this.contract.id, first) : []);
    this.#weeks.set(first, known);
    return known;
  }

  /** @type {(first: number, rows: Row[]) => Promise<void>} */
  async #addTo(first, rows) {
    const all = await this.#rowsOf(first);
    all.push(...rows);
    this.#changed.add(first);
    this.contract.weeks.set(first, all.length);
    const touched = new Set(rows.map(({ header }) => header.slot));
    const bySlot = Map.groupBy(
      all.filter(({ header }) => touched.has(header.slot)),
      ({ header }) => header.slot,
    );
    for (const held of bySlot.values()) {
      if (held.length < 2) continue;
      const stands = standing(held);
      const kept = new Set([...stands.captures, ...stands.frontier].map(({ header }) => nameOf(header)));
      this.#destroy(held.filter(({ header }) => !kept.has(nameOf(header))));
    }
  }

  /** Destroy the content of rows that stand no more (R25). @type {(rows: Row[]) => void} */
  #destroy(rows) {
    for (const row of rows) {
      row.body = null;
      row.wrap = null;
      this.#gone.push(...(row.header.pictures ?? []).map(([name]) => name));
    }
  }

  /** Destroy what both parties signed to be redacted (R54). */
  async #redact() {
    for (const [slot, { freelancer, client }] of redactions(
      this.contract.slotless,
      this.reader.seats.seats,
    )) {
      if (freelancer === null || client === null) continue;
      const first = weekOf(slot).firstSlot;
      this.#destroy((await this.#rowsOf(first)).filter(({ header }) => header.slot === slot));
      this.#changed.add(first);
    }
  }

  /** Open the epochs' keys that are granted to the invitation or to this seat (R51). @type {(rows: Row[]) => Promise<void>} */
  async #learnKeys(rows) {
    const { joining, seat, keys } = this.contract;
    for (const { header, raw, body } of rows) {
      const grant = header.grant;
      if (!grant || !body?.length || keys.has(grant.epoch)) continue;
      const sealed = { header: raw, body, wrap: null };
      if (grant.to === seat.replica) {
        keys.set(grant.epoch, await open.wrappingOf(await open.openGrant(sealed, seat.box)));
      } else if (joining && grant.invitation?.auth === joining.auth) {
        keys.set(grant.epoch, await open.wrappingOf(await open.openInvitation(sealed, joining.wrap)));
      }
    }
  }

  /** @type {(answer: PullAnswer) => void} */
  #learnOverlaps({ overlapping, overlapping_from: from }) {
    if (!overlapping || typeof from !== "number") return;
    if (from === 0) this.contract.overlaps_known = true;
    const before = [...this.contract.overlapping].filter((slot) => slot < from);
    this.contract.overlapping = new Set([...before, ...(overlapping[this.contract.id] ?? [])]);
  }

  /** Write what was read, and how far, at once. */
  async keep() {
    const weeks = new Map([...this.#changed].map((first) => [first, this.#weeks.get(first) ?? []]));
    await this.store.keep(this.contract, weeks, this.#gone, this.#messages);
    this.#changed.clear();
    this.#gone = [];
    this.#messages = [];
  }
}

// One contract's log, read into the browser's database: joined, pulled, checked, pruned (R25, R40, R45, R51).

import { redactions } from "./acts.js";
import { Auditor, newAudit } from "./auditor.js";
import { FeedFault } from "./fault.js";
import { Reader } from "./feed.js";
import { isBillingDue, learnBilling, movedFromMs } from "./gateway.js";
import { learnKeys } from "./granted.js";
import { nameOf } from "./header.js";
import { alike, keptBy, mayBeRestored, openingOf, restoredWords, statementsAfter } from "./healing.js";
import { Line, LineFault } from "./line.js";
import { compareLooks } from "./look.js";
import { standing } from "./merge.js";
import * as open from "./open.js";
import { judgeSeals } from "./judging.js";
import { sealOf } from "./sealed.js";
import { answersIn, authorizationOf } from "./seat.js";
import { UNREAD } from "./store.js";
import { LogTree } from "./tree.js";
import { isFrozen, weekAt, weekOf } from "./week.js";

/** @typedef {import("./feed.js").Row} Row */
/** @typedef {import("./store.js").Contract} Contract */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./line.js").PullAnswer} PullAnswer */
/** `says` is told instead of how far it is. @typedef {(read: number, size: number, says?: string) => void} Progress */
/** @typedef {import("./look.js").Looked} Looked */
/** @typedef {import("./sealed.js").KeptSeal} KeptSeal */

const ROUNDS_BEHIND_A_LOOK = 3;
const PAGES_A_WRITE = 8; // a line that breaks loses at most so many pages
const SAID_AFTER_MS = 1000;
/** The trees of this thread, as far as they were kept: made of the leaves once. @type {Map<string, LogTree>} */
const trees = new Map();

/** Return the alarm or refusal that an error is, null for our own mistakes. @type {(error: unknown) => { kind: string, what: string } | null} */
export function faultOf(error) {
  if (error instanceof FeedFault || error instanceof open.OpenFault)
    return { kind: error.kind, what: error.message };
  return error instanceof LineFault ? { kind: error.reason, what: error.message } : null;
}

/** Note the alarm that an error is in its contract, and return whether it is one. @type {(contract: Contract, error: unknown, atMs: number) => boolean} */
export function noteFault(contract, error, atMs) {
  const fault = faultOf(error);
  if (fault === null || error instanceof LineFault) return false;
  const evidence = error instanceof FeedFault ? error.evidence : [];
  // One that nobody has looked at yet says no more when it comes again.
  const isKnown = contract.alarms.some(({ kind, what, seen }) => !seen && kind === fault.kind && what === fault.what);
  if (!isKnown) contract.alarms.push({ ...fault, at_ms: atMs, evidence });
  contract.distrusted = true;
  return true;
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
  /** @type {Map<number, KeptSeal>} */
  #seals = new Map();
  tree = new LogTree();
  #keptSize = 0;
  /** @type {{ notice: { what: string }, held: LogTree } | null} the log as it was read before another one stood there */
  #replaced = null;

  /** @param {Store} store @param {Contract} contract @param {Progress} progress @param {Looked[]} looked what was shown of it before it was read */
  constructor(store, contract, progress, looked = []) {
    this.store = store;
    this.contract = contract;
    this.progress = progress;
    this.looked = looked;
    this.line = new Line(contract.server_url, authorizationOf(contract));
    this.reader = this.#readerAsKept();
  }

  #readerAsKept() {
    const { account, id, reader } = this.contract;
    return reader ? new Reader(account, id).resume(structuredClone(reader)) : new Reader(account, id);
  }

  /** Read what is new. @type {(nowMs: () => number) => Promise<void>} */
  run(nowMs) {
    return this.guarded(nowMs, async () => {
      if (!this.contract.admitted) await this.#join();
      this.tree = await this.#treeAsKept();
      this.#keptSize = this.tree.size;
      await this.#pullAll(nowMs).catch((error) => this.#healed(error, nowMs));
    });
  }

  /** Read on behind a fault that an honest server may have, once it was shown what it had signed (R43). @type {(error: unknown, nowMs: () => number) => Promise<void>} */
  async #healed(error, nowMs) {
    if (!mayBeRestored(error)) throw error;
    const { newest, waiting } = this.contract.audit;
    const heads = [...(newest ? [newest] : []), ...waiting, ...this.looked.map(({ shown }) => shown)];
    const says = "The server may have been restored from an older copy: it is shown what it had signed…";
    const saying = setTimeout(() => this.progress(0, 0, says), SAID_AFTER_MS);
    try {
      const openings = await statementsAfter(this.contract, heads, error, nowMs());
      if (openings.length) await this.#beginAnew(openings, nowMs());
    } finally {
      clearTimeout(saying);
      if (this.contract.unanswered) await this.keep(); // also where nothing came
    }
    await this.#pullAll(nowMs);
  }

  /** Join where that is not done. @type {(nowMs: () => number) => Promise<void>} */
  join(nowMs) {
    return this.guarded(nowMs, async () => (this.contract.admitted ? undefined : this.#join()));
  }

  /** Do something with the server; a fault is kept as an alarm, and thrown. @type {<T>(nowMs: () => number, act: () => Promise<T>) => Promise<T>} */
  async guarded(nowMs, act) {
    try {
      return await act();
    } catch (error) {
      if (noteFault(this.contract, error, nowMs())) await this.keep();
      if (faultOf(error)?.kind === "device_revoked" && !this.contract.ended) {
        this.contract.ended = true;
        await this.store.keep(this.contract);
      }
      throw error;
    }
  }

  /** Return who holds the server to what this contract knows. */
  auditor() {
    return new Auditor(this.contract.server_key, this.contract.audit, this.tree);
  }

  /** @type {() => Promise<LogTree>} */
  async #treeAsKept() {
    const { id, reader } = this.contract;
    const size = reader?.cursor?.size ?? 0;
    const known = trees.get(id);
    // Another tab may have read on: then its leaves lie in the database.
    const isSame =
      known && known.size >= size && open.hex(known.leaves(size - 1, size)) === (reader?.lastLeaf ?? "");
    const tree = isSame ? known : await this.store.tree(id, size);
    tree.truncate(size);
    trees.set(id, tree);
    return tree;
  }

  async #join() {
    const { joining } = this.contract;
    if (!joining) return;
    const line = new Line(this.contract.server_url);
    const facts = await line.facts();
    if (facts.key !== this.contract.server_key) throw new open.OpenFault("another_server");
    const answer = await line.join(joining.message);
    const { push } = JSON.parse(joining.message);
    this.auditor().takeReceipts(push, await answersIn(this.contract, answer, push), answer.answers);
    // From here on the link is used up: what is kept in this browser is the only way in.
    this.contract.admitted = true;
    await this.store.keep(this.contract);
  }

  /** @type {(nowMs: () => number) => Promise<void>} */
  async #pullAll(nowMs) {
    let pages = 0;
    let pagesMax = Infinity;
    const billing = isBillingDue(this.contract, nowMs());
    let asked = this.#ask(this.reader.cursor, { billing, root: true });
    for (;;) {
      const answer = await asked;
      if (answer.billing) learnBilling(this.contract, answer.billing, nowMs());
      this.contract.clock_ahead_ms = answer.server_ms - nowMs();
      if (answer.openings?.length) {
        await this.#beginAnew(answer.openings, nowMs());
        asked = this.#ask(null);
        continue;
      }
      const page = answer.pages.find(({ contract }) => contract === this.contract.id);
      if (answer.pages.length > (page ? 1 : 0))
        throw new FeedFault("wrong_place", "it shows another contract's log");
      const last = page?.rows.at(-1);
      // The next page is on its way while this one is checked.
      if (answer.more && page && last)
        asked = this.#ask(this.#cursorBehind(page, last.index + 1));
      if (page) await this.#take(page, !answer.more).catch((error) => this.#stop(error, asked));
      pages += 1;
      // What comes at once is not announced: a screen reader would say it with every entry.
      if (page && answer.more) this.progress(this.reader.cursor?.size ?? 0, page.head.size);
      if (!answer.more) {
        const isBehind = this.looked.some(({ shown }) => shown.head.size > this.tree.size);
        if (isBehind && pages < pagesMax) {
          // The log grew while it was looked at.
          pagesMax = Math.min(pagesMax, pages + ROUNDS_BEHIND_A_LOOK);
          asked = this.#ask(this.reader.cursor);
          continue;
        }
        this.#learnOverlaps(answer);
        break;
      }
      // Seals may come without rows.
      if (!last) asked = this.#ask(this.reader.cursor);
      if (pages % PAGES_A_WRITE === 0) await this.keep();
    }
    this.contract.synced_at_ms = nowMs() + this.contract.clock_ahead_ms;
    if (this.contract.keys.size) this.contract.joining = null;
    Object.assign(this.contract, { whole: true, distrusted: false, unanswered: null });
    if (this.#replaced) {
      const { notice, held } = this.#replaced;
      notice.what = restoredWords(held.size - alike(held, this.tree));
    }
    await this.#judgeSeals(nowMs());
    await this.keep();
    await compareLooks(this.looked, this.tree, this.contract.slotless, (first) => this.#rowsOf(first));
  }

  /** @type {(page: import("./feed.js").Page, size: number) => import("./feed.js").Cursor} */
  #cursorBehind(page, size) {
    const { cursor } = this.reader;
    return { log_epoch: page.head.log_epoch, size, seals: (cursor?.seals ?? 0) + (page.seals?.length ?? 0) };
  }

  /** Keep what passed before the fault, and nothing else. @type {(error: unknown, asked: Promise<PullAnswer>) => Promise<void>} */
  async #stop(error, asked) {
    asked.catch(() => undefined); // nobody waits for it any more
    this.tree.truncate(this.contract.reader?.cursor?.size ?? 0);
    await this.keep();
    throw error;
  }

  /** With `root` another log of the same length is told too (R56). @type {(cursor: import("./feed.js").Cursor | null, also?: { billing?: boolean, root?: boolean }) => Promise<PullAnswer>} */
  #ask(cursor, { billing = false, root = false } = {}) {
    const { account, id, log_epoch } = this.contract;
    const overlapping_from = this.contract.overlaps_from ?? 0;
    const cursors = cursor ? { [id]: cursor } : {};
    const roots = root && cursor?.size ? { roots: { [id]: open.hex(this.tree.rootAt(cursor.size)) } } : {};
    const moved_from_ms = movedFromMs(this.contract.moved ?? [], this.contract.said ?? []);
    return this.line.pull({ account, cursors, ...roots, log_epoch, overlapping_from, ...(billing ? { billing, moved_from_ms } : {}) });
  }

  /** Read a restored server's log from its start, by its signed statements (R43). @type {(openings: import("./statement.js").Signed[], atMs: number) => Promise<void>} */
  async #beginAnew(openings, atMs) {
    const { contract } = this;
    const opened = contract.audit.opened;
    for (const signed of openings) {
      const opening = await openingOf(contract, signed);
      const kept = keptBy(opening, contract.id, this.tree);
      const what = restoredWords(kept === null ? 0 : this.tree.size - kept);
      const notice = { kind: "restored", what, at_ms: atMs };
      // Where others were received in the places of those that were lost, the log shows which are left.
      if (kept === null) this.#replaced = { notice, held: LogTree.of(this.tree.leaves(0, this.tree.size)) };
      contract.log_epoch = opening.log_epoch;
      contract.opening = signed;
      opened.set(opening.log_epoch, opening.opened_at_ms);
      contract.notices.push(notice);
    }
    this.#weeks.clear();
    this.#changed.clear();
    Object.assign(contract, UNREAD(), { audit: { ...newAudit(), opened } });
    this.#seals.clear();
    this.tree.truncate(0);
    this.#keptSize = 0;
    this.looked = [];
    await this.store.forget(contract.id, false);
    this.reader = this.#readerAsKept();
  }

  /** @type {(page: import("./feed.js").Page, isLast: boolean) => Promise<void>} */
  async #take(page, isLast) {
    const { contract } = this;
    const audit = structuredClone(contract.audit);
    const auditor = new Auditor(contract.server_key, audit, this.tree);
    const shown = await auditor.takeHead(page);
    const rows = await this.reader.check(page).catch((error) => auditor.accuse(error, shown));
    auditor.checkRows(rows, shown);
    if (isLast) auditor.requireWhole(shown, this.reader.cursor?.size ?? 0);
    auditor.grow(rows);
    const seals = [];
    for (const signed of page.seals ?? []) seals.push(await sealOf(contract.server_key, contract, signed));
    await learnKeys(contract, contract.keys, rows);
    // From here on nothing is found fault with: all of the page counts.
    for (const kept of seals) this.#seals.set(kept.seal.number, kept);
    contract.unjudged.push(...seals.map(({ seal }) => seal.number));
    contract.audit = audit;
    for (const claim of auditor.claims(rows, contract.seat.replica))
      contract.alarms.push({ ...claim, at_ms: shown.head.at_ms, taken: true });
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

  /** @type {(atMs: number) => Promise<void>} */
  async #judgeSeals(atMs) {
    const { contract, tree, reader } = this;
    const numbers = contract.unjudged.filter((number) => !this.#seals.has(number));
    for (const kept of await this.store.seals(contract.id, numbers)) this.#seals.set(kept.seal.number, kept);
    const rowsOf = (/** @type {number} */ first) => this.#rowsOf(first);
    await judgeSeals(contract, this.#seals, { tree, reader, rowsOf }, atMs);
  }

  /** @type {(answer: PullAnswer) => void} */
  #learnOverlaps({ overlapping, overlapping_from: from, server_ms: atMs }) {
    if (!overlapping || typeof from !== "number") return;
    if (from === 0) this.contract.overlaps_known = true;
    const before = [...this.contract.overlapping].filter((slot) => slot < from);
    this.contract.overlapping = new Set([...before, ...(overlapping[this.contract.id] ?? [])]);
    // What was open when this was told may change before its lock: it is asked for again, however much later.
    const week = weekAt(atMs);
    const earlier = weekOf(week.firstSlot - 1);
    this.contract.overlaps_from = (isFrozen(earlier, atMs) ? week : earlier).firstSlot;
  }

  /** Write what was read, and how far, at once. */
  async keep() {
    const weeks = new Map([...this.#changed].map((first) => [first, this.#weeks.get(first) ?? []]));
    const seals = [...this.#seals.values()];
    const { tree } = this;
    await this.store.keep(this.contract, {
      weeks,
      gone: this.#gone,
      messages: this.#messages,
      seals,
      tree,
      known: this.#keptSize,
    });
    this.#keptSize = tree.size;
    this.#changed.clear();
    this.#gone = [];
    this.#messages = [];
  }
}

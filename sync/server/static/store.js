// What lies in the browser's own database: sealed rows as they came, by week, and what may open them (R46, R49).
//
// Keys lie there as CryptoKeys that nobody can take out again (but see box.js). Rows and pictures stay sealed. One record holds
// a contract and how far its log was read, one record each of its weeks: so a page of a thousand rows is a few
// writes, and to show a week is one read. What was read and how far is written in one transaction.

import { newAudit } from "./auditor.js";
import { joined } from "./open.js";
import { LogTree } from "./tree.js";

/** @typedef {import("./open.js").Bytes} Bytes */
/** @typedef {import("./feed.js").Row} Row */
/** @typedef {import("./parts.js").SeatKeys} SeatKeys */
/**
 * What the seat wrote and the server has not taken whole: `files` are names of sealed files that follow.
 * @typedef {{ contract: string, n: number, version: import("./open.js").Sealed, files: string[], taken: boolean,
 *   refused: { reason: string, because: string } | null }} Waiting
 */
/** @typedef {import("./sealed.js").KeptSeal} KeptSeal */
/** `evidence` are the server's own statements; what it is about was `taken` all the same; a person has `seen` it. @typedef {{ kind: string, what: string, at_ms: number, evidence?: import("./statement.js").Evidence[], seen?: boolean, taken?: boolean }} Alarm */
/** @typedef {{ replica: string, n: number, sign: CryptoKey, box: import("./box.js").KeptBox, token: string }} OwnSeat */
/**
 * `joining` is what is sent until the server has `admitted` the seat, and what opens the invitation's grants.
 * `slotless` are the rows beside captures and entries; `keys` open wraps, by epoch. `whole`: the log was once read to
 * its head. `distrusted`: what was shown last gave an alarm. `unjudged` are numbers of seals that are still to be
 * recomputed. `moved` is what the gateway told of money, `said` what an agency says of it in its own log;
 * `paying_since_ms` is when the gateway's page was last asked for. `zone` is the freelancer's, null where they told none. `opening` is the server's newest statement that it was restored.
 * `unanswered`: the server shows another log and does not say why.
 * `whereabouts` say of weeks, by their first slot, which pictures the server did not have.
 * @typedef {{ id: string, account: string, server_url: string, server_key: string, seat: OwnSeat,
 *   joining: { message: string, wrap: CryptoKey, auth: string } | null, admitted: boolean, ended: boolean,
 *   reader: ReturnType<import("./feed.js").Reader["state"]> | null, log_epoch: number,
 *   keys: Map<number, import("./open.js").Wrapping>, slotless: Row[], weeks: Map<number, number>,
 *   late_weeks: Set<number>, overlapping: Set<number>, overlaps_known: boolean, overlaps_from?: number, alarms: Alarm[], notices: Alarm[], audit: import("./auditor.js").Audit, unjudged: number[],
 *   whole: boolean, distrusted: boolean, unanswered?: import("./unanswered.js").Unanswered | null, synced_at_ms: number | null, clock_ahead_ms: number,
 *   invoices?: import("./billed.js").Signed[], invoices_at_ms?: number,
 *   billing?: import("./line.js").OwnBilling, billing_asked_at_ms?: number,
 *   moved?: import("./gateway.js").Moved[], said?: import("./gateway.js").Said[], paying_since_ms?: number,
 *   zone?: string | null, opening?: import("./statement.js").Signed,
 *   whereabouts?: Map<number, import("./whereabouts.js").Whereabouts> }} Contract
 */

const NAME = "workdiary";
const VERSION = 3; // 3: leaves and seals; the log is read once more for them
const LEAVES_A_RECORD = 4096;
const LEAF_BYTES = 32;
// What was read of a log, without the sealed pictures: files that wait to be sent are among those.
const READ = ["week", "message", "leaf", "seal"];
const PICTURES_MAX = 600; // sealed, as they came: a week's thumbnails and what was looked at

/** @type {<T>(request: IDBRequest<T>) => Promise<T>} */
const answered = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @type {(transaction: IDBTransaction) => Promise<void>} */
const finished = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error ?? new DOMException("it was cut short", "InvalidStateError"));
  });

/** @type {() => IDBOpenDBRequest} */
function opening() {
  try {
    return indexedDB.open(NAME, VERSION);
  } catch (error) {
    return refuse(/** @type {DOMException} */ (error));
  }
}

/** Return the browser's database, its stores made where there are none. @type {() => Promise<Store>} */
export async function openStore() {
  const request = opening();
  request.onupgradeneeded = ({ oldVersion }) => {
    const made = request.result;
    if (oldVersion < 1) {
      made.createObjectStore("contract", { keyPath: "id" });
      made.createObjectStore("week", { keyPath: ["contract", "first_slot"] });
      const pictures = made.createObjectStore("picture", { keyPath: ["contract", "name"] });
      pictures.createIndex("kept_at", "kept_at");
    }
    if (oldVersion < 2) {
      made.createObjectStore("message", { keyPath: ["contract", "row.index"] });
      made.createObjectStore("outbox", { keyPath: ["contract", "n"] });
    }
    made.createObjectStore("leaf", { keyPath: ["contract", "at"] });
    made
      .createObjectStore("seal", { keyPath: ["contract", "number"] })
      .createIndex("week", ["contract", "week"]);
    if (oldVersion) readAnew(/** @type {IDBTransaction} */ (request.transaction));
  };
  return new Store(await answered(request).catch((error) => refuse(error)));
}

/** Say by its word why the database does not open. @type {(error: DOMException) => never} */
function refuse(error) {
  const kind = { VersionError: "storage_closed", QuotaExceededError: "storage_full" }[error.name] ?? "no_storage";
  throw Object.assign(new Error(error.message), { kind });
}

/** What a contract is before any of its log was read. */
export const UNREAD = () => ({
  reader: null,
  slotless: [],
  weeks: new Map(),
  late_weeks: new Set(),
  overlapping: new Set(),
  overlaps_known: false,
  overlaps_from: 0,
  whereabouts: new Map(),
  audit: newAudit(),
  unjudged: [],
  whole: false,
  distrusted: false,
  synced_at_ms: null,
});

/** Let what an earlier page read be read once more. @type {(upgrade: IDBTransaction) => void} */
function readAnew(upgrade) {
  upgrade.objectStore("week").clear();
  const walking = upgrade.objectStore("contract").openCursor();
  walking.onsuccess = () => {
    const at = walking.result;
    if (!at) return;
    at.update({ ...at.value, ...UNREAD() });
    at.continue();
  };
}

export class Store {
  #base;

  /** @param {IDBDatabase} base */
  constructor(base) {
    this.#base = base;
    base.onversionchange = () => base.close(); // a newer page wants to change the form of it
  }

  /** @type {() => Promise<Contract[]>} */
  contracts() {
    return answered(this.#base.transaction("contract").objectStore("contract").getAll());
  }

  /** @type {(id: string) => Promise<Contract | undefined>} */
  contract(id) {
    return answered(this.#base.transaction("contract").objectStore("contract").get(id));
  }

  /** @type {(contract: string, firstSlot: number) => Promise<Row[]>} */
  async week(contract, firstSlot) {
    const found = await answered(
      this.#base.transaction("week").objectStore("week").get([contract, firstSlot]),
    );
    return found?.rows ?? [];
  }

  /**
   * Write a contract, the weeks that changed and the messages that came, and take away the pictures whose content was destroyed (R25).
   * `leaves` are those that came behind the first `known` ones, `seals` are new or were judged.
   * @type {(contract: Contract, more?: { weeks?: Map<number, Row[]>, gone?: string[], messages?: Row[], seals?: KeptSeal[], tree?: LogTree, known?: number }) => Promise<void>}
   */
  async keep(contract, { weeks = new Map(), gone = [], messages = [], seals = [], tree, known = 0 } = {}) {
    const stores = ["contract", "picture", ...READ];
    const writing = this.#base.transaction(stores, "readwrite", { durability: "strict" });
    for (const row of messages) writing.objectStore("message").put({ contract: contract.id, row });
    for (const { seal, signed, agrees } of seals) {
      const { week, number } = seal;
      writing.objectStore("seal").put({ contract: contract.id, number, week, signed, agrees });
    }
    if (tree) {
      for (let at = Math.floor(known / LEAVES_A_RECORD); at * LEAVES_A_RECORD < tree.size; at += 1) {
        const end = Math.min((at + 1) * LEAVES_A_RECORD, tree.size);
        const bytes = tree.leaves(at * LEAVES_A_RECORD, end);
        writing.objectStore("leaf").put({ contract: contract.id, at, bytes });
      }
    }
    writing.objectStore("contract").put(contract);
    for (const [first, rows] of weeks) {
      writing.objectStore("week").put({ contract: contract.id, first_slot: first, rows });
    }
    for (const name of gone) writing.objectStore("picture").delete([contract.id, name]);
    await finished(writing);
  }

  /** Forget all that was read of a contract, and with `whole` the contract and its keys too. @type {(id: string, whole: boolean) => Promise<void>} */
  async forget(id, whole) {
    const writing = this.#base.transaction(["contract", "picture", "outbox", ...READ], "readwrite");
    const all = IDBKeyRange.bound([id], [id, []]);
    for (const name of READ) writing.objectStore(name).delete(all);
    if (whole) {
      writing.objectStore("picture").delete(all); // sealed files that wait to be sent are among them
      writing.objectStore("outbox").delete(all);
      writing.objectStore("contract").delete(id);
    }
    await finished(writing);
  }

  /** Return where a contract's messages stand in its log, in its order. @type {(contract: string) => Promise<number[]>} */
  async messageIndexes(contract) {
    const all = IDBKeyRange.bound([contract], [contract, []]);
    const keys = await answered(this.#base.transaction("message").objectStore("message").getAllKeys(all));
    return keys.map((key) => /** @type {[string, number]} */ (key)[1]);
  }

  /** Return the messages from one place of the log to another, both included. @type {(contract: string, first: number, last: number) => Promise<Row[]>} */
  async messages(contract, first, last) {
    const range = IDBKeyRange.bound([contract, first], [contract, last]);
    const found = await answered(this.#base.transaction("message").objectStore("message").getAll(range));
    return found.map(({ row }) => row);
  }

  /** Return what the seat wrote and the server has not taken whole. @type {(contract: string) => Promise<Waiting[]>} */
  waiting(contract) {
    const all = IDBKeyRange.bound([contract], [contract, []]);
    return answered(this.#base.transaction("outbox").objectStore("outbox").getAll(all));
  }

  /** @type {(waiting: Waiting) => Promise<void>} */
  async keepWaiting(waiting) {
    const writing = this.#base.transaction("outbox", "readwrite", { durability: "strict" });
    writing.objectStore("outbox").put(waiting);
    await finished(writing);
  }

  /** @type {(contract: string, n: number) => Promise<void>} */
  async dropWaiting(contract, n) {
    const writing = this.#base.transaction("outbox", "readwrite");
    writing.objectStore("outbox").delete([contract, n]);
    await finished(writing);
  }

  /** Return the tree over the first `size` rows of a log. @type {(contract: string, size: number) => Promise<LogTree>} */
  async tree(contract, size) {
    const records = this.#base.transaction("leaf").objectStore("leaf");
    const found = await answered(records.getAll(IDBKeyRange.bound([contract], [contract, []])));
    const tree = LogTree.of(joined(...found.map(({ bytes }) => bytes)).subarray(0, size * LEAF_BYTES));
    if (tree.size !== size) throw new Error("the browser's database lost a part of the log");
    return tree;
  }

  /** @type {(contract: string, numbers: number[]) => Promise<KeptSeal[]>} */
  async seals(contract, numbers) {
    const kept = this.#base.transaction("seal").objectStore("seal");
    const found = await Promise.all(numbers.map((number) => answered(kept.get([contract, number]))));
    return found.filter(Boolean).map(sealAsKept);
  }

  /** Return the newest seal of a week, null for none. @type {(contract: string, week: string) => Promise<KeptSeal | null>} */
  async sealOf(contract, week) {
    const byWeek = this.#base.transaction("seal").objectStore("seal").index("week");
    const found = await answered(byWeek.getAll(IDBKeyRange.only([contract, week])));
    const newest = found.sort((one, other) => other.number - one.number)[0];
    return newest ? sealAsKept(newest) : null;
  }

  /** @type {(contract: string, name: string) => Promise<Bytes | null>} */
  async picture(contract, name) {
    const found = await answered(
      this.#base.transaction("picture").objectStore("picture").get([contract, name]),
    );
    return found?.sealed ?? null;
  }

  /** Keep a picture sealed; the oldest give way. @type {(contract: string, name: string, sealed: Bytes, nowMs: number) => Promise<void>} */
  async keepPicture(contract, name, sealed, nowMs) {
    const writing = this.#base.transaction("picture", "readwrite");
    const pictures = writing.objectStore("picture");
    pictures.put({ contract, name, sealed, kept_at: nowMs });
    const over = (await answered(pictures.count())) - PICTURES_MAX;
    if (over > 0) {
      const oldest = await answered(pictures.index("kept_at").getAllKeys(null, over));
      for (const key of oldest) pictures.delete(key);
    }
    await finished(writing);
  }
}

/** @type {(record: { signed: import("./statement.js").Signed, agrees: boolean | null }) => KeptSeal} */
const sealAsKept = ({ signed, agrees }) => ({ seal: JSON.parse(signed.text), signed, agrees });

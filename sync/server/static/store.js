// What lies in the browser's own database: sealed rows as they came, by week, and what may open them (R46, R49).
//
// Keys lie there as CryptoKeys that nobody can take out again. Rows and pictures stay sealed. One record holds
// a contract and how far its log was read, one record each of its weeks: so a page of a thousand rows is a few
// writes, and to show a week is one read. What was read and how far is written in one transaction.

/** @typedef {import("./open.js").Bytes} Bytes */
/** @typedef {import("./feed.js").Row} Row */
/** @typedef {import("./parts.js").SeatKeys} SeatKeys */
/** @typedef {{ kind: string, what: string, at_ms: number }} Alarm */
/**
 * What the seat wrote and the server has not taken whole: `files` are names of sealed files that follow.
 * @typedef {{ contract: string, n: number, version: import("./open.js").Sealed, files: string[], taken: boolean,
 *   refused: { reason: string, because: string } | null }} Waiting
 */
/** @typedef {{ replica: string, n: number, sign: CryptoKey, box: CryptoKey, token: string }} OwnSeat */
/**
 * `joining` is what is sent until the server has `admitted` the seat, and what opens the invitation's grants.
 * `slotless` are the rows beside captures and entries; `keys` open wraps, by epoch.
 * @typedef {{ id: string, account: string, server_url: string, server_key: string, seat: OwnSeat,
 *   joining: { message: string, wrap: CryptoKey, auth: string } | null, admitted: boolean, ended: boolean,
 *   reader: ReturnType<import("./feed.js").Reader["state"]> | null, log_epoch: number,
 *   keys: Map<number, import("./open.js").Wrapping>, slotless: Row[], weeks: Map<number, number>,
 *   late_weeks: Set<number>, overlapping: Set<number>, overlaps_known: boolean, alarms: Alarm[], notices: Alarm[], synced_at_ms: number | null, clock_ahead_ms: number,
 *   invoices?: import("./billed.js").Signed[], invoices_at_ms?: number,
 *   billing?: import("./line.js").OwnBilling, billing_asked_at_ms?: number }} Contract
 */

const NAME = "workdiary";
const VERSION = 2;
const STORES = ["contract", "week", "picture", "message"];
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
    transaction.onabort = () => reject(transaction.error);
  });

/** Return the browser's database, its stores made where there are none. @type {() => Promise<Store>} */
export async function openStore() {
  const request = indexedDB.open(NAME, VERSION);
  request.onupgradeneeded = ({ oldVersion }) => {
    const made = request.result;
    if (oldVersion < 1) {
      made.createObjectStore("contract", { keyPath: "id" });
      made.createObjectStore("week", { keyPath: ["contract", "first_slot"] });
      const pictures = made.createObjectStore("picture", { keyPath: ["contract", "name"] });
      pictures.createIndex("kept_at", "kept_at");
    }
    made.createObjectStore("message", { keyPath: ["contract", "row.index"] });
    made.createObjectStore("outbox", { keyPath: ["contract", "n"] });
  };
  return new Store(await answered(request));
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
   * Write a contract, the weeks that changed and the messages that came, and take away the pictures whose
   * content was destroyed (R25).
   * @type {(contract: Contract, weeks?: Map<number, Row[]>, gone?: string[], messages?: Row[]) => Promise<void>}
   */
  async keep(contract, weeks = new Map(), gone = [], messages = []) {
    const writing = this.#base.transaction(STORES, "readwrite", { durability: "strict" });
    for (const row of messages) writing.objectStore("message").put({ contract: contract.id, row });
    writing.objectStore("contract").put(contract);
    for (const [first, rows] of weeks) {
      writing.objectStore("week").put({ contract: contract.id, first_slot: first, rows });
    }
    for (const name of gone) writing.objectStore("picture").delete([contract.id, name]);
    await finished(writing);
  }

  /** Forget all that was read of a contract, and with `whole` the contract and its keys too. @type {(id: string, whole: boolean) => Promise<void>} */
  async forget(id, whole) {
    const writing = this.#base.transaction([...STORES, "outbox"], "readwrite");
    const all = IDBKeyRange.bound([id], [id, []]);
    writing.objectStore("week").delete(all);
    writing.objectStore("message").delete(all);
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

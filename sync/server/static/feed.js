// What a reader believes of a contract's log: nothing that it has not checked (R45, R48, R50, R51).
//
// Every row must continue the log without a hole, bear the hashes that its writer's push signed, and be by a
// device that the account's list counts at that number, or by a seat that joined. A fault is an alarm: it
// stays until a person has looked, and nothing of the page that bears it is taken.

import { wrongSide } from "./acts.js";
import { checkLeaf, countsAt, deviceOf, DeviceListFault } from "./devices.js";
import { FeedFault } from "./fault.js";
import { MalformedHeader, nameOf, parseHeader } from "./header.js";
import { JoiningFault, Seats } from "./invitation.js";
import { leafHash, pushHash } from "./merkle.js";
import { hex, sha256, unbase64, utf8, verify } from "./open.js";
import { versionsOf } from "./terms.js";

/** @typedef {import("./open.js").Bytes} Bytes */
/** @typedef {import("./header.js").Header} Header */
/** @typedef {{ log_epoch: number, size: number, seals?: number }} Cursor */
/** @typedef {{ log_epoch: number, index: number, received_at_ms: number, push: string, header: string, body_hash: string, body: string | null, wrap: string | null }} LogRow */
/** @typedef {import("./statement.js").Signed} Signed */
/** @typedef {{ replica: string, hashes: string, signature: string }} SignedPush */
/** @typedef {{ contract: string, rows: LogRow[], pushes: Record<string, SignedPush>, head: Cursor, proof?: string | null, before?: string | null, signed_head?: Signed | null, seals?: Signed[] }} Page */
/**
 * A row that passed; `leaf` is its leaf in the log (R56).
 * @typedef {{ index: number, log_epoch: number, received_at_ms: number, leaf: string, raw: string, header: Header, body: Bytes | null, wrap: Bytes | null }} Row
 */
/** @typedef {{ replica: string, hashes: Set<string> }} CheckedPush */

const HASHES_PER_VERSION_BYTES = 64;
const PUSHES_AT_HAND = 64;
const ROWS_A_BREATH = 32; // about ten milliseconds: what is asked meanwhile waits no longer
export const FIRST_EPOCH = 1;

/** Reads one contract's log for a client who knows the account's id, which is the hash of its root key. */
export class Reader {
  /** @type {import("./header.js").DeviceList | null} */
  devices = null;
  seats = new Seats();
  /** @type {{ header: Header, received_at_ms: number, index: number }[]} */
  termsRows = [];
  /** @type {Cursor | null} */
  cursor = null;
  /** @type {string | null} the leaf of the last row that was read */
  lastLeaf = null;
  /** @type {Map<string, [number, number]>} the newest head, epoch and size, that each writer named (R56) */
  heads = new Map();
  /** @type {Map<string, CheckedPush>} */
  #pushes = new Map();

  /** @param {string} account @param {string} contract */
  constructor(account, contract) {
    this.account = account;
    this.contract = contract;
  }

  /** Return what is to be kept between two visits. */
  state() {
    const { devices, termsRows, cursor, lastLeaf, heads } = this;
    return {
      devices,
      termsRows,
      cursor,
      lastLeaf,
      heads,
      invitations: this.seats.invitations,
      seats: this.seats.seats,
    };
  }

  /** Go on from what was kept. @type {(state: ReturnType<Reader["state"]>) => Reader} */
  resume(state) {
    const seats = Object.assign(new Seats(), { invitations: state.invitations, seats: state.seats });
    const { devices, termsRows, cursor, lastLeaf } = state;
    const { heads = new Map() } = state;
    const kept = { cursor, lastLeaf, seats, heads };
    return Object.assign(this, { devices, termsRows: [...termsRows], ...kept });
  }

  /**
   * Return the page's rows that are new, each of them checked; throws `FeedFault`, and then nothing of the
   * page counts: begin again from what was kept.
   * @type {(page: Page) => Promise<Row[]>}
   */
  async check(page) {
    if (page.contract !== this.contract)
      throw new FeedFault("wrong_place", "it shows another contract's log");
    const start = this.#startOf(page);
    if (this.devices === null) await this.#learnFirstLeaf(page);
    const checked = [];
    let epoch = FIRST_EPOCH;
    let place = page.rows[0]?.index ?? 0;
    for (const row of page.rows) {
      if (row.index !== place || row.log_epoch < epoch || row.log_epoch > page.head.log_epoch) {
        throw new FeedFault("hole", `row ${place} of the log is missing`);
      }
      epoch = row.log_epoch; // a log goes on in a later one behind what a restored server kept (R43)
      place += 1;
      if (row.index >= start) checked.push(await this.#checked(row, page));
      if (row.index % ROWS_A_BREATH === 0) await breath();
    }
    const seals = (this.cursor?.seals ?? 0) + (page.seals?.length ?? 0);
    const size = Math.max(start, page.rows.length ? place : 0);
    this.cursor = { log_epoch: page.head.log_epoch, size, seals };
    return checked;
  }

  /**
   * Return the rows of a first look, each of them checked, in the log's order; that none between them is
   * missing they cannot show. For a reader of its own: what it learns is of these rows alone.
   * @type {(page: Page) => Promise<Row[]>}
   */
  async look(page) {
    if (page.contract !== this.contract)
      throw new FeedFault("wrong_place", "it shows another contract's log");
    await this.#learnFirstLeaf(page);
    const checked = [];
    let last = -1;
    for (const row of page.rows) {
      if (row.index <= last || row.index >= page.head.size || row.log_epoch > page.head.log_epoch) {
        throw new FeedFault("wrong_place", `row ${row.index} stands out of the log's order`);
      }
      last = row.index;
      checked.push(await this.#checked(row, page));
    }
    return checked;
  }

  /** @type {(page: Page) => number} */
  #startOf({ rows, head, before }) {
    const size = this.cursor?.size ?? 0;
    if (this.cursor && head.log_epoch !== this.cursor.log_epoch) {
      throw new FeedFault("log_epoch", "the log was begun anew: the server lost what it had");
    }
    if (head.size < size)
      throw new FeedFault("log_shrank", `the log shrank from ${size} to ${head.size} rows`);
    if (rows.length && rows[0].index > size) throw new FeedFault("hole", `row ${size} of the log is missing`);
    if (rows.length && rows[rows.length - 1].index >= head.size) {
      throw new FeedFault("hole", "the log is longer than its head says");
    }
    const continues = rows.length && rows[0].index === size && size > 0 && this.lastLeaf !== null;
    if (continues && before && before !== this.lastLeaf) {
      throw new FeedFault("log_forked", `row ${size - 1} of the log is another one than before`);
    }
    return size;
  }

  /** @type {(row: LogRow, page: Page) => Promise<Row>} */
  async #checked(row, page) {
    const header = headerOf(row);
    const name = nameOf(header);
    if (header.contract !== this.contract || header.account !== this.account) {
      throw new FeedFault("wrong_place", `version ${name} stands in another contract's log`);
    }
    const body = row.body === null ? null : unbase64(row.body);
    if (body !== null && hex(sha256(body)) !== row.body_hash) {
      throw new FeedFault("bad_signature", `the content of version ${name} was altered`);
    }
    if (header.type === "device_list") await this.#learnDevices(header, body);
    const isSeats = header.type === "joining" || this.seats.seats.has(header.replica);
    if (header.type === "joining") await this.#checkJoining(header, row, body);
    const hash = hex(sha256(utf8(row.header)));
    await this.#checkSigned(header, row, page, hash);
    if (!isSeats) this.#checkDevice(header);
    if (isSeats && header.type !== "joining" && this.seats.inForce(header.replica) === null) {
      throw new FeedFault("unlisted_device", `version ${name} is by a client whose access was ended`);
    }
    const versions = header.type === "terms" ? versionsOf(this.termsRows) : [];
    const wrong = wrongSide(header, this.seats.seats, versions);
    if (wrong !== null && header.type !== "joining")
      throw new FeedFault("wrong_side", `version ${name}: ${wrong}`);
    await this.#follow(header, row, body);
    const wrap = row.wrap === null ? null : unbase64(row.wrap);
    const hashes = /** @type {const} */ ([hash, row.body_hash, row.push]);
    this.lastLeaf = hex(leafHash(header.type, this.contract, row.log_epoch, row.received_at_ms, ...hashes));
    return {
      index: row.index,
      log_epoch: row.log_epoch,
      received_at_ms: row.received_at_ms,
      leaf: this.lastLeaf,
      raw: row.header,
      header,
      body,
      wrap,
    };
  }

  /** @type {(header: Header, row: LogRow, page: Page, hash: string) => Promise<void>} */
  async #checkSigned(header, row, page, hash) {
    const name = nameOf(header);
    const push = this.#pushes.get(row.push) ?? (await this.#checkedPush(row.push, page.pushes, header));
    if (header.replica !== push.replica)
      throw new FeedFault("bad_signature", `version ${name} is in another one's push`);
    if (!push.hashes.has(hash + row.body_hash)) {
      throw new FeedFault("bad_signature", `version ${name} was signed by nobody`);
    }
  }

  /** @type {(name: string, pushes: Record<string, SignedPush>, header: Header) => Promise<CheckedPush>} */
  async #checkedPush(name, pushes, header) {
    const signed = pushes[name];
    const hashes = signed ? unbase64(signed.hashes) : new Uint8Array(0);
    const signature = signed ? unbase64(signed.signature) : hashes;
    if (!signed || hex(pushHash(hashes, signature)) !== name || hashes.length % HASHES_PER_VERSION_BYTES) {
      throw new FeedFault("bad_signature", "a push that should sign a row is not shown");
    }
    const key = this.#keyOf(signed.replica, header);
    if (key === undefined) {
      throw new FeedFault(
        "unlisted_device",
        `a push is signed by ${signed.replica}, which is nobody of this contract`,
      );
    }
    if (!(await verify(key, "workdiary/1/push", hashes, signature))) {
      throw new FeedFault("bad_signature", `a push of ${signed.replica} bears a false signature`);
    }
    const text = hex(hashes);
    const digits = 2 * HASHES_PER_VERSION_BYTES;
    const each = Array.from({ length: text.length / digits }, (_, at) =>
      text.slice(at * digits, (at + 1) * digits),
    );
    const checked = { replica: signed.replica, hashes: new Set(each) };
    if (this.#pushes.size >= PUSHES_AT_HAND) this.#pushes.clear();
    this.#pushes.set(name, checked);
    return checked;
  }

  /** Return the key that a push of this replica is signed by. @type {(replica: string, header: Header) => string | undefined} */
  #keyOf(replica, header) {
    const joins = header.type === "joining" && header.replica === replica ? header.seat?.sign : undefined;
    return deviceOf(this.devices, replica)?.sign ?? this.seats.seats.get(replica)?.keys.sign ?? joins;
  }

  /** @type {(header: Header) => void} */
  #checkDevice(header) {
    const listed = deviceOf(this.devices, header.replica);
    if (!listed || !countsAt(listed, header.n)) {
      throw new FeedFault("unlisted_device", `version ${nameOf(header)} is by no device of the account`);
    }
  }

  /** @type {(header: Header, row: LogRow, body: Bytes | null) => Promise<void>} */
  async #checkJoining(header, row, body) {
    if (deviceOf(this.devices, header.replica))
      throw new FeedFault("bad_joining", "a device joins as a client");
    try {
      await this.seats.check(header, row.header, body ?? new Uint8Array(0), row.received_at_ms);
    } catch (error) {
      if (!(error instanceof JoiningFault)) throw error;
      throw new FeedFault("bad_joining", `somebody joined whom nobody invited: ${error.message}`);
    }
  }

  /** Learn what the row says about who may write. @type {(header: Header, row: LogRow, body: Bytes | null) => Promise<void>} */
  async #follow(header, row, body) {
    await this.seats.learn(header, row.header, body ?? new Uint8Array(0), row.received_at_ms);
    const { index, received_at_ms } = row;
    const head = /** @type {[string, number, number, string] | null} */ (header.head);
    if (head?.[0] === this.contract) this.heads.set(header.replica, [head[1], head[2]]);
    if (header.type === "terms") this.termsRows.push({ header, received_at_ms, index });
  }

  /** @type {(header: Header, body: Bytes | null) => Promise<void>} */
  async #learnDevices(header, body) {
    try {
      const shown = await checkLeaf(header, body ?? new Uint8Array(0), this.devices);
      if (shown.number > (this.devices?.number ?? 0)) this.devices = shown;
    } catch (error) {
      if (!(error instanceof DeviceListFault)) throw error;
      throw new FeedFault("device_list", `a device list is refused: ${error.message}`);
    }
  }

  /** Learn the list of a log that began before anybody wrote it there (R50). @type {(page: Page) => Promise<void>} */
  async #learnFirstLeaf(page) {
    for (const row of page.rows) {
      const header = headerOf(row);
      if (header.type !== "device_list" || header.account !== this.account) continue;
      await this.#learnDevices(header, row.body === null ? null : unbase64(row.body));
      return;
    }
  }
}

/** Let what was asked meanwhile be answered first. @type {() => Promise<void>} */
function breath() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** @type {(row: LogRow) => Header} */
function headerOf(row) {
  try {
    return parseHeader(row.header);
  } catch (error) {
    const because = error instanceof MalformedHeader ? error.message : "unreadable";
    throw new FeedFault("wrong_place", `row ${row.index} bears no header (${because})`);
  }
}

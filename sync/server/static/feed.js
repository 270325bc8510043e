// What a reader believes of a contract's log: nothing that it has not checked (R45, R48, R50, R51).
//
// Every row must continue the log without a hole, bear the hashes that its writer's push signed, and be by a
// device that the account's list counts at that number, or by a seat that joined. A fault is an alarm: it
// stays until a person has looked, and nothing of the page that bears it is taken.

import { wrongSide } from "./acts.js";
import { checkLeaf, countsAt, deviceOf, DeviceListFault } from "./devices.js";
import { MalformedHeader, nameOf, parseHeader } from "./header.js";
import { JoiningFault, Seats } from "./invitation.js";
import { grown, leafHash, pushHash, rootOfPeaks } from "./merkle.js";
import { hex, sha256, unbase64, unhex, utf8, verify } from "./open.js";
import { versionsOf } from "./terms.js";

/** @typedef {import("./open.js").Bytes} Bytes */
/** @typedef {import("./header.js").Header} Header */
/** @typedef {{ log_epoch: number, size: number }} Cursor */
/** @typedef {{ log_epoch: number, index: number, received_at_ms: number, push: string, header: string, body_hash: string, body: string | null, wrap: string | null }} LogRow */
/** @typedef {{ replica: string, hashes: string, signature: string }} SignedPush */
/** @typedef {{ contract: string, rows: LogRow[], pushes: Record<string, SignedPush>, head: Cursor, proof?: string | null, before?: string | null, signed_head?: { text: string, signature: string } | null }} Page */
/**
 * A row that passed.
 * @typedef {{ index: number, log_epoch: number, received_at_ms: number, raw: string, header: Header, body: Bytes | null, wrap: Bytes | null }} Row
 */
/** @typedef {{ replica: string, hashes: Set<string> }} CheckedPush */

const HASHES_PER_VERSION_BYTES = 64;
const PUSHES_AT_HAND = 64;
const ROOTS_AT_HAND = 256; // of the newest sizes: what another party was shown last is among them
export const FIRST_EPOCH = 1;

/** A log is not what honest writers and an honest server could have made; `kind` names the alarm. */
export class FeedFault extends Error {
  /** @param {string} kind @param {string} what */
  constructor(kind, what) {
    super(what);
    this.kind = kind;
  }
}

/** Reads one contract's log for a client who knows the account's id, which is the hash of its root key. */
export class Reader {
  /** @type {import("./header.js").DeviceList | null} */
  devices = null;
  seats = new Seats();
  /** @type {{ header: Header, received_at_ms: number }[]} */
  termsRows = [];
  /** @type {Cursor | null} */
  cursor = null;
  /** @type {string | null} the leaf of the last row that was read */
  lastLeaf = null;
  /** @type {string[] | null} the whole trees of the log so far; null where the rows before were not counted */
  peaks = [];
  /** @type {Map<number, string>} the root at sizes that others may name */
  roots = new Map();
  /** @type {Map<string, [number, number]>} the newest head, epoch and size, that each writer named (R56) */
  heads = new Map();
  /** @type {{ kind: string, what: string }[]} what others' heads give away: alarms that stop nothing */
  differing = [];
  /** @type {string[]} */
  #leaves = [];
  /** @type {Map<string, CheckedPush>} */
  #pushes = new Map();

  /** @param {string} account @param {string} contract */
  constructor(account, contract) {
    this.account = account;
    this.contract = contract;
  }

  /** Return what is to be kept between two visits. */
  state() {
    const { devices, termsRows, cursor, lastLeaf, peaks, roots, heads } = this;
    return {
      devices,
      termsRows,
      cursor,
      lastLeaf,
      peaks,
      roots,
      heads,
      invitations: this.seats.invitations,
      seats: this.seats.seats,
    };
  }

  /** Go on from what was kept. @type {(state: ReturnType<Reader["state"]>) => Reader} */
  resume(state) {
    const seats = Object.assign(new Seats(), { invitations: state.invitations, seats: state.seats });
    const { devices, termsRows, cursor, lastLeaf } = state;
    // A browser that read before heads were counted has no trees of what it read: nothing can be said then.
    const { peaks = null, roots = new Map(), heads = new Map() } = state;
    const kept = { cursor, lastLeaf, seats, peaks, roots, heads };
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
    this.#leaves = [];
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
    }
    this.cursor = { log_epoch: page.head.log_epoch, size: Math.max(start, page.rows.length ? place : 0) };
    this.#grow(checked, start);
    return checked;
  }

  /** Count the new leaves, and compare what their writers say they were shown (R56). @type {(rows: Row[], start: number) => void} */
  #grow(rows, start) {
    const leaves = this.#leaves.splice(0);
    for (const { header } of rows) {
      const head = /** @type {[string, number, number, string] | null} */ (header.head);
      if (head?.[0] === this.contract) this.heads.set(header.replica, [head[1], head[2]]);
    }
    if (this.peaks === null) return;
    const claims = rows.flatMap(({ header, index, log_epoch: epoch }) => {
      const head = /** @type {[string, number, number, string] | null} */ (header.head);
      return head?.[0] === this.contract && head[1] === epoch ? [{ index, size: head[2], root: head[3] }] : [];
    });
    const named = new Set(claims.map(({ size }) => size));
    let peaks = this.peaks.map(unhex);
    for (const [at, leaf] of leaves.entries()) {
      const size = start + at + 1;
      peaks = grown(peaks, size - 1, unhex(leaf));
      if (named.has(size) || at >= leaves.length - ROOTS_AT_HAND / 4) this.roots.set(size, hex(rootOfPeaks(peaks)));
    }
    this.peaks = peaks.map(hex);
    for (const oldest of [...this.roots.keys()].slice(0, Math.max(0, this.roots.size - ROOTS_AT_HAND)))
      this.roots.delete(oldest);
    for (const { index, size, root } of claims) {
      const known = this.roots.get(size);
      if (size > index)
        this.differing.push({ kind: "withheld", what: `a writer was shown ${size} rows of the log before row ${index}` });
      else if (known !== undefined && known !== root)
        this.differing.push({ kind: "heads_differ", what: `a writer was shown another log at row ${size}` });
    }
  }

  /** Return the root of all that was read, null where it cannot be said. @type {() => string | null} */
  root() {
    return this.peaks?.length ? hex(rootOfPeaks(this.peaks.map(unhex))) : null;
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
    await this.#checkSigned(header, row, page);
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
    return {
      index: row.index,
      log_epoch: row.log_epoch,
      received_at_ms: row.received_at_ms,
      raw: row.header,
      header,
      body,
      wrap,
    };
  }

  /** @type {(header: Header, row: LogRow, page: Page) => Promise<void>} */
  async #checkSigned(header, row, page) {
    const name = nameOf(header);
    const push = this.#pushes.get(row.push) ?? (await this.#checkedPush(row.push, page.pushes, header));
    if (header.replica !== push.replica)
      throw new FeedFault("bad_signature", `version ${name} is in another one's push`);
    if (!push.hashes.has(hex(sha256(utf8(row.header))) + row.body_hash)) {
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
    if (header.type === "terms") this.termsRows.push({ header, received_at_ms: row.received_at_ms });
    const hashes = /** @type {const} */ ([hex(sha256(utf8(row.header))), row.body_hash, row.push]);
    this.lastLeaf = hex(leafHash(header.type, this.contract, row.log_epoch, row.received_at_ms, ...hashes));
    this.#leaves.push(this.lastLeaf);
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

/** @type {(row: LogRow) => Header} */
function headerOf(row) {
  try {
    return parseHeader(row.header);
  } catch (error) {
    const because = error instanceof MalformedHeader ? error.message : "unreadable";
    throw new FeedFault("wrong_place", `row ${row.index} bears no header (${because})`);
  }
}

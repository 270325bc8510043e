// What a seat has written and the server has not taken yet: sealed and numbered at once, sent when there is a
// line, and again until it is answered (R19, R40, R68). Files follow their row, in parts that resume (R41).

import * as open from "./open.js";
import { Line, LineFault } from "./line.js";
import { answersIn, authorizationOf, pushOf, writtenWithFiles } from "./seat.js";

/** @typedef {import("./open.js").Bytes} Bytes */
/** @typedef {import("./store.js").Contract} Contract */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").Waiting} Waiting */
/** @typedef {import("./message.js").MessageContent} MessageContent */
/** @typedef {{ name: string, media_type: string, bytes: Bytes }} NewFile */

const PART_BYTES = 512 * 1024;
// What the server may take later under the same name (R40).
const PASSING = ["clock_unsure", "slot_in_future", "clock_ahead", "quota"];

/** Seal a message and its files under the seat's next number, and keep them. @type {(store: Store, contract: Contract, content: MessageContent, files: NewFile[], nowMs: number) => Promise<void>} */
export async function writeMessage(store, contract, content, files, nowMs) {
  contract.seat.n += 1; // kept before it is used: a number is never drawn twice
  await store.keep(contract);
  const { version, sealed } = await writtenWithFiles(contract, contract.seat.n, content, files);
  for (const [name, bytes] of sealed) await store.keepPicture(contract.id, name, bytes, nowMs);
  const names = [...sealed.keys()];
  await store.keepWaiting({ contract: contract.id, n: contract.seat.n, version, files: names, taken: false, refused: null });
}

/**
 * Send what waits, rows before files; what cannot be reached waits on. What the server signs about it is held
 * against what was sent and kept until the rows are read (R56).
 * @type {(store: Store, contract: Contract, auditor: import("./auditor.js").Auditor) => Promise<void>}
 */
export async function flush(store, contract, auditor) {
  const all = (await store.waiting(contract.id)).filter(({ refused }) => refused === null);
  const line = new Line(contract.server_url, authorizationOf(contract));
  const rows = all.filter(({ taken }) => !taken);
  if (rows.length) {
    const push = await pushOf(contract.account, contract.seat, rows.map(({ version }) => version));
    const answer = await line.push(JSON.stringify(push));
    const answers = await answersIn(contract, answer, push);
    auditor.takeReceipts(push, answers, answer.answers);
    await auditor.takeHeads(contract.id, answer.heads ?? []);
    await store.keep(contract);
    for (const [at, row] of rows.entries()) {
      const { is, reason = "refused", because = "" } = answers[at];
      if (is === "receipt") row.taken = true;
      else if (!PASSING.includes(reason)) row.refused = { reason, because };
      if (row.taken && !row.files.length) await store.dropWaiting(contract.id, row.n);
      else await store.keepWaiting(row);
    }
  }
  for (const row of all.filter(({ taken, files }) => taken && files.length)) await sendFiles(store, line, row);
}

/** @type {(store: Store, line: Line, row: Waiting) => Promise<void>} */
async function sendFiles(store, line, row) {
  for (const name of row.files) {
    const sealed = await store.picture(row.contract, name);
    if (sealed !== null && !(await sendWhole(line, name, sealed))) return; // it goes on with the next sync
  }
  await store.dropWaiting(row.contract, row.n);
}

/** Return whether the file is at the server, or will never be. @type {(line: Line, name: string, sealed: Bytes) => Promise<boolean>} */
async function sendWhole(line, name, sealed) {
  try {
    let held = sealed.length <= PART_BYTES ? 0 : await line.heldOf(name);
    while (held < sealed.length) {
      const now = await line.sendPart(name, held, sealed.slice(held, held + PART_BYTES));
      if (now.whole) return true;
      if (now.size <= held) return false; // another tab's upload of it is under way
      held = now.size;
    }
    return true;
  } catch (error) {
    if (!(error instanceof LineFault)) throw error;
    if (["not_found", "wrong_hash"].includes(error.reason)) return true;
    if (["quota", "account_suspended", "upload_offset"].includes(error.reason)) return false;
    throw error;
  }
}

/** Return a waiting row as one of the log that has no place yet. @type {(waiting: Waiting) => { raw: string, body: Bytes, wrap: Bytes }} */
export const rowOf = ({ version: { header, body, wrap } }) => ({
  raw: header,
  body: body ?? new Uint8Array(0),
  wrap: wrap ?? new Uint8Array(0),
});

/** Take a refused message out of what waits, once somebody has seen why. @type {(store: Store, contract: string, n: number) => Promise<void>} */
export async function dismiss(store, contract, n) {
  const found = (await store.waiting(contract)).find((one) => one.n === n);
  if (found?.refused) await store.dropWaiting(contract, n);
}

/** Return a file's bytes opened, null while it is nowhere to be had (R47). @type {(store: Store, contract: Contract, row: { header: import("./header.js").Header, raw: string, body: Bytes | null, wrap: Bytes | null }, index: number, nowMs: number) => Promise<Bytes | null>} */
export async function fileOf(store, contract, row, index, nowMs) {
  const name = row.header.pictures?.[index]?.[0];
  const wrapping = contract.keys.get(row.header.epoch ?? 0);
  if (!name || !wrapping) return null;
  let sealed = await store.picture(contract.id, name);
  if (sealed === null) {
    sealed = await new Line(contract.server_url, authorizationOf(contract)).picture(name);
    if (sealed === null) return null;
    if (open.hex(open.sha256(sealed)) !== name) throw new open.OpenFault("altered_picture");
    await store.keepPicture(contract.id, name, sealed, nowMs);
  }
  const key = await open.rowKey({ header: row.raw, body: row.body, wrap: row.wrap }, wrapping);
  const { account, replica, n } = row.header;
  return open.openPicture(sealed, key, [account, contract.id, "-", replica, n, index].join("/"));
}

// The numbered, signed device list of an account (R50): what may follow what, and who signed it.

import { MalformedHeader, parseHeader } from "./header.js";
import { hex, sha256, textOf, unbase64, unhex, utf8, verify } from "./open.js";
import { fields, isNone, isText, listOf } from "./shapes.js";

/** @typedef {import("./header.js").Header} Header */
/** @typedef {import("./header.js").DeviceList} DeviceList */
/** @typedef {import("./header.js").ListedDevice} ListedDevice */
/** @typedef {import("./open.js").Bytes} Bytes */

const ROOT = "root";
const DEVICES_MAX = 200;
const LEAF = fields({ lists: listOf(fields({ header: isText, signature: isText })) });

/** A device list is refused; `kind` is "refused", "fork" or "bad_signature". */
export class DeviceListFault extends Error {
  /** @param {"refused" | "fork" | "bad_signature"} kind @param {string} because */
  constructor(kind, because) {
    super(because);
    this.kind = kind;
  }
}

/** @type {(because: string) => DeviceListFault} */
const refused = (because) => new DeviceListFault("refused", because);

/** Return the account that a root's public key makes (R50). @type {(root: string) => string} */
export const accountOf = (root) => hex(sha256(unhex(root))).slice(0, 32);

/** @type {(devices: DeviceList | null, replica: string) => ListedDevice | undefined} */
export const deviceOf = (devices, replica) => devices?.devices.find((listed) => listed.replica === replica);

/** Return whether version n of a listed device is before its revocation (R50). @type {(listed: ListedDevice, n: number) => boolean} */
export const countsAt = (listed, n) => isNone(listed.revoked_from) || n < listed.revoked_from;

/**
 * Return the list that a header carries, once it is sure that it may follow `known` (R50).
 * @type {(header: Header, signature: Uint8Array, raw: string, known: DeviceList | null) => Promise<DeviceList>}
 */
export async function check(header, signature, raw, known) {
  const list = wellFormed(header);
  if (known === null && (list.number !== 1 || list.signer !== ROOT))
    throw refused("the first list has number 1, by the root");
  // The signature first: nobody is accused of a fork by a list that nobody signed.
  await checkSignature(list, signature, raw, known ?? list);
  if (known !== null && !isSame(list, known)) checkFollows(list, known);
  return list;
}

/**
 * Return the newest list for somebody who knows only the account: the list that its root signed last, and
 * those that devices signed after it, in order (R50).
 * @type {(lists: { header: string, signature: Bytes }[], account: string) => Promise<DeviceList>}
 */
export async function checkChain(lists, account) {
  /** @type {DeviceList | null} */
  let known = null;
  for (const { header: raw, signature } of lists) {
    const header = parsed(raw);
    if (known !== null) {
      known = await check(header, signature, raw, known);
      continue;
    }
    const first = wellFormed(header);
    if (header.account !== account) throw refused("its root is not this account's");
    if (first.signer !== ROOT) throw new DeviceListFault("bad_signature", "the root did not sign it");
    await checkSignature(first, signature, raw, first);
    known = first;
  }
  if (known === null) throw refused("there is none");
  return known;
}

/**
 * Return the list that a leaf of a contract's log shows, once it is proven and goes with the known one (R50).
 *
 * Its body holds the list that the root signed last and those that follow it. Devices may write leaves at
 * once: one that is older than the known list is no news, and what cannot stand in one history is a fork.
 * @type {(header: Header, body: Bytes, known: DeviceList | null) => Promise<DeviceList>}
 */
export async function checkLeaf(header, body, known) {
  const list = header.devices;
  if (header.type !== "device_list" || !list) throw refused("the version carries no device list");
  if (!/^[0-9a-f]{64}$/.test(list.root) || accountOf(list.root) !== header.account) {
    throw refused("its root does not make this account");
  }
  const proven = await checkChain(listsIn(body), header.account);
  if (!isSame(proven, list)) throw refused("what should prove it proves another list");
  if (known !== null && !isSame(known, list)) {
    const [older, newer] = known.number < list.number ? [known, list] : [list, known];
    if (older.number === newer.number || !mayBecome(older, newer)) {
      throw new DeviceListFault("fork", "two lists cannot stand in one history");
    }
  }
  return list;
}

/** @type {(body: Bytes) => { header: string, signature: Bytes }[]} */
function listsIn(body) {
  let found;
  try {
    found = JSON.parse(textOf(body));
    if (!LEAF(found)) throw new TypeError("it is no proof");
    found = found.lists.map((/** @type {{ header: string, signature: string }} */ { header, signature }) => ({
      header,
      signature: unbase64(signature),
    }));
  } catch {
    throw refused("its proof cannot be read");
  }
  if (found.length > DEVICES_MAX) throw refused(`its proof has over ${DEVICES_MAX} lists`);
  return found;
}

/** Return whether a list can have become a later one, whatever stood between them (R50). @type {(older: DeviceList, newer: DeviceList) => boolean} */
function mayBecome(older, newer) {
  const kept = newer.devices.slice(0, older.devices.length);
  return (
    newer.root === older.root &&
    newer.recovery === older.recovery &&
    kept.length === older.devices.length &&
    kept.every((device, at) => onlyRevokes(older.devices[at], device))
  );
}

/** @type {(raw: string) => Header} */
function parsed(raw) {
  try {
    return parseHeader(raw);
  } catch (error) {
    throw refused(error instanceof MalformedHeader ? error.message : "it is no header");
  }
}

/** Return the header's list where its parts agree with each other. @type {(header: Header) => DeviceList} */
function wellFormed(header) {
  const list = header.devices;
  if (header.type !== "device_list" || !list) throw refused("the version carries no device list");
  const keys = [list.root, list.recovery, ...list.devices.flatMap(({ sign, box }) => [sign, box])];
  if (!keys.every((key) => /^[0-9a-f]{64}$/.test(key))) throw refused("a key is not 64 hexadecimal digits");
  const account = accountOf(list.root);
  if (header.account !== account || header.contract !== account)
    throw refused("its root does not make this account");
  const because = faultAmong(list);
  if (because) throw refused(because);
  const writer = deviceOf(list, header.replica);
  if (!writer || !countsAt(writer, header.n)) throw refused("its writer does not count");
  return list;
}

/** @type {(list: DeviceList) => string} */
function faultAmong({ devices }) {
  const replicas = new Set(devices.map(({ replica }) => replica));
  if (devices.length < 1 || devices.length > DEVICES_MAX)
    return `it lists ${devices.length} devices, not 1 to ${DEVICES_MAX}`;
  if (replicas.size < devices.length) return "it lists a device twice";
  const strays = devices.some(({ successor_of: of }) => !isNone(of) && !replicas.has(of));
  return strays ? "a successor follows a device that is not listed" : "";
}

/** @type {(list: DeviceList, known: DeviceList) => void} */
function checkFollows(list, known) {
  if (list.number <= known.number) {
    throw new DeviceListFault(
      "fork",
      list.number < known.number ? "it goes back" : "two lists have that number",
    );
  }
  if (list.number !== known.number + 1) throw new DeviceListFault("fork", "the lists between are missing");
  if (list.root !== known.root || list.recovery !== known.recovery) throw refused("it names another root");
  const kept = list.devices.slice(0, known.devices.length);
  if (kept.length < known.devices.length) throw refused("it drops a device");
  if (!kept.every((device, at) => onlyRevokes(known.devices[at], device)))
    throw refused("it changes a device that was listed");
  if (list.signer !== ROOT) checkSuccessor(list, known, kept);
}

/** @type {(list: DeviceList, known: DeviceList, kept: ListedDevice[]) => void} */
function checkSuccessor(list, known, kept) {
  if (!kept.every((device, at) => isSame(device, known.devices[at])))
    throw refused("only the root revokes a device");
  const added = list.devices.slice(known.devices.length);
  if (added.length !== 1 || added[0].successor_of !== list.signer)
    throw refused("a device adds its own successor and nothing else");
  if (!isNone(added[0].revoked_from)) throw refused("a successor is listed to write, not to be revoked");
}

/** @type {(list: DeviceList, signature: Uint8Array, raw: string, known: DeviceList) => Promise<void>} */
async function checkSignature(list, signature, raw, known) {
  const signer = list.signer === ROOT ? null : deviceOf(known, list.signer);
  if (list.signer !== ROOT && (!signer || !isNone(signer.revoked_from))) {
    throw new DeviceListFault("bad_signature", "its signer is not listed, or revoked");
  }
  const key = signer ? signer.sign : list.root;
  if (!(await verify(key, "workdiary/1/device-list", utf8(raw), signature))) {
    throw new DeviceListFault("bad_signature", "its signature is not its signer's");
  }
}

/** @type {(old: ListedDevice, now: ListedDevice) => boolean} */
function onlyRevokes(old, now) {
  const keeps =
    old.replica === now.replica &&
    old.sign === now.sign &&
    old.box === now.box &&
    (old.successor_of ?? null) === (now.successor_of ?? null);
  if (!keeps) return false;
  if (isNone(old.revoked_from) || isNone(now.revoked_from)) return isNone(old.revoked_from);
  return now.revoked_from <= old.revoked_from;
}

/** Return whether two lists, or devices, say the same; an absent field is null. @type {(one: unknown, other: unknown) => boolean} */
const isSame = (one, other) => canonical(one) === canonical(other);

/** @type {(value: unknown) => string} */
const canonical = (value) =>
  JSON.stringify(value, (_, part) =>
    part && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(
          Object.entries(part)
            .filter(([, held]) => held !== null)
            .sort(([one], [other]) => (one < other ? -1 : 1)),
        )
      : part,
  );

// A client's seat: its keys, how it joins, and what it writes in its contract (R48, R51, R66).

import { newBox } from "./box.js";
import { authOf } from "./invitation.js";
import * as open from "./open.js";
import { FILE_NAME_CHARACTERS_MAX, MEDIA_TYPE_CHARACTERS_MAX } from "./message.js";
import { base64, privateKey, publicOfSeed, sealPicture, sealRow, sign } from "./seal.js";
import { stated } from "./statement.js";
import { UNREAD } from "./store.js";

/** @typedef {import("./open.js").Bytes} Bytes */
/** @typedef {import("./open.js").Sealed} Sealed */
/** @typedef {import("./invitation.js").Link} Link */
/** @typedef {import("./store.js").Contract} Contract */
/** @typedef {import("./store.js").OwnSeat} OwnSeat */

const TAG_BYTES = 16;

/** @type {(bytes: number) => Bytes} */
const random = (bytes) => crypto.getRandomValues(new Uint8Array(bytes));

/**
 * Return a new seat in the link's contract, ready to be kept and then to join (R51).
 *
 * Keys are made here and, where the browser can keep them so, can be taken out by nobody. The joining is made once, so that
 * what is sent twice is the same and is answered alike (R40).
 * @type {(link: Link) => Promise<Contract>}
 */
export async function newContract(link) {
  const seed = random(32);
  const box = await newBox();
  const auth = await authOf(link.secret);
  const token = open.hex(open.derive(seed, "workdiary/1/token"));
  const seat = {
    replica: open.hex(random(16)),
    n: 1,
    sign: await privateKey("Ed25519", seed),
    box: box.kept,
    token,
  };
  const parts = { sign: await publicOfSeed(seed), box: open.hex(box.publicKey), invitation: auth.auth };
  const header = headerText("joining", { id: link.contract, account: link.account }, seat.replica, 1, {
    seat: parts,
  });
  const body = await sign(auth.key, "workdiary/1/joining", open.utf8(header));
  const push = await pushOf(link.account, seat, [{ header, body, wrap: null }]);
  const tokenHash = open.hex(open.sha256(open.utf8(token)));
  return {
    id: link.contract,
    account: link.account,
    server_url: link.server_url,
    server_key: link.server_key,
    seat,
    joining: {
      message: JSON.stringify({ push, token_hash: tokenHash }),
      wrap: await open.invitationKey(link.secret),
      auth: auth.auth,
    },
    admitted: false,
    ended: false,
    log_epoch: 1,
    keys: new Map(),
    alarms: [],
    notices: [],
    clock_ahead_ms: 0,
    ...UNREAD(),
  };
}

/** Return what a seat's requests name it by. @type {(contract: Contract) => string} */
export const authorizationOf = ({ account, seat }) => `${account}.${seat.replica}.${seat.token}`;

/**
 * Return a header's text, its fields in the order in which devices write them.
 * @type {(type: string, contract: { id: string, account: string, audit?: Contract["audit"] }, replica: string, n: number, parts: Record<string, unknown>) => string}
 */
const headerText = (type, contract, replica, n, parts) =>
  JSON.stringify({
    v: 1,
    type,
    account: contract.account,
    contract: contract.id,
    replica,
    n,
    // So the other party learns which log this browser was shown (R56).
    head: headNamed(contract.id, contract.audit?.newest?.head),
    ...parts,
  });

/** @type {(contract: string, head: import("./statement.js").Head | undefined) => [string, number, number, string] | null} */
const headNamed = (contract, head) => (head ? [contract, head.log_epoch, head.size, head.root] : null);

/** @typedef {{ account: string, replica: string, versions: { header: string, body: string | null, wrap: string | null }[], signature: string }} Push */

/** Return a push, signed by the seat (R48). @type {(account: string, seat: OwnSeat, versions: Sealed[]) => Promise<Push>} */
export async function pushOf(account, seat, versions) {
  const hashes = versions.flatMap(({ header, body }) => [
    open.sha256(open.utf8(header)),
    open.sha256(body ?? new Uint8Array(0)),
  ]);
  const signature = await sign(seat.sign, "workdiary/1/push", open.joined(...hashes));
  /** @type {(bytes: Bytes | null) => string | null} */
  const coded = (bytes) => (bytes === null ? null : base64(bytes));
  return {
    account,
    replica: seat.replica,
    versions: versions.map(({ header, body, wrap }) => ({ header, body: coded(body), wrap: coded(wrap) })),
    signature: base64(signature),
  };
}

/**
 * Return a version that the seat writes under its number `n`; a content is sealed under the newest epoch (R47).
 * @type {(contract: Contract, n: number, type: string, part: Record<string, unknown>, content: object | null) => Promise<Sealed>}
 */
export async function written(contract, n, type, part, content) {
  const { replica } = contract.seat;
  if (content === null)
    return { header: headerText(type, contract, replica, n, part), body: null, wrap: null };
  const epoch = Math.max(...contract.keys.keys());
  const wrapping = contract.keys.get(epoch);
  if (!wrapping) throw new Error("a contract that is shown has a key");
  const text = open.utf8(JSON.stringify(content));
  /** @type {(commit: string) => string} */
  const header = (commit) => headerText(type, contract, replica, n, { epoch, commit, ...part });
  return sealRow(header, text, wrapping, { key: random(32), nonce: random(12) });
}

/**
 * Return a message under the seat's number `n`, and its sealed files by their names (R41, R47, R68).
 * @type {(contract: Contract, n: number, content: import("./message.js").MessageContent, files: import("./outbox.js").NewFile[]) => Promise<{ version: Sealed, sealed: Map<string, Bytes> }>}
 */
export async function writtenWithFiles(contract, n, content, files) {
  const { replica } = contract.seat;
  const epoch = Math.max(...contract.keys.keys());
  const wrapping = contract.keys.get(epoch);
  if (!wrapping) throw new Error("a contract that is shown has a key");
  const key = random(32);
  /** @type {Map<string, Bytes>} */
  const sealed = new Map();
  /** @type {[string, number][]} */
  const pictures = [];
  const described = [];
  for (const [index, { name, media_type: type, bytes }] of files.entries()) {
    const place = [contract.account, contract.id, "-", replica, n, index].join("/");
    const ciphertext = await sealPicture(bytes, key, place);
    const picture = open.hex(open.sha256(ciphertext));
    sealed.set(picture, ciphertext);
    pictures.push([picture, ciphertext.length - TAG_BYTES]);
    described.push({
      name: [...name].slice(0, FILE_NAME_CHARACTERS_MAX).join(""),
      media_type: [...type].slice(0, MEDIA_TYPE_CHARACTERS_MAX).join(""),
      size: bytes.length,
      picture,
    });
  }
  const part = pictures.length ? { pictures } : {};
  /** @type {(commit: string) => string} */
  const header = (commit) => headerText("message", contract, replica, n, { ...part, epoch, commit });
  const text = open.utf8(JSON.stringify({ ...content, files: described }));
  return { version: await sealRow(header, text, wrapping, { key, nonce: random(12) }), sealed };
}

/**
 * Return what became of each version of a push, sure that the server of this link said so (R37d).
 * @type {(contract: Contract, answer: import("./line.js").PushAnswer, push: Push) => Promise<{ is: string, reason?: string, because?: string }[]>}
 */
export async function answersIn(contract, { answers: signed }, { versions }) {
  const answers = await stated(contract.server_key, "workdiary/1/answer", signed);
  if (!Array.isArray(answers) || answers.length !== versions.length) throw new open.OpenFault("forged_answer");
  return answers;
}

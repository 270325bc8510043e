// What a client's browser writes: its keys, its signatures and its sealed rows (R48, R51, R66).

import * as open from "./open.js";

/** @typedef {import("./open.js").Bytes} Bytes */
/** @typedef {import("./open.js").Sealed} Sealed */
/** @typedef {import("./open.js").Wrapping} Wrapping */

/** @type {(bytes: Uint8Array) => string} */
export function base64(bytes) {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 1) binary += String.fromCharCode(bytes[at]);
  return btoa(binary);
}

/** @type {(key: CryptoKey, domain: string, payload: Uint8Array) => Promise<Bytes>} */
export async function sign(key, domain, payload) {
  return new Uint8Array(await crypto.subtle.sign("Ed25519", key, open.signedMessage(domain, payload)));
}

// RFC 8410, section 7: what stands before the 32 bytes of a private key in PKCS #8.
const PKCS8 = { Ed25519: "302e020100300506032b657004220420", X25519: "302e020100300506032b656e04220420" };

/**
 * Return a private key of its 32 bytes, not to be taken out again.
 * @type {(kind: "Ed25519" | "X25519", bytes: Uint8Array) => Promise<CryptoKey>}
 */
export function privateKey(kind, bytes) {
  const use = /** @type {KeyUsage[]} */ (kind === "Ed25519" ? ["sign"] : ["deriveBits"]);
  return crypto.subtle.importKey("pkcs8", open.joined(open.unhex(PKCS8[kind]), bytes), kind, false, use);
}

/** Return the public key of a signing seed, in hexadecimal. @type {(seed: Uint8Array) => Promise<string>} */
export async function publicOfSeed(seed) {
  const key = await crypto.subtle.importKey(
    "pkcs8",
    open.joined(open.unhex(PKCS8.Ed25519), seed),
    "Ed25519",
    true,
    ["sign"],
  );
  const { x } = await crypto.subtle.exportKey("jwk", key);
  return open.hex(open.unbase64(x ?? ""));
}

/** @type {(plain: Uint8Array, block: number) => Bytes} */
function pad(plain, block) {
  const padded = new Uint8Array(plain.length + block - (plain.length % block));
  padded.set(plain);
  padded[plain.length] = 0x80;
  return padded;
}

/**
 * Return a picture's or file's ciphertext, sealed under its version's key for its place (R47).
 * @type {(plain: Uint8Array, key: Uint8Array, place: string) => Promise<Bytes>}
 */
export async function sealPicture(plain, key, place) {
  const index = place.slice(place.lastIndexOf("/") + 1);
  const sealing = await open.aesKey(open.derive(key, `workdiary/1/picture/${index}`), "AES-GCM", ["encrypt"]);
  const bound = { name: "AES-GCM", iv: open.ONCE, additionalData: open.utf8(place) };
  return new Uint8Array(await crypto.subtle.encrypt(bound, sealing, pad(plain, open.PICTURE_BLOCK_BYTES)));
}

/**
 * Return a version sealed under a key of its own, wrapped under an epoch (R47): what a client writes.
 * `header` gives the header's text once its commitment is known.
 * @type {(header: (commit: string) => string, content: Uint8Array, wrapping: Wrapping, random: { key: Bytes, nonce: Bytes }) => Promise<Sealed>}
 */
export async function sealRow(header, content, wrapping, random) {
  const root = open.extract(random.key);
  const text = header(open.commitmentOf(root));
  const bound = open.sha256(open.utf8(text));
  const enc = await open.aesKey(open.encryptionOf(root), "AES-GCM", ["encrypt"]);
  const padded = pad(content, open.CONTENT_BLOCK_BYTES);
  const body = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: open.ONCE, additionalData: bound },
    enc,
    padded,
  );
  const wrapped = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: random.nonce, additionalData: bound },
    wrapping.gcm,
    random.key,
  );
  return {
    header: text,
    body: new Uint8Array(body),
    wrap: open.joined(random.nonce, new Uint8Array(wrapped)),
  };
}

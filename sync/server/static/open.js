// What opens a diary in the browser: hashes, signatures, keys, rows and pictures (R47, R48, R51, R64).
// This file imports nothing and reaches for nothing but the browser's own cryptography, so that who wants
// to know what happens to keys has one file to read. Nothing is returned that was not authentic in all its
// parts; a fault is named by the word that tests/vectors use for it.

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{ header: string, body: Bytes | null, wrap: Bytes | null }} Sealed A version as it travels. */
/** @typedef {{ gcm: CryptoKey, ctr: CryptoKey }} Wrapping What opens the wraps of one epoch. */

export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const WRAP_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES;
const GRANT_BYTES = 32 + KEY_BYTES + TAG_BYTES;
export const CONTENT_BLOCK_BYTES = 256;
export const PICTURE_BLOCK_BYTES = 4096;
export const ONCE = new Uint8Array(NONCE_BYTES); // each key that it is used with encrypts one text only
const NO_BYTES = new Uint8Array(0);

/** Something does not open; `kind` says what is wrong with it, in the words of tests/vectors. */
export class OpenFault extends Error {
  /** @param {string} kind */
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

// Bytes and texts ------------------------------------------------------------------------------------

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @type {(text: string) => Bytes} */
export const utf8 = (text) => encoder.encode(text);

/** Return the text of UTF-8 bytes; throws where they are none. @type {(bytes: Bytes) => string} */
export const textOf = (bytes) => decoder.decode(bytes);

/** @type {(bytes: Uint8Array) => string} */
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Return the bytes of lower-case hexadecimal digits. @type {(text: string) => Bytes} */
export function unhex(text) {
  if (text.length % 2 || !/^[0-9a-f]*$/.test(text)) throw new OpenFault("not_hexadecimal");
  return Uint8Array.from({ length: text.length / 2 }, (_, at) =>
    parseInt(text.slice(2 * at, 2 * at + 2), 16),
  );
}

/** Return the bytes of base64, its url form too. @type {(text: string) => Bytes} */
export function unbase64(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** @type {(...parts: Uint8Array[]) => Bytes} */
export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @type {(one: Uint8Array, other: Uint8Array) => boolean} */
export function same(one, other) {
  let difference = one.length ^ other.length;
  for (let at = 0; at < one.length; at += 1) difference |= one[at] ^ other[at];
  return difference === 0;
}

// SHA-256 (FIPS 180-4), at once and not by promise: two hashes a row for 24,000 rows would spend a second
// on waiting for a browser's answers. The constants are made as the standard defines them.

/** @type {(power: (prime: number) => number, count: number) => Int32Array} */
function fractionsOfRoots(power, count) {
  /** @type {number[]} */
  const primes = [];
  for (let number = 2; primes.length < count; number += 1) {
    if (primes.every((prime) => number % prime)) primes.push(number);
  }
  return Int32Array.from(primes, (prime) => ((power(prime) % 1) * 2 ** 32) | 0);
}

const START = fractionsOfRoots(Math.sqrt, 8);
const ROUNDS = fractionsOfRoots(Math.cbrt, 64);
const schedule = new Int32Array(64);

/** @type {(state: Int32Array, bytes: Uint8Array, at: number) => void} */
function compress(state, bytes, at) {
  const w = schedule;
  for (let t = 0; t < 16; t += 1, at += 4) {
    w[t] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  for (let t = 16; t < 64; t += 1) {
    const x = w[t - 15];
    const y = w[t - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[t] = (w[t - 16] + s0 + w[t - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 64; t += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUNDS[t] + w[t]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  const ends = [a, b, c, d, e, f, g, h];
  for (let place = 0; place < 8; place += 1) state[place] = (state[place] + ends[place]) | 0;
}

/** Return SHA-256 of the bytes. @type {(bytes: Uint8Array) => Bytes} */
export function sha256(bytes) {
  const state = Int32Array.from(START);
  const whole = bytes.length - (bytes.length % 64);
  for (let at = 0; at < whole; at += 64) compress(state, bytes, at);
  const rest = bytes.length - whole;
  const tail = new Uint8Array(rest < 56 ? 64 : 128);
  tail.set(bytes.subarray(whole));
  tail[rest] = 0x80;
  const view = new DataView(tail.buffer);
  view.setUint32(tail.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(tail.length - 4, (bytes.length * 8) >>> 0);
  for (let at = 0; at < tail.length; at += 64) compress(state, tail, at);
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  state.forEach((word, place) => out.setInt32(4 * place, word));
  return digest;
}

/** Return HMAC-SHA256 (RFC 2104). @type {(key: Uint8Array, message: Uint8Array) => Bytes} */
function hmac(key, message) {
  const block = new Uint8Array(64);
  block.set(key.length > 64 ? sha256(key) : key);
  const inner = sha256(
    joined(
      block.map((byte) => byte ^ 0x36),
      message,
    ),
  );
  return sha256(
    joined(
      block.map((byte) => byte ^ 0x5c),
      inner,
    ),
  );
}

/** RFC 5869 with an empty salt, its first step. @type {(key: Uint8Array) => Bytes} */
export const extract = (key) => hmac(NO_BYTES, key);

/** RFC 5869, the first 32 bytes for `info`. @type {(extracted: Uint8Array, info: Uint8Array) => Bytes} */
const expand = (extracted, info) => hmac(extracted, joined(info, Uint8Array.of(1)));

/** Return the 32-byte key that `info` names under `key`. @type {(key: Uint8Array, info: string) => Bytes} */
export const derive = (key, info) => expand(extract(key), utf8(info));

// Signatures (R48) -----------------------------------------------------------------------------------

/** Return what is signed: domain, a zero byte, payload. @type {(domain: string, payload: Uint8Array) => Bytes} */
export const signedMessage = (domain, payload) => joined(utf8(domain), Uint8Array.of(0), payload);

/** @type {Map<string, Promise<CryptoKey>>} */
const publicKeys = new Map();

/**
 * Return whether the holder of the public key (hexadecimal) signed the payload in this domain (R48).
 * @type {(key: string, domain: string, payload: Uint8Array, signature: Uint8Array) => Promise<boolean>}
 */
export async function verify(key, domain, payload, signature) {
  if (!/^[0-9a-f]{64}$/.test(key) || signature.length !== 64) return false;
  const known =
    publicKeys.get(key) ?? crypto.subtle.importKey("raw", unhex(key), "Ed25519", false, ["verify"]);
  publicKeys.set(key, known);
  try {
    return await crypto.subtle.verify(
      "Ed25519",
      await known,
      joined(signature),
      signedMessage(domain, payload),
    );
  } catch {
    return false; // a key that is no point of the curve verifies nothing
  }
}

/** Return the public X25519 key of a private one (RFC 7748). @type {(key: CryptoKey) => Promise<Bytes>} */
export async function boxPublicOf(key) {
  const base = new Uint8Array(32);
  base[0] = 9;
  return agreed(key, base);
}

/** @type {(key: CryptoKey, other: Bytes) => Promise<Bytes>} */
async function agreed(key, other) {
  const theirs = await crypto.subtle.importKey("raw", other, "X25519", false, []);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: theirs }, key, 256));
}

// Rows and pictures (R47) ----------------------------------------------------------------------------

/** @type {(padded: Bytes, block: number) => Bytes | null} */
function unpad(padded, block) {
  let end = padded.length;
  while (end && padded[end - 1] === 0) end -= 1;
  if (padded.length % block || padded.length - end >= block || padded[end - 1] !== 0x80) return null;
  return padded.slice(0, end - 1);
}

/** Return AES-256-GCM's plain text; throws. @type {(key: CryptoKey, nonce: Bytes, sealed: Bytes, bound: Bytes) => Promise<Bytes>} */
async function decrypted(key, nonce, sealed, bound) {
  return new Uint8Array(
    await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce, additionalData: bound }, key, sealed),
  );
}

/** @type {(bytes: Bytes, name: string, use: KeyUsage[]) => Promise<CryptoKey>} */
export const aesKey = (bytes, name, use) => crypto.subtle.importKey("raw", bytes, name, false, use);

/** Return what an epoch's key opens wraps by; the key itself is not kept. @type {(epochKey: Uint8Array) => Promise<Wrapping>} */
export async function wrappingOf(epochKey) {
  const bytes = derive(epochKey, "workdiary/1/wrap");
  return {
    gcm: await aesKey(bytes, "AES-GCM", ["encrypt", "decrypt"]),
    ctr: await aesKey(bytes, "AES-CTR", ["decrypt"]),
  };
}

/** Return what AES-GCM would decipher, its tag not asked. @type {(key: CryptoKey, nonce: Bytes, text: Bytes) => Promise<Bytes>} */
async function deciphered(key, nonce, text) {
  const counter = joined(nonce, Uint8Array.of(0, 0, 0, 2));
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-CTR", counter, length: 32 }, key, text));
}

/** @type {(root: Bytes) => string} */
export const commitmentOf = (root) => hex(expand(root, utf8("workdiary/1/row/commit")));

/** @type {(root: Bytes) => Bytes} */
export const encryptionOf = (root) => expand(root, utf8("workdiary/1/row/enc"));

/** @type {(header: string) => string} */
function commitIn(header) {
  try {
    return JSON.parse(header).commit ?? "";
  } catch {
    throw new OpenFault("unreadable_header");
  }
}

/**
 * Return the key of one version, after comparing the commitment (R47).
 * @type {(sealed: Sealed, wrapping: Wrapping) => Promise<Bytes>}
 */
export async function rowKey(sealed, wrapping) {
  const commit = commitIn(sealed.header);
  if (sealed.wrap === null) throw new OpenFault("destroyed");
  if (sealed.wrap.length !== WRAP_BYTES) throw new OpenFault("altered_wrap");
  const bound = sha256(utf8(sealed.header));
  const nonce = sealed.wrap.slice(0, NONCE_BYTES);
  let key;
  try {
    key = await decrypted(wrapping.gcm, nonce, sealed.wrap.slice(NONCE_BYTES), bound);
  } catch {
    throw await faultOfWrap(sealed, wrapping, bound, commit);
  }
  if (commitmentOf(extract(key)) !== commit) throw new OpenFault("wrong_commitment");
  return key;
}

/**
 * Return which part keeps a wrap from opening: the key is deciphered without its tag, for the word alone.
 * @type {(sealed: Sealed, wrapping: Wrapping, bound: Bytes, commit: string) => Promise<OpenFault>}
 */
async function faultOfWrap(sealed, wrapping, bound, commit) {
  const wrap = /** @type {Bytes} */ (sealed.wrap);
  const body = sealed.body ?? NO_BYTES;
  const text = wrap.slice(NONCE_BYTES, -TAG_BYTES);
  const root = extract(await deciphered(wrapping.ctr, wrap.slice(0, NONCE_BYTES), text));
  const enc = encryptionOf(root);
  if (commitmentOf(root) === commit) {
    try {
      await decrypted(await aesKey(enc, "AES-GCM", ["decrypt"]), ONCE, body, bound);
      return new OpenFault("altered_wrap");
    } catch {
      return new OpenFault("wrong_place");
    }
  }
  const ciphertext = body.slice(0, Math.max(0, body.length - TAG_BYTES));
  const padded = await deciphered(await aesKey(enc, "AES-CTR", ["decrypt"]), ONCE, ciphertext);
  return new OpenFault(padded.length && unpad(padded, CONTENT_BLOCK_BYTES) ? "wrong_place" : "wrong_key");
}

/** Return the content of a version (R47). @type {(sealed: Sealed, wrapping: Wrapping) => Promise<Bytes>} */
export async function openRow(sealed, wrapping) {
  commitIn(sealed.header);
  if (sealed.body === null) throw new OpenFault("destroyed");
  const enc = encryptionOf(extract(await rowKey(sealed, wrapping)));
  const padded = await decrypted(
    await aesKey(enc, "AES-GCM", ["decrypt"]),
    ONCE,
    sealed.body,
    sha256(utf8(sealed.header)),
  ).catch(() => {
    throw new OpenFault("altered_body");
  });
  const content = unpad(padded, CONTENT_BLOCK_BYTES);
  if (content === null) throw new OpenFault("bad_padding");
  return content;
}

/**
 * Return the picture that was sealed for its place: "account/contract/slot/replica/n/index" (R47).
 * @type {(ciphertext: Bytes, key: Uint8Array, place: string) => Promise<Bytes>}
 */
export async function openPicture(ciphertext, key, place) {
  const index = place.slice(place.lastIndexOf("/") + 1);
  const opening = await aesKey(derive(key, `workdiary/1/picture/${index}`), "AES-GCM", ["decrypt"]);
  const padded = await decrypted(opening, ONCE, ciphertext, utf8(place)).catch(() => {
    throw new OpenFault("altered_picture");
  });
  const picture = unpad(padded, PICTURE_BLOCK_BYTES);
  if (picture === null) throw new OpenFault("bad_padding");
  return picture;
}

// Grants (R51) ---------------------------------------------------------------------------------------

const KEM = joined(utf8("HPKE-v1"), utf8("KEM"), Uint8Array.of(0, 0x20)); // RFC 9180, section 4.1: X25519
const SUITE = joined(utf8("HPKE-v1"), utf8("HPKE"), Uint8Array.of(0, 0x20, 0, 1, 0, 2)); // section 5.1

/** RFC 9180, section 4. @type {(suite: Bytes, prk: Bytes, label: string, info: Uint8Array, length: number) => Bytes} */
function labelledExpand(suite, prk, label, info, length) {
  return expand(prk, joined(Uint8Array.of(0, length), suite, utf8(label), info)).slice(0, length);
}

/** RFC 9180, section 4.1. @type {(shared: Bytes, enc: Bytes, ours: Bytes) => Bytes} */
export function sharedSecret(shared, enc, ours) {
  const prk = hmac(NO_BYTES, joined(KEM, utf8("eae_prk"), shared));
  return labelledExpand(KEM, prk, "shared_secret", joined(enc, ours), 32);
}

/**
 * Return the key that was granted to the holder of `key` by HPKE's base mode (RFC 9180, section 5.1).
 * @type {(sealed: Sealed, key: CryptoKey) => Promise<Bytes>}
 */
export async function openGrant(sealed, key) {
  const body = sealed.body ?? NO_BYTES;
  if (body.length !== GRANT_BYTES) throw new OpenFault("wrong_grant");
  const enc = body.slice(0, 32);
  try {
    const shared = sharedSecret(await agreed(key, enc), enc, await boxPublicOf(key));
    const info = joined(utf8("workdiary/1/grant"), Uint8Array.of(0), sha256(utf8(sealed.header)));
    const noPsk = hmac(NO_BYTES, joined(SUITE, utf8("psk_id_hash")));
    const context = joined(Uint8Array.of(0), noPsk, hmac(NO_BYTES, joined(SUITE, utf8("info_hash"), info)));
    const secret = hmac(shared, joined(SUITE, utf8("secret")));
    const opening = await aesKey(labelledExpand(SUITE, secret, "key", context, 32), "AES-GCM", ["decrypt"]);
    const nonce = labelledExpand(SUITE, secret, "base_nonce", context, NONCE_BYTES);
    return await decrypted(opening, nonce, body.slice(32), NO_BYTES);
  } catch {
    throw new OpenFault("wrong_grant"); // another key's, under another header, or altered
  }
}

/** Return what a link's secret opens grants by; the secret itself is not kept. @type {(secret: Uint8Array) => Promise<CryptoKey>} */
export const invitationKey = (secret) =>
  aesKey(derive(secret, "workdiary/1/invitation/wrap"), "AES-GCM", ["decrypt"]);

/** Return the epoch key that was granted to an invitation (R51). @type {(sealed: Sealed, key: CryptoKey) => Promise<Bytes>} */
export async function openInvitation(sealed, key) {
  const body = sealed.body ?? NO_BYTES;
  if (body.length !== WRAP_BYTES) throw new OpenFault("wrong_invitation");
  const [nonce, bound] = [body.slice(0, NONCE_BYTES), sha256(utf8(sealed.header))];
  return decrypted(key, nonce, body.slice(NONCE_BYTES), bound).catch(() => {
    throw new OpenFault("wrong_invitation");
  });
}

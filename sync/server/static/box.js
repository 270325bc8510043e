// The key pair to which a contract's epochs are granted, in a form that the browser's database gives back (R51).
//
// Safari and other WebKits store an X25519 key and give nothing back in its place. There the private key lies
// wrapped under an AES key, which they keep; everywhere else it lies as itself, to be taken out by nobody.

/** @typedef {import("./open.js").Bytes} Bytes */
/** @typedef {{ under: CryptoKey, nonce: Bytes, wrapped: Bytes }} WrappedBox */
/** @typedef {CryptoKey | WrappedBox} KeptBox */

const AGREES = /** @type {KeyUsage[]} */ (["deriveBits"]);

/** Return a new pair: the private half as it is to be kept, and the public one. @type {() => Promise<{ kept: KeptBox, publicKey: Bytes }>} */
export async function newBox() {
  const pair = await generated(false);
  if (comesBack(pair.privateKey)) return { kept: pair.privateKey, publicKey: await publicOf(pair) };
  const open = await generated(true);
  const aes = { name: "AES-GCM", length: 256 };
  const under = await crypto.subtle.generateKey(aes, false, ["wrapKey", "unwrapKey"]);
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const wrapped = await crypto.subtle.wrapKey("pkcs8", open.privateKey, under, { name: "AES-GCM", iv: nonce });
  return { kept: { under, nonce, wrapped: new Uint8Array(wrapped) }, publicKey: await publicOf(open) };
}

/** Return the private key that was kept. @type {(kept: KeptBox) => Promise<CryptoKey>} */
export async function boxKeyOf(kept) {
  if (kept instanceof CryptoKey) return kept;
  const { under, nonce, wrapped } = kept;
  const how = { name: "AES-GCM", iv: nonce };
  return crypto.subtle.unwrapKey("pkcs8", wrapped, under, how, "X25519", false, AGREES);
}

/** @type {(extractable: boolean) => Promise<CryptoKeyPair>} */
async function generated(extractable) {
  return /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey("X25519", extractable, AGREES));
}

/** @type {(pair: CryptoKeyPair) => Promise<Bytes>} */
const publicOf = async ({ publicKey }) => new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));

/** @type {(key: CryptoKey) => boolean} */
function comesBack(key) {
  try {
    return structuredClone(key) instanceof CryptoKey;
  } catch {
    return false;
  }
}

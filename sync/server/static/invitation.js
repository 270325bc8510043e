// An invitation: its link, what the link's secret makes, and who may join by it (R51, R64).
// tests/vectors/invitation.json binds it to diary/sealing/invitation.py and diary/evidence/seats.py.

import * as open from "./open.js";
import { privateKey, publicOfSeed } from "./seal.js";

/** @typedef {import("./open.js").Bytes} Bytes */
/** @typedef {import("./header.js").Header} Header */
/** @typedef {{ server_url: string, account: string, contract: string, server_key: string, secret: Bytes }} Link */
/** @typedef {{ auth: string, expires_at_ms: number, ends: Set<string>, used_by: string | null, agency: string | null }} Invited */
/** @typedef {{ replica: string, keys: import("./parts.js").SeatKeys, joined_at_ms: number, ended: boolean, agency?: string | null }} Seat The agency whose manager sits there; none on a client's. */

const LINK_CHARACTERS_MAX = 2000;
const WITHDRAWN_MS = 0; // an invitation that expires at this instant opens nothing again

/** A text is no invitation link; `message` says where it differs and never repeats the secret. */
export class BadLink extends Error {}

/** Return the link that a text is; throws `BadLink`. @type {(text: string) => Link} */
export function parseLink(text) {
  const whole = text.trim();
  if (whole.length > LINK_CHARACTERS_MAX) throw new BadLink("it is too long");
  const found = /^(https?:\/\/(?:[^/?#@\s]+)(?:\/[^?#\s]*?)?)\/join#([^\s]*)$/.exec(whole);
  if (!found) throw new BadLink("it does not lead to a server's /join with something behind the #");
  const parts = found[2].split(".");
  if (/^[0-9]+$/.test(parts[0]) && parts[0] !== "1") {
    throw new BadLink(`it has format ${parts[0]}, which this page is too old for`);
  }
  if (parts.length !== 5 || parts[0] !== "1") throw new BadLink("what stands behind the # is not whole");
  const [, account, contract, serverKey, coded] = parts;
  if (
    !/^[0-9a-f]{32}$/.test(account) ||
    !/^[0-9a-f]{32}$/.test(contract) ||
    !/^[0-9a-f]{64}$/.test(serverKey)
  ) {
    throw new BadLink("account, contract or server's key behind the # is none");
  }
  return { server_url: found[1], account, contract, server_key: serverKey, secret: secretOf(coded) };
}

/** Return the 32 bytes of base64url without padding, in its one form. @type {(coded: string) => Bytes} */
function secretOf(coded) {
  const isWhole = /^[A-Za-z0-9_-]{43}$/.test(coded);
  const secret = isWhole ? open.unbase64(coded) : new Uint8Array(0);
  const binary = String.fromCharCode(...secret);
  const again = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  if (!isWhole || again !== coded) throw new BadLink("the secret at its end is not whole");
  return secret;
}

/** Return what signs a joining, and the public key that names the invitation. @type {(secret: Bytes) => Promise<{ key: CryptoKey, auth: string }>} */
export async function authOf(secret) {
  const seed = open.derive(secret, "workdiary/1/invitation/auth");
  return { key: await privateKey("Ed25519", seed), auth: await publicOfSeed(seed) };
}

/** A joining that no invitation of its log allows; `kind` names why. */
export class JoiningFault extends Error {
  /** @param {string} kind @param {string} because */
  constructor(kind, because) {
    super(because);
    this.kind = kind;
  }
}

/** Invitations and seats of one contract, as far as its log was read; `learn` adds a row (R51). */
export class Seats {
  /** @type {Map<string, Invited>} */
  invitations = new Map();
  /** @type {Map<string, Seat>} */
  seats = new Map();

  /** Whether a client ever joined: from then on the terms are theirs (R8). */
  get hasClient() {
    return [...this.seats.values()].some((seat) => !seat.agency);
  }

  /** Return the seat while it may write and read. @type {(replica: string) => Seat | null} */
  inForce(replica) {
    const seat = this.seats.get(replica);
    return seat && !seat.ended ? seat : null;
  }

  /** Follow the next row of the log; throws `JoiningFault`. @type {(header: Header, raw: string, body: Uint8Array, receivedAtMs: number) => Promise<void>} */
  async learn(header, raw, body, receivedAtMs) {
    if (header.grant?.invitation) this.#invite(header.grant.invitation);
    else if (header.type === "joining") await this.#join(header, raw, body, receivedAtMs);
  }

  /** @type {(invitation: import("./parts.js").Invitation) => void} */
  #invite({ auth, expires_at_ms: expires, ends = [], agency }) {
    const known = this.invitations.get(auth);
    // A manager's seat stands no longer than the invitation by which it came.
    if (known?.agency && expires === WITHDRAWN_MS && known.used_by !== null) this.#end(known.used_by);
    this.invitations.set(auth, {
      auth,
      expires_at_ms: Math.min(expires, known?.expires_at_ms ?? Infinity), // the earliest counts: so one is withdrawn
      ends: new Set([...(known?.ends ?? []), ...ends]),
      used_by: known?.used_by ?? null,
      agency: (known ? known.agency : agency) ?? null, // a withdrawal need not repeat whom it was for
    });
  }

  /** @type {(replica: string) => void} */
  #end(replica) {
    const seat = this.seats.get(replica);
    if (seat) this.seats.set(replica, { ...seat, ended: true });
  }

  /** @type {(header: Header, raw: string, body: Uint8Array, receivedAtMs: number) => Promise<void>} */
  async #join(header, raw, body, receivedAtMs) {
    const invitation = await this.check(header, raw, body, receivedAtMs);
    invitation.used_by = header.replica;
    for (const ended of invitation.ends) this.#end(ended);
    const keys = /** @type {import("./parts.js").SeatKeys} */ (header.seat);
    if (!this.seats.has(header.replica)) {
      this.seats.set(header.replica, {
        replica: header.replica,
        keys,
        joined_at_ms: receivedAtMs,
        ended: false,
        agency: invitation.agency ?? null,
      });
    }
  }

  /** Return the invitation by which a seat may join; throws `JoiningFault`. @type {(header: Header, raw: string, body: Uint8Array, receivedAtMs: number) => Promise<Invited>} */
  async check(header, raw, body, receivedAtMs) {
    const keys = header.seat;
    if (header.type !== "joining" || !keys) throw new JoiningFault("bad_header", "it carries no seat");
    const invitation = this.invitations.get(keys.invitation);
    if (!invitation) throw new JoiningFault("invitation_unknown", "no invitation has that secret");
    if (invitation.used_by !== null && invitation.used_by !== header.replica) {
      throw new JoiningFault("invitation_used", "the link was used already");
    }
    if (!(await open.verify(keys.invitation, "workdiary/1/joining", open.utf8(raw), body))) {
      throw new JoiningFault("bad_signature", "it is not signed by the invitation's secret");
    }
    if (receivedAtMs >= invitation.expires_at_ms && invitation.used_by === null) {
      throw new JoiningFault("invitation_expired", "the link has expired or was withdrawn");
    }
    const known = this.seats.get(header.replica)?.keys;
    if (
      known &&
      (known.sign !== keys.sign || known.box !== keys.box || known.invitation !== keys.invitation)
    ) {
      throw new JoiningFault("not_yours", "another seat has that id already");
    }
    return invitation;
  }
}

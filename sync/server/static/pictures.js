// Opened pictures as addresses within this page, kept while they are likely to be looked at again (R64).

import { AskFault } from "./asking.js";
import { sayOf } from "./words.js";

/** @typedef {import("./timesheet.js").Segment} Segment */
/** @typedef {import("./content.js").Snapshot} Snapshot */

const SHOWN_MAX = 400;
const MISSING = "The picture is missing: it was due at the server and is not there.";

export class Pictures {
  /** @type {Map<string, string>} */
  #urls = new Map();
  #ask;

  /** @param {(ask: string, asked: object) => Promise<any>} ask */
  constructor(ask) {
    this.#ask = ask;
  }

  /** Return a picture's address within this page, or a sentence why there is none. @type {(segment: Segment, shot: Snapshot, name: string) => Promise<{ url: string } | string>} */
  async of(segment, shot, name) {
    const known = this.#urls.get(name);
    if (known) return { url: known };
    try {
      const asked = {
        contract: segment.contract,
        slot: segment.slot,
        version: shot.version,
        name,
        index: shot.indexes[name],
      };
      const bytes = await this.#ask("picture", asked);
      if (bytes === null) return segment.missing ? MISSING : "The picture has not reached the server yet.";
      const url = URL.createObjectURL(new Blob([bytes], { type: typeOf(bytes) }));
      this.#urls.set(name, url);
      for (const oldest of [...this.#urls.keys()].slice(
        0,
        Math.max(0, this.#urls.size - SHOWN_MAX),
      )) {
        URL.revokeObjectURL(this.#urls.get(oldest) ?? "");
        this.#urls.delete(oldest);
      }
      return { url };
    } catch (fault) {
      return fault instanceof AskFault
        ? sayOf({ kind: fault.kind, what: fault.message })
        : "It does not open.";
    }
  }
}

/** Return the kind of picture, by its first bytes; a picture is never shown as anything else. @type {(bytes: Uint8Array) => string} */
function typeOf(bytes) {
  const start = String.fromCharCode(...bytes.slice(0, 12));
  if (start.startsWith("RIFF") && start.endsWith("WEBP")) return "image/webp";
  if (start.startsWith("\u0089PNG")) return "image/png";
  return start.slice(4, 8) === "ftyp" ? "image/avif" : "image/jpeg";
}

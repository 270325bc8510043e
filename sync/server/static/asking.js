// The page's side of the worker: questions, answers, and what the worker says meanwhile.

import { HALF } from "./start.js";

/** @typedef {{ kind: string, what: string }} Fault */

/** The worker did not do it; `kind` is a word, the message a sentence. */
export class AskFault extends Error {
  /** @param {Fault} fault */
  constructor({ kind, what }) {
    super(what);
    this.kind = kind;
  }
}

// The one address that may become a script of this page (Trusted Types).
const SCRIPTS = ["worker.js", "service.js"];

/** @type {(name: string) => any} */
export function scriptOf(name) {
  if (!SCRIPTS.includes(name)) throw new Error(`${name} is no script of this page`);
  const url = new URL(name, import.meta.url).href;
  const { trustedTypes } = /** @type {any} */ (globalThis);
  policy ??=
    trustedTypes?.createPolicy("workdiary", { createScriptURL: (/** @type {string} */ text) => text }) ??
    null;
  return policy ? policy.createScriptURL(url) : url;
}
/** @type {any} */
let policy;

export class Asking {
  /** @type {Map<number, { resolve: (answer: any) => void, reject: (fault: AskFault) => void }>} */
  #open = new Map();
  #last = 0;
  #worker;

  /** @param {(progress: { contract: string, read: number, size: number, says?: string }) => void} progress */
  constructor(progress) {
    this.#worker = new Worker(scriptOf("worker.js"), { type: "module" });
    this.#worker.addEventListener("message", ({ data }) => {
      if (data.progress) return progress(data.progress);
      const waiting = this.#open.get(data.id);
      this.#open.delete(data.id);
      if (data.fault) waiting?.reject(new AskFault(data.fault));
      else waiting?.resolve(data.answer);
    });
    this.#worker.addEventListener("error", () => {
      for (const { reject } of this.#open.values())
        reject(new AskFault({ kind: "failed", what: HALF }));
      this.#open.clear();
    });
  }

  /** Return the worker's answer; throws `AskFault`. @type {(ask: string, asked?: object) => Promise<any>} */
  ask(ask, asked = {}) {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ask, with: asked });
    });
  }
}

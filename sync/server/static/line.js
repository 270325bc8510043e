// The line to the server: what a seat asks, and the words of what goes wrong (R44, R45).

/** @typedef {import("./open.js").Bytes} Bytes */
/** @typedef {import("./feed.js").Cursor} Cursor */
/**
 * @typedef {{ server_ms: number, pages: import("./feed.js").Page[], more: boolean, replica_n: number,
 *   clock_sure?: boolean, openings?: { text: string, signature: string }[],
 *   overlapping?: Record<string, number[]> | null, overlapping_from?: number | null,
 *   billing?: Billing | null, arrived?: string[] }} PullAnswer
 */
/** @typedef {{ gateway: string, otherwise: string, methods: { payer: string, state: string, at_ms: number }[], moved?: unknown[], said?: unknown[] }} Billing */
/** @typedef {{ gateway: string, state: string, at_ms: number | null }} OwnBilling */
/** @typedef {{ server_ms: number, page: import("./feed.js").Page, first_slots: number[], overlapping: number[] }} WeeksAnswer */
/** @typedef {import("./statement.js").Signed} Signed */
/** @typedef {{ server_ms: number, answers: Signed, heads?: Signed[] }} PushAnswer */

/** The server did not do it; `reason` is its word, or "unreachable". */
export class LineFault extends Error {
  /** @param {string} reason @param {string} because */
  constructor(reason, because) {
    super(because);
    this.reason = reason;
  }
}

/** Return what is said of the client's own billing method (R11). @type {(told: Billing) => OwnBilling} */
export function billingOf({ gateway, otherwise, methods }) {
  const [own] = methods;
  return { gateway, state: own?.state ?? otherwise, at_ms: own?.at_ms ?? null };
}

const UNREACHABLE = "The server cannot be reached. What was loaded before is shown.";

/** Return what the server says; what cannot be read as that was not said by it. @type {(answer: Response) => Promise<any>} */
async function read(answer) {
  const text = await answer.text().catch(() => {
    throw new LineFault("unreachable", UNREACHABLE); // the line broke in the middle of it
  });
  try {
    return JSON.parse(text);
  } catch {
    throw new LineFault("not_the_server", "What answers is not the server.");
  }
}

export class Line {
  #url;
  #authorization;

  /** @param {string} url where the server answers, without a path @param {string | null} authorization */
  constructor(url, authorization = null) {
    this.#url = url.replace(/\/$/, "");
    this.#authorization = authorization;
  }

  /** @type {(path: string, body?: string) => Promise<Response>} */
  #ask(path, body) {
    if (body === undefined) return this.#send(path, "GET", null, {});
    return this.#send(path, "POST", body, { "Content-Type": "application/json" });
  }

  /** @type {(path: string, method: string, body: string | Bytes | null, headers: Record<string, string>) => Promise<Response>} */
  async #send(path, method, body, headers) {
    if (this.#authorization) headers.Authorization = `Bearer ${this.#authorization}`;
    const asked = { method, body, headers };
    const rest = /** @type {RequestInit} */ ({
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
    let answer;
    try {
      answer = await fetch(`${this.#url}${path}`, { ...asked, ...rest });
    } catch {
      throw new LineFault("unreachable", UNREACHABLE);
    }
    if (answer.ok) return answer;
    const fault = await answer.json().catch(() => ({}));
    throw new LineFault(
      fault.reason ?? "unreachable",
      fault.because ?? `The server answered ${answer.status}.`,
    );
  }

  /** @type {() => Promise<{ key: string, server_ms: number }>} */
  async facts() {
    return read(await this.#ask("/v1/server"));
  }

  /** @type {() => Promise<{ nonce: string }>} */
  async nonce() {
    return read(await this.#ask("/v1/nonce"));
  }

  /** Show a server what it had signed, and return its statements of having been restored (R43). @type {(shown: object) => Promise<{ openings: Signed[] }>} */
  async heal(shown) {
    return read(await this.#ask("/v1/heal", JSON.stringify(shown)));
  }

  /** @type {(message: string) => Promise<PushAnswer>} */
  async join(message) {
    return read(await this.#ask("/v1/join", message));
  }

  /** @type {(message: string) => Promise<PushAnswer>} */
  async push(message) {
    return read(await this.#ask("/v1/push", message));
  }

  /** @type {(asked: { account: string, cursors: Record<string, Cursor>, roots?: Record<string, string>, log_epoch: number, overlapping_from?: number, billing?: boolean, moved_from_ms?: number, awaited?: string[], rows_max?: number }) => Promise<PullAnswer>} */
  async pull(asked) {
    return read(await this.#ask("/v1/pull", JSON.stringify(asked)));
  }

  /** Return how many bytes of a picture or file the server holds. @type {(name: string) => Promise<number>} */
  async heldOf(name) {
    const answer = await this.#send(`/v1/pictures/${name}`, "HEAD", null, {});
    return Number(answer.headers.get("Upload-Offset") ?? 0);
  }

  /** Send a part of a picture or file, from where its upload stopped (R41). @type {(name: string, offset: number, part: Bytes) => Promise<{ size: number, whole: boolean }>} */
  async sendPart(name, offset, part) {
    return read(await this.#send(`/v1/pictures/${name}`, "PUT", part, { "Upload-Offset": String(offset) }));
  }

  /** Begin to pay what the seat's contract owes of an invoice (R63). @type {(account: string, invoice: number, issuer: string | null) => Promise<{ url: string | null }>} */
  async startPayment(account, invoice, issuer) {
    return read(await this.#ask("/v1/payments", JSON.stringify({ account, invoice, issuer })));
  }

  /** Return the gateway's page on which a billing method is left (R11). @type {(account: string) => Promise<{ url: string }>} */
  async billingPage(account) {
    return read(await this.#ask("/v1/billing/page", JSON.stringify({ account })));
  }

  /** @type {(asked: { account: string, after: number, issuer: string | null }) => Promise<{ invoices: { text: string, signature: string }[], last: number, issued: number }>} */
  async invoices(asked) {
    return read(await this.#ask("/v1/invoices", JSON.stringify(asked)));
  }

  /** Return weeks before the log is read, the newest where none is named. @type {(asked: { account: string, contract: string, first_slots: number[] }) => Promise<WeeksAnswer>} */
  async weeks(asked) {
    return read(await this.#ask("/v1/weeks", JSON.stringify(asked)));
  }

  /** Return a picture as it lies at the server, null where it is not there. @type {(name: string) => Promise<Bytes | null>} */
  async picture(name) {
    try {
      const answer = await this.#ask(`/v1/pictures/${name}`);
      const bytes = await answer.arrayBuffer().catch(() => {
        throw new LineFault("unreachable", UNREACHABLE);
      });
      return new Uint8Array(bytes);
    } catch (error) {
      if (error instanceof LineFault && error.reason === "not_found") return null;
      throw error;
    }
  }
}

// The client's page in a thread of its own: it reads, checks, opens and signs, so that the page never waits.
// The page asks by messages {id, ask, with}; each is answered by {id, answer} or {id, fault}; progress comes
// between. Keys never leave this thread's database.

import * as open from "./open.js";
import { invoiceViews, readInvoices } from "./billing.js";
import { authOf, parseLink } from "./invitation.js";
import { dismiss, fileOf, flush, writeMessage } from "./outbox.js";
import { Line, LineFault } from "./line.js";
import { kindOfStorage } from "./fault.js";
import { FirstLook } from "./look.js";
import { faultOf, noteFault, Reading } from "./reading.js";
import { answersIn, authorizationOf, newContract, pushOf, written } from "./seat.js";
import { forgetOpened, summary as summaryOf, weekView } from "./showing.js";
import { sealShown } from "./sealed.js";
import { openStore } from "./store.js";
import { callOf, messageNamed, talk } from "./talking.js";
import { nameOf } from "./header.js";
import { weekOf } from "./week.js";
import { askedFor } from "./whereabouts.js";
import { zoneTold } from "./zone.js";

/** @typedef {import("./store.js").Contract} Contract */

const store = openStore();

/** A wish that cannot be met; `kind` is a word of the page. */
class Refused extends Error {
  /** @param {string} kind @param {string} because */
  constructor(kind, because) {
    super(because);
    this.kind = kind;
  }
}

const nowMs = () => Date.now();

/** Return what a page says of a contract, with how many messages are unread (R68). @type {(contract: Contract) => Promise<Record<string, any>>} */
async function summary(contract) {
  const base = await store;
  const said = await talk(base, contract, 1);
  const last = said.messages.at(-1);
  const waits = (await base.waiting(contract.id)).length;
  const zone = contract.whole ? contract.zone : await zoneTold(contract, (first) => rowsOf(contract, first));
  return { ...(await summaryOf(contract)), unread: said.unread, more_unread: said.more_unread, last_message: last ? `${last.name} ${last.state}` : "", waits, zone };
}

/** @type {(id: string) => Promise<Contract>} */
async function held(id) {
  const contract = await (await store).contract(id);
  if (!contract) throw new Refused("not_found", "This browser has not joined that contract.");
  return contract;
}

/** One at a time, over all tabs: two would draw one number of the seat's. @type {<T>(id: string, act: () => Promise<T>) => Promise<T>} */
const alone = (id, act) => navigator.locks.request(`workdiary/${id}`, act);

/** First looks at contracts whose log was not read to its head yet, in memory only. @type {Map<string, FirstLook>} */
const looks = new Map();

/** @type {(contract: Contract) => Promise<Reading>} */
async function readingOf(contract) {
  /** @type {import("./reading.js").Progress} */
  const progress = (read, size, says) => postMessage({ progress: { contract: contract.id, read, size, says } });
  return new Reading(await store, contract, progress, looks.get(contract.id)?.looked);
}

/** @type {(contract: Contract) => Promise<void>} */
async function read(contract) {
  const before = contract.reader?.cursor?.size ?? 0;
  try {
    await (await readingOf(contract)).run(nowMs);
  } finally {
    if ((contract.reader?.cursor?.size ?? 0) !== before) forgetOpened(contract.id);
  }
}

/**
 * Return a look at a contract whose log was not read yet, null where there is none: it was read, the server is
 * not trusted now, or it gives none (R64).
 * @type {(contract: Contract) => Promise<FirstLook | null>}
 */
async function lookAt(contract) {
  if (contract.whole || contract.distrusted || !contract.admitted) {
    looks.delete(contract.id);
    return null;
  }
  const known = looks.get(contract.id);
  if (known) return known;
  const look = new FirstLook(contract, new Line(contract.server_url, authorizationOf(contract)), nowMs);
  looks.set(contract.id, look);
  try {
    await looking(contract.id, () => look.begin());
  } catch (error) {
    looks.delete(contract.id);
    if (error instanceof LineFault) return null;
    throw error;
  }
  return look;
}

/** Look at something of a contract; a fault is an alarm, kept once whoever reads the log lets go of it. @type {<T>(id: string, act: () => Promise<T>) => Promise<T>} */
async function looking(id, act) {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof LineFault)) {
      looks.delete(id);
      await alone(id, async () => {
        const contract = await held(id);
        if (noteFault(contract, error, nowMs())) await (await store).keep(contract);
      });
    }
    throw error;
  }
}

/** Return a contract as it is to be shown: by its log, or by what was looked at before that was read. @type {(contract: Contract) => Contract} */
const seen = (contract) =>
  contract.whole || contract.distrusted ? contract : (looks.get(contract.id)?.over(contract) ?? contract);

/** @type {(contract: Contract, first: number) => Promise<import("./feed.js").Row[]>} */
async function rowsOf(contract, first) {
  const look = await lookAt(contract);
  return look ? looking(contract.id, () => look.week(first)) : (await store).week(contract.id, first);
}

/** @type {(id: string, slot: number, name: string) => Promise<{ contract: Contract, row: import("./feed.js").Row }>} */
async function rowNamed(id, slot, name) {
  const contract = await held(id);
  const rows = await rowsOf(contract, weekOf(slot).firstSlot);
  const row = rows.find(({ header }) => nameOf(header) === name);
  if (!row) throw new Refused("not_found", "That version is gone.");
  return { contract: seen(contract), row };
}

/** A line that is away, or a browser that is full, is said by what is asked next; our own mistakes are not passed over. @type {(error: unknown) => void} */
function passOver(error) {
  if (faultOf(error) === null && kindOfStorage(error) === null) throw error;
}

/** A restored server is noticed before anything is written in its log: what is written names the log that was read (R43, R56). @type {(contract: Contract) => Promise<void>} */
const readBefore = (contract) => read(contract).catch(passOver);

/** @type {Record<string, (asked: any) => Promise<any>>} */
const asks = {
  /** Return the contracts that this browser has joined or is joining. */
  async contracts() {
    // Nothing waits for messages to be opened: the first sync says what is unread.
    return Promise.all((await (await store).contracts()).map((contract) => summaryOf(seen(contract))));
  },

  /** Join by a link, and look at the contract (R51). The keys are kept before the server is told. */
  async join({ link: text }) {
    const link = parseLink(text);
    const joined = await alone(link.contract, async () => {
      const known = await (await store).contract(link.contract);
      const { auth } = await authOf(link.secret);
      // A joining that was begun goes on as it was made, so that it is answered alike; another link begins anew.
      const goesOn = known && !known.ended && (known.admitted || known.joining?.auth === auth);
      const contract = goesOn ? known : await newContract(link);
      if (contract !== known) {
        await (await store).forget(link.contract, true);
        await (await store).keep(contract);
      }
      looks.delete(contract.id);
      try {
        await (await readingOf(contract)).join(nowMs);
      } catch (error) {
        // What the server will never let in is forgotten. Anything else may have come between its yes and this browser,
        // in which the only key to it lies.
        const { kind = "" } = faultOf(error) ?? {};
        if (!contract.admitted && (kind.startsWith("invitation_") || kind === "another_server"))
          await (await store).forget(contract.id, true);
        throw error;
      }
      return contract;
    });
    if (!(await lookAt(joined))) return asks.sync({ contract: joined.id });
    return summary(seen(joined));
  },

  /** Look at a contract whose log was not read to its head yet: the newest week comes first. */
  async look({ contract: id }) {
    const contract = await held(id);
    await lookAt(contract);
    return summary(seen(contract));
  },

  /** Read what is new. */
  async sync({ contract: id }) {
    return alone(id, async () => {
      const contract = await held(id);
      // What waits goes first, so that what is read holds it; a line that breaks there is said by the reading.
      if (contract.admitted && !contract.ended) {
        if ((await (await store).waiting(id)).some(({ refused }) => refused === null)) await readBefore(contract);
        const reading = await readingOf(contract);
        // A lie about it is an alarm, and the log is read all the same: it says more.
        await reading.guarded(nowMs, async () => flush(await store, contract, reading.auditor())).catch(passOver);
      }
      await read(contract);
      await readInvoices(await store, contract, nowMs);
      const zone = await zoneTold(contract, async (first) => (await store).week(id, first));
      if (zone !== contract.zone) await (await store).keep(Object.assign(contract, { zone }));
      return summary(contract);
    });
  },

  async summary({ contract: id }) {
    return summary(seen(await held(id)));
  },

  /** Return weeks as they are shown; with `whole` their contents are opened. */
  async weeks({ contract: id, first, whole }) {
    const contract = await held(id);
    const base = await store;
    return Promise.all(
      first.map(async (/** @type {number} */ slot) => {
        const rows = await rowsOf(contract, slot);
        const view = await weekView(seen(contract), slot, rows, whole, nowMs() + contract.clock_ahead_ms);
        const seal = contract.whole ? await base.sealOf(id, view.week.name) : null;
        return { ...view, seal: sealShown(seal), unread: !contract.whole && !looks.has(id) };
      }),
    );
  },

  /** Ask the server which due pictures of weeks it has, and return whether that changed what is known (R41). */
  async whereabouts({ contract: id, first }) {
    return alone(id, async () => {
      const contract = await held(id);
      const known = contract.whereabouts ?? new Map();
      let isNews = false;
      for (const slot of first) {
        const before = known.get(slot);
        const atMs = nowMs() + contract.clock_ahead_ms;
        const found = await askedFor(seen(contract), await rowsOf(contract, slot), before, atMs);
        if (found === null) continue;
        known.set(slot, found);
        isNews ||= String(found.absent) !== String(before?.absent ?? []);
        Object.assign(contract, { whereabouts: known });
        await (await store).keep(contract);
      }
      return isNews;
    });
  },

  /** Return the invoices as they are shown, the newest first. */
  async invoices({ contract: id }) {
    return invoiceViews(await store, await held(id), nowMs);
  },

  /** Return a picture opened, null while the server does not have it (R47, R64). */
  async picture({ contract: id, slot, version, name, index }) {
    const { contract, row } = await rowNamed(id, slot, version);
    const base = await store;
    let sealed = await base.picture(id, name);
    if (sealed === null) {
      sealed = await new Line(contract.server_url, authorizationOf(contract)).picture(name);
      if (sealed === null) return null;
      if (open.hex(open.sha256(sealed)) !== name) throw new open.OpenFault("altered_picture");
      // One that finds no room is shown all the same.
      await base.keepPicture(id, name, sealed, nowMs()).catch(passOver);
    }
    const wrapping = contract.keys.get(row.header.epoch ?? 0);
    if (!wrapping) throw new Refused("no_key", "The key of this part was not granted to this browser yet.");
    const key = await open.rowKey({ header: row.raw, body: row.body, wrap: row.wrap }, wrapping);
    const { account, replica, n } = row.header;
    return open.openPicture(sealed, key, [account, id, slot, replica, n, index].join("/"));
  },

  /** Write rows of the seat's: sealed, signed, sent in one push, and read again (R48, R66). */
  async act({ contract: id, acts }) {
    return alone(id, async () => {
      const contract = await held(id);
      await readBefore(contract);
      const first = contract.seat.n + 1;
      contract.seat.n += acts.length; // kept before they are used: a number is never drawn twice
      await (await store).keep(contract);
      const versions = [];
      for (const [at, { type, part, content }] of acts.entries()) {
        versions.push(await written(contract, first + at, type, part, content));
      }
      const push = await pushOf(contract.account, contract.seat, versions);
      const line = new Line(contract.server_url, authorizationOf(contract));
      const answer = await line.push(JSON.stringify(push));
      const reading = await readingOf(contract);
      const answers = await reading.guarded(nowMs, async () => {
        const answers = await answersIn(contract, answer, push);
        reading.auditor().takeReceipts(push, answers, answer.answers);
        await reading.auditor().takeHeads(id, answer.heads ?? []);
        return answers;
      });
      await read(contract);
      const refused = answers.find(({ is }) => is !== "receipt");
      if (refused)
        throw new Refused(refused.reason ?? "refused", refused.because ?? "The server refused it.");
      return summary(contract);
    });
  },

  /** Return the last messages of a contract, opened, and how many are unread (R68). */
  async messages({ contract: id, count }) {
    return talk(await store, await held(id), count);
  },

  /** Return where the parties meet by video, "" for nowhere. */
  async call({ contract: id }) {
    return callOf(await store, await held(id));
  },

  /** Write a message: it is sealed and kept here, and goes with the next sync (R68). */
  async write({ contract: id, kind, text, files }) {
    return alone(id, async () => {
      const contract = await held(id);
      const at = nowMs() + contract.clock_ahead_ms;
      const content = { contract: id, kind, written_at_ms: at, text, read_up_to: null };
      await writeMessage(await store, contract, content, files, nowMs());
    });
  },

  /** Say that the messages up to one were read. */
  async mark({ contract: id, name }) {
    return alone(id, async () => {
      const contract = await held(id);
      const [replica, n] = name.split(":");
      const at = nowMs() + contract.clock_ahead_ms;
      const named = /** @type {[string, number]} */ ([replica, Number(n)]);
      const content = { contract: id, kind: /** @type {const} */ ("read"), written_at_ms: at, text: "", read_up_to: named };
      await writeMessage(await store, contract, content, [], nowMs());
    });
  },

  /** Return a file of a message opened, null while it is nowhere to be had (R47). */
  async file({ contract: id, name, index }) {
    const contract = await held(id);
    const row = await messageNamed(await store, contract, name);
    return row && fileOf(await store, contract, row, index, nowMs());
  },

  /** Put a message away that the server refused. */
  async dismiss({ contract: id, name }) {
    return alone(id, async () => dismiss(await store, id, Number(name.split(":")[1])));
  },

  /** Return where the client goes on to pay an invoice's part (R63). */
  async start_payment({ contract: id, invoice, issuer }) {
    return alone(id, async () => {
      const contract = await held(id);
      const line = new Line(contract.server_url, authorizationOf(contract));
      const page = await line.startPayment(contract.account, invoice, issuer);
      contract.paying_since_ms = nowMs();
      await (await store).keep(contract);
      return page;
    });
  },

  /** Return where the client leaves a billing method; what comes of it is asked for with the next pull (R11). */
  async billing_page({ contract: id }) {
    return alone(id, async () => {
      const contract = await held(id);
      const line = new Line(contract.server_url, authorizationOf(contract));
      const page = await line.billingPage(contract.account);
      contract.billing_asked_at_ms = 0;
      await (await store).keep(contract);
      return page;
    });
  },

  /** Say that a person has looked at an alarm. */
  async seen({ contract: id }) {
    return alone(id, async () => {
      const contract = await held(id);
      for (const alarm of contract.alarms) alarm.seen = true; // it stays, with what shows it (R56)
      contract.notices = [];
      await (await store).keep(contract);
      return summary(contract);
    });
  },

  /** Forget a contract: rows, pictures and the keys that open them. */
  async forget({ contract: id }) {
    await (await store).forget(id, true);
    looks.delete(id);
    forgetOpened(id);
  },
};

addEventListener("message", async ({ data: { id, ask, with: asked } }) => {
  try {
    postMessage({ id, answer: await asks[ask](asked) });
  } catch (error) {
    const fault = faultOf(error) ?? {
      kind: /** @type {any} */ (error).kind ?? kindOfStorage(error) ?? "failed",
      what: error instanceof Error ? error.message : String(error),
    };
    postMessage({ id, fault });
  }
});

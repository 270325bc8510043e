// What a contract shows, put together from what lies sealed in the browser: weeks, sums, terms, what is asked
// and disputed (R24, R27, R36, R64-R66). Only what is shown is opened.

import { acceptedSlots, disputes, redactions, requests } from "./acts.js";
import { reviewMsOf } from "./billed.js";
import { agrees, contentOf, merged } from "./content.js";
import { nameOf } from "./header.js";
import { standing } from "./merge.js";
import * as open from "./open.js";
import { TermsHistory, versionsOf } from "./terms.js";
import { segmentOf, totalsOf } from "./timesheet.js";
import { verdicts } from "./verdict.js";
import { weekOf } from "./week.js";
import { missesPicture } from "./whereabouts.js";

/** @typedef {import("./feed.js").Row} Row */
/** @typedef {import("./store.js").Contract} Contract */
/** @typedef {import("./timesheet.js").Segment} Segment */
/** @typedef {{ slot: number, held: Row[], stands: import("./merge.js").Standing }} Stood */
/** @typedef {{ title: string, client: string, labels: string[] }} TermsContent */
/** @typedef {{ number: number, sealed_at_ms: number, billable: number, amount_minor: number, currency: string, replaces: number | null }} SealShown */
/** @typedef {{ week: import("./week.js").Week, segments: Segment[], totals: import("./timesheet.js").Totals | null, unopened: number, seal?: SealShown | null, unread?: boolean }} WeekView */

const CONTENTS_AT_HAND_MAX = 20_000;
const EMPTY = merged([], []);

/** Opened contents, by contract and version, in memory only (R52 in spirit: nothing opened is written). @type {Map<string, any>} */
const contents = new Map();

/** Return what a row says, null where it does not open. @type {(contract: Contract, row: Row) => Promise<any>} */
export async function opened(contract, row) {
  const key = `${contract.id}/${nameOf(row.header)}`;
  if (contents.has(key)) return contents.get(key);
  const content = await freshlyOpened(contract, row);
  if (contents.size >= CONTENTS_AT_HAND_MAX) contents.clear();
  contents.set(key, content);
  return content;
}

/** @type {(contract: Contract, row: Row) => Promise<any>} */
async function freshlyOpened(contract, row) {
  const wrapping = contract.keys.get(row.header.epoch ?? 0);
  if (!wrapping || row.body === null) return null;
  try {
    const plain = await open.openRow({ header: row.raw, body: row.body, wrap: row.wrap }, wrapping);
    return contentOf(row.header, open.textOf(plain));
  } catch {
    return null; // a defect: what does not open is said of its segment, and never shown (R47)
  }
}

/** Forget what was opened of a contract: its content may have been destroyed (R25). @type {(id: string) => void} */
export function forgetOpened(id) {
  for (const key of contents.keys()) if (key.startsWith(`${id}/`)) contents.delete(key);
}

/** Return the contract's terms, null before there are any. @type {(contract: Contract) => TermsHistory | null} */
export function historyOf(contract) {
  const versions = versionsOf(contract.reader?.termsRows ?? []);
  return versions.length ? new TermsHistory(versions) : null;
}

/** Return what the newest terms that open say under seal. @type {(contract: Contract) => Promise<TermsContent>} */
export async function termsContent(contract) {
  for (const row of contract.slotless.filter(({ header }) => header.terms).reverse()) {
    const content = await opened(contract, row);
    if (content && content.title !== undefined) return content;
  }
  return { title: "", client: "", labels: [] };
}

/** Return what stands in a week, by slot. @type {(rows: Row[]) => Stood[]} */
function stoodIn(rows) {
  const bySlot = Map.groupBy(rows, ({ header }) => /** @type {number} */ (header.slot));
  const stood = [...bySlot].map(([slot, held]) => ({ slot, held, stands: standing(held) }));
  return stood.sort((one, other) => one.slot - other.slot);
}

/**
 * Return a week as it is shown. Without `whole` nothing is opened: its sums are right, its texts are empty.
 * `atMs` is the server's time, by which a picture is missing (R41).
 * @type {(contract: Contract, firstSlot: number, rows: Row[], whole: boolean, atMs?: number) => Promise<WeekView>}
 */
export async function weekView(contract, firstSlot, rows, whole, atMs = 0) {
  const week = weekOf(firstSlot);
  const history = historyOf(contract);
  if (history === null) return { week, segments: [], totals: null, unopened: 0 };
  const stood = stoodIn(rows);
  const { accepted, disputed, redacted } = marksOf(contract);
  const facts = stood.map(({ slot, stands }) => ({ slot, ...stands, accepted: accepted.has(slot) }));
  const judged = verdicts(week, facts, history, contract.overlapping);
  const { title, client } = await termsContent(contract);
  const named = { id: contract.id, title, client };
  const absent = new Set(contract.whereabouts?.get(week.firstSlot)?.absent ?? []);
  /** @type {Segment[]} */
  const segments = [];
  for (const { slot, held, stands } of stood) {
    if (stands.deleted) continue; // to a client deleted time looks like no time (R65)
    const said = whole ? await saidAt(contract, stands, held) : { content: EMPTY, defective: false };
    const verdict = judged.get(slot) ?? { bills: false, why_not: null };
    const hadPicture = held.some(({ header }) => Boolean(header.pictures?.length));
    const marked = {
      accepted: accepted.has(slot),
      disputed: disputed.has(slot),
      redacted: redacted.has(slot),
      missing: missesPicture(slot, said.content.snapshots, absent, atMs),
    };
    const more = { defective: said.defective, hadPicture, leaf_index: leafIndex(held, stands), ...marked };
    const segment = segmentOf(named, slot, week, stands, verdict, said.content, more);
    if (segment) segments.push(segment);
  }
  const unopened = whole ? segments.filter(({ defective }) => defective).length : 0;
  return { week, segments, totals: totalsOf(week, named, segments, history), unopened };
}

/** Return the slots that the parties have said something about (R38, R54, R62). @type {(contract: Contract) => Record<"accepted" | "disputed" | "redacted", Set<number>>} */
function marksOf({ slotless, reader }) {
  const both = [...redactions(slotless, reader?.seats ?? new Map())].filter(
    ([, { freelancer, client }]) => freelancer !== null && client !== null,
  );
  return {
    accepted: acceptedSlots(slotless),
    disputed: new Set(disputes(slotless).flatMap(({ open_slots: slots }) => slots)),
    redacted: new Set(both.map(([slot]) => slot)),
  };
}

/** Return what a slot says, merged; what does not open or agree is a defect. @type {(contract: Contract, stands: import("./merge.js").Standing, held: Row[]) => Promise<{ content: import("./content.js").Merged, defective: boolean }>} */
async function saidAt(contract, stands, held) {
  const byName = new Map(held.map((row) => [nameOf(row.header), row]));
  /** @type {[import("./header.js").Header, any][]} */
  const captures = [];
  /** @type {[import("./header.js").Header, any][]} */
  const entries = [];
  let defective = false;
  for (const { header } of [...stands.captures, ...stands.frontier]) {
    const row = /** @type {Row} */ (byName.get(nameOf(header)));
    if (row.body === null) continue; // a deletion is its header alone, and what fell has lost its content
    const content = await opened(contract, row);
    if (content === null || !agrees(header, content)) defective = true;
    if (content === null) continue;
    (header.type === "capture" ? captures : entries).push([header, content]);
  }
  return { content: merged(captures, entries), defective };
}

/** Return the leaf of the version whose receipt counts. @type {(held: Row[], stands: import("./merge.js").Standing) => number | null} */
function leafIndex(held, stands) {
  const claims = [...stands.captures, ...stands.frontier.filter(({ header }) => header.manual)];
  const names = new Set(claims.map(({ header }) => nameOf(header)));
  const rows = held.filter(({ header }) => names.has(nameOf(header)));
  rows.sort((one, other) => one.received_at_ms - other.received_at_ms || one.index - other.index);
  return rows[0]?.index ?? null;
}

/** Return the reason that the row of this name gives, "" for none. @type {(contract: Contract, name: string | null) => Promise<string>} */
async function reasonOf(contract, name) {
  const row = contract.slotless.find(({ header }) => nameOf(header) === name);
  return row?.body ? ((await opened(contract, row))?.reason ?? "") : "";
}

/** Return what a page says of a contract beside its weeks. @type {(contract: Contract) => Promise<Record<string, any>>} */
export async function summary(contract) {
  const history = historyOf(contract);
  const content = await termsContent(contract);
  const asked = requests(contract.slotless);
  const raised = disputes(contract.slotless);
  const seats = contract.reader?.seats ?? new Map();
  const marked = [...redactions(contract.slotless, seats)];
  const isManagers = Boolean(seats.get(contract.seat.replica)?.agency);
  return {
    id: contract.id,
    account: contract.account,
    ...content,
    terms: history?.newest ?? null,
    versions: (history?.versions ?? []).map(({ terms, received_at_ms, replica }) => ({
      terms,
      received_at_ms,
      by_client: seats.has(replica),
    })),
    weeks: [...contract.weeks.keys()].sort((one, other) => other - one),
    late_weeks: [...contract.late_weeks],
    accepted: [...acceptedSlots(contract.slotless)],
    requests: await Promise.all(
      asked.map(async (one) => ({
        ...one,
        reason: await reasonOf(contract, one.name),
        answer_reason: await reasonOf(contract, one.answer),
      })),
    ),
    disputes: await Promise.all(
      raised.map(async (one) => ({
        ...one,
        reason: await reasonOf(contract, one.name),
        replies: await Promise.all(one.replies.map((name) => reasonOf(contract, name))),
      })),
    ),
    redactions: marked.map(([slot, { freelancer, client }]) => ({
      slot,
      freelancer: freelancer !== null,
      client: client !== null,
    })),
    alarms: contract.alarms,
    unanswered: contract.unanswered ?? null,
    whole: contract.whole,
    notices: contract.notices,
    joining: !contract.admitted,
    ended: contract.ended,
    role: isManagers ? "manager" : "client",
    reads_only: contract.ended || isManagers,
    overlaps_known: contract.overlaps_known,
    has_key: contract.keys.size > 0,
    invoices: contract.invoices?.length ?? 0,
    review_ms: reviewMsOf(contract.invoices ?? []),
    moved: contract.moved?.length ?? 0,
    size: contract.reader?.cursor?.size ?? 0,
    synced_at_ms: contract.synced_at_ms,
    billing: contract.billing ?? null,
    zone: contract.zone ?? null,
    clock_ahead_ms: contract.clock_ahead_ms,
  };
}

// A contract's invoices, fetched as the server signed them and borne out by what was read (R61, R62).

import {
  agenciesOf,
  areInvoicesWanted,
  BilledFault,
  billingOf,
  borne,
  invoiceView,
  ownOf,
  partsOf,
  weeksBilled,
} from "./billed.js";
import { FIRST_EPOCH } from "./feed.js";
import { actOf } from "./gateway.js";
import { nameOf } from "./header.js";
import { Line } from "./line.js";
import { missingBills } from "./missing.js";
import { authorizationOf } from "./seat.js";
import { historyOf, opened, weekView } from "./showing.js";
import { weekNamed, weekOf } from "./week.js";

/** @typedef {import("./store.js").Contract} Contract */
/** @typedef {import("./store.js").Store} Store */

/** Fetch the invoices that are new, each as the server signed it; what it did not sign is an alarm (R61). @type {(store: Store, contract: Contract, nowMs: () => number) => Promise<void>} */
export async function readInvoices(store, contract, nowMs) {
  const serverMs = nowMs() + contract.clock_ahead_ms;
  if (!areInvoicesWanted(contract, serverMs)) return;
  const line = new Line(contract.server_url, authorizationOf(contract));
  const known = contract.invoices ?? [];
  // The freelancer's own, and what an agency that they work under bills of this contract.
  for (const issuer of [null, ...agenciesOf(contract)]) await readBills(store, contract, { line, known, issuer }, nowMs);
  Object.assign(contract, { invoices: known, invoices_at_ms: serverMs });
  await noteMissing(store, contract, nowMs());
  await store.keep(contract);
}

/** Raise an alarm of each thing that was to be billed and is nowhere; what agencies bill is left to them (R56, R61). @type {(store: Store, contract: Contract, atMs: number) => Promise<void>} */
async function noteMissing(store, contract, atMs) {
  if (!contract.whole || !contract.overlaps_known || agenciesOf(contract).length) return;
  const signed = contract.invoices ?? [];
  const shown = signed.map((one) => ({ part: JSON.parse(one.text), signed: one }));
  const seals = [];
  for (const first of contract.weeks.keys()) seals.push(await store.sealOf(contract.id, weekOf(first).name));
  const acts = contract.slotless;
  const own = ownOf(await reckonedIn(store, contract, weeksBilled([], acts)), acts);
  const epoch = Math.max(contract.log_epoch, FIRST_EPOCH);
  for (const { what, evidence } of missingBills(seals.filter((one) => one !== null), shown, own, acts, epoch))
    if (!contract.alarms.some((alarm) => alarm.kind === "invoice_missing" && alarm.what === what))
      contract.alarms.push({ kind: "invoice_missing", what, at_ms: atMs, evidence, taken: true });
}

/** Return what weeks come to here. @type {(store: Store, contract: Contract, names: string[]) => Promise<import("./billed.js").Reckoned[]>} */
async function reckonedIn(store, contract, names) {
  const reckoned = [];
  const history = historyOf(contract);
  for (const name of names) {
    const week = weekNamed(name);
    if (!week || !history) continue;
    const view = await weekView(contract, week.firstSlot, await store.week(contract.id, week.firstSlot), false);
    const [rate_minor, currency] = history.rateOf(week);
    reckoned.push({ week: name, rate_minor, currency, ...billingOf(view.segments) });
  }
  return reckoned;
}

/** Fetch what is new of one issuer's, null for the contract's account. @type {(store: Store, contract: Contract, asked: { line: Line, known: { text: string, signature: string }[], issuer: string | null }, nowMs: () => number) => Promise<void>} */
async function readBills(store, contract, { line, known, issuer }, nowMs) {
  const numbers = known
    .map(({ text }) => JSON.parse(text))
    .filter(({ account }) => account === (issuer ?? contract.account))
    .map(({ number }) => number);
  let after = Math.max(0, ...numbers);
  for (;;) {
    const answer = await line.invoices({ account: contract.account, after, issuer });
    try {
      await partsOf(contract, answer.invoices);
    } catch (error) {
      if (error instanceof BilledFault) {
        contract.alarms.push({ kind: error.kind, what: error.message, at_ms: nowMs() });
        await store.keep(contract);
      }
      throw error;
    }
    known.push(...answer.invoices);
    if (answer.last >= answer.issued || answer.last <= after) return;
    after = answer.last;
  }
}

/** Return the weeks that invoices speak of as they come out here, and each view (R61, R62). @type {(store: Store, contract: Contract, nowMs: () => number) => Promise<import("./invoice.js").InvoiceView[]>} */
export async function invoiceViews(store, contract, nowMs) {
  const parts = await partsOf(contract, contract.invoices ?? []);
  if (!parts.length) return [];
  const acts = [...contract.slotless, ...(contract.said ?? []).map(actOf)];
  const reckoned = await reckonedIn(store, contract, weeksBilled(parts, acts));
  const billing = new Map(reckoned.map(({ week, hours }) => [week, hours]));
  const own = ownOf(reckoned, acts);
  const words = new Map();
  for (const row of contract.slotless.filter(({ header }) => (header.bonus || header.payment) && header.commit))
    words.set(nameOf(row.header), (await opened(contract, row))?.reason ?? "");
  // Until it is known what overlaps, more may seem to bill here than does.
  const unsure = { agrees: null, own_total_minor: null };
  return parts
    .map((part) => {
      const borneOut = contract.whole && contract.overlaps_known ? borne(part, parts, own) : unsure;
      const known = { account: contract.account, billing: billing.get(part.week) ?? new Set(), acts, words, moved: contract.moved ?? [], borne: borneOut };
      return invoiceView(part, known, nowMs() + contract.clock_ahead_ms);
    })
    .reverse();
}

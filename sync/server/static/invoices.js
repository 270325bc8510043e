// Invoices as the client reads them: each with its lines, where it stands, what is due, what was paid; a bonus
// and a payment by hand are said from here (R61-R63, R66).

import { h } from "./element.js";
import { GATEWAY_WORDS } from "./gateway.js";
import { money, minorOf } from "./money.js";
import { hoursOf, nameOfInvoice, PAYMENT_WORDS, STATE_WORDS, stateSays, WHAT_WORDS } from "./invoice.js";
import { weeksInReview } from "./billed.js";
import { payButton } from "./paying.js";
import { momentOf } from "./times.js";

/** @typedef {import("./page.js").Desk} Desk */
/** @typedef {import("./invoice.js").InvoiceView} InvoiceView */
/** @typedef {import("./invoice.js").LineView} LineView */
/** @typedef {import("./invoice.js").PaymentView} PaymentView */
/** @typedef {Record<string, any>} Contract */

/** @type {(minor: number, currency: string) => string} */
const amount = (minor, currency) => `${money(minor, currency)} ${currency}`;

const NUMBERS = ["Total", "Due", "Hours", "Rate", "Amount"];

/** @type {(...names: string[]) => HTMLElement[]} */
const heads = (...names) =>
  names.map((name) => h("th", { scope: "col", class: NUMBERS.includes(name) ? "number" : null }, name));

/** The list, or one by its number. @type {(desk: Desk, contract: Contract, number?: string) => Promise<(Node | null)[]>} */
export async function invoicePages(desk, contract, number) {
  const views = /** @type {InvoiceView[]} */ (await desk.ask("invoices", { contract: contract.id }));
  const one = views.find((view) => nameOfInvoice(view) === number);
  return one ? invoicePage(desk, contract, one) : invoiceList(desk, contract, views);
}

/** The list, the newest first. @type {(desk: Desk, contract: Contract, views: InvoiceView[]) => (Node | null)[]} */
function invoiceList(desk, contract, views) {
  const rows = views.map((view) =>
    h(
      "tr",
      view.agrees === false ? { "data-tone": "grave" } : {},
      h(
        "th",
        { scope: "row" },
        h("a", { href: `#/${contract.id}/invoices/${nameOfInvoice(view)}` }, `Invoice ${view.number}`),
        view.agency ? h("span", { class: "under" }, ` of the agency ${view.agency.slice(0, 8)}`) : null,
        view.corrects ? h("span", { class: "under" }, ` corrects ${view.corrects}`) : null,
      ),
      h("td", {}, h("a", { href: `#/${contract.id}/week/${view.week}` }, view.week)),
      h("td", { class: "number" }, amount(view.total_minor, view.currency)),
      h(
        "td",
        { class: "number" },
        view.due_minor === null ? "not borne out" : amount(view.due_minor, view.currency),
      ),
      h("td", {}, stateSays(view)),
    ),
  );
  const table = h(
    "table",
    { class: "memos" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        heads("Invoice", "Week", "Total", "Due", "Stands"),
      ),
    ),
    h("tbody", {}, rows),
  );
  return [
    h(
      "header",
      { class: "page-top" },
      h("h1", {}, "Invoices"),
      h("p", { class: "under" }, contract.title),
    ),
    views.length
      ? h("div", { class: "card scrolls", tabindex: 0, role: "group", "aria-label": "Invoices" }, table)
      : h(
          "p",
          { class: "card" },
          "No invoice yet. One is made when a week locks, Monday 12:00 UTC, for time that bills.",
        ),
    bonusForm(desk, contract),
  ];
}

/** One invoice. @type {(desk: Desk, contract: Contract, view: InvoiceView) => (Node | null)[]} */
function invoicePage(desk, contract, view) {
  return [
    h(
      "header",
      { class: "page-top" },
      h("h1", {}, `Invoice ${view.number}${view.agency ? ` of the agency ${view.agency.slice(0, 8)}` : ""}${view.corrects ? `, correcting ${view.corrects}` : ""}`),
      h(
        "p",
        { class: "under" },
        `${contract.title} · ${view.week} · closed ${momentOf(view.closed_at_ms, desk.times)}`,
      ),
    ),
    view.agrees === false ? h("p", { class: "notice", "data-tone": "grave", role: "alert" }, differs(view)) : null,
    lines(view),
    life(desk, contract, view),
    payments(desk, contract, view),
    h(
      "p",
      { class: "acts" },
      h("button", { type: "button", class: "quiet", onclick: () => print() }, "Print, or save as PDF"),
    ),
  ];
}

/** @type {(view: InvoiceView) => string} */
function differs(view) {
  const own = view.own_total_minor === null ? "no such invoice" : amount(view.own_total_minor, view.currency);
  const said = amount(view.total_minor, view.currency);
  return `The server signed ${said}; the week that this browser has checked comes to ${own}. Pay nothing by it, and ask the freelancer.`;
}

/** @type {(view: InvoiceView) => HTMLElement} */
function lines(view) {
  const { currency } = view;
  const rows = view.lines.map((line) => {
    const apart = [
      line.disputed_minor ? `${amount(line.disputed_minor, currency)} disputed` : "",
      line.credited_minor ? `${amount(line.credited_minor, currency)} credited` : "",
      line.note,
    ].filter(Boolean);
    const isTime = line.what !== "bonus";
    return h(
      "tr",
      {},
      h(
        "th",
        { scope: "row" },
        WHAT_WORDS[line.what] + (line.week === view.week ? "" : ` of ${line.week}`),
        apart.length ? h("p", { class: "under memo-text" }, apart.join(", ")) : null,
      ),
      h("td", { class: "number" }, isTime ? hoursOf(line.segments) : ""),
      h("td", { class: "number" }, isTime ? money(line.rate_minor, currency) : ""),
      h("td", { class: "number" }, money(line.amount_minor, currency)),
    );
  });
  const sums = [
    ["Total", view.total_minor],
    ["Credited", -view.credited_minor],
    ["Disputed, set apart", -view.disputed_minor],
    ["Paid", -view.paid_minor],
    ["Due", view.due_minor],
  ].filter(([word, minor]) => minor !== null && (minor || word === "Total" || word === "Due"));
  return h(
    "section",
    { class: "card", "aria-labelledby": "lines" },
    h("h2", { id: "lines" }, `Lines, in ${currency}`),
    h(
      "table",
      { class: "memos" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads("What", "Hours", "Rate", "Amount"),
        ),
      ),
      h("tbody", {}, rows),
      h(
        "tfoot",
        {},
        sums.map(([word, minor]) =>
          h(
            "tr",
            {},
            h("th", { scope: "row", colspan: 3 }, word),
            h("td", { class: "number" }, amount(Number(minor), currency)),
          ),
        ),
      ),
    ),
    h(
      "p",
      { class: "under" },
      "These are the lines of this contract. The same invoice may have lines of other contracts that you have with the freelancer.",
    ),
  );
}

/** @type {(desk: Desk, contract: Contract, view: InvoiceView) => HTMLElement} */
function life(desk, contract, view) {
  return h(
    "section",
    { class: "card", "aria-labelledby": "life" },
    h("h2", { id: "life" }, "Where it stands"),
    h("p", {}, `${stateSays(view)}.`),
    h(
      "ol",
      { class: "life" },
      view.steps.map(({ state, from_ms: from }) =>
        h(
          "li",
          { "aria-current": state === view.state ? "step" : null },
          h("strong", {}, STATE_WORDS[state]),
          h("span", { class: "under" }, ` from ${momentOf(from, desk.times)}`),
        ),
      ),
    ),
    view.state === "in_review"
      ? h(
          "p",
          {},
          h("a", { href: `#/${contract.id}/week/${view.week}` }, "Look at the week"),
          ", and dispute what is wrong in it while the review lasts.",
        )
      : null,
  );
}

/** @type {(desk: Desk, contract: Contract, view: InvoiceView) => HTMLElement} */
function payments(desk, contract, view) {
  const byHand = view.payments.map((one) =>
    h(
      "li",
      {},
      h("strong", {}, amount(one.amount_minor, view.currency)),
      `: ${PAYMENT_WORDS[one.state]}${one.at_ms === null ? "" : ` · ${momentOf(one.at_ms, desk.times)}`}`,
      one.reference ? h("p", { class: "memo-text under" }, one.reference) : null,
      one.state === "claimed" && !contract.ended ? takeBack(desk, contract, view, one) : null,
    ),
  );
  const items = [...byHand, ...view.moved.map((one) => movedItem(desk, view, one))];
  return h(
    "section",
    { class: "card", "aria-labelledby": "payments" },
    h("h2", { id: "payments" }, "Payments"),
    items.length ? h("ul", { class: "plain" }, items) : h("p", {}, "None yet."),
    (view.due_minor ?? 0) > 0 ? payButton(desk, contract, view.number, view.agency) : null,
    (view.due_minor ?? 0) > 0 && !contract.ended ? paidForm(desk, contract, view) : null,
  );
}

/** What the gateway told, by the server's word. @type {(desk: Desk, view: InvoiceView, one: import("./invoice.js").MovedView) => HTMLElement} */
const movedItem = (desk, view, { what, minor, at_ms: at }) =>
  h(
    "li",
    { "data-moved": what },
    h("strong", {}, amount(minor, view.currency)),
    `: ${GATEWAY_WORDS[what]} · ${momentOf(at, desk.times)}`,
  );

/** @type {(desk: Desk, contract: Contract, view: InvoiceView, one: PaymentView) => HTMLElement} */
function takeBack(desk, contract, view, one) {
  const row = paymentRow(contract, view, { id: one.id, act: "withdrawn_claim", minor: one.amount_minor }, "");
  return h(
    "button",
    {
      type: "button",
      class: "quiet",
      onclick: () => desk.act(contract.id, [row], "Taken back."),
    },
    "I have not paid it",
  );
}

/** @type {(contract: Contract, view: InvoiceView, said: { id: string, act: string, minor: number }, reference: string) => { type: string, part: object, content: object }} */
const paymentRow = (contract, view, said, reference) => ({
  type: "payment",
  part: {
    payment: {
      ...said,
      invoice: view.number,
      currency: view.currency,
      ...(view.agency ? { issuer: view.agency } : {}),
    },
  },
  content: { contract: contract.id, reason: reference },
});

/** Return 32 hexadecimal digits that nobody else draws. @type {() => string} */
function drawnId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @type {(desk: Desk, contract: Contract, view: InvoiceView) => HTMLElement} */
function paidForm(desk, contract, view) {
  const written = h("input", {
    id: "amount",
    inputmode: "decimal",
    required: true,
    maxlength: 16,
    value: money(view.due_minor ?? 0, view.currency),
  });
  const reference = h("input", { id: "reference", maxlength: 200 });
  const issuer = view.agency ? "agency" : "freelancer";
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const minor = minorOf(written.value, view.currency);
    if (!minor) return desk.say(`“${written.value}” is no amount of ${view.currency}.`);
    const row = paymentRow(contract, view, { id: drawnId(), act: "paid", minor }, reference.value);
    return desk.act(contract.id, [row], `Marked as paid; the ${issuer} confirms that it has come in.`);
  };
  return h(
    "form",
    { onsubmit: submit, "aria-label": "Mark as paid" },
    h("p", { class: "line" }, h("label", { for: "amount" }, `I have paid, in ${view.currency}`), written),
    h("p", { class: "line" }, h("label", { for: "reference" }, "Reference"), reference),
    h("p", { class: "acts" }, h("button", { type: "submit" }, "Mark as paid")),
    h("p", { class: "under" }, `No money is moved by this: it tells the ${issuer}, who confirms it.`),
  );
}

/** @type {(desk: Desk, contract: Contract) => HTMLElement | null} */
function bonusForm(desk, contract) {
  const weeks = weeksInReview(desk.nowMs(), contract.review_ms);
  if (!weeks.length || contract.ended || !contract.terms) return null;
  const { currency } = contract.terms;
  const written = h("input", { id: "bonus", inputmode: "decimal", required: true, maxlength: 16 });
  const week = h(
    "select",
    { id: "bonus-week" },
    weeks.map((name) => h("option", { value: name }, name)),
  );
  const reason = h("textarea", { id: "bonus-reason", rows: 2, maxlength: 2000, required: true });
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const minor = minorOf(written.value, currency);
    if (!minor) return desk.say(`“${written.value}” is no amount of ${currency}.`);
    const row = {
      type: "bonus",
      part: { bonus: { week: week.value, minor, currency } },
      content: { contract: contract.id, reason: reason.value },
    };
    return desk.act(contract.id, [row], "The bonus is added: the next invoice has it.");
  };
  return h(
    "form",
    { class: "card", onsubmit: submit, "aria-labelledby": "bonus-title" },
    h("h2", { id: "bonus-title" }, "Add a bonus"),
    h("p", {}, "For time over the limit, or as thanks. The next invoice has a line for it."),
    h("p", { class: "line" }, h("label", { for: "bonus" }, `Amount in ${currency}`), written),
    h("p", { class: "line" }, h("label", { for: "bonus-week" }, "For the week"), week),
    h("p", { class: "line" }, h("label", { for: "bonus-reason" }, "Why; the freelancer reads it"), reason),
    h("p", { class: "acts" }, h("button", { type: "submit" }, "Add the bonus")),
  );
}

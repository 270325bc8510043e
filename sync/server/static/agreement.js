// What the parties agree on: terms to set, requests to answer, disputes (R8, R10, R62, R66).

import { alarmList } from "./alarms.js";
import { h } from "./element.js";
import { money, minorOf } from "./money.js";
import { paying } from "./paying.js";
import { duration, momentOf, spanOf, shortDate, zoneOf } from "./times.js";
import { localDate } from "./week.js";

/** @typedef {import("./page.js").Desk} Desk */
/** @typedef {import("./header.js").TermsInClear} TermsInClear */
/** @typedef {Record<string, any>} Contract */

/** @type {(desk: Desk, contract: Contract) => Node[]} */
export function agreement(desk, contract) {
  return [
    h(
      "header",
      { class: "page-top" },
      h("h1", {}, "Terms and requests"),
      h("p", { class: "under" }, contract.title),
    ),
    requestList(desk, contract),
    contract.terms ? termsForm(desk, contract) : h("p", { class: "card" }, "No terms have come yet."),
    contract.terms && !contract.reads_only ? stateForm(desk, contract) : null,
    paying(desk, contract),
    disputeList(desk, contract),
    versionList(desk, contract),
    alarmList(desk, contract),
  ].filter((node) => node !== null);
}

/** @type {(desk: Desk, contract: Contract) => HTMLElement} */
function requestList(desk, contract) {
  const items = contract.requests.map((/** @type {any} */ one) =>
    h(
      "li",
      {},
      h(
        "p",
        {},
        h("strong", {}, one.week ? `Manual time in ${one.week}` : "Manual time in this contract"),
        ` · asked ${momentOf(one.asked_at_ms, desk.times)} · ${one.state}`,
      ),
      one.reason ? h("p", { class: "memo-text" }, one.reason) : null,
      one.answer_reason ? h("p", { class: "memo-text under" }, `${contract.role === "manager" ? "The client's" : "Your"} answer: ${one.answer_reason}`) : null,
      one.state === "open" && !contract.reads_only ? answers(desk, contract, one) : null,
    ),
  );
  return h(
    "section",
    { class: "card", "aria-labelledby": "requests" },
    h("h2", { id: "requests" }, "Requests"),
    items.length ? h("ul", { class: "plain" }, items) : h("p", {}, contract.role === "manager" ? "Nothing is asked of the client." : "Nothing is asked of you."),
  );
}

/** @type {(desk: Desk, contract: Contract, request: any) => HTMLElement} */
function answers(desk, contract, request) {
  const answer = (/** @type {boolean} */ allows) => ({
    type: "acceptance",
    part: { acceptance: { request: request.version, allows } },
    content: null,
  });
  const allow = () => {
    const { terms } = contract;
    const weeks = request.week
      ? [...new Set([...(terms.manual_weeks ?? []), request.week])].sort()
      : terms.manual_weeks;
    const allowed = {
      ...terms,
      ...(request.week ? {} : { manual_allowed: true }),
      ...(weeks?.length ? { manual_weeks: weeks } : {}),
    };
    return desk.act(contract.id, [termsRow(contract, allowed), answer(true)], "Manual time is allowed.");
  };
  return h(
    "p",
    { class: "acts" },
    h(
      "button",
      { type: "button", onclick: allow },
      request.week ? `Allow it for ${request.week}` : "Allow it",
    ),
    h(
      "button",
      {
        type: "button",
        class: "quiet",
        onclick: () => desk.act(contract.id, [answer(false)], "The request is declined."),
      },
      "Decline",
    ),
  );
}

/** @type {(contract: Contract, terms: TermsInClear, content?: object) => { type: string, part: object, content: object }} */
const termsRow = ({ title, client, labels }, terms, content = { title, client, labels }) => ({
  type: "terms",
  part: { terms },
  content,
});

/** @type {(desk: Desk, contract: Contract) => HTMLElement} */
function termsForm(desk, contract) {
  const { terms } = contract;
  /** @type {(id: string, words: string, input: HTMLElement, hint?: string) => HTMLElement} */
  const line = (id, words, input, hint) => {
    if (hint) input.setAttribute("aria-describedby", `${id}-hint`);
    input.id = id;
    return h(
      "p",
      { class: "line" },
      h("label", { for: id }, words),
      input,
      hint ? h("span", { class: "under", id: `${id}-hint` }, hint) : null,
    );
  };
  /** @type {(checked: boolean) => HTMLInputElement} */
  const check = (checked) => h("input", { type: "checkbox", checked });
  const title = h("input", { type: "text", value: contract.title, required: true, maxlength: 200 });
  const limit = h("input", {
    type: "number",
    min: 0,
    max: 168,
    step: "any",
    value: terms.limit_minutes === null ? "" : terms.limit_minutes / 60,
  });
  const rate = h("input", {
    type: "text",
    inputmode: "decimal",
    value: money(terms.rate_minor, terms.currency),
    required: true,
  });
  const currency = h("input", {
    type: "text",
    value: terms.currency,
    pattern: "[A-Z]{3}",
    required: true,
    maxlength: 3,
    size: 4,
  });
  const labels = h("input", { type: "text", value: contract.labels.join(", ") });
  const manual = check(terms.manual_allowed);
  const masking = check(terms.masking_allowed);
  const required = check(terms.label_required);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const minor = minorOf(rate.value, currency.value);
    if (minor === null) return desk.say(`“${rate.value}” is no amount of ${currency.value}.`);
    const named = labels.value
      .split(",")
      .map((text) => text.trim())
      .filter(Boolean);
    const now = desk.known(contract); // what the form does not show may have been set since it was drawn
    const wished = {
      ...now.terms,
      limit_minutes: limit.value === "" ? null : Math.round(Number(limit.value) * 60),
      manual_allowed: manual.checked,
      masking_allowed: masking.checked,
      label_required: required.checked,
      rate_minor: minor,
      currency: currency.value,
    };
    return desk.act(
      contract.id,
      [termsRow(contract, wished, { title: title.value, client: now.client, labels: named })],
      "The terms are set.",
    );
  };
  const fields = h(
    "fieldset",
    { disabled: contract.reads_only },
    h("legend", {}, contract.role === "manager" ? "The client sets the terms" : "You set the terms"),
    line("title", "Title", title),
    line(
      "limit",
      "Weekly limit in hours",
      limit,
      "Empty for none. A raise holds at once, a lower limit from the next Monday.",
    ),
    line("rate", "Rate an hour", rate, "It holds from the next Monday."),
    line("currency", "Currency", currency),
    line(
      "manual",
      "Manual time is allowed",
      manual,
      "Holds at once when given, from the next Monday when withdrawn.",
    ),
    line("masking", "Private windows may be masked", masking),
    line("labels", "Activity labels", labels, "With commas between them."),
    line("required", "A label is required", required),
    h("p", {}, h("button", { type: "submit" }, "Set these terms")),
  );
  return h(
    "form",
    { class: "card terms", onsubmit: submit, "aria-label": "Terms" },
    h("h2", {}, "Terms"),
    fields,
  );
}

/** @type {(desk: Desk, contract: Contract) => HTMLElement} */
function stateForm(desk, contract) {
  const { state } = contract.terms;
  const changes = /** @type {Record<string, [string, string, string][]>} */ ({
    active: [
      ["paused", "Pause", "No new time is taken from now on, until you resume it."],
      ["closed", "Close", "The contract ends. It stays readable for ever."],
    ],
    paused: [
      ["active", "Resume", "Time is taken again from now on."],
      ["closed", "Close", "The contract ends. It stays readable for ever."],
    ],
    closed: [["active", "Open again", "Time is taken again from now on."]],
  });
  return h(
    "section",
    { class: "card", "aria-labelledby": "state" },
    h("h2", { id: "state" }, "State"),
    h("p", {}, `The contract is ${state}.`),
    h(
      "p",
      { class: "acts" },
      changes[state].map(([to, words, said]) =>
        h(
          "button",
          {
            type: "button",
            class: "quiet",
            onclick: () =>
              desk.confirm(`${words} this contract`, said, () =>
                desk.act(
                  contract.id,
                  [{ type: "terms", part: { state: to }, content: null }],
                  `The contract is ${to} now.`,
                ),
              ),
          },
          words,
        ),
      ),
    ),
  );
}

/** @type {(desk: Desk, contract: Contract) => HTMLElement} */
function disputeList(desk, contract) {
  const items = contract.disputes.map((/** @type {any} */ one) => {
    const withdraw = () =>
      desk.act(
        contract.id,
        [{ type: "dispute", part: { dispute: { act: "withdrawn", slots: one.open_slots } }, content: null }],
        "The dispute is withdrawn.",
      );
    const [first, last] = [one.slots[0], one.slots[one.slots.length - 1]];
    const where =
      one.slots.length === 1
        ? `${shortDate(localDate(first, zoneOf(desk.times)))}, ${spanOf(first, desk.times)}`
        : `${one.slots.length} segments from ${shortDate(localDate(first, zoneOf(desk.times)))} to ${shortDate(localDate(last, zoneOf(desk.times)))}`;
    return h(
      "li",
      {},
      h(
        "p",
        {},
        h("strong", {}, where),
        ` · raised ${momentOf(one.raised_at_ms, desk.times)} · ${one.open_slots.length ? "open" : "withdrawn"}`,
      ),
      h("p", { class: "memo-text" }, one.reason),
      one.replies.map((/** @type {string} */ text) => h("p", { class: "memo-text under" }, `Reply: ${text}`)),
      one.open_slots.length && !contract.reads_only
        ? h(
            "p",
            {},
            h("button", { type: "button", class: "quiet", onclick: withdraw }, "Withdraw this dispute"),
          )
        : null,
    );
  });
  return h(
    "section",
    { class: "card", "aria-labelledby": "disputes" },
    h("h2", { id: "disputes" }, "Disputes"),
    items.length
      ? h("ul", { class: "plain" }, items)
      : h("p", {}, "None. A week or a segment can be disputed while it is in review, from its page."),
  );
}

/** @type {(desk: Desk, contract: Contract) => HTMLElement} */
function versionList(desk, contract) {
  const client = contract.role === "manager" ? "the client" : "you";
  const items = [...contract.versions]
    .reverse()
    .map((/** @type {any} */ { terms, received_at_ms: at, by_client: byClient }) => {
      const limit = terms.limit_minutes === null ? "no limit" : `limit ${duration(terms.limit_minutes)}`;
      const said = [
        terms.state,
        `${money(terms.rate_minor, terms.currency)} ${terms.currency}`,
        limit,
        terms.manual_allowed ? "manual time allowed" : "no manual time",
      ];
      return h(
        "li",
        {},
        `${momentOf(at, desk.times)}, by ${byClient ? client : "the freelancer"}: ${said.join(", ")}`,
      );
    });
  return h("details", { class: "card" }, h("summary", {}, "All terms so far"), h("ul", {}, items));
}

// The timesheet: weeks with their days, sums, limit, and what does not bill and why (R24, R27, R31, R64).

import { h, svg } from "./element.js";
import { segmentsCsv, totalsCsv } from "./csv.js";
import { money } from "./money.js";
import { BAR_WORDS, barOf } from "./timesheet.js";
import { duration, momentOf, shortDate, zoneOf } from "./times.js";
import {
  DAY_MS,
  dateOfDay,
  isFrozen,
  localDate,
  MINUTES_PER_SLOT,
  startsAtMs,
  wallMs,
  weekOf,
} from "./week.js";
import { GOES_ON } from "./words.js";

/** @typedef {import("./page.js").Desk} Desk */
/** @typedef {import("./showing.js").WeekView} WeekView */
/** @typedef {import("./timesheet.js").Segment} Segment */
/** @typedef {import("./timesheet.js").Bar} Bar */

const BARS = /** @type {Bar[]} */ (["automatic", "manual", "over_limit"]);

/** @type {(count: number) => string} */
export const span = (count) => duration(count * MINUTES_PER_SLOT);

/** @type {(bar: Bar) => HTMLElement} */
export const swatch = (bar) => h("span", { class: "swatch", "data-bar": bar }, BAR_WORDS[bar]);

/** @type {() => HTMLElement} */
export const legend = () =>
  h(
    "ul",
    { class: "legend", "aria-label": "What the colours mean" },
    BARS.map((bar) => h("li", {}, swatch(bar))),
  );

/** The page of all weeks; each is read when it comes near. @type {(desk: Desk, contract: Record<string, any>) => Node[]} */
export function timesheet(desk, contract) {
  const from = h("input", { type: "date", id: "from", onchange: (/** @type {Event} */ event) => desk.goTo(/** @type {HTMLInputElement} */ (event.target).value) });
  const weeks = contract.weeks.map((/** @type {number} */ first) => weekPlace(desk, contract, first));
  return [
    h(
      "header",
      { class: "page-top" },
      h("h1", {}, contract.title || "Timesheet"),
      h("p", { class: "under" }, saidOf(desk, contract)),
    ),
    ...notices(contract),
    h(
      "div",
      { class: "bar" },
      legend(),
      h(
        "p",
        { class: "acts" },
        h("label", { for: "from" }, "Go to a day"),
        from,
        h(
          "button",
          { type: "button", class: "quiet", onclick: () => download(desk, contract) },
          "CSV of all weeks",
        ),
      ),
    ),
    weeks.length || contract.joining
      ? h("div", { class: "weeks" }, weeks)
      : h(
          "p",
          { class: "card" },
          "No time has come yet. It appears as the freelancer's computer syncs, after the notice period.",
        ),
  ];
}

/** @type {(desk: Desk, contract: Record<string, any>) => string} */
function saidOf(desk, contract) {
  const { terms } = contract;
  const rate = terms
    ? terms.kind === "hourly"
      ? `${money(terms.rate_minor, terms.currency)} ${terms.currency} an hour`
      : "fixed price"
    : "no terms yet";
  const limit =
    terms?.limit_minutes == null ? "no weekly limit" : `limit ${duration(terms.limit_minutes)} a week`;
  const read = contract.synced_at_ms ? `read ${momentOf(contract.synced_at_ms, desk.times)}` : "not read yet";
  return [terms?.state, rate, limit, read].filter(Boolean).join(" · ");
}

/** What is missing, in words. @type {(contract: Record<string, any>) => Node[]} */
export function notices(contract) {
  const open = contract.requests.filter((/** @type {any} */ one) => one.state === "open").length;
  const said = [
    contract.joining ? GOES_ON : null,
    !contract.has_key && !contract.joining
      ? "The key of this contract was not granted to this browser yet: the freelancer's computer grants it when it syncs."
      : null,
    !contract.whole && !contract.joining && !contract.alarms.length
      ? "What is shown was signed by the freelancer. That nothing of it was left out is still being checked."
      : null,
    contract.ended
      ? "Your access from this browser was ended. What was loaded before stays readable here."
      : null,
    contract.role === "manager"
      ? "You read along for the agency. The diary is the freelancer's to change, and the terms are the client's."
      : null,
    ...contract.notices.map((/** @type {any} */ one) => one.what),
  ].filter(Boolean);
  return [
    ...said.map((text) => h("p", { class: "notice" }, text)),
    ...(open
      ? [
          h(
            "p",
            { class: "notice" },
            h(
              "a",
              { href: `#/${contract.id}/terms` },
              `${open} ${open === 1 ? "request waits" : "requests wait"} for your answer.`,
            ),
          ),
        ]
      : []),
  ];
}

/** A week's place, filled when it comes near the window. @type {(desk: Desk, contract: Record<string, any>, first: number) => HTMLElement} */
function weekPlace(desk, contract, first) {
  const week = weekOf(first);
  const place = h("section", { class: "card week", "aria-labelledby": week.name, "data-first": first });
  place.append(weekHead(contract, week));
  desk.fill(place, async () => {
    const [view] = await desk.ask("weeks", { contract: contract.id, first: [first], whole: false });
    return [weekHead(contract, week), ...weekBody(desk, contract, view)];
  });
  return place;
}

/** @type {(contract: Record<string, any>, week: import("./week.js").Week) => HTMLElement} */
function weekHead(contract, week) {
  const days = `${shortDate(dateOfDay(week.startsAtMs / DAY_MS))} to ${shortDate(dateOfDay(week.endsAtMs / DAY_MS - 1))}`;
  return h(
    "header",
    {},
    h("h2", { id: week.name }, h("a", { href: `#/${contract.id}/week/${week.name}` }, week.name)),
    h("p", { class: "under" }, days),
  );
}

/** @type {(desk: Desk, contract: Record<string, any>, view: WeekView) => Node[]} */
export function weekBody(desk, contract, { week, segments, totals, seal, unread }) {
  const zone = zoneOf(desk.times);
  const days = Map.groupBy(
    segments.filter(({ state }) => state !== "deleted"),
    ({ slot }) => localDate(slot, zone),
  );
  const rows = [...days]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([date, found]) => dayRow(contract, date, found, zone));
  return [
    totals ? sums(totals) : h("p", {}, "Nothing stands in this week."),
    h("p", { class: "under" }, frozenSaid(desk, week)),
    seal ? h("p", { class: "under", "data-figure": "seal" }, sealSaid(desk, seal)) : null,
    unread ? h("p", { class: "notice" }, "This week was not read to its end: time of it may be missing.") : null,
    rows.length
      ? h(
          "table",
          { class: "days" },
          h("caption", { class: "unseen" }, `Days of ${week.name}`),
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              ["Day", "When", "Time", "Bills", "Does not bill"].map((name) =>
                h("th", { scope: "col", class: name === "When" ? "when" : "" }, name),
              ),
            ),
          ),
          h("tbody", {}, rows),
        )
      : null,
    acceptLate(desk, contract, segments),
  ].filter((node) => node !== null);
}

/** @type {(desk: Desk, week: import("./week.js").Week) => string} */
function frozenSaid(desk, week) {
  const now = desk.nowMs();
  if (isFrozen(week, now)) return `Frozen since ${momentOf(week.lockedAtMs, desk.times)}.`;
  return `Open: the freelancer can change it until ${momentOf(week.lockedAtMs, desk.times)}; it shows what has synced so far.`;
}

/** What the server signed of the frozen week, where this browser came to the same (R57). @type {(desk: Desk, seal: import("./showing.js").SealShown) => string} */
function sealSaid(desk, { number, sealed_at_ms, billable, amount_minor, currency, replaces }) {
  const instead = replaces === null ? "" : `, in the place of seal ${replaces}`;
  return `Sealed by the server ${momentOf(sealed_at_ms, desk.times)} (seal ${number}${instead}): ${span(billable)}, ${money(amount_minor, currency)} ${currency}. This browser came to the same from the entries themselves.`;
}

/** A week's sums in words: what bills, and on a line of its own what does not (R31). @type {(totals: import("./timesheet.js").Totals) => HTMLElement} */
function sums(totals) {
  const limit = totals.limit_minutes === null ? "no limit" : `limit ${duration(totals.limit_minutes)}`;
  const not = totals.segments - totals.billable;
  const parts = [
    totals.over_limit ? `${span(totals.over_limit)} over the limit` : "",
    totals.late ? `${span(totals.late)} late` : "",
    totals.overlapping ? `${span(totals.overlapping)} that does not bill` : "",
  ].filter(Boolean);
  return h(
    "p",
    { class: "sums" },
    h(
      "strong",
      { "data-figure": "amount" },
      `${money(totals.amount_minor, totals.currency)} ${totals.currency}`,
    ),
    ` for ${span(totals.billable)} at ${money(totals.rate_minor, totals.currency)} an hour; ${limit}.`,
    not
      ? h(
          "span",
          { class: "not" },
          ` ${span(not)} does not bill${parts.length ? `: ${parts.join(", ")}` : ""}.`,
        )
      : "",
    h("span", { class: "under" }, ` ${span(totals.automatic)} automatic, ${span(totals.manual)} manual.`),
  );
}

/** @type {(contract: Record<string, any>, date: string, segments: Segment[], zone: string) => HTMLElement} */
function dayRow(contract, date, segments, zone) {
  const bills = segments.filter((one) => one.bills).length;
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("a", { href: `#/${contract.id}/day/${date}` }, shortDate(date))),
    h("td", { class: "when" }, strip(segments, zone)),
    h("td", {}, span(segments.length)),
    h("td", {}, span(bills)),
    h("td", {}, segments.length > bills ? span(segments.length - bills) : "–"),
  );
}

/** A day as a strip of 24 hours; the table beside it says the same in words. @type {(segments: Segment[], zone: string) => SVGElement} */
function strip(segments, zone) {
  /** @type {{ at: number, width: number, bar: Bar }[]} */
  const runs = [];
  for (const segment of segments) {
    const at = Math.floor((wallMs(startsAtMs(segment.slot), zone) % DAY_MS) / 600_000);
    const last = runs.at(-1);
    const bar = barOf(segment);
    if (last && last.at + last.width === at && last.bar === bar) last.width += 1;
    else runs.push({ at, width: 1, bar });
  }
  const rects = runs.map(({ at, width, bar }) =>
    svg("rect", {
      class: "memo-bar",
      "data-bar": bar,
      x: at,
      y: bar === "automatic" ? 0 : bar === "manual" ? 3 : 6,
      width,
      height: bar === "automatic" ? 12 : bar === "manual" ? 9 : 6,
    }),
  );
  return svg(
    "svg",
    { class: "strip", viewBox: "0 0 144 12", preserveAspectRatio: "none", "aria-hidden": "true" },
    rects,
  );
}

/** @type {(desk: Desk, contract: Record<string, any>, segments: Segment[]) => HTMLElement | null} */
function acceptLate(desk, contract, segments) {
  const slots = segments.filter(({ why_not: why }) => why === "late").map(({ slot }) => slot);
  if (!slots.length || contract.reads_only) return null;
  const accept = () =>
    desk.act(
      contract.id,
      [{ type: "acceptance", part: { acceptance: { slots } }, content: null }],
      `${span(slots.length)} of late time accepted.`,
    );
  return h(
    "p",
    { class: "notice" },
    `${span(slots.length)} arrived after the lock. It bills only if you accept it, as a bonus. `,
    h("button", { type: "button", onclick: accept }, "Accept the late time"),
  );
}

/** @type {(desk: Desk, contract: Record<string, any>) => Promise<void>} */
async function download(desk, contract) {
  /** @type {WeekView[]} */
  const views = [];
  for (const first of [...contract.weeks].reverse())
    views.push(...(await desk.ask("weeks", { contract: contract.id, first: [first], whole: true })));
  desk.save(
    "timesheet.csv",
    segmentsCsv(
      views.flatMap(({ segments }) => segments),
      zoneOf(desk.times),
    ),
  );
  const known = views.flatMap(({ week, totals }) => (totals ? [{ name: week.name, totals }] : []));
  desk.save("totals.csv", totalsCsv(known));
}

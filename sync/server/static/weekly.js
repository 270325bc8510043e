// One week by itself: its sums and days, what does not bill and why, what was worked on (R24, R27, R62).

import { h } from "./element.js";
import { segmentsCsv, totalsCsv } from "./csv.js";
import { notices, span, weekBody } from "./sheet.js";
import { WHY_NOT_WORDS } from "./timesheet.js";
import { shortDate, zoneOf } from "./times.js";
import { localDate } from "./week.js";

/** @typedef {import("./page.js").Desk} Desk */
/** @typedef {import("./showing.js").WeekView} WeekView */
/** @typedef {import("./timesheet.js").Segment} Segment */


/** One week by itself, opened: its memo bars by day, and what can be done with it. @type {(desk: Desk, contract: Record<string, any>, view: WeekView) => Node[]} */
export function weekPage(desk, contract, view) {
  const { week, segments, totals } = view;
  const save = () => desk.save(`${week.name}.csv`, segmentsCsv(segments, zoneOf(desk.times)));
  return [
    h("header", { class: "page-top" }, h("h1", {}, week.name), h("p", { class: "under" }, contract.title)),
    ...notices(contract),
    h(
      "section",
      { class: "card week", "aria-label": `Sums and days of ${week.name}`, "data-shown": "" },
      weekBody(desk, contract, view),
    ),
    view.unopened
      ? h(
          "p",
          { class: "notice", "data-tone": "grave" },
          `${view.unopened} ${view.unopened === 1 ? "segment does" : "segments do"} not open or contradict what was signed; they are marked “defective”.`,
        )
      : null,
    whyNots(segments),
    h(
      "p",
      { class: "acts" },
      h("button", { type: "button", class: "quiet", onclick: save }, "CSV of this week"),
      totals
        ? h(
            "button",
            {
              type: "button",
              class: "quiet",
              onclick: () => desk.save(`${week.name}-totals.csv`, totalsCsv([{ name: week.name, totals }])),
            },
            "Totals as CSV",
          )
        : null,
      disputeButton(desk, contract, view),
    ),
    memoTable(desk, contract, segments),
  ].filter((node) => node !== null);
}

/** @type {(segments: Segment[]) => HTMLElement | null} */
function whyNots(segments) {
  const found = Map.groupBy(
    segments.filter(({ why_not: why }) => why !== null && why !== "deleted"),
    ({ why_not: why }) => /** @type {import("./verdict.js").WhyNot} */ (why),
  );
  if (!found.size) return null;
  return h(
    "ul",
    { class: "why card", "aria-label": "What does not bill, and why" },
    [...found].map(([why, those]) => h("li", {}, `${span(those.length)}: ${WHY_NOT_WORDS[why]}`)),
  );
}

/** @type {(desk: Desk, contract: Record<string, any>, segments: Segment[]) => HTMLElement} */
function memoTable(desk, contract, segments) {
  const live = segments.filter(({ state }) => state !== "deleted");
  const byMemo = Map.groupBy(live, ({ memo, label }) => `${label}\n${memo}`);
  const rows = [...byMemo.values()]
    .sort((one, other) => other.length - one.length)
    .map((found) => {
      const days = new Set(found.map(({ slot }) => localDate(slot, zoneOf(desk.times))));
      return h(
        "tr",
        {},
        h(
          "td",
          { class: "memo" },
          found[0].memo || "no memo",
          found[0].label ? h("span", { class: "under" }, ` · ${found[0].label}`) : null,
        ),
        h("td", {}, span(found.length)),
        h(
          "td",
          {},
          [...days].map((day) =>
            h("a", { class: "day-link", href: `#/${contract.id}/day/${day}` }, shortDate(day)),
          ),
        ),
      );
    });
  return h(
    "table",
    { class: "memos card" },
    h("caption", {}, "What was worked on"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ["Memo and label", "Time", "Days"].map((name) => h("th", { scope: "col" }, name)),
      ),
    ),
    h("tbody", {}, rows),
  );
}

/** @type {(desk: Desk, contract: Record<string, any>, view: WeekView) => HTMLElement | null} */
function disputeButton(desk, contract, { week, segments }) {
  const now = desk.nowMs();
  const slots = segments.filter(({ bills }) => bills).map(({ slot }) => slot);
  const inReview = now >= week.lockedAtMs && now < week.lockedAtMs + contract.review_ms;
  if (!slots.length || !inReview || contract.reads_only) return null;
  return h(
    "button",
    { type: "button", onclick: () => desk.dispute(contract, slots, `all of ${week.name}`) },
    "Dispute this week",
  );
}

// A day: hours by six segments with thumbnails, memo bars, activity and marks, in the client's colours (R24).

import { h, svg } from "./element.js";
import { legend } from "./sheet.js";
import { BAR_WORDS, barOf, dayGrid, marks } from "./timesheet.js";
import { duration, hourOf, longDate, timeOf, zoneOf } from "./times.js";
import { dateOfDay, dayOfDate, MINUTES_PER_SLOT, startsAtMs, wallMs } from "./week.js";

/** @typedef {import("./page.js").Desk} Desk */
/** @typedef {import("./timesheet.js").Segment} Segment */
/** @typedef {import("./timesheet.js").HourRow} HourRow */
/** @typedef {import("./timesheet.js").MemoBar} MemoBar */

const COLUMNS = 6;

/** @type {(desk: Desk, contract: Record<string, any>, date: string, segments: Segment[]) => Node[]} */
export function dayPage(desk, contract, date, segments) {
  const { hours, bars } = dayGrid(segments, date, zoneOf(desk.times));
  const filled = hours.filter(({ cells }) => cells.some((cell) => cell.segments.length));
  const shown = filled.length
    ? hours.slice(hours.indexOf(filled[0]), hours.indexOf(filled[filled.length - 1]) + 1)
    : [];
  const live = shown
    .flatMap(({ cells }) => cells.flatMap((cell) => cell.segments))
    .filter(({ state }) => state !== "deleted");
  /** @type {(by: number) => string} */
  const other = (by) => `#/${contract.id}/day/${dateOfDay(dayOfDate(date) + by)}`;
  return [
    h(
      "header",
      { class: "page-top" },
      h("h1", {}, longDate(date)),
      h(
        "p",
        { class: "turn" },
        h("a", { href: other(-1), rel: "prev" }, "← Day before"),
        " ",
        h("a", { href: other(1), rel: "next" }, "Day after →"),
      ),
    ),
    h("p", { class: "under" }, daySaid(contract, live)),
    legend(),
    shown.length
      ? sheet(desk, contract, date, shown, bars)
      : h("p", { class: "card" }, "No time stands on this day."),
  ];
}

/** @type {(contract: Record<string, any>, live: Segment[]) => string} */
function daySaid(contract, live) {
  const bills = live.filter((one) => one.bills).length;
  const without = live.filter((one) => !one.memo).length;
  const parts = [
    contract.title,
    `${duration(live.length * MINUTES_PER_SLOT)}, of which ${duration(bills * MINUTES_PER_SLOT)} bills`,
  ];
  if (without) parts.push(`${without} without a memo`);
  return parts.filter(Boolean).join(" · ");
}

/** @type {(desk: Desk, contract: Record<string, any>, date: string, hours: HourRow[], bars: MemoBar[]) => HTMLElement} */
function sheet(desk, contract, date, hours, bars) {
  const first = hours.find(({ cells }) => cells.length === COLUMNS) ?? hours[0];
  const start = minuteOf(first.cells[0].slot, desk) % 10; // Kathmandu's columns start at :05
  const columns = Array.from({ length: COLUMNS }, (_, at) => String(start + 10 * at).padStart(2, "0"));
  return h(
    "table",
    { class: "sheet" },
    h("caption", { class: "unseen" }, `Segments of ${longDate(date)}, ten minutes each`),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, h("span", { class: "unseen" }, "Hour")),
        columns.map((minute) => h("th", { scope: "col" }, `:${minute}`)),
      ),
    ),
    hours.map((hour) => hourBody(desk, contract, hour, bars)),
  );
}

/** @type {(slot: number, desk: Desk) => number} */
const minuteOf = (slot, desk) => Math.floor(wallMs(startsAtMs(slot), zoneOf(desk.times)) / 60_000) % 60;

/** @type {(desk: Desk, contract: Record<string, any>, hour: HourRow, bars: MemoBar[]) => HTMLElement} */
function hourBody(desk, contract, hour, bars) {
  /** @type {(slot: number) => number} */
  const column = (slot) => Math.floor(minuteOf(slot, desk) / 10);
  const placed = new Map(hour.cells.map((cell) => [column(cell.slot), cell]));
  const isFilled = hour.cells.some((cell) => cell.segments.length);
  const name = h(
    "th",
    { scope: "row", class: "hour-name" },
    hourOf(hour.label, desk.times.clock),
    hour.repeated ? h("span", { class: "under" }, hour.offset) : null,
  );
  const cells = Array.from({ length: COLUMNS }, (_, at) => {
    const cell = placed.get(at);
    if (!cell) return h("td", { class: "outside" });
    if (!cell.segments.length)
      return h(
        "td",
        { class: "gap" },
        h("span", { class: "time" }, timeOf(startsAtMs(cell.slot), desk.times)),
      );
    return h(
      "td",
      {},
      cell.segments.map((segment) => card(desk, contract, segment)),
    );
  });
  return h(
    "tbody",
    { class: isFilled ? "hour" : "hour blank" },
    lane(hour, bars, column),
    h("tr", { class: "cells" }, name, cells),
  );
}

/** The memo bars that run through an hour, one lane: one contract has one bar at a time. @type {(hour: HourRow, bars: MemoBar[], column: (slot: number) => number) => HTMLElement | null} */
function lane(hour, bars, column) {
  const slots = new Set(hour.slots);
  const here = bars
    .map((bar) => ({ bar, slots: bar.slots.filter((slot) => slots.has(slot)) }))
    .filter((one) => one.slots.length);
  if (!here.length) return null;
  const row = h("tr", { class: "lane" }, h("td", {}));
  let at = 0;
  for (const { bar, slots: within } of here) {
    const start = column(within[0]);
    if (start > at) row.append(h("td", { colspan: start - at }));
    row.append(h("td", { colspan: within.length }, memoBar(bar, within)));
    at = start + within.length;
  }
  if (at < COLUMNS) row.append(h("td", { colspan: COLUMNS - at }));
  return row;
}

/** @type {(bar: MemoBar, within: number[]) => HTMLElement} */
function memoBar(bar, within) {
  const before = within[0] > bar.slots[0];
  const after = within[within.length - 1] < bar.slots[bar.slots.length - 1];
  const edge = before && after ? "cut-both" : before ? "cut-start" : after ? "cut-end" : "whole";
  const memo = bar.memo || "no memo";
  return h(
    "div",
    { class: "memo-bar", "data-bar": bar.bar, "data-edge": edge, "data-span": within.length, title: memo },
    h("span", { class: "word" }, `${BAR_WORDS[bar.bar]} `),
    h("span", { class: "memo" }, memo),
  );
}

/** @type {(desk: Desk, contract: Record<string, any>, segment: Segment) => HTMLElement} */
function card(desk, contract, segment) {
  const time = timeOf(startsAtMs(segment.slot), desk.times);
  const said = marks(segment);
  const named = [time, BAR_WORDS[barOf(segment)], segment.memo || "no memo", ...said].join(", ");
  if (segment.state === "deleted") {
    return h(
      "div",
      { class: "segment", "data-state": "deleted" },
      h("span", { class: "no-picture" }, "deleted"),
      h("span", { class: "foot" }, h("span", { class: "time" }, time)),
    );
  }
  return h(
    "div",
    { class: "segment", "data-state": segment.state, "data-bar": barOf(segment) },
    thumbnail(desk, segment, h("a", { href: `#/${contract.id}/segment/${segment.slot}`, "aria-label": named })),
    h("span", { class: "foot" }, h("span", { class: "time" }, time), activity(segment)),
    said.length
      ? h(
          "span",
          { class: "marks" },
          said.map((mark) => h("span", { class: "mark" }, h("span", { class: "word" }, mark))),
        )
      : null,
  );
}

/** Put a segment's thumbnail into its link, or why there is none. @type {(desk: Desk, segment: Segment, link: HTMLElement) => HTMLElement} */
function thumbnail(desk, segment, link) {
  const shot = segment.snapshots[0];
  const name = shot?.thumbnail || shot?.screen;
  /** @type {(text: string) => HTMLElement} */
  const instead = (text) => h("span", { class: "no-picture" }, text);
  if (!name) {
    link.append(instead(segment.no_picture[0] ?? (segment.kind === "manual" ? "manual time" : "no picture")));
    return link;
  }
  link.append(instead("…"));
  desk.fill(link, async () => {
    const found = await desk.picture(segment, shot, name);
    if (typeof found === "string") return [instead(found)];
    return [h("img", { src: found.url, alt: "", width: 320, height: 180, decoding: "async" })];
  });
  return link;
}

/** Ten minutes as ten strokes; the segment's page says them in numbers. @type {(segment: Segment) => Node} */
export function activity(segment) {
  if (!segment.minutes.some((minute) => minute !== null))
    return h("span", { class: "unseen" }, "no activity was counted");
  const rects = segment.minutes.map((minute, at) => {
    const active = minute === null ? "untracked" : minute.some(Boolean) ? "yes" : "no";
    return svg("rect", { x: 4 * at, y: 0, width: 3, height: 8, "data-active": active });
  });
  return svg(
    "svg",
    {
      class: "activity",
      viewBox: "0 0 40 8",
      role: "img",
      "aria-label": `${segment.activity} of 10 minutes active`,
    },
    rects,
  );
}

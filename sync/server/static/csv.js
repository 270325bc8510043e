// What is shown, as CSV: the columns and cells of `diary export` (R58), so that both sides hold one table.
// A spreadsheet opens it safely (docs/evidence.md, "A table"): an apostrophe stands before what could be a formula.

import { sumOfCounted } from "./content.js";
import { money } from "./money.js";
import { pictureNames } from "./timesheet.js";
import { endsAtMs, offsetName, startsAtMs, wallMs, weekOf } from "./week.js";

/** @typedef {import("./timesheet.js").Segment} Segment */
/** @typedef {string | number | null} Cell */

const SEGMENT_COLUMNS =
  "week start_utc start_local utc_offset contract client kind state bills why_not memo label activity_minutes tracked_minutes keystrokes clicks scrolls applications titles pictures masked no_picture_reason devices received_at_utc delay_seconds leaf_index".split(
    " ",
  );
const TOTALS_COLUMNS =
  "week contract segments automatic manual over_limit late overlapping billable rate currency amount".split(
    " ",
  );
const JOINT = " | ";
// Where a cell begins for one or the other program, signs that nobody sees, then what would be run.
const RUNS =
  /(^|[;|\t\r\n])([ \u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]*)(?=[=+\-@＝＋－＠])/g;
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/** Return the text as a spreadsheet shows it without running it. @type {(text: string) => string} */
function safeText(text) {
  if (/^-[0-9]+(\.[0-9]+)?$/.test(text)) return text; // a credit, say
  const guarded = text.replaceAll(CONTROL, pictureOf).replaceAll(RUNS, "$1$2'");
  return /^[\t\r\n]/.test(guarded) ? `'${guarded}` : guarded;
}

/** @type {(control: string) => string} */
function pictureOf(control) {
  const number = control.charCodeAt(0);
  if (number > 0x7f) return "\ufffd";
  return number === 0x7f ? "\u2421" : String.fromCharCode(0x2400 + number);
}

/** @type {(cell: Cell) => string} */
function cellText(cell) {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const safe = safeText(cell);
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** @type {(columns: string[], lines: Cell[][]) => string} */
const table = (columns, lines) =>
  [columns, ...lines].map((line) => `${line.map(cellText).join(",")}\r\n`).join("");

/** @type {(wall: number, seconds?: boolean) => string} */
const written = (wall, seconds = false) =>
  new Date(wall)
    .toISOString()
    .slice(0, seconds ? 19 : 16)
    .replace("T", " ");

/** @type {(claim: boolean) => string} */
const yes = (claim) => (claim ? "yes" : "no");

/** Return one line a segment that is not deleted, in order of time (R58). @type {(segments: Segment[], zone: string) => string} */
export function segmentsCsv(segments, zone) {
  const live = segments
    .filter(({ state }) => state !== "deleted")
    .sort((one, other) => one.slot - other.slot);
  return table(
    SEGMENT_COLUMNS,
    live.map((segment) => lineOf(segment, zone)),
  );
}

/** @type {(segment: Segment, zone: string) => Cell[]} */
function lineOf(segment, zone) {
  const starts = startsAtMs(segment.slot);
  const local = wallMs(starts, zone);
  const received = segment.received_at_ms;
  const tracked = segment.minutes.filter((minute) => minute !== null);
  /** @type {(place: 0 | 1 | 2) => number | null} */
  const sum = (place) => sumOfCounted(tracked.map((minute) => minute[place]));
  return [
    weekOf(segment.slot).name,
    written(starts),
    written(local),
    `UTC${offsetName(local - starts).slice(0, 6)}`,
    segment.contract_title,
    segment.client,
    segment.kind,
    segment.state,
    yes(segment.bills),
    segment.why_not ?? "",
    segment.memo,
    segment.label,
    tracked.length ? segment.activity : null,
    tracked.length,
    sum(0),
    sum(1),
    sum(2),
    segment.applications.join(JOINT),
    segment.titles.join(JOINT),
    pictureNames(segment).join(JOINT),
    yes(segment.masked),
    [...segment.no_picture, ...(segment.missing ? ["missing"] : [])].join(JOINT),
    segment.devices.join(JOINT),
    received === null ? "" : written(received, true),
    received === null ? null : Math.floor((received - endsAtMs(segment.slot)) / 1000),
    segment.leaf_index,
  ];
}

/** Return one line a week; rate and amount in the currency's main unit (R61). @type {(weeks: { name: string, totals: import("./timesheet.js").Totals }[]) => string} */
export const totalsCsv = (weeks) =>
  table(
    TOTALS_COLUMNS,
    weeks.map(({ name, totals: one }) => [
      name,
      one.contract_title,
      one.segments,
      one.automatic,
      one.manual,
      one.over_limit,
      one.late,
      one.overlapping,
      one.billable,
      money(one.rate_minor, one.currency),
      one.currency,
      money(one.amount_minor, one.currency),
    ]),
  );

// The two tables of a bundle, as its record makes them (SPEC R58; CLI.md).

import { activityOf, sumOfCounted } from "../../sync/server/static/content.js";
import { amountMinor, money } from "../../sync/server/static/money.js";
import { TermsHistory } from "../../sync/server/static/terms.js";
import { isFrozen, startsAtMs, wallMs, weekNamed } from "../../sync/server/static/week.js";

const SEGMENT_COLUMNS =
  "week,start_utc,start_local,utc_offset,contract,client,kind,state,bills,why_not,memo,label,activity_minutes," +
  "tracked_minutes,keystrokes,clicks,scrolls,applications,titles,pictures,masked,no_picture_reason,devices," +
  "received_at_utc,delay_seconds,leaf_index";
const TOTALS_COLUMNS =
  "week,contract,segments,automatic,manual,over_limit,late,overlapping,billable,rate,currency,amount";

const minuteOf = (ms) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");
const list = (values) => values.join(" | ");

/** As docs/evidence.md says it, "A table", sign by sign. */
function safe(text) {
  if (/^-[0-9]+(\.[0-9]+)?$/.test(text)) return text;
  let [made, begins] = ["", true];
  for (const sign of text) {
    const number = sign.codePointAt(0);
    const isControl = (number < 0x20 || (number >= 0x7f && number < 0xa0)) && !"\t\r\n".includes(sign);
    if (begins && "=+-@＝＋－＠".includes(sign)) made += "'";
    made += !isControl ? sign : number > 0x7f ? "\ufffd" : number === 0x7f ? "␡" : String.fromCodePoint(0x2400 + number);
    begins = ";|\t\r\n".includes(sign) || (begins && !isControl && isUnseen(number));
  }
  return /^[\t\r\n]/.test(made) ? `'${made}` : made;
}

const isUnseen = (number) =>
  [0x20, 0xa0, 0xad, 0x61c, 0x1680, 0x180e, 0x3000, 0xfeff].includes(number) ||
  (number >= 0x2000 && number <= 0x200f) || (number >= 0x2028 && number <= 0x202f) || (number >= 0x205f && number <= 0x206f);

function cell(value) {
  if (typeof value === "number") return String(value);
  const text = safe(value);
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function cellBefore3(value) {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r\n＝＋－＠]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Return both tables by their file's name. */
export function tablesOf(record, found, stood, mine, late) {
  const week = weekNamed(record.week);
  const whys = record.stated
    ? new Map(Object.entries(record.stated).map(([slot, word]) => [Number(slot), word || null]))
    : new Map([...late, ...mine.slots.map(([slot, , , , why]) => [slot, why])]);
  const live = stood.filter(({ stands }) => stands.kind !== null && !stands.deleted);
  const lines = live.map((one) => {
    const { slot, stands, content } = one;
    const why = whys.has(slot) ? whys.get(slot) : "late";
    const begins = startsAtMs(slot);
    const local = wallMs(begins, record.zone);
    const minutes = Math.round((local - begins) / 60_000);
    const two = (number) => String(Math.floor(number)).padStart(2, "0");
    const offset = `UTC${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
    const tracked = content.minutes.filter((minute) => minute !== null);
    const sum = (at) => sumOfCounted(tracked.map((minute) => minute[at])) ?? "";
    const names = content.snapshots.flatMap(({ screen, camera }) => [screen, camera]).filter(Boolean);
    const all = content.snapshots.flatMap((shot) => [shot.screen, shot.thumbnail, shot.camera]).filter(Boolean);
    const misses = all.some((name) => record.pictures[name]?.absent === "missing");
    const received = stands.received_at_ms;
    return [
      record.week, minuteOf(begins), minuteOf(local), offset, found.terms.title, found.terms.client,
      stands.kind, isFrozen(week, received) ? "late" : "synced", why === null ? "yes" : "no", why ?? "",
      content.memo, content.label, tracked.length ? activityOf(content.minutes) : "", tracked.length,
      sum(0), sum(1), sum(2), list(content.applications), list(content.titles),
      list(names.map((name) => record.pictures[name]?.file).filter(Boolean)), content.masked ? "yes" : "no",
      list([...content.no_picture, ...(misses ? ["missing"] : [])]), list(content.devices),
      new Date(received).toISOString().slice(0, 19).replace("T", " "),
      Math.floor((received - begins - 600_000) / 1000), one.index,
    ];
  });
  const write = record.format >= 3 ? cell : cellBefore3;
  const table = (columns, rows) => [columns, ...rows.map((row) => row.map(write).join(","))].join("\r\n") + "\r\n";
  const count = (is) => lines.filter(is).length;
  const history = new TermsHistory(found.versions);
  const [rate, currency] = history.rateOf(week);
  const billable = count((line) => line[8] === "yes");
  const totals = [
    record.week, found.terms.title, lines.length, count((line) => line[6] === "automatic"),
    count((line) => line[6] === "manual"), count((line) => line[9] === "over_limit"),
    count((line) => line[9] === "late"), count((line) => line[9] === "overlapping"), billable,
    money(rate, currency), currency, money(Number(amountMinor(billable, rate)), currency),
  ];
  return new Map([
    ["segments.csv", table(SEGMENT_COLUMNS, lines)],
    ["totals.csv", table(TOTALS_COLUMNS, lines.length ? [totals] : [])],
  ]);
}

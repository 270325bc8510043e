// The timesheet as values: segments, days, weeks and sums as they are shown, nothing drawn (R5, R24, R31, R61).
// The words and field names are those of CLI.md, so that `weekJson` equals `diary week --json`.

import { activityOf, byCodePoint } from "./content.js";
import { amountMinor } from "./money.js";
import { endsAtMs, iso, isFrozen, localDay, startsAtMs } from "./week.js";

/** @typedef {import("./content.js").Merged} Merged */
/** @typedef {import("./merge.js").Standing} Standing */
/** @typedef {import("./terms.js").TermsHistory} TermsHistory */
/** @typedef {import("./verdict.js").Verdict} Verdict */
/** @typedef {import("./verdict.js").WhyNot} WhyNot */
/** @typedef {import("./week.js").Week} Week */
/** @typedef {"automatic" | "manual"} Kind */
/** @typedef {Kind | "over_limit"} Bar */
/**
 * One segment as the client sees it; `minutes` has ten items, null where nothing tracked.
 * @typedef {Merged & { contract: string, contract_title: string, client: string, slot: number, kind: Kind, state: "synced" | "late" | "deleted",
 *   activity: number, received_at_ms: number | null, leaf_index: number | null, bills: boolean,
 *   why_not: WhyNot | null, defective: boolean, missing: boolean, accepted: boolean, disputed: boolean,
 *   redacted: boolean }} Segment
 */
/**
 * Sums of one contract in one week, in segments (R61).
 * @typedef {{ contract: string, contract_title: string, segments: number, automatic: number, manual: number,
 *   over_limit: number, late: number, overlapping: number, billable: number, limit_minutes: number | null,
 *   rate_minor: number, currency: string, amount_minor: number, bonus: number }} Totals
 */
/** @typedef {{ contract: string, memo: string, bar: Bar, starts_at_ms: number, ends_at_ms: number, slots: number[] }} MemoBar */
/** @typedef {import("./week.js").LocalHour & { cells: { slot: number, segments: Segment[] }[] }} HourRow */

/** Each bar's word: colour is never the only sign (R24). @type {Record<Bar, string>} */
export const BAR_WORDS = { automatic: "automatic", manual: "manual", over_limit: "over the limit" };

/** Why a segment does not bill, in a client's words: of an overlap no more than that (R28). @type {Record<WhyNot, string>} */
export const WHY_NOT_WORDS = {
  deleted: "deleted",
  late: "arrived after the lock: bills only if you accept it",
  overlapping: "does not bill",
  over_limit: "over the weekly limit",
  manual_not_allowed: "manual time is not allowed",
  fixed_price: "fixed price: does not bill by the hour",
};

/**
 * Return one segment as it is shown; null where nothing stands but a memo.
 * @type {(contract: { id: string, title: string, client: string }, slot: number, week: Week, stands: Standing, verdict: Verdict, content: Merged,
 *   more: { leaf_index: number | null, defective: boolean, hadPicture: boolean, missing?: boolean, accepted?: boolean, disputed?: boolean, redacted?: boolean }) => Segment | null}
 */
export function segmentOf(contract, slot, week, stands, verdict, content, more) {
  if (!stands.deleted && stands.kind === null) return null;
  const late = stands.received_at_ms !== null && isFrozen(week, stands.received_at_ms);
  return {
    ...content,
    contract: contract.id,
    contract_title: contract.title,
    client: contract.client,
    slot,
    kind: stands.kind ?? (more.hadPicture ? "automatic" : "manual"),
    state: stands.deleted ? "deleted" : late ? "late" : "synced",
    activity: activityOf(content.minutes),
    received_at_ms: stands.received_at_ms,
    leaf_index: more.leaf_index,
    bills: verdict.bills,
    why_not: verdict.why_not,
    defective: more.defective,
    missing: Boolean(more.missing),
    accepted: late && !stands.deleted && Boolean(more.accepted),
    disputed: !stands.deleted && Boolean(more.disputed),
    redacted: Boolean(more.redacted),
  };
}

/** Return which bar a segment belongs to (R24). @type {(segment: Segment) => Bar} */
export const barOf = (segment) => (segment.why_not === "over_limit" ? "over_limit" : segment.kind);

/** Return the marks of a segment, each a word of its own beside the bar (R24, R47). @type {(segment: Segment) => string[]} */
export function marks(segment) {
  if (segment.state === "deleted") return ["deleted"];
  const found = [];
  if (segment.state === "late" || segment.why_not === "late") found.push("late");
  if (segment.why_not === "overlapping") found.push("overlapping");
  if (segment.masked) found.push("masked");
  if (segment.no_picture.length && !segment.snapshots.length) found.push("no picture");
  if (segment.missing) found.push("missing");
  if (segment.defective) found.push("defective");
  if (segment.accepted) found.push("accepted");
  if (segment.disputed) found.push("disputed");
  if (segment.redacted) found.push("redacted");
  return found;
}

/**
 * Return the sums of one contract's week, null where nothing stands as time (R31, R61).
 * @type {(week: Week, contract: { id: string, title: string }, segments: Segment[], history: TermsHistory) => Totals | null}
 */
export function totalsOf(week, contract, segments, history) {
  const live = segments.filter(({ state }) => state !== "deleted");
  if (!live.length) return null;
  /** @type {(claim: (segment: Segment) => boolean) => number} */
  const count = (claim) => live.filter(claim).length;
  const [rate, currency] = history.rateOf(week);
  const billable = count(({ bills }) => bills);
  return {
    contract: contract.id,
    contract_title: contract.title,
    segments: live.length,
    automatic: count(({ kind }) => kind === "automatic"),
    manual: count(({ kind }) => kind === "manual"),
    over_limit: count(({ why_not: why }) => why === "over_limit"),
    late: count(({ why_not: why }) => why === "late"),
    overlapping: count(({ why_not: why }) => why === "overlapping"),
    billable,
    limit_minutes: history.limitMinutes(week),
    rate_minor: rate,
    currency,
    amount_minor: Number(amountMinor(billable, rate)),
    // Late time that was accepted bills beside the limit (R38).
    bonus: count(({ bills, accepted, state }) => bills && accepted && state === "late"),
  };
}

/**
 * Return a local day as hours by six segments, and its memo bars in order of time (R5, R24).
 * @type {(segments: Segment[], date: string, zone: string) => { hours: HourRow[], bars: MemoBar[] }}
 */
export function dayGrid(segments, date, zone) {
  /** @type {Map<number, Segment[]>} */
  const at = new Map();
  const inOrder = [...segments].sort(
    (one, other) =>
      Number(one.state === "deleted") - Number(other.state === "deleted") ||
      byCodePoint(one.contract, other.contract),
  );
  for (const segment of inOrder) at.set(segment.slot, [...(at.get(segment.slot) ?? []), segment]);
  const hours = localDay(date, zone).map((hour) => ({
    ...hour,
    cells: hour.slots.map((slot) => ({ slot, segments: at.get(slot) ?? [] })),
  }));
  return { hours, bars: barsOf(hours.flatMap(({ cells }) => cells.flatMap((cell) => cell.segments))) };
}

/** Return the runs of neighbouring slots with one memo and one bar (R24). @type {(segments: Segment[]) => MemoBar[]} */
function barsOf(segments) {
  const live = segments.filter(({ state }) => state !== "deleted");
  live.sort((one, other) => byCodePoint(one.contract, other.contract) || one.slot - other.slot);
  /** @type {MemoBar[]} */
  const bars = [];
  for (const segment of live) {
    const last = bars.at(-1);
    const bar = barOf(segment);
    if (
      last &&
      last.contract === segment.contract &&
      last.slots.at(-1) === segment.slot - 1 &&
      last.memo === segment.memo &&
      last.bar === bar
    ) {
      last.slots.push(segment.slot);
      last.ends_at_ms = endsAtMs(segment.slot);
    } else {
      bars.push({
        contract: segment.contract,
        memo: segment.memo,
        bar,
        starts_at_ms: startsAtMs(segment.slot),
        ends_at_ms: endsAtMs(segment.slot),
        slots: [segment.slot],
      });
    }
  }
  return bars.sort(
    (one, other) => one.starts_at_ms - other.starts_at_ms || byCodePoint(one.contract, other.contract),
  );
}

/** Return the names of a segment's screens and camera frames. @type {(segment: Segment) => string[]} */
export const pictureNames = (segment) =>
  segment.snapshots.flatMap(({ screen, camera }) => [screen, camera].filter(Boolean));

/** Return one segment as `diary week --json` gives it. @type {(segment: Segment) => Record<string, unknown>} */
export const segmentJson = (segment) => ({
  contract: segment.contract,
  slot: segment.slot,
  start: iso(startsAtMs(segment.slot)),
  kind: segment.kind,
  state: segment.state,
  memo: segment.memo,
  label: segment.label,
  activity: segment.activity,
  minutes: segment.minutes,
  application: segment.applications.join(" | "),
  title: segment.titles.join(" | "),
  pictures: pictureNames(segment),
  received_at: segment.received_at_ms === null ? null : iso(segment.received_at_ms),
  synced: segment.state !== "deleted",
  bills: segment.bills,
  why_not: segment.why_not,
  picture_missing: segment.missing,
  accepted: segment.accepted,
  disputed: segment.disputed,
  redacted: segment.redacted,
});

/** Return a week of one contract as `diary week --json` gives it. @type {(week: Week, segments: Segment[], totals: Totals | null, nowMs: number) => Record<string, unknown>} */
export const weekJson = (week, segments, totals, nowMs) => ({
  week: week.name,
  locked_at: iso(week.lockedAtMs),
  frozen: isFrozen(week, nowMs),
  totals: totals ? [totals] : [],
  segments: segments.map(segmentJson),
});

// Slots, billing weeks, the edit lock and local days (R1, R2, R3, R5). It reads no clock: instants are
// arguments. Weeks, locks and limits are UTC and never depend on a zone; only local days know zones.

export const SLOT_MS = 600_000;
export const MINUTES_PER_SLOT = 10;
export const SLOTS_PER_DAY = 144;
export const SLOTS_PER_WEEK = 7 * SLOTS_PER_DAY;
export const DAY_MS = SLOTS_PER_DAY * SLOT_MS;
const LOCK_MS_AFTER_WEEK = 12 * 3600_000; // R3: Monday 12:00:00 UTC after the week
const DAYS_BEFORE_EPOCH = 3; // 1970-01-01 was a Thursday: its week began three days before
const OFFSET_SLOTS_MAX = 96; // no zone was ever 16 hours from UTC

/**
 * A billing week (R2): its ISO name such as "2026-W47", its first slot, and its instants.
 * @typedef {{ name: string, firstSlot: number, startsAtMs: number, endsAtMs: number, lockedAtMs: number }} Week
 */

/**
 * One row of a local day (R5): the slots that start in one hour of the wall clock.
 * @typedef {{ startsAtMs: number, label: string, offset: string, repeated: boolean, slots: number[] }} LocalHour
 */

/** @type {(atMs: number) => number} */
export const slotAt = (atMs) => Math.floor(atMs / SLOT_MS);

/** @type {(slot: number) => number} */
export const startsAtMs = (slot) => slot * SLOT_MS;

/** @type {(slot: number) => number} */
export const endsAtMs = (slot) => (slot + 1) * SLOT_MS;

/** Return "2026-11-23" of a day counted from 1970-01-01. @type {(day: number) => string} */
export const dateOfDay = (day) => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** Return the day of "2026-11-23", counted from 1970-01-01. @type {(date: string) => number} */
export const dayOfDate = (date) => Date.parse(`${date}T00:00:00Z`) / DAY_MS;

/** Return the week in which the instant lies (R2). @type {(atMs: number) => Week} */
export function weekAt(atMs) {
  const day = Math.floor(atMs / DAY_MS);
  const monday = day - ((((day + DAYS_BEFORE_EPOCH) % 7) + 7) % 7);
  return weekOfMonday(monday);
}

/** Return the week in which the slot lies (R2). @type {(slot: number) => Week} */
export const weekOf = (slot) => weekAt(startsAtMs(slot));

/** @type {(monday: number) => Week} */
function weekOfMonday(monday) {
  // The year of an ISO week is that of its Thursday.
  const year = new Date((monday + 3) * DAY_MS).getUTCFullYear();
  const fourth = Math.floor(Date.UTC(year, 0, 4) / DAY_MS); // 4 January always lies in week 1
  const first = fourth - ((fourth + DAYS_BEFORE_EPOCH) % 7);
  const number = (monday - first) / 7 + 1;
  const name = `${String(year).padStart(4, "0")}-W${String(number).padStart(2, "0")}`;
  const begins = monday * DAY_MS;
  const ends = begins + 7 * DAY_MS;
  return {
    name,
    firstSlot: slotAt(begins),
    startsAtMs: begins,
    endsAtMs: ends,
    lockedAtMs: ends + LOCK_MS_AFTER_WEEK,
  };
}

/** Return the week of "2026-W47", null where there is none. @type {(name: string) => Week | null} */
export function weekNamed(name) {
  const found = /^([0-9]{4})-W([0-9]{2})$/.exec(name);
  if (!found || Number(found[1]) < 1970 || Number(found[1]) > 9998) return null; // the years a diary knows
  const fourth = Date.UTC(Number(found[1]), 0, 4);
  const week = weekAt(fourth + (Number(found[2]) - 1) * 7 * DAY_MS);
  return week.name === name ? week : null;
}

/** Return whether the week is frozen at the instant (R3). @type {(week: Week, atMs: number) => boolean} */
export const isFrozen = (week, atMs) => atMs >= week.lockedAtMs;

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @type {(zone: string) => Intl.DateTimeFormat} */
function formatOf(zone) {
  const known = formats.get(zone);
  if (known) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    calendar: "iso8601",
    numberingSystem: "latn",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  formats.set(zone, format);
  return format;
}

/**
 * Return what clocks of the zone show at the instant, as milliseconds as if that were UTC (R5).
 * @type {(atMs: number, zone: string) => number}
 */
export function wallMs(atMs, zone) {
  /** @type {Record<string, number>} */
  const part = {};
  for (const { type, value } of formatOf(zone).formatToParts(atMs)) part[type] = Number(value);
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
}

/** Return the local day in which the slot starts, as "2026-11-23" (R5). @type {(slot: number, zone: string) => string} */
export const localDate = (slot, zone) => new Date(wallMs(startsAtMs(slot), zone)).toISOString().slice(0, 10);

/** Return "+05:45", with seconds where a zone still kept its mean solar time. @type {(offsetMs: number) => string} */
export function offsetName(offsetMs) {
  const seconds = Math.abs(offsetMs) / 1000;
  /** @type {(number: number) => string} */
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  const name = `${offsetMs < 0 ? "-" : "+"}${two(seconds / 3600)}:${two((seconds / 60) % 60)}`;
  return seconds % 60 ? `${name}:${two(seconds % 60)}` : name;
}

/**
 * Return the hours of a local day in order of time, 23 to 25 of them (R5).
 *
 * They are grouped by hour and offset, so that a repeated hour is two rows even where the clock was moved by
 * half an hour or across midnight.
 * @type {(date: string, zone: string) => LocalHour[]}
 */
export function localDay(date, zone) {
  const midnight = dayOfDate(date) * SLOTS_PER_DAY;
  /** @type {Map<string, { hour: number, offset: number, slots: number[] }>} */
  const rows = new Map();
  for (
    let slot = midnight - OFFSET_SLOTS_MAX;
    slot < midnight + SLOTS_PER_DAY + OFFSET_SLOTS_MAX;
    slot += 1
  ) {
    const wall = new Date(wallMs(startsAtMs(slot), zone));
    if (wall.toISOString().slice(0, 10) !== date) continue;
    const offset = wall.getTime() - startsAtMs(slot);
    const key = `${wall.getUTCHours()}/${offset}`;
    const row = rows.get(key) ?? { hour: wall.getUTCHours(), offset, slots: [] };
    row.slots.push(slot);
    rows.set(key, row);
  }
  const all = [...rows.values()];
  return all.map(({ hour, offset, slots }) => ({
    startsAtMs: startsAtMs(slots[0]),
    label: `${String(hour).padStart(2, "0")}:00`,
    offset: offsetName(offset),
    repeated: all.filter((row) => row.hour === hour).length > 1,
    slots,
  }));
}

/** Return an instant as "2026-11-23T09:10:00Z", its milliseconds only where there are any. @type {(atMs: number) => string} */
export function iso(atMs) {
  const text = new Date(atMs).toISOString();
  return atMs % 1000 ? text : `${text.slice(0, 19)}Z`;
}

// How times are shown: in the viewer's zone, in UTC or in the freelancer's, in 12 or 24 hours (R5). What is
// chosen stays in this browser; weeks, locks and limits never depend on it.

import { h } from "./element.js";
import { DAY_MS, endsAtMs, startsAtMs, wallMs } from "./week.js";

/** `theirs` is the freelancer's zone in the contract that is shown, null where they told none. @typedef {{ zone: "mine" | "utc" | "theirs", theirs: string | null, clock: "24" | "12" }} Times */

const KEPT = "workdiary times";
const MINE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** @type {() => Times} */
export function keptTimes() {
  const standard = /** @type {Times} */ ({ zone: "mine", theirs: null, clock: "24" });
  try {
    return { ...standard, ...JSON.parse(localStorage.getItem(KEPT) ?? "{}"), theirs: null };
  } catch {
    return standard;
  }
}

/** Return the zone's name that is shown by: the viewer's own where the freelancer's is wanted and not told. @type {(times: Times) => string} */
export const zoneOf = ({ zone, theirs }) => ({ mine: MINE, utc: "UTC", theirs: theirs ?? MINE })[zone];

/** @type {(wall: number, clock: "24" | "12") => string} */
function clockOf(wall, clock) {
  const [hours, minutes] = [Math.floor(wall / 3600_000) % 24, Math.floor(wall / 60_000) % 60];
  const two = String(minutes).padStart(2, "0");
  if (clock === "24") return `${String(hours).padStart(2, "0")}:${two}`;
  return `${hours % 12 || 12}:${two} ${hours < 12 ? "am" : "pm"}`;
}

/** Return the time of day of an instant, as "09:10" or "9:10 am". @type {(atMs: number, times: Times) => string} */
export const timeOf = (atMs, times) => clockOf(wallMs(atMs, zoneOf(times)) % DAY_MS, times.clock);

/** Return an hour's name, as "09:00" or "9 am". @type {(label: string, clock: "24" | "12") => string} */
export function hourOf(label, clock) {
  const hour = Number(label.slice(0, 2));
  return clock === "24" ? label : `${hour % 12 || 12} ${hour < 12 ? "am" : "pm"}`;
}

/** @type {(slot: number, times: Times) => string} */
export const spanOf = (slot, times) =>
  `${timeOf(startsAtMs(slot), times)} to ${timeOf(endsAtMs(slot), times)}`;

const LONG = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
});
const SHORT = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  weekday: "short",
  day: "numeric",
  month: "short",
});

/** Return "Wednesday, 18 November 2026" of "2026-11-18". @type {(date: string) => string} */
export const longDate = (date) => LONG.format(Date.parse(`${date}T00:00:00Z`));

/** Return "Wed, 18 Nov". @type {(date: string) => string} */
export const shortDate = (date) => SHORT.format(Date.parse(`${date}T00:00:00Z`));

/** Return "18 Nov, 09:10" of an instant. @type {(atMs: number, times: Times) => string} */
export function momentOf(atMs, times) {
  const wall = wallMs(atMs, zoneOf(times));
  return `${SHORT.format(wall)}, ${clockOf(wall % DAY_MS, times.clock)}`;
}

/** Return "3 h 20 min". @type {(minutes: number) => string} */
export function duration(minutes) {
  const hours = Math.floor(minutes / 60);
  if (!hours) return `${minutes} min`;
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
}

/** Return the switches for zone and clock; `change` is told what was chosen. @type {(times: Times, change: (chosen: Partial<Times>) => void) => Node[]} */
export function timesForm(times, change) {
  /** @type {(changed: Partial<Times>) => void} */
  const choose = (changed) => {
    const { zone, clock } = { ...times, ...changed };
    try {
      localStorage.setItem(KEPT, JSON.stringify({ zone, clock }));
    } catch {
      // A browser that keeps nothing shows it so until the page is left.
    }
    change(changed);
  };
  /** @type {(event: Event) => any} */
  const valueOf = (event) => /** @type {HTMLSelectElement} */ (event.target).value;
  const zones = [
    ["mine", `My time (${MINE})`],
    ["utc", "UTC"],
    ["theirs", `Freelancer's time (${times.theirs ?? "not told yet"})`],
  ];
  const isTold = times.theirs !== null;
  const chosen = times.zone === "theirs" && !isTold ? "mine" : times.zone;
  const zone = h(
    "select",
    { id: "zone", onchange: (/** @type {Event} */ event) => choose({ zone: valueOf(event) }) },
    zones.map(([value, text]) =>
      h("option", { value, selected: chosen === value, disabled: value === "theirs" && !isTold }, text),
    ),
  );
  const clock = h(
    "select",
    { id: "clock", onchange: (/** @type {Event} */ event) => choose({ clock: valueOf(event) }) },
    [
      ["24", "24 hours"],
      ["12", "12 hours"],
    ].map(([value, text]) => h("option", { value, selected: times.clock === value }, text)),
  );
  return [
    h("label", {}, h("span", { class: "unseen" }, "Times are shown in"), zone),
    h("label", {}, h("span", { class: "unseen" }, "Clock"), clock),
  ];
}

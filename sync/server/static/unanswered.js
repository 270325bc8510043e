// For how long a server may leave unanswered what it is asked about its log (R6, R43, R56). It never asks the time.

/**
 * That a server does not answer: since when, when it was asked last, what of the time between counts, whether it
 * said last that it doubts its clock, and what it shows.
 * @typedef {{ since_ms: number, last_ms: number, waited_ms: number, is_clock_unsure: boolean, what: string }} Unanswered
 */

const DAY_MS = 24 * 3_600_000;
const PATIENCE_MS = 7 * DAY_MS;
const PATIENCE_WITH_ITS_CLOCK_MS = 28 * DAY_MS; // it may wait for its operator
const GAP_MAX_MS = 2 * DAY_MS; // a browser that was closed heard no silence

/** Return what is known after one more sync without its answer. @type {(known: Unanswered | null | undefined, at_ms: number, what: string, is_clock_unsure: boolean) => Unanswered} */
export function unansweredAgain(known, at_ms, what, is_clock_unsure) {
  if (!known) return { since_ms: at_ms, last_ms: at_ms, waited_ms: 0, is_clock_unsure, what };
  const gap = Math.min(Math.max(at_ms - known.last_ms, 0), GAP_MAX_MS);
  return { ...known, last_ms: at_ms, waited_ms: known.waited_ms + gap, is_clock_unsure };
}

/** Return whether no honest server stays silent for so long. @type {(known: Unanswered) => boolean} */
export const isTooLong = ({ waited_ms, is_clock_unsure }) =>
  waited_ms >= (is_clock_unsure ? PATIENCE_WITH_ITS_CLOCK_MS : PATIENCE_MS);

// What a segment says and shows: the merge of its opened contents (R14, R36, R47).

import { byName } from "./merge.js";
import { MESSAGE } from "./message.js";
import { fields, isBool, isText, isWhole, listOf, oneOf, orNull, tuple } from "./shapes.js";
import { MINUTES_PER_SLOT } from "./week.js";

/** @typedef {import("./header.js").Header} Header */
/** @typedef {import("./header.js").Stamp} Stamp */
/** @typedef {[number | null, number | null, number | null, boolean]} Minute Keystrokes, clicks, scrolls, active. */
/** @typedef {[string, Stamp]} StampedText */
/**
 * @typedef {{ contract: string, slot: number, minutes: (Minute | null)[], application: string, title: string,
 *   moment: { wall_ms: number, monotonic_ms: number, boot: string }, masked: boolean, no_picture: string | null,
 *   roles: ("screen" | "thumbnail" | "camera")[], picture_names: string[], device: string,
 *   zone?: string }} CaptureContent
 */
/** @typedef {{ contract: string, slot: number, memo: StampedText | null, label: StampedText | null }} EntryContent */
/** @typedef {{ name: string, index: number }} PictureIn A picture's name and its index in its capture. */
/**
 * One snapshot; `version` names the capture that its pictures open by.
 * @typedef {{ taken_at_ms: number, screen: string, thumbnail: string, camera: string, device: string,
 *   version: string, indexes: Record<string, number> }} Snapshot
 */
/**
 * @typedef {{ minutes: (Minute | null)[], memo: string, label: string, snapshots: Snapshot[],
 *   applications: string[], titles: string[], masked: boolean, no_picture: string[], devices: string[] }} Merged
 */

const COUNT = orNull(isWhole);
const TEXT = tuple(isText, tuple(isWhole, isText));

const CAPTURE_FIELDS = {
  contract: isText,
  slot: isWhole,
  minutes: listOf(orNull(tuple(COUNT, COUNT, COUNT, isBool))),
  application: isText,
  title: isText,
  moment: fields({ wall_ms: isWhole, monotonic_ms: isWhole, boot: isText }),
  masked: isBool,
  no_picture: orNull(isText),
  roles: listOf(oneOf("screen", "thumbnail", "camera")),
  picture_names: listOf(isText),
  device: isText,
};
const CAPTURE = fields(CAPTURE_FIELDS, { zone: isText }); // no zone before captures told one (R5)

const ENTRY = fields({ contract: isText, slot: isWhole, memo: orNull(TEXT), label: orNull(TEXT) });

const TERMS = fields({ title: isText, client: isText, labels: listOf(isText) });

const REASON = fields({ contract: isText, reason: isText });

const SHAPES = new Map([
  ["capture", CAPTURE],
  ["entry", ENTRY],
  ["terms", TERMS],

  ["request", REASON],
  ["acceptance", REASON],
  ["dispute", REASON],
  ["redaction", REASON],
  ["bonus", REASON],
  ["payment", REASON],
  ["message", MESSAGE],
]);

/**
 * Return an opened content, null where it is not what its header's type says (R47).
 * @type {(header: Header, text: string) => any}
 */
export function contentOf(header, text) {
  try {
    const content = JSON.parse(text);
    return SHAPES.get(header.type)?.(content) ? content : null;
  } catch {
    return null;
  }
}

/** Compare as code points, as Python does: UTF-16 sorts what lies beyond it otherwise. @type {(one: string, other: string) => number} */
export function byCodePoint(one, other) {
  const [first, second] = [[...one], [...other]];
  for (let at = 0; at < Math.min(first.length, second.length); at += 1) {
    const difference =
      /** @type {number} */ (first[at].codePointAt(0)) - /** @type {number} */ (second[at].codePointAt(0));
    if (difference) return difference;
  }
  return first.length - second.length;
}

/** @type {(one: Stamp, other: Stamp) => number} */
const byStamp = (one, other) => one[0] - other[0] || (one[1] < other[1] ? -1 : one[1] > other[1] ? 1 : 0);

/** Return the text of the greatest stamp, "" for none; of equal stamps the greater text (R36). @type {(texts: (StampedText | null)[]) => string} */
function greatest(texts) {
  const said = texts.filter((text) => text !== null);
  const first = said.sort((one, other) => byStamp(other[1], one[1]) || byCodePoint(other[0], one[0]))[0];
  return first ? first[0] : "";
}

/** @type {(texts: string[]) => string[]} */
const eachOnce = (texts) => [...new Set(texts.filter((text) => text))];

/**
 * Return the contents of one segment as one, whatever the order they are given in (R36).
 * @type {(captures: [Header, CaptureContent][], entries: [Header, EntryContent][]) => Merged}
 */
export function merged(captures, entries) {
  const inOrder = [...captures].sort(
    ([one, first], [other, second]) => first.moment.wall_ms - second.moment.wall_ms || byName(one, other),
  );
  const contents = inOrder.map(([, content]) => content);
  return {
    minutes: Array.from({ length: MINUTES_PER_SLOT }, (_, at) =>
      sumOf(contents.map(({ minutes }) => minutes[at] ?? null)),
    ),
    memo: greatest(entries.map(([, { memo }]) => memo)),
    label: greatest(entries.map(([, { label }]) => label)),
    snapshots: inOrder.flatMap(([header, content]) => snapshotsOf(header, content)),
    applications: eachOnce(contents.map(({ application }) => application)),
    titles: eachOnce(contents.map(({ title }) => title)),
    masked: contents.some(({ masked }) => masked),
    no_picture: eachOnce(contents.map(({ no_picture: why }) => why ?? "")),
    devices: eachOnce(contents.map(({ device }) => device)),
  };
}

/** Return one minute's counts over all captures; its activity is the OR (R36). @type {(minutes: (Minute | null)[]) => Minute | null} */
function sumOf(minutes) {
  const tracked = minutes.filter((minute) => minute !== null);
  if (tracked.length <= 1) return tracked[0] ?? null;
  /** @type {(place: 0 | 1 | 2) => number | null} */
  const sum = (place) => sumOfCounted(tracked.map((minute) => minute[place]));
  return [sum(0), sum(1), sum(2), tracked.some((minute) => minute[3])];
}

/** Return the sum of what was counted, null where nothing was (R14). @type {(counts: (number | null)[]) => number | null} */
export function sumOfCounted(counts) {
  const counted = counts.filter((count) => count !== null);
  return counted.length ? counted.reduce((sum, count) => sum + count, 0) : null;
}

/** Return how many minutes were active, 0 to 10 (R14). @type {(minutes: (Minute | null)[]) => number} */
export const activityOf = (minutes) => minutes.filter((minute) => minute?.some(Boolean)).length;

/**
 * Return whether the content says what its header says; else the segment is defective (R47).
 * @type {(header: Header, content: any) => boolean}
 */
export function agrees(header, content) {
  if (content.contract !== header.contract || content.slot !== header.slot) return false;
  if (header.type === "capture") {
    const names = (header.pictures ?? []).map(([name]) => name);
    return (
      content.picture_names.length === names.length &&
      names.every((name, at) => name === content.picture_names[at]) &&
      content.roles.length === names.length &&
      content.minutes.length === MINUTES_PER_SLOT
    );
  }
  const stamps = [content.memo, content.label].filter((text) => text !== null).map((text) => text[1]);
  const last = stamps.sort(byStamp).at(-1) ?? null;
  const stated = header.stamp ?? null;
  return last === null || stated === null ? last === stated : byStamp(last, stated) === 0;
}

/** Return the capture's snapshots: a role that comes again begins the next one. @type {(header: Header, content: CaptureContent) => Snapshot[]} */
function snapshotsOf(header, content) {
  const pictures = header.pictures ?? [];
  /** @type {Snapshot[]} */
  const found = [];
  /** @type {Snapshot | null} */
  let under = null;
  // A list of roles that is too long or too short is a defect, not a reason to show nothing.
  for (let index = 0; index < Math.min(pictures.length, content.roles.length); index += 1) {
    const role = content.roles[index];
    if (under === null || under[role]) {
      under = {
        taken_at_ms: content.moment.wall_ms,
        screen: "",
        thumbnail: "",
        camera: "",
        device: content.device,
        version: `${header.replica}:${header.n}`,
        indexes: {},
      };
      found.push(under);
    }
    under[role] = pictures[index][0];
    under.indexes[pictures[index][0]] = index;
  }
  return found;
}

// What the messages of one contract amount to for one of its parties, as diary/rules/message.py (R56, R68).
// Messages are rows of the log; their order is the log's, and those that the server has not received yet
// stand last, by when they were written. A message cannot be taken back.

import { fields, isText, isWhole, listOf, oneOf, orNull, tuple } from "./shapes.js";

/** @typedef {import("./header.js").Header} Header */
/** @typedef {"freelancer" | "client" | "manager"} Party The two parties, and an agency's manager, who reads. */
/** @typedef {"waiting" | "sent" | "delivered" | "read" | "unread"} State */
/** @typedef {{ name: string, media_type: string, size: number, picture: string }} MessageFile */
/**
 * @typedef {{ contract: string, kind: "text" | "read" | "call", written_at_ms: number, text?: string,
 *   files?: MessageFile[], read_up_to?: [string, number] | null }} MessageContent
 */
/** @typedef {[number, number, number]} LogPlace When first received, log epoch, index: the log's order. */
/**
 * @typedef {{ name: string, by: Party, kind: "text" | "read" | "call", written_at_ms: number,
 *   place: LogPlace | null, text?: string, read_up_to?: string | null }} Said
 */
/** @typedef {{ order: string[], states: Map<string, State>, unread: number, newest: string | null, call: string }} Conversation */

export const TEXT_CHARACTERS_MAX = 8_000;
export const FILES_MAX = 8;
export const FILE_BYTES_MAX = 16 * 1024 * 1024;
export const FILE_NAME_CHARACTERS_MAX = 200;
export const MEDIA_TYPE_CHARACTERS_MAX = 100;
const LINK_CHARACTERS_MAX = 2_000;

const LINK =
  /^https:\/\/[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:[/?#][!#-;=?-\[\]_a-z~]*)?$/;

const FILE = fields({ name: isText, media_type: isText, size: isWhole, picture: isText });

/** The shape of what a message hides. */
export const MESSAGE = fields(
  { contract: isText, kind: oneOf("text", "read", "call"), written_at_ms: isWhole },
  { text: isText, files: listOf(FILE), read_up_to: orNull(tuple(isText, isWhole)) },
);

/** Return whether a text is an address that may be opened: https, hiding nothing of where it leads. @type {(text: string) => boolean} */
export const isLink = (text) => text.length <= LINK_CHARACTERS_MAX && LINK.test(text);

/** A text's characters, as Python counts them. @type {(text: string) => number} */
export const charactersOf = (text) => [...text].length;

/** Return how an opened message differs from its header or the format, null where it does not (R47). @type {(header: Header, content: MessageContent) => string | null} */
export function faultOfContent(header, content) {
  const files = content.files ?? [];
  if (content.contract !== header.contract) return "it was sealed for another contract";
  const named = (header.pictures ?? []).map(([name]) => name);
  if (files.map(({ picture }) => picture).join() !== named.join())
    return "its files are not those that its header names";
  if ((content.kind === "read") !== Boolean(content.read_up_to))
    return "only a mark of what was read says how far";
  if (charactersOf(content.text ?? "") > TEXT_CHARACTERS_MAX)
    return `a message has at most ${TEXT_CHARACTERS_MAX} characters`;
  const isTooLong = (/** @type {MessageFile} */ { name, media_type: type }) =>
    charactersOf(name) > FILE_NAME_CHARACTERS_MAX || charactersOf(type) > MEDIA_TYPE_CHARACTERS_MAX;
  return files.some(isTooLong) ? "the name of a file is too long" : null;
}

/** @type {(one: Said, other: Said) => number} */
function byOrder(one, other) {
  if (one.place === null || other.place === null) {
    if (one.place !== null) return -1;
    if (other.place !== null) return 1;
    return one.written_at_ms - other.written_at_ms || compareNames(one.name, other.name);
  }
  for (const [at, value] of one.place.entries()) {
    if (value !== other.place[at]) return value - other.place[at];
  }
  return 0;
}

/** Names are "replica:n": by replica, then by number. @type {(one: string, other: string) => number} */
function compareNames(one, other) {
  const [[replica, n], [its, number]] = [one.split(":"), other.split(":")];
  if (replica !== its) return replica < its ? -1 : 1;
  return Number(n) - Number(number);
}

/**
 * Return what the messages amount to for the party `ours`, in whatever order they come.
 *
 * `shown` are the newest heads, log epoch and size, that rows of the other party name. A party has read what
 * stands no later than the latest message that any of its marks names.
 * @type {(said: Said[], ours: Party, shown?: [number, number][]) => Conversation}
 */
export function conversation(said, ours, shown = []) {
  const rows = [...said].sort(byOrder);
  const at = new Map(rows.map(({ name }, place) => [name, place]));
  /** @type {(party: Party) => number} */
  const readUpTo = (party) =>
    rows
      .filter(({ by, read_up_to: named }) => by === party && named)
      .reduce((most, { read_up_to: named }) => Math.max(most, at.get(named ?? "") ?? -1), -1);
  // Whose reading counts for a party's messages: the client's for the freelancer's, else the freelancer's.
  const other = ours === "freelancer" ? "client" : "freelancer";
  const [byUs, byThem] = [readUpTo(ours), readUpTo(other)];
  const messages = rows.filter(({ kind }) => kind !== "read");
  /** @type {Map<string, State>} */
  const states = new Map();
  let newest = null;
  let call = "";
  for (const row of messages) {
    const place = at.get(row.name) ?? 0;
    const isOurs = row.by === ours;
    states.set(row.name, isOurs ? stateOfOurs(row, place <= byThem, shown) : place <= byUs ? "read" : "unread");
    if (!isOurs) newest = row.name;
    const text = row.text ?? "";
    if (row.kind === "call" && (!text || isLink(text))) call = text;
  }
  const unread = [...states.values()].filter((state) => state === "unread").length;
  return { order: messages.map(({ name }) => name), states, unread, newest, call };
}

/** @type {(row: Said, isRead: boolean, shown: [number, number][]) => State} */
function stateOfOurs({ place }, isRead, shown) {
  if (place === null) return "waiting";
  if (isRead) return "read";
  const [, epoch, index] = place;
  // A later epoch's log begins with the rows that were kept of the earlier ones, in their places (R43).
  return shown.some(([of, size]) => of >= epoch && size > index) ? "delivered" : "sent";
}

// A contract's messages as they are shown: the last ones opened, with their states, and how many are unread
// (R56, R68). It opens from the end backwards, and no more than what is asked for needs.

import { nameOf, parseHeader } from "./header.js";
import { conversation, faultOfContent } from "./message.js";
import { opened } from "./showing.js";

/** @typedef {import("./store.js").Contract} Contract */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").Waiting} Waiting */
/** @typedef {import("./message.js").Party} Party */
/** @typedef {import("./message.js").MessageContent} MessageContent */
/** @typedef {{ row: import("./feed.js").Row, name: string, content: MessageContent | null, fault: string, waiting: Waiting | null }} Told */
/**
 * @typedef {{ name: string, by: Party, ours: boolean, at_ms: number, kind: string, text: string, state: string,
 *   fault: string, refused: string, files: { name: string, media_type: string, size: number }[] }} Shown
 */
/**
 * `unread` counts those among the last; `more_unread`: there may be others before them.
 * @typedef {{ messages: Shown[], earlier: boolean, unread: number, more_unread: boolean, newest: string | null, call: string }} Talk
 */

const AT_ONCE = 100;

/** @type {(contract: Contract, replica: string) => Party} */
function partyOf(contract, replica) {
  const seat = contract.reader?.seats.get(replica);
  if (!seat) return replica === contract.seat.replica ? "client" : "freelancer";
  return seat.agency ? "manager" : "client";
}

/** @type {(contract: Contract, row: import("./feed.js").Row, waiting: Waiting | null) => Promise<Told>} */
async function toldOf(contract, row, waiting) {
  const name = nameOf(row.header);
  const content = await opened(contract, row);
  if (!content) return { row, name, content: null, fault: "It does not open.", waiting };
  const fault = faultOfContent(row.header, content);
  return fault
    ? { row, name, content: null, fault: `The message is defective: ${fault}.`, waiting }
    : { row, name, content, fault: "", waiting };
}

/** @type {(contract: Contract, told: Told) => import("./message.js").Said} */
function saidOf(contract, { row, name, content, waiting }) {
  const named = content?.read_up_to;
  return {
    name,
    by: partyOf(contract, row.header.replica),
    kind: content?.kind ?? "text",
    written_at_ms: content?.written_at_ms ?? 0,
    place: waiting ? null : [row.received_at_ms, row.log_epoch, row.index],
    text: content?.text ?? "",
    read_up_to: named ? `${named[0]}:${named[1]}` : null,
  };
}

/** @type {(contract: Contract, waiting: Waiting) => Promise<Told>} */
function toldOfWaiting(contract, waiting) {
  const { header: raw, body, wrap } = waiting.version;
  const row = { index: 0, log_epoch: 0, received_at_ms: 0, leaf: "", raw, header: parseHeader(raw), body, wrap };
  return toldOf(contract, row, waiting);
}

/**
 * Return what was told from the end backwards: at least `count` messages, where there are so many.
 *
 * What is known of each of them is all there is to know: a mark names what stood before it, so a mark before
 * them says nothing of them.
 * @type {(store: Store, contract: Contract, count: number) => Promise<{ told: Told[], isAll: boolean }>}
 */
async function tail(store, contract, count) {
  const waiting = await store.waiting(contract.id);
  let told = await Promise.all(waiting.map((one) => toldOfWaiting(contract, one)));
  const indexes = await store.messageIndexes(contract.id);
  let end = indexes.length;
  while (end > 0 && told.filter(({ content }) => content?.kind !== "read").length < count) {
    const first = Math.max(0, end - AT_ONCE);
    const rows = await store.messages(contract.id, indexes[first], indexes[end - 1]);
    told = [...(await Promise.all(rows.map((row) => toldOf(contract, row, null)))), ...told];
    end = first;
  }
  // A row that was taken may be here twice until what waits of it has gone too.
  const seen = new Set(told.filter(({ waiting: one }) => one === null).map(({ name }) => name));
  return { told: told.filter((one) => one.waiting === null || !seen.has(one.name)), isAll: end === 0 };
}

/** Return the newest heads that the other party was shown (R56). @type {(contract: Contract) => [number, number][]} */
function headsShown(contract) {
  const ours = partyOf(contract, contract.seat.replica);
  const other = ours === "freelancer" ? "client" : "freelancer";
  return [...(contract.reader?.heads ?? new Map())].flatMap(([replica, head]) =>
    partyOf(contract, replica) === other ? [head] : [],
  );
}

/** Return the last `count` messages, what is unread, and where the video call is. @type {(store: Store, contract: Contract, count: number) => Promise<Talk>} */
export async function talk(store, contract, count) {
  const { told, isAll } = await tail(store, contract, count);
  const ours = partyOf(contract, contract.seat.replica);
  const said = told.map((one) => saidOf(contract, one));
  const names = new Set(said.map(({ name }) => name));
  const isRead = said.some(({ by, read_up_to: named }) => by === ours && named && names.has(named));
  const found = conversation(said, ours, headsShown(contract));
  const byName = new Map(told.map((one) => [one.name, one]));
  const shown = found.order.slice(-count).map((name) => {
    const { row, content, fault, waiting } = /** @type {Told} */ (byName.get(name));
    const by = partyOf(contract, row.header.replica);
    return {
      name,
      by,
      ours: by === ours,
      at_ms: waiting ? (content?.written_at_ms ?? 0) : row.received_at_ms,
      kind: content?.kind ?? "text",
      text: content?.text ?? "",
      state: found.states.get(name) ?? "",
      fault,
      refused: waiting?.refused ? `${waiting.refused.reason}: ${waiting.refused.because}` : "",
      files: (content?.files ?? []).map(({ name: called, media_type, size }) => ({ name: called, media_type, size })),
    };
  });
  const earlier = !isAll || found.order.length > shown.length;
  const more = !isAll && !isRead && found.unread > 0;
  return { messages: shown, earlier, unread: found.unread, more_unread: more, newest: found.newest, call: found.call };
}

/** Return where the parties meet by video, looking through all that was said where the last ones do not say. @type {(store: Store, contract: Contract) => Promise<string>} */
export async function callOf(store, contract) {
  return (await talk(store, contract, Number.MAX_SAFE_INTEGER)).call;
}

/** Return the row of a message, one that waits too. @type {(store: Store, contract: Contract, name: string) => Promise<import("./feed.js").Row | null>} */
export async function messageNamed(store, contract, name) {
  const indexes = await store.messageIndexes(contract.id);
  for (let end = indexes.length; end > 0; end -= AT_ONCE) {
    const first = Math.max(0, end - AT_ONCE);
    const rows = await store.messages(contract.id, indexes[first], indexes[end - 1]);
    const found = rows.find(({ header }) => nameOf(header) === name);
    if (found) return found;
  }
  const held = (await store.waiting(contract.id)).map(({ version: { header: raw, body, wrap } }) => ({
    ...{ index: 0, log_epoch: 0, received_at_ms: 0, leaf: "" },
    ...{ raw, header: parseHeader(raw), body, wrap },
  }));
  return held.find(({ header }) => nameOf(header) === name) ?? null;
}

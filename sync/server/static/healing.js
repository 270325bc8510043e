// A server that was restored from an old backup is shown what it had signed, before it is blamed (R43, R56).
//
// A browser keeps signed heads and no proofs of rows. By a head an honest server sees that it lost something, and
// states where its logs go on; what was lost comes back with the freelancer's devices. One that states nothing is
// not believed: the alarm is raised as if it had not been asked.

import { FeedFault } from "./fault.js";
import { FIRST_EPOCH } from "./feed.js";
import { Line, LineFault } from "./line.js";
import * as open from "./open.js";
import { base64, sign } from "./seal.js";
import { headEvidence } from "./statement.js";
import { isTooLong, unansweredAgain } from "./unanswered.js";

/** @typedef {import("./store.js").Contract} Contract */
/** @typedef {import("./statement.js").Signed} Signed */
/** @typedef {import("./auditor.js").KeptHead} KeptHead */
/** @typedef {import("./tree.js").LogTree} LogTree */
/** @typedef {{ account: string, log_epoch: number, opened_at_ms: number, heads: Record<string, { log_epoch: number, size: number, root: string }> }} Opening */

const HEADS_SHOWN_MAX = 20; // one is enough; some wait for rows that were never read
// What a server shows that lost rows and may have received others in their places since.
const FAULTS_OF_A_RESTORED = ["log_shrank", "log_forked", "log_epoch", "retimed", "withheld"];
// It cannot state anything now: it is asked again with the next sync, and nothing is taken from it meanwhile.
const NOT_NOW = ["unreachable", "clock_unsure"];

/** Return whether an error may be an honest server's that lost something. @type {(error: unknown) => boolean} */
export const mayBeRestored = (error) =>
  error instanceof FeedFault
    ? FAULTS_OF_A_RESTORED.includes(error.kind)
    : error instanceof LineFault && error.reason === "not_enrolled";

/**
 * Show the server its heads of the contract's log, and return its statements of what was lost. None: it let the seat
 * in again, which it did not know by its token. Throws `error` where it has nothing to say to it; that nothing came is
 * noted in the contract.
 * @type {(contract: Contract, heads: KeptHead[], error: unknown, atMs: number) => Promise<Signed[]>}
 */
export async function statementsAfter(contract, heads, error, atMs) {
  try {
    const openings = await shown(contract, heads);
    if (openings.length || error instanceof LineFault) return openings;
  } catch (fault) {
    if (!(fault instanceof LineFault)) throw fault;
    if (NOT_NOW.includes(fault.reason)) {
      if (error instanceof FeedFault) noteSilence(contract, heads, error, fault, atMs);
      throw fault;
    }
  }
  throw error;
}

/** Note that the server was asked and did not answer; after a week that is an alarm (R56). @type {(contract: Contract, heads: KeptHead[], error: FeedFault, fault: LineFault, atMs: number) => void} */
function noteSilence(contract, heads, error, fault, atMs) {
  const known = unansweredAgain(contract.unanswered, atMs, error.message, fault.reason === "clock_unsure");
  contract.unanswered = known;
  const isRaised = contract.alarms.some(({ kind, what }) => kind === "unanswered" && what === known.what);
  if (!isTooLong(known) || isRaised) return;
  const evidence = [...error.evidence, ...heads.slice(0, HEADS_SHOWN_MAX).map(({ signed }) => headEvidence(signed))];
  contract.alarms.push({ kind: "unanswered", what: known.what, at_ms: atMs, evidence });
}

/** @type {(contract: Contract, heads: KeptHead[]) => Promise<Signed[]>} */
async function shown({ server_url: url, account, seat, log_epoch, opening }, heads) {
  const line = new Line(url);
  const { nonce } = await line.nonce();
  const tokenHash = open.hex(open.sha256(open.utf8(seat.token)));
  const payload = open.utf8([account, seat.replica, nonce, tokenHash].join("/"));
  const newest = [...heads].sort(({ head: one }, { head: other }) => other.log_epoch - one.log_epoch || other.size - one.size);
  const answer = await line.heal({
    account,
    replica: seat.replica,
    nonce,
    token_hash: tokenHash,
    signature: base64(await sign(seat.sign, "workdiary/1/heal", payload)),
    ...{ rows: [], pushes: {}, answers: [], pages: [] }, // a browser holds no proofs of them
    ...(opening ? { opening } : {}),
    log_epoch,
    heads: newest.slice(0, HEADS_SHOWN_MAX).map(({ signed }) => signed),
  });
  return answer.openings;
}

/** Return what the server states of a later epoch than the contract is in. @type {(contract: Contract, signed: Signed) => Promise<Opening>} */
export async function openingOf(contract, { text, signature }) {
  const isSigned = await open.verify(
    contract.server_key,
    "workdiary/1/epoch",
    open.utf8(text),
    open.unbase64(signature),
  );
  const opening = isSigned ? JSON.parse(text) : null;
  const known = Math.max(contract.log_epoch, FIRST_EPOCH);
  if (!opening || opening.account !== contract.account || opening.log_epoch <= known)
    throw new open.OpenFault("forged_opening");
  return opening;
}

/** Return how many rows of those that were read a statement keeps, null where only the log itself can show it. @type {(opening: Opening, contract: string, tree: LogTree) => number | null} */
export function keptBy(opening, contract, tree) {
  const head = opening.heads[contract];
  if (!head) return 0;
  const isSame = head.size <= tree.size && open.hex(tree.rootAt(head.size)) === head.root;
  return isSame ? head.size : null;
}

/** Return how many leaves in turn two logs begin alike with. @type {(held: LogTree, now: LogTree) => number} */
export function alike(held, now) {
  const size = Math.min(held.size, now.size);
  for (let at = 0; at < size; at += 1)
    if (!open.same(held.leaves(at, at + 1), now.leaves(at, at + 1))) return at;
  return size;
}

/** @type {(lost: number) => string} */
export const restoredWords = (lost) =>
  `The server was restored from an older copy${lost > 0 ? `; ${lost} entries of its log were lost` : ""}.`;

// Holding a contract's seals to the log that was read: what differs is an alarm, and not shown as sealed (R57).

import { hex } from "./open.js";
import { overlappingIn, reckoned, sameReckoning, SEAL_DOMAIN } from "./sealed.js";
import { headEvidence } from "./statement.js";
import { TermsHistory, versionsOf } from "./terms.js";
import { weekNamed } from "./week.js";

/** @typedef {import("./feed.js").Row} Row */
/** @typedef {import("./feed.js").Reader} Reader */
/** @typedef {import("./sealed.js").KeptSeal} KeptSeal */
/** @typedef {import("./store.js").Contract} Contract */
/** What was read: the log's tree, who read it, and the rows of a week. @typedef {{ tree: import("./tree.js").LogTree, reader: Reader, rowsOf: (first: number) => Promise<Row[]> }} Read */

/** Judge the contract's seals that were not judged yet. @type {(contract: Contract, seals: Map<number, KeptSeal>, read: Read, atMs: number) => Promise<void>} */
export async function judgeSeals(contract, seals, read, atMs) {
  for (const number of contract.unjudged) {
    const kept = seals.get(number);
    if (kept) kept.agrees = await agrees(kept, read);
    if (kept?.agrees !== false) continue;
    const { seal, signed } = kept;
    const what = `seal ${number} of week ${seal.week} is not what the log comes to`;
    const { newest } = contract.audit;
    const evidence = [{ domain: SEAL_DOMAIN, ...signed }, ...(newest ? [headEvidence(newest.signed)] : [])];
    contract.alarms.push({ kind: "seal_differs", what, at_ms: atMs, evidence, taken: true });
  }
  contract.unjudged = contract.unjudged.filter((number) => seals.get(number)?.agrees === null);
}

/** Return whether a seal is what its rows come to, null while that cannot be said. @type {(kept: KeptSeal, read: Read) => Promise<boolean | null>} */
async function agrees({ seal }, { tree, reader, rowsOf }) {
  if (seal.size > tree.size) return null;
  // Of rows that a restored server lost: another seal takes its place (R43).
  if (hex(tree.rootAt(seal.size)) !== seal.root)
    return seal.log_epoch === reader.cursor?.log_epoch ? false : null;
  const week = weekNamed(seal.week);
  const terms = versionsOf(reader.termsRows.filter(({ index }) => index < seal.size));
  if (!week || !terms.length) return false;
  const held = (await rowsOf(week.firstSlot)).filter(({ index }) => index < seal.size);
  return sameReckoning(
    reckoned(week, held, new TermsHistory(terms), overlappingIn(seal)),
    seal.reckoning,
  );
}

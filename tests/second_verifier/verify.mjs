// A second verifier of bundles, in another language, written from docs/evidence.md (R59).
//
// Container, manifest, proofs, statements and tables are its own; what opens, merges and judges a version are
// the modules of the client's page, which tests/vectors hold to the same answers as Python. It prints one line
// of JSON a file: {"file", "holds", "fails": [[about, says]...]}.

import { readFileSync } from "node:fs";

import { acceptedSlots, wrongSide } from "../../sync/server/static/acts.js";
import { agrees, contentOf, merged } from "../../sync/server/static/content.js";
import { checkChain, countsAt, deviceOf } from "../../sync/server/static/devices.js";
import { nameOf, parseHeader } from "../../sync/server/static/header.js";
import { Seats } from "../../sync/server/static/invitation.js";
import { leafHash, pushHash } from "../../sync/server/static/merkle.js";
import { standing } from "../../sync/server/static/merge.js";
import { amountMinor } from "../../sync/server/static/money.js";
import * as open from "../../sync/server/static/open.js";
import { base64 } from "../../sync/server/static/seal.js";
import { TermsHistory } from "../../sync/server/static/terms.js";
import { verdicts } from "../../sync/server/static/verdict.js";
import { isFrozen, weekNamed, weekOf } from "../../sync/server/static/week.js";
import { claim, filesOf } from "./container.mjs";
import { tablesOf } from "./tables.mjs";

const { hex, joined, sha256, unbase64, unhex, utf8 } = open;
const ACTS = ["acceptance", "dispute", "redaction"];
const WORDS = ["", "deleted", "late", "overlapping", "over_limit", "manual_not_allowed", "fixed_price"];

// Statements and proofs -------------------------------------------------------------------------------

async function statement(signed, domain, key, about) {
  const text = utf8(signed.text);
  claim(await open.verify(key, domain, text, unbase64(signed.signature)), about, "not signed by the server");
  return JSON.parse(signed.text);
}

const node = (left, right) => sha256(joined(Uint8Array.of(1), left, right));

/** RFC 9162, section 2.1.3.2. */
function rootByInclusion(index, size, leaf, path) {
  if (!(index >= 0 && index < size)) return null;
  let [at, last, root] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (last === 0) return null;
    if (at % 2 || at === last) {
      root = node(sibling, root);
      while (at % 2 === 0 && at) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else root = node(root, sibling);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 ? root : null;
}

/** RFC 9162, section 2.1.4.2. */
function isConsistent(old, size, path, oldRoot, root) {
  if (!(old > 0 && old <= size)) return false;
  if (old === size) return path.length === 0 && open.same(oldRoot, root);
  const rest = Number.isInteger(Math.log2(old)) ? [oldRoot, ...path] : path;
  if (!rest.length) return false;
  let [at, last] = [old - 1, size - 1];
  while (at % 2) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  let [one, other] = [rest[0], rest[0]];
  for (const sibling of rest.slice(1)) {
    if (last === 0) return false;
    if (at % 2 || at === last) {
      [one, other] = [node(sibling, one), node(sibling, other)];
      while (at % 2 === 0 && at) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else other = node(other, sibling);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && open.same(one, oldRoot) && open.same(other, root);
}

// Rows ------------------------------------------------------------------------------------------------

const isHash = (text) => typeof text === "string" && /^[0-9a-f]{64}$/.test(text);

async function opened(row, where) {
  const [key, body] = [unbase64(row.key), unbase64(row.body)];
  const header = JSON.parse(row.header);
  const root = open.extract(key);
  claim(key.length === 32 && open.commitmentOf(root) === header.commit, where, "not the committed key");
  const aes = await open.aesKey(open.encryptionOf(root), "AES-GCM", ["decrypt"]);
  const bound = { name: "AES-GCM", iv: open.ONCE, additionalData: sha256(utf8(row.header)) };
  const padded = await crypto.subtle.decrypt(bound, aes, body).catch(() => null);
  claim(padded !== null && padded.byteLength % 256 === 0, where, "does not open");
  const bytes = new Uint8Array(padded);
  let end = bytes.length;
  while (end && bytes[end - 1] === 0) end -= 1;
  claim(bytes[end - 1] === 0x80 && bytes.length - end < 256, where, "not padded");
  return open.textOf(bytes.subarray(0, end - 1));
}

async function checkRows(record, head) {
  let devices = null;
  const headers = record.versions.map((row) => parseHeader(row.header));
  for (const [at, header] of headers.entries()) {
    if (header.type !== "device_list") continue;
    const { lists } = JSON.parse(open.textOf(unbase64(record.versions[at].body)));
    const chain = lists.map((one) => ({ header: one.header, signature: unbase64(one.signature) }));
    const shown = await checkChain(chain, header.account);
    const says = JSON.stringify(parseHeader(record.versions[at].header).devices);
    claim(JSON.stringify(shown) === says, `row ${record.versions[at].index}`, "its proof proves another list");
    if (!devices || shown.number > devices.number) devices = shown;
  }
  const [seats, names, pushes] = [new Seats(), new Set(), new Map()];
  const found = { rows: [], keys: new Map(), versions: [], acts: [], terms: null, devices, seats };
  let last = -1;
  for (const [at, row] of record.versions.entries()) {
    const header = headers[at];
    const where = `row ${row.index}`;
    claim(row.index > last && !names.has(nameOf(header)), where, "out of order, or twice");
    last = row.index;
    names.add(nameOf(header));
    claim(header.account === record.account && header.contract === record.contract, where, "another contract's");
    claim([row.push, row.body_hash, ...row.proof].every(isHash), where, "no hash");
    const body = row.body === null ? null : unbase64(row.body);
    claim(body === null || hex(sha256(body)) === row.body_hash, where, "its content was changed");
    const opens = body !== null && ["capture", "entry", "terms", ...ACTS].includes(header.type);
    claim(row.key === null || opens, where, "a key that opens nothing");
    const headerHash = hex(sha256(utf8(row.header)));
    const leaf = leafHash(
      header.type, header.contract, row.log_epoch, row.received_at_ms, headerHash, row.body_hash, row.push,
    );
    const root = rootByInclusion(row.index, head.size, leaf, row.proof.map(unhex));
    claim(root !== null && hex(root) === head.root, where, "it does not stand in the log");
    await seats.learn(header, row.header, body ?? new Uint8Array(), row.received_at_ms);
    const signer = seats.seats.get(header.replica)?.keys.sign ?? deviceOf(devices, header.replica)?.sign;
    claim(signer !== undefined, where, "its writer is nobody's");
    const push = record.pushes[row.push];
    claim(push !== undefined && push.replica === header.replica, where, "its push is missing or another's");
    if (!pushes.has(row.push)) {
      const [hashes, signature] = [unbase64(push.hashes), unbase64(push.signature)];
      const isSigned = await open.verify(signer, "workdiary/1/push", hashes, signature);
      claim(isSigned && hex(pushHash(hashes, signature)) === row.push, where, "its push is not signed");
      const each = Array.from({ length: hashes.length / 64 }, (_, n) => hex(hashes.subarray(n * 64, n * 64 + 64)));
      pushes.set(row.push, new Set(each));
    }
    claim(pushes.get(row.push).has(headerHash + row.body_hash), where, "its writer did not sign it");
    if (!seats.seats.has(header.replica)) {
      claim(countsAt(deviceOf(devices, header.replica), header.n), where, "the device list does not count it");
    }
    const side = header.type === "joining" ? null : wrongSide(header, seats.seats, found.versions);
    claim(side === null, where, side);
    await learn(record, row, header, leaf, where, found);
  }
  claim(devices !== null && found.versions.length && found.terms, "the record", "lists or terms are missing");
  claim(Object.keys(record.pushes).every((name) => pushes.has(name)), "the record", "a push signs nothing shown");
  return found;
}

async function learn(record, row, header, leaf, where, found) {
  const isShown = row.body !== null && row.key !== null;
  if (header.type === "terms") {
    const before = found.versions.at(-1)?.terms;
    claim(header.terms || before, where, "the first terms are none");
    const terms = header.terms ?? { ...before, state: header.state };
    found.versions.push({ terms, received_at_ms: row.received_at_ms, replica: header.replica });
    if (isShown) found.terms = contentOf(header, await opened(row, where));
    return;
  }
  if (record.format >= 2 && ACTS.includes(header.type)) {
    const { slots = [] } = header.acceptance ?? header.dispute ?? header.redaction;
    const isOf =
      record.slots === null
        ? slots.some((slot) => weekOf(slot).name === record.week)
        : slots.length > 0 && slots.every((slot) => record.slots.includes(slot));
    claim(isOf, where, "an act that is of other slots");
    if (isShown) {
      const { contract, reason } = JSON.parse(await opened(row, where));
      claim(typeof contract === "string" && typeof reason === "string", where, "its words cannot be read");
    }
    found.acts.push({ header, received_at_ms: row.received_at_ms });
    return;
  }
  if (header.type !== "capture" && header.type !== "entry") return;
  const isInWeek = weekOf(header.slot).name === record.week;
  claim(isInWeek && (record.slots === null || record.slots.includes(header.slot)), where, "not a slot that is shown");
  let content = null;
  if (isShown) {
    content = contentOf(header, await opened(row, where));
    claim(content !== null, where, "its content cannot be read");
    found.keys.set(nameOf(header), unbase64(row.key));
  }
  found.rows.push({ header, index: row.index, received_at_ms: row.received_at_ms, content, leaf });
}

// Pictures, seal and tables ---------------------------------------------------------------------------

async function checkPictures(record, files, found) {
  const named = new Set();
  const ofRows = new Map(
    found.rows.flatMap(({ header }) => (header.pictures ?? []).map(([name]) => [name, found.keys.has(nameOf(header))])),
  );
  for (const [name, where] of Object.entries(record.pictures)) {
    claim(ofRows.has(name), "record.json", "a picture that no row names");
    claim(ofRows.get(name) || (where.file == null && where.absent != null), "record.json", "a picture of no content");
  }
  for (const { header, content } of found.rows) {
    if (header.type !== "capture" || !content) continue;
    for (const [index, [name, size]] of (header.pictures ?? []).entries()) {
      const where = record.pictures[name];
      claim(where && (where.file == null) !== (where.absent == null), `slot ${header.slot}`, "nothing said of a picture");
      if (where.file == null) continue;
      claim(files.has(where.file) && where.file.startsWith("pictures/"), where.file, "missing");
      named.add(where.file);
      const picture = files.get(where.file);
      const padded = joined(picture, Uint8Array.of(0x80), new Uint8Array((4096 - ((picture.length + 1) % 4096)) % 4096));
      const key = open.derive(found.keys.get(nameOf(header)), `workdiary/1/picture/${index}`);
      const aes = await open.aesKey(key, "AES-GCM", ["encrypt"]);
      const { account, contract, slot, replica, n } = header;
      const place = utf8([account, contract, slot, replica, n, index].join("/"));
      const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: open.ONCE, additionalData: place }, aes, padded);
      const is = padded.length === size && hex(sha256(new Uint8Array(sealed))) === name;
      claim(is, where.file, "another picture");
    }
  }
  for (const name of files.keys()) {
    claim(!name.startsWith("pictures/") || named.has(name), name, "no row names it");
  }
}

function stoodIn(found) {
  const slots = new Map();
  for (const row of found.rows) slots.set(row.header.slot, [...(slots.get(row.header.slot) ?? []), row]);
  return [...slots].sort(([one], [other]) => one - other).map(([slot, rows]) => {
    const stands = standing(rows);
    const counting = [...stands.captures, ...stands.frontier];
    const read = (type) =>
      counting.filter(({ header, content }) => header.type === type && content).map((row) => [row.header, row.content]);
    const claims = counting.filter(({ header }) => header.type === "capture" || header.manual);
    const first = claims.sort((one, other) => one.received_at_ms - other.received_at_ms || one.index - other.index)[0];
    const defective = counting.some(({ header, content }) => content && !agrees(header, content));
    return { slot, rows, stands, content: merged(read("capture"), read("entry")), index: first?.index, defective };
  });
}

const digestOf = (rows) => hex(sha256(joined(...rows.map(({ leaf }) => leaf))));

function reckoned(record, found, stood) {
  const week = weekNamed(record.week);
  const history = new TermsHistory(found.versions);
  const facts = stood
    .map(({ slot, rows }) => {
      const counted = rows.filter(({ received_at_ms: at }) => !isFrozen(week, at));
      return { ...standing(counted), slot, digest: digestOf(counted) };
    })
    .filter(({ deleted, kind }) => deleted || kind !== null);
  const judged = verdicts(week, facts, history, new Set(record.overlapping));
  const slots = facts.map(({ slot, kind, deleted, digest }) => {
    const { bills, why_not: why } = judged.get(slot);
    return [slot, kind, deleted ? "deleted" : "synced", bills, why, digest];
  });
  const [rate, currency] = history.rateOf(week);
  const billable = slots.filter(([, , , bills]) => bills).length;
  const terms = {
    kind: history.at(week.startsAtMs).kind,
    limit_minutes: history.limitMinutes(week),
    rate_minor: rate,
    currency,
  };
  return { terms, slots, billable, amount_minor: Number(amountMinor(billable, rate)) };
}

/** Why late time does not bill, by its slot; null where the client accepted it (R38). */
function lateWhys(record, found, stood, mine) {
  const [week, sealed] = [weekNamed(record.week), new Set(mine.slots.map(([slot]) => slot))];
  const accepted = acceptedSlots(found.acts);
  const facts = stood
    .filter(({ slot, stands }) => !sealed.has(slot) && !stands.deleted && stands.kind !== null)
    .map(({ slot, stands }) => ({ ...stands, slot, accepted: accepted.has(slot) }));
  const judged = verdicts(week, facts, new TermsHistory(found.versions), new Set(record.overlapping));
  return new Map([...judged].map(([slot, { why_not: why }]) => [slot, why]));
}

async function checkSeal(record, head, mine) {
  if (!record.seal) return;
  claim(record.slots === null, record.week, "a seal beside some slots");
  const seal = await statement(record.seal, "workdiary/1/seal", record.server_key, record.week);
  const { account, contract, week } = seal;
  const isOfIt = account === record.account && contract === record.contract && week === record.week;
  claim(isOfIt, record.week, "another week's seal");
  const path = record.seal_proof.map(unhex);
  claim(isConsistent(seal.size, head.size, path, unhex(seal.root), unhex(head.root)), record.week, "another log's seal");
  // A seal of before there were digests is over what bills alone.
  const hasDigests = seal.reckoning.slots.some((slot) => slot[5] != null);
  const says = ({ slots, ...rest }) =>
    JSON.stringify({ ...rest, slots: slots.map((slot) => (hasDigests ? slot : slot.slice(0, 5))) });
  claim(says(seal.reckoning) === says(mine), record.week, "the seal says otherwise");
}

// The record's fields -----------------------------------------------------------------------------------

const FIELDS = {
  record: "account contract format head overlapping pictures pushes seal seal_proof server_key slots stated versions week zone",
  version: "body body_hash header index key log_epoch proof push received_at_ms",
  push: "hashes replica signature",
  picture: "absent file",
  statement: "signature text",
};

function checkFields(record) {
  const has = (kind, part) => claim(Object.keys(part).sort().join(" ") === FIELDS[kind], "record.json", `no ${kind}`);
  // The same bytes are written in one way: what is left of the last six bits is nothing.
  const bytes = (...texts) =>
    claim(texts.every((text) => text === null || base64(unbase64(text)) === text), "record.json", "no base64");
  has("record", record);
  for (const one of record.versions) {
    has("version", one);
    bytes(one.body, one.key);
  }
  for (const one of Object.values(record.pushes)) {
    has("push", one);
    bytes(one.hashes, one.signature);
  }
  for (const one of Object.values(record.pictures)) {
    has("picture", one);
    claim([null, "missing", "thinned", "not_included"].includes(one.absent), "record.json", "no reason");
  }
  for (const one of [record.head, record.seal]) if (one !== null) {
    has("statement", one);
    bytes(one.signature);
  }
}

// All of it -------------------------------------------------------------------------------------------

async function verify(whole) {
  const files = filesOf(whole);
  for (const name of ["manifest.json", "manifest.sig", "record.json", "segments.csv", "totals.csv"]) {
    claim(files.has(name), name, "missing");
  }
  const parts = "manifest.json manifest.sig record.json segments.csv totals.csv report.html report.pdf export.css grid.css";
  for (const name of files.keys()) claim(parts.split(" ").includes(name) || name.startsWith("pictures/"), name, "no part");
  const rawManifest = files.get("manifest.json");
  const manifest = JSON.parse(open.textOf(rawManifest));
  claim([1, 2, 3].includes(manifest.format), "manifest.json", "another format");
  const others = [...files.keys()].filter((name) => !name.startsWith("manifest."));
  for (const name of new Set([...others, ...Object.keys(manifest.files)])) {
    const [is, should] = [files.get(name), manifest.files[name]];
    claim(is && should, name, "missing or added");
    claim(is.length === should.size && hex(sha256(is)) === should.sha256, name, "changed");
  }
  claim([...files.keys()].join() === [...others.sort(), "manifest.json", "manifest.sig"].join(), "the zip", "order");
  const record = JSON.parse(open.textOf(files.get("record.json")));
  checkFields(record);
  claim([1, 2, 3].includes(record.format) && weekNamed(record.week) && isHash(record.server_key), "record.json", "no record");
  // Here a zone may be written in any case: the zones' own database has one way to write each.
  const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: record.zone }).resolvedOptions();
  const isZone = timeZone === record.zone || timeZone.toLowerCase() !== record.zone.toLowerCase();
  claim(isZone, "record.json", "no zone");
  claim((record.slots === null) === (record.stated === null), "record.json", "what is stated");
  const isInOrder = (slots) => slots.every((slot, at) => at === 0 || slots[at - 1] < slot);
  claim(isInOrder(record.slots ?? []) && isInOrder(record.overlapping), "record.json", "slots out of order");
  claim(record.seal !== null || !record.seal_proof.length, "record.json", "a proof of no seal");
  claim(Object.values(record.stated ?? {}).every((word) => WORDS.includes(word)), "record.json", "no such word");
  const head = await statement(record.head, "workdiary/1/head", record.server_key, "the log");
  claim(head.contract === record.contract, "the log", "another contract's head");
  const found = await checkRows(record, head);
  const maker = found.seats.seats.get(manifest.maker)?.keys.sign ?? deviceOf(found.devices, manifest.maker);
  const key = typeof maker === "string" ? maker : maker && maker.revoked_from == null ? maker.sign : "";
  const signature = new Uint8Array(files.get("manifest.sig"));
  claim(await open.verify(key, "workdiary/1/bundle", rawManifest, signature), "manifest.sig", "not its maker's");
  await checkPictures(record, files, found);
  const stood = stoodIn(found);
  const mine = reckoned(record, found, stood);
  await checkSeal(record, head, mine);
  for (const [name, text] of tablesOf(record, found, stood, mine, lateWhys(record, found, stood, mine))) {
    claim(open.textOf(files.get(name)) === text, name, "not as the record makes it");
  }
  claim(!stood.some(({ defective }) => defective), "a segment", "its content disagrees with its header");
}

for (const file of process.argv.slice(2)) {
  let fails = [];
  try {
    await verify(readFileSync(file));
  } catch (error) {
    fails = [[error.about ?? "the bundle", error.message]];
  }
  console.log(JSON.stringify({ file, holds: fails.length === 0, fails }));
}

// Runs the client's modules over tests/vectors and says of each case what came of it, a JSON line a case:
// {"file", "name", "got", "want"}. Python compares; nothing is judged here.

import { readFileSync } from "node:fs";
import * as acts from "../../sync/server/static/acts.js";
import { borne, invoiceView, ownOf } from "../../sync/server/static/billed.js";
import { agrees, contentOf, merged } from "../../sync/server/static/content.js";
import { segmentsCsv, totalsCsv } from "../../sync/server/static/csv.js";
import * as devices from "../../sync/server/static/devices.js";
import { withMoved } from "../../sync/server/static/gateway.js";
import { parseHeader } from "../../sync/server/static/header.js";
import { authOf, parseLink, Seats } from "../../sync/server/static/invitation.js";
import { headOf } from "../../sync/server/static/statement.js";
import * as sealedWeek from "../../sync/server/static/sealed.js";
import { LogTree } from "../../sync/server/static/tree.js";
import { leafHash, pagePayload, pushHash, rootOf } from "../../sync/server/static/merkle.js";
import * as message from "../../sync/server/static/message.js";
import { money } from "../../sync/server/static/money.js";
import { standing } from "../../sync/server/static/merge.js";
import * as open from "../../sync/server/static/open.js";
import { base64, privateKey, publicOfSeed, sealRow, sign } from "../../sync/server/static/seal.js";
import { TermsHistory, versionsOf } from "../../sync/server/static/terms.js";
import * as timesheet from "../../sync/server/static/timesheet.js";
import { isTooLong, unansweredAgain } from "../../sync/server/static/unanswered.js";
import { verdicts } from "../../sync/server/static/verdict.js";
import {
  dateOfDay,
  dayOfDate,
  localDay,
  startsAtMs,
  weekAt,
  weekNamed,
} from "../../sync/server/static/week.js";
import { missesPicture } from "../../sync/server/static/whereabouts.js";

const { hex, unhex, utf8 } = open;
const read = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));
const say = (file, name, got, want) => console.log(JSON.stringify({ file, name, got, want }));
const sealedOf = ({ header, body, wrap }) => ({
  header,
  body: body == null ? null : unhex(body),
  wrap: wrap == null ? null : unhex(wrap),
});
const kindOf = async (promise) => {
  try {
    return await promise;
  } catch (error) {
    if (error.kind === undefined) throw error;
    return error.kind;
  }
};

function amounts() {
  for (const [currency, written] of Object.entries(read("money"))) say("money", currency, money(12345, currency), written);
}

function messages() {
  const file = read("message");
  for (const { name, header, expect } of file.headers)
    say("message", name, judged(() => parseHeader(header), "header", "bad_header"), expect);
  for (const { text, opens } of file.links) say("message", text, message.isLink(text), opens);
  for (const { name, header, content, fault } of file.contents) {
    const got = message.MESSAGE(content)
      ? message.faultOfContent(parseHeader(header), content)
      : "of another shape";
    say("message", name, got, fault);
  }
  const named = (name) => (name ? name.join(":") : null);
  for (const { name, ours, shown, rows: given, ...want } of file.conversations) {
    const said = given.map((row) => ({ ...row, name: named(row.name), read_up_to: named(row.read_up_to) }));
    const found = message.conversation(said, ours, shown);
    const got = [found.order, found.order.map((each) => found.states.get(each)), found.unread];
    say("message", name, [...got, found.newest, found.call], [
      want.order.map(named),
      want.states,
      want.unread,
      named(want.newest),
      want.call,
    ]);
  }
}

async function rows() {
  for (const { name, epoch_key: key, sealed, expect, content, sealing } of read("row").cases) {
    const wrapping = await open.wrappingOf(unhex(key));
    const got = await kindOf(open.openRow(sealedOf(sealed), wrapping).then((plain) => `opens ${hex(plain)}`));
    say("row", name, got, expect === "opens" ? `opens ${content}` : expect);
    if (!sealing) continue;
    const random = { key: unhex(sealing.row_key), nonce: unhex(sealing.wrap_nonce) };
    // The one place where the header's commitment is not known before: here it is the pinned text's.
    const again = await sealRow(() => sealed.header, unhex(sealing.content), wrapping, random);
    say("row", `${name}, sealed again`, [hex(again.body), hex(again.wrap)], [sealed.body, sealed.wrap]);
  }
  for (const one of read("picture").cases) {
    const { account, contract, slot, replica, n, index } = one.place;
    const place = [account, contract, slot ?? "-", replica, n, index].join("/");
    const opened = open.openPicture(unhex(one.ciphertext), unhex(one.row_key), place);
    const got = await kindOf(opened.then((picture) => `opens ${hex(picture)}`));
    say("picture", one.name, got, one.expect === "opens" ? `opens ${one.picture}` : one.expect);
  }
  for (const { name, private: raw, sealed, expect, key } of read("grant").cases) {
    const opened = open.openGrant(sealedOf(sealed), await privateKey("X25519", unhex(raw)));
    const got = await kindOf(opened.then((found) => `opens ${hex(found)}`));
    say("grant", name, got, expect === "opens" ? `opens ${key}` : expect);
  }
}

async function signatures() {
  for (const one of read("push").cases) {
    const held = await open.verify(one.public, "workdiary/1/push", unhex(one.hashes), unhex(one.signature));
    say("push", one.name, held ? "verifies" : "bad_signature", one.expect);
    if (!one.seed) continue;
    const hashes = one.versions.flatMap(({ header, body }) => [
      open.sha256(utf8(header)),
      open.sha256(unhex(body ?? "")),
    ]);
    say("push", `${one.name}, hashes`, hex(open.joined(...hashes)), one.hashes);
    const signed = await sign(
      await privateKey("Ed25519", unhex(one.seed)),
      "workdiary/1/push",
      unhex(one.hashes),
    );
    say(
      "push",
      `${one.name}, signed again`,
      [hex(signed), await publicOfSeed(unhex(one.seed))],
      [one.signature, one.public],
    );
    say("push", `${one.name}, push hash`, hex(pushHash(unhex(one.hashes), signed)), one.push_hash);
  }
  for (const one of read("answer").cases) {
    const held = await open.verify(one.public, "workdiary/1/answer", utf8(one.text), unhex(one.signature));
    say(
      "answer",
      one.name,
      held ? "verifies" : "bad_signature",
      one.expect === "broken_answer" ? "verifies" : one.expect,
    );
  }
  const opening = read("opening");
  for (const one of opening.cases) {
    const held = await open.verify(one.public, "workdiary/1/epoch", utf8(one.text), unhex(one.signature));
    say(
      "opening",
      one.name,
      held ? "verifies" : "bad_signature",
      one.expect === "broken_opening" ? "verifies" : one.expect,
    );
  }
  for (const one of opening.pages) {
    const payload = pagePayload(one.contract, one.first, unhex(one.leaves));
    const held = await open.verify(one.public, "workdiary/1/page", payload, unhex(one.signature));
    say("opening", one.name, held ? "verifies" : "bad_signature", one.expect);
  }
  const merkle = read("merkle");
  const leaves = merkle.leaves.map(({ fields }) => leafHash(...fields));
  const growing = new LogTree();
  for (const [size, leaf] of leaves.entries()) {
    growing.append(leaf);
    const whole = hex(rootOf(leaves.slice(0, size + 1)));
    say("merkle", `grown to ${size + 1}`, hex(growing.rootAt(size + 1)), whole);
  }
  say(
    "merkle",
    "leaves",
    leaves.map(hex),
    merkle.leaves.map(({ leaf }) => leaf),
  );
  say("merkle", "root", hex(rootOf(leaves)), merkle.root);
  const published = merkle.published.inputs.map((input) =>
    open.sha256(open.joined(Uint8Array.of(0), unhex(input))),
  );
  say(
    "merkle",
    "published",
    merkle.published.roots.map((_, size) => hex(rootOf(published.slice(0, size)))),
    merkle.published.roots,
  );
  const tree = LogTree.of(open.joined(...published));
  say(
    "merkle",
    "published, from a tree that grew past them",
    merkle.published.roots.map((_, size) => hex(tree.rootAt(size))),
    merkle.published.roots,
  );
  tree.truncate(5);
  for (const leaf of published.slice(5)) tree.append(leaf);
  say("merkle", "published, grown again", hex(tree.rootAt(8)), merkle.published.roots[8]);
  const many = Array.from({ length: 3000 }, (_, at) => open.sha256(utf8(String(at))));
  const long = LogTree.of(open.joined(...many));
  const sizes = [1, 2, 3, 1023, 1024, 1025, 2047, 2600, 3000];
  say(
    "merkle",
    "a long log, as it is folded",
    sizes.map((size) => hex(long.rootAt(size))),
    sizes.map((size) => hex(rootOf(many.slice(0, size)))),
  );
}

async function statements() {
  const { heads, seals } = read("seal");
  for (const { name, public: key, text, signature, expect, head } of heads) {
    const signed = { text, signature: base64(unhex(signature)) };
    const { contract, ...cursor } = head ?? { contract: "9f69d8082c44aee9228b407302006b34", size: 120 };
    const page = { contract, head: { log_epoch: 1, size: cursor.size }, signed_head: signed };
    const got = await kindOf(headOf(key, page).then(() => "verifies"));
    say("seal", name, got, expect === "verifies" ? "verifies" : "unsigned_head");
  }
  for (const { name, public: key, text, signature, expect, seal } of seals) {
    const signed = { text, signature: base64(unhex(signature)) };
    const of = { account: seal?.account ?? "0a".repeat(16), id: seal?.contract ?? "9f69d8082c44aee9228b407302006b34" };
    const got = await kindOf(sealedWeek.sealOf(key, of, signed).then((kept) => kept.seal));
    say("seal", name, got, expect === "verifies" ? seal : "unsigned_head");
  }
}

async function lists() {
  for (const { name, known, sealed, expect } of read("list_leaf").cases) {
    const checked = devices.checkLeaf(parseHeader(sealed.header), unhex(sealed.body ?? ""), known);
    say("list_leaf", name, await kindOf(checked.then(() => "proven")), expect);
  }
  for (const { name, known, sealed, expect } of read("device_list").cases) {
    const before = known && (known.header ? parseHeader(known.header).devices : known);
    const checked = devices.check(parseHeader(sealed.header), unhex(sealed.body), sealed.header, before);
    say("device_list", name, await kindOf(checked.then(() => "follows")), expect);
  }
}

const judged = (parse, good, bad) => {
  try {
    parse();
    return good;
  } catch {
    return bad;
  }
};

function headers() {
  for (const { name, text, expect } of read("header").cases) {
    say(
      "header",
      name,
      judged(() => parseHeader(text), "header", "malformed"),
      expect,
    );
  }
  for (const { name, header, expect } of read("party_header").cases) {
    say(
      "party_header",
      name,
      judged(() => parseHeader(header), "header", "bad_header"),
      expect,
    );
  }
}

// Who may write what in a contract's log, each row judged by those before it, and what those come to.
function logs() {
  const sorted = (slots) => [...new Set(slots)].sort((one, other) => one - other);
  for (const one of read("party_log").cases) {
    const taken = [];
    const terms = () => versionsOf(taken.filter(({ header }) => header.terms || header.state));
    const sides = one.rows.map(({ header: text, received_at_ms }, place) => {
      const header = parseHeader(text);
      const joined = Object.keys(one.seats_from).filter((seat) => one.seats_from[seat] <= place);
      const seats = new Map(joined.map((seat) => [seat, { agency: one.managers?.includes(seat) ? "ag" : null }]));
      const wrong = acts.wrongSide(header, seats, terms());
      if (wrong === null) taken.push({ header, received_at_ms });
      return wrong === null ? "taken" : "refused";
    });
    const shouldBe = one.rows.map(({ expect }) => (expect === "taken" ? expect : "refused"));
    say("party_log", `${one.name}: who may write`, sides, shouldBe);
    const history = new TermsHistory(terms());
    const weeksSay = Object.entries(one.weeks).map(([name, { manual_at }]) => {
      const week = weekNamed(name);
      const [rate_minor, currency] = history.rateOf(week);
      const { kind } = history.at(week.startsAtMs);
      const manual = manual_at.map(([at]) => [at, history.manualAllowedFor(week, at)]);
      return [name, { limit_minutes: history.limitMinutes(week), rate_minor, currency, kind, manual_at: manual }];
    });
    const agreed = [...acts.redactions(taken, new Map(Object.entries(one.seats_from)))];
    const got = {
      states: one.states.map(([at]) => [at, history.at(at).state]),
      weeks: Object.fromEntries(weeksSay),
      requests: acts.requests(taken).map(({ version, week, state }) => [...version, week, state]),
      accepted: sorted(acts.acceptedSlots(taken)),
      disputed: sorted(acts.disputes(taken).flatMap(({ open_slots }) => open_slots)),
      redacted: sorted(agreed.filter(([, { freelancer, client }]) => freelancer && client).map(([slot]) => slot)),
    };
    const want = Object.fromEntries(Object.keys(got).map((name) => [name, one[name]]));
    say("party_log", `${one.name}: what it comes to`, got, want);
  }
}

async function invitations() {
  const file = read("invitation");
  for (const { name, text, expect } of file.links) {
    say(
      "invitation",
      `link: ${name}`,
      judged(() => parseLink(text), "link", "refused"),
      expect,
    );
  }
  for (const { name, header } of file.headers) {
    say(
      "invitation",
      name,
      judged(() => parseHeader(header), "header", "malformed"),
      "malformed",
    );
  }
  for (const { secret, auth } of file.keys)
    say("invitation", "auth", (await authOf(unhex(secret))).auth, auth);
  for (const { name, secret, sealed, expect, key } of file.grants) {
    const opened = open.openInvitation(sealedOf(sealed), await open.invitationKey(unhex(secret)));
    const got = await kindOf(opened.then((found) => `opens ${hex(found)}`));
    say("invitation", `grant: ${name}`, got, expect === "opens" ? `opens ${key}` : expect);
  }
  for (const { name, log, joining, expect, ended, roles } of file.joinings) {
    const seats = new Seats();
    const learn = (row) =>
      seats.learn(parseHeader(row.header), row.header, unhex(row.body ?? ""), row.received_at_ms);
    for (const row of log) await learn(row);
    say("invitation", name, await kindOf(learn(joining).then(() => "joins")), expect);
    if (expect !== "joins") continue;
    const gone = [...seats.seats.values()].filter((seat) => seat.ended).map((seat) => seat.replica);
    say("invitation", `${name}, ended`, gone, ended);
    const sitting = [...seats.seats.values()].map((seat) => [seat.replica, seat.agency ? "manager" : "client"]);
    say("invitation", `${name}, roles`, Object.fromEntries(sitting), roles);
    say("invitation", `${name}, client`, seats.hasClient, Object.values(roles).includes("client"));
  }
}

/** What the page shows of a history, put together as its worker does it. */
function shown({ week: name, versions, terms, overlapping, accepted, disputed, redacted, absent, now_ms: nowMs }) {
  const week = weekNamed(name);
  const history = new TermsHistory(terms);
  const bySlot = Map.groupBy(versions, ({ header }) => header.slot);
  const stood = [...bySlot]
    .map(([slot, held]) => ({ slot, held, stands: standing(held) }))
    .sort((one, other) => one.slot - other.slot);
  const judged = verdicts(
    week,
    stood.map(({ slot, stands }) => ({ slot, ...stands, accepted: accepted.includes(slot) })),
    history,
    new Set(overlapping),
  );
  const segments = stood.flatMap(({ slot, held, stands }) => {
    const opened = [...stands.captures, ...stands.frontier].map(({ header, content }) => [
      header,
      content && contentOf(header, JSON.stringify(content)),
    ]);
    const readable = opened.filter(([, content]) => content !== null);
    const content = merged(
      readable.filter(([header]) => header.type === "capture"),
      readable.filter(([header]) => header.type === "entry"),
    );
    const defective =
      opened.length > readable.length || readable.some(([header, one]) => !agrees(header, one));
    const more = {
      leaf_index: null,
      defective,
      hadPicture: held.some(({ header }) => header.pictures?.length),
      accepted: accepted.includes(slot),
      disputed: disputed.includes(slot),
      redacted: redacted.includes(slot),
      missing: missesPicture(slot, content.snapshots, new Set(absent), nowMs),
    };
    const contract = { id: versions[0].header.contract, title: "Orchard", client: "Ada" };
    return timesheet.segmentOf(contract, slot, week, stands, judged.get(slot), content, more) ?? [];
  });
  const totals = timesheet.totalsOf(
    week,
    { id: versions[0]?.header.contract, title: "Orchard" },
    segments,
    history,
  );
  return { week: timesheet.weekJson(week, segments, totals, nowMs), stood, segments, totals };
}

const barsOn = (segments, zone) => {
  if (!segments.length) return [];
  const first = Math.floor(startsAtMs(segments[0].slot) / 86_400_000);
  return [-1, 0, 1, 2].flatMap((number) => {
    const day = dateOfDay(first + number);
    return timesheet.dayGrid(segments, day, zone).bars.map((bar) => ({ day, ...bar }));
  });
};

function weeks() {
  const pinned = read("week");
  for (const history of pinned.histories) {
    const { week, stood, segments, totals } = shown(history);
    const { expect } = history;
    const standings = Object.fromEntries(
      stood.map(({ slot, stands }) => {
        const names = (held) => held.map(({ header }) => `${header.replica}:${header.n}`);
        const { life, kind, vector, received_at_ms, claimed_at_ms } = stands;
        return [
          slot,
          {
            life,
            kind,
            frontier: names(stands.frontier),
            captures: names(stands.captures),
            vector,
            received_at_ms,
            claimed_at_ms,
          },
        ];
      }),
    );
    const about = `history ${history.seed}`;
    say("week", `${about}, what stands`, standings, expect.standings);
    say("week", `${about}, diary week --json`, week, expect.week);
    say("week", `${about}, bars`, segments.map(timesheet.barOf), expect.bars);
    say("week", `${about}, marks`, segments.map(timesheet.marks), expect.marks);
    say(
      "week",
      `${about}, defects`,
      segments.map(({ defective }) => defective),
      expect.defective,
    );
    const sealed = sealedWeek.reckoned(
      weekNamed(history.week),
      history.versions,
      new TermsHistory(history.terms),
      new Set(
        (expect.sealed?.slots ?? []).filter((slot) => slot[4] === "overlapping").map(([slot]) => slot),
      ),
    );
    say("week", `${about}, sealed`, sealed, expect.sealed);
    for (const [zone, csv] of Object.entries(expect.csv)) {
      const sums = totals ? [{ name: history.week, totals }] : [];
      say("week", `${about}, CSV in ${zone}`, [segmentsCsv(segments, zone), totalsCsv(sums)], csv);
    }
    for (const [zone, bars] of Object.entries(expect.memo_bars))
      say("week", `${about}, memo bars in ${zone}`, barsOn(segments, zone), bars);
  }
  for (const { at_ms: at, ...week } of pinned.weeks) {
    const { name, startsAtMs: starts, lockedAtMs: locked } = weekAt(at);
    say("week", `the week at ${at}`, { name, starts_at_ms: starts, locked_at_ms: locked }, week);
    say("week", `${name} by its name`, weekNamed(name)?.startsAtMs, week.starts_at_ms);
  }
  for (const { zone, day, hours } of pinned.days) {
    const got = localDay(day, zone).map(({ startsAtMs: starts, ...hour }) => ({
      starts_at_ms: starts,
      ...hour,
    }));
    say("week", `${day} in ${zone}`, got, hours);
    say("week", `${day} counted`, dateOfDay(dayOfDate(day)), day);
  }
}

function invoices() {
  for (const one of read("invoice_shown").cases) {
    const words = new Map(Object.entries(one.words));
    const billing = new Set(one.billing);
    const { week, currency } = one.parts[0];
    // What the rows come to but for the hours, whose sum the case says: it may be off by one on purpose.
    const own = ownOf([], one.acts);
    own.set(`hours/${week}/${currency}/`, one.own.hours);
    const got = one.parts.map((part) => {
      const moved = withMoved([], one.moved, one.parts[0].contract);
      const held = borne(part, one.parts, own);
      const known = { account: "ac".repeat(16), billing, acts: one.acts, words, moved, borne: held };
      const view = invoiceView(part, known, one.now_ms);
      const { number, state, agrees: holds, own_total_minor, total_minor, disputed_minor } = view;
      const { credited_minor, paid_minor, due_minor } = view;
      const sums = { total_minor, disputed_minor, credited_minor, paid_minor, due_minor };
      return {
        number,
        state,
        agrees: holds,
        own_total_minor,
        ...sums,
        steps: view.steps.map(({ state: step, from_ms }) => [step, from_ms]),
        notes: view.lines.map(({ note }) => note),
        payments: view.payments.map(({ id, state: paid, amount_minor, at_ms, reference }) => [
          id,
          paid,
          amount_minor,
          at_ms,
          reference,
        ]),
      };
    });
    say("invoice_shown", one.name, got, one.expect);
  }
}

function silences() {
  for (const { name, syncs, expect } of read("unanswered")) {
    let known = null;
    const got = syncs.map(([at, unsure]) => {
      known = unansweredAgain(known, at, name, unsure);
      return [known.since_ms, known.waited_ms, isTooLong(known)];
    });
    say("unanswered", name, got, expect);
  }
}

await rows();
await signatures();
await statements();
await lists();
headers();
logs();
amounts();
silences();
messages();
await invitations();
weeks();
invoices();

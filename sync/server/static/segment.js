// One segment: its pictures, counts minute by minute, memo, and whether it bills or why not (R13, R14, R64).

import { activity } from "./day.js";
import { h } from "./element.js";
import { swatch } from "./sheet.js";
import { barOf, marks, WHY_NOT_WORDS } from "./timesheet.js";
import { duration, longDate, momentOf, spanOf, zoneOf } from "./times.js";
import { endsAtMs, isFrozen, localDate, weekOf } from "./week.js";

/** @typedef {import("./page.js").Desk} Desk */
/** @typedef {import("./timesheet.js").Segment} Segment */

/** @type {(desk: Desk, contract: Record<string, any>, segment: Segment, around: Segment[]) => (Node | null)[]} */
export function segmentPage(desk, contract, segment, around) {
  const date = localDate(segment.slot, zoneOf(desk.times));
  const at = around.findIndex(({ slot }) => slot === segment.slot);
  /** @type {(other: Segment | undefined, words: string, rel: string) => Node | null} */
  const turn = (other, words, rel) =>
    other ? h("a", { href: `#/${contract.id}/segment/${other.slot}`, rel }, words) : null;
  return [
    h(
      "header",
      { class: "page-top" },
      h("h1", {}, spanOf(segment.slot, desk.times)),
      h(
        "p",
        { class: "under" },
        h("a", { href: `#/${contract.id}/day/${date}` }, longDate(date)),
        ` · ${contract.title}`,
      ),
      h(
        "p",
        { class: "turn" },
        turn(around[at - 1], "← Segment before", "prev"),
        " ",
        turn(around[at + 1], "Segment after →", "next"),
      ),
    ),
    h(
      "p",
      {},
      swatch(barOf(segment)),
      " ",
      marks(segment).map((mark) => h("span", { class: "mark" }, mark)),
    ),
    h("div", { class: "pictures" }, pictures(desk, segment)),
    facts(desk, segment),
    minutes(segment),
    acts(desk, contract, segment),
  ];
}

/** @type {(desk: Desk, segment: Segment) => Node[]} */
function pictures(desk, segment) {
  const shots = segment.snapshots.flatMap((shot) =>
    [
      ["The screen", shot.screen || shot.thumbnail],
      ["The camera", shot.camera],
    ]
      .filter(([, name]) => name)
      .map(([what, name]) => ({ shot, what, name })),
  );
  if (!shots.length)
    return [
      h("p", { class: "card" }, `No picture: ${segment.no_picture.join(", ") || "this is manual time"}.`),
    ];
  return shots.map(({ shot, what, name }) => {
    const caption = () =>
      h("figcaption", {}, `${what}, taken ${momentOf(shot.taken_at_ms, desk.times)} on ${shot.device}`);
    const figure = h("figure", {}, h("p", { class: "no-picture" }, "Opening the picture…"), caption());
    desk.fill(figure, async () => {
      const found = await desk.picture(segment, shot, name);
      const shown =
        typeof found === "string"
          ? h("p", { class: "no-picture" }, found)
          : h(
              "a",
              { href: found.url, target: "_blank", rel: "noopener" },
              h("img", { src: found.url, alt: `${what} at ${momentOf(shot.taken_at_ms, desk.times)}` }),
            );
      return [shown, caption()];
    });
    return figure;
  });
}

/** @type {(desk: Desk, segment: Segment) => HTMLElement} */
function facts(desk, segment) {
  const received = segment.received_at_ms;
  const after = received === null ? 0 : Math.max(0, Math.round((received - endsAtMs(segment.slot)) / 60_000));
  const bills = segment.bills ? "yes" : segment.why_not ? WHY_NOT_WORDS[segment.why_not] : "no";
  /** @type {[string, string][]} */
  const rows = [
    ["Memo", segment.memo || "none"],
    ["Label", segment.label || "none"],
    ["Bills", bills],
    ["Application", segment.applications.join(", ") || "none"],
    ["Window title", segment.titles.join(", ") || "none"],
    [
      "Received by the server",
      received === null ? "not known" : `${momentOf(received, desk.times)}, ${duration(after)} after its end`,
    ],
    ["Recorded on", segment.devices.join(", ") || "–"],
  ];
  if (segment.masked)
    rows.push(["Masked", "parts of the picture were hidden by the freelancer's private rules"]);
  return h(
    "dl",
    { class: "facts card" },
    rows.flatMap(([name, text]) => [h("dt", {}, name), h("dd", { class: "memo-text" }, text)]),
  );
}

/** @type {(segment: Segment) => HTMLElement | null} */
function minutes(segment) {
  const tracked = segment.minutes.filter((minute) => minute !== null).length;
  if (!tracked) return h("p", {}, "Nothing was tracked in it.");
  /** @type {(count: number | null | undefined) => string} */
  const said = (count) => (count === null || count === undefined ? "–" : String(count));
  return h(
    "details",
    { class: "card", open: true },
    h("summary", {}, `${segment.activity} of 10 minutes active, ${tracked} tracked `, activity(segment)),
    h(
      "table",
      { class: "minutes" },
      h("caption", { class: "unseen" }, "Counts by minute; which key or where is never recorded"),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["Minute", "Keystrokes", "Clicks", "Scrolls", "Active"].map((name) =>
            h("th", { scope: "col" }, name),
          ),
        ),
      ),
      h(
        "tbody",
        {},
        segment.minutes.map((minute, at) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, at + 1),
            minute === null
              ? h("td", { colspan: 4 }, "not tracked")
              : [minute[0], minute[1], minute[2]].map((count) => h("td", {}, said(count))),
            minute === null ? null : h("td", {}, minute.some(Boolean) ? "yes" : "no"),
          ),
        ),
      ),
    ),
  );
}

/** @type {(desk: Desk, contract: Record<string, any>, segment: Segment) => HTMLElement | null} */
function acts(desk, contract, segment) {
  if (contract.reads_only || segment.state === "deleted") return null;
  const week = weekOf(segment.slot);
  const frozen = isFrozen(week, desk.nowMs());
  const when = spanOf(segment.slot, desk.times);
  const redaction = contract.redactions.find((/** @type {any} */ one) => one.slot === segment.slot);
  const accept = () =>
    desk.act(
      contract.id,
      [{ type: "acceptance", part: { acceptance: { slots: [segment.slot] } }, content: null }],
      "Late time accepted.",
    );
  return h(
    "p",
    { class: "acts" },
    segment.why_not === "late"
      ? h("button", { type: "button", onclick: accept }, "Accept this late time")
      : null,
    frozen && segment.bills
      ? h(
          "button",
          { type: "button", class: "quiet", onclick: () => desk.dispute(contract, [segment.slot], when) },
          "Dispute this segment",
        )
      : null,
    redactButton(desk, contract, segment, frozen, redaction),
  );
}

/** @type {(desk: Desk, contract: Record<string, any>, segment: Segment, frozen: boolean, redaction: any) => Node | null} */
function redactButton(desk, contract, segment, frozen, redaction) {
  if (!frozen) return null;
  if (redaction?.client && redaction.freelancer) return h("span", {}, "Its content was redacted by both.");
  if (redaction?.client) return h("span", {}, "You asked to redact it; the freelancer has not agreed yet.");
  const words = redaction?.freelancer ? "Agree to redact its content" : "Ask to redact its content";
  const act = { type: "redaction", part: { redaction: { slots: [segment.slot] } }, content: null };
  const sign = () =>
    desk.confirm(
      words,
      "When both have signed, picture and texts of this segment are destroyed everywhere. The time and its bill stay.",
      () => desk.act(contract.id, [act], "Your side of the redaction is signed."),
    );
  return h("button", { type: "button", class: "quiet", onclick: sign }, words);
}

// Alarms: what was found, what it means, and the server's statements that show it, to be kept (R56).

import { h } from "./element.js";
import { momentOf } from "./times.js";
import { sayOf } from "./words.js";

/** @typedef {import("./page.js").Desk} Desk */
/** @typedef {import("./store.js").Alarm} Alarm */
/** @typedef {Record<string, any>} Contract */

/** @type {(contract: Contract, seen: boolean) => Alarm[]} */
const alarmsOf = (contract, seen) =>
  contract.alarms.filter((/** @type {Alarm} */ alarm) => Boolean(alarm.seen) === seen);

/** Return a notice for each alarm that nobody has looked at yet. @type {(desk: Desk, contracts: Contract[], look: (contract: Contract) => void) => HTMLElement[]} */
export const alarmNotices = (desk, contracts, look) =>
  contracts.flatMap((contract) => [
    ...(contract.unanswered ? [silence(desk, contract)] : []),
    ...alarmsOf(contract, false).map((alarm) =>
      h(
        "div",
        { class: "notice", "data-tone": "grave", role: "alert" },
        h(
          "p",
          {},
          h("strong", {}, `Alarm (${alarm.kind}): `),
          sayOf(alarm),
          ` ${alarm.what}. ${alarm.taken ? "" : "Nothing of it was taken. "}Trust this server no further until you know why, and ask the freelancer.`,
        ),
        h("button", { type: "button", class: "quiet", onclick: () => look(contract) }, "I have looked at it"),
        saveButton(desk, contract, alarm),
      ),
    ),
  ]);

/** Return what is said from the first day on of a server that does not answer for its record. @type {(desk: Desk, contract: Contract) => HTMLElement} */
function silence(desk, { title, unanswered: { since_ms, is_clock_unsure, what } }) {
  const waits = is_clock_unsure ? " It says that it waits until its clock is sure." : "";
  const since = momentOf(since_ms, desk.times);
  const says = `“${title}”: since ${since} the server does not answer for its record: ${what}.${waits} Nothing of it is taken meanwhile; what was loaded before is shown. Ask whoever runs the server.`;
  return h("div", { class: "notice", "data-tone": "grave" }, h("p", {}, h("strong", {}, "No answer. "), says));
}

/** Return the alarms that were looked at: they stay. @type {(desk: Desk, contract: Contract) => HTMLElement | null} */
export function alarmList(desk, contract) {
  const found = alarmsOf(contract, true);
  if (!found.length) return null;
  return h(
    "section",
    { class: "card", "aria-labelledby": "alarms-seen" },
    h("h2", { id: "alarms-seen" }, "Alarms that were looked at"),
    h(
      "ul",
      {},
      found.map((alarm) =>
        h(
          "li",
          {},
          h("strong", {}, `${momentOf(alarm.at_ms, desk.times)} · ${alarm.kind}: `),
          `${sayOf(alarm)} ${alarm.what}. `,
          saveButton(desk, contract, alarm),
        ),
      ),
    ),
  );
}

/** @type {(desk: Desk, contract: Contract, alarm: Alarm) => HTMLElement} */
function saveButton(desk, contract, alarm) {
  const { kind, what, at_ms, evidence = [] } = alarm;
  const said = { contract: contract.id, kind, what, at_ms, evidence };
  const save = () => desk.save(`alarm-${kind}.json`, JSON.stringify(said, null, 1), "application/json");
  return h("button", { type: "button", class: "quiet", onclick: save }, "Save what shows it");
}

// The client's page: what is shown where, and what every part of it may ask for. It holds no key and opens
// nothing: the worker does; texts come from it as texts.

import { alarmNotices } from "./alarms.js";
import { agreement } from "./agreement.js";
import { Asking, AskFault, scriptOf } from "./asking.js";
import { dayPage } from "./day.js";
import { byId, h, show } from "./element.js";
import { home, invited, trust } from "./home.js";
import { invoicePages } from "./invoices.js";
import { Pictures } from "./pictures.js";
import { Drawing } from "./renew.js";
import { segmentPage } from "./segment.js";
import { timesheet } from "./sheet.js";
import { Conversation } from "./talk.js";
import { keptTimes, timesForm, zoneOf } from "./times.js";
import { dayOfDate, localDate, SLOTS_PER_DAY, weekNamed, weekOf } from "./week.js";
import { weekPage } from "./weekly.js";
import { GOES_ON, isAlarm, sayOf } from "./words.js";

/** @typedef {import("./timesheet.js").Segment} Segment */
/** @typedef {import("./content.js").Snapshot} Snapshot */
/** @typedef {{ type: string, part: object, content: object | null }} Act */

const SYNC_MS = 60_000; // the client sees an open week as it syncs (R65)

/** What the parts of the page may ask for. */
export class Desk {
  times = keptTimes();
  /** @type {Record<string, any>[]} */
  contracts = [];
  #pictures = new Pictures((ask, asked) => this.ask(ask, asked));
  #turn = 0;
  #drawing = new Drawing((fault) => this.fault(fault));
  /** @type {Element | null} the form of the page that was sent last */
  #sent = null;
  /** @type {Conversation | null} the one that is shown */
  #talk = null;
  #asking = new Asking(({ read, size, says }) => {
    const said = byId("status"); // what was said to stay is not said over
    if (said.textContent && !said.matches("[data-passing]")) return;
    this.say(says ?? `Reading and checking: ${read} of ${size} entries.`, false);
  });

  /** @type {(ask: string, asked?: object) => Promise<any>} */
  ask(ask, asked) {
    return this.#asking.ask(ask, asked);
  }

  /** Do something once the element comes near the window. @type {(element: Element, act: () => Promise<void>) => void} */
  whenNear(element, act) {
    this.#drawing.whenNear(element, act);
  }

  /** Fill a place once it comes near the window. @type {(place: Element, fill: import("./renew.js").Fill) => void} */
  fill(place, fill) {
    this.#drawing.fill(place, fill);
  }

  /** The server's time as far as it is known. */
  nowMs() {
    return Date.now() + (this.contracts[0]?.clock_ahead_ms ?? 0);
  }

  /** @type {(text: string, stays?: boolean) => void} */
  say(text, stays = true) {
    const status = byId("status");
    if (status.textContent !== text) status.textContent = text; // what is said already is not spoken again
    status.toggleAttribute("data-passing", !stays);
    status.removeAttribute("data-fault");
    status.removeAttribute("data-tone");
  }

  /** @type {(fault: unknown) => void} */
  fault(fault) {
    this.say(fault instanceof AskFault ? sayOf({ kind: fault.kind, what: fault.message }) : String(fault));
    byId("status").setAttribute("data-fault", "");
    if (fault instanceof AskFault && isAlarm(fault.kind)) byId("status").setAttribute("data-tone", "grave");
  }

  /** @type {(contract: Record<string, any>) => void} */
  #learn(contract) {
    const others = this.contracts.filter(({ id }) => id !== contract.id);
    this.contracts = [...others, contract].sort((one, other) => (one.title < other.title ? -1 : 1));
  }

  /** Return a contract as it is known now. @type {(contract: Record<string, any>) => Record<string, any>} */
  known(contract) {
    return this.contracts.find(({ id }) => id === contract.id) ?? contract;
  }

  /** @type {() => Promise<void>} */
  async begin() {
    try {
      this.contracts = await this.ask("contracts");
    } catch (fault) {
      show(byId("main"), h("h1", {}, "The diary cannot be opened here"), trust());
      return this.fault(fault);
    }
    for (const { id, whole, joining } of this.contracts) {
      if (!whole && !joining) await this.look(id);
    }
    addEventListener("hashchange", () => this.route());
    byId("main").addEventListener("submit", ({ target }) => (this.#sent = /** @type {Element} */ (target)));
    addEventListener("online", () => this.sync());
    addEventListener("focus", () => this.#talk?.seen().catch((fault) => this.fault(fault)));
    setInterval(() => document.visibilityState === "visible" && this.sync(), SYNC_MS);
    await this.route();
    this.sync();
    return undefined;
  }

  /** Look at the newest week of a contract whose log was not read yet. @type {(id: string) => Promise<void>} */
  async look(id) {
    try {
      this.#learn(await this.ask("look", { contract: id }));
    } catch (fault) {
      this.fault(fault);
      this.#learn(await this.ask("summary", { contract: id }));
    }
  }

  /** Read what is new in the contract that is shown, or in all; what that changed is drawn anew. */
  sync() {
    return this.#read().catch((fault) => this.fault(fault));
  }

  /** Take over what is known of a contract after something went wrong with it, as far as the browser still gives it. @type {(id: string) => Promise<void>} */
  async #lookBack(id) {
    await this.ask("summary", { contract: id }).then((known) => this.#learn(known), () => undefined);
  }

  async #read() {
    const [id] = placeOf();
    const wanted = this.contracts.filter((one) => !id || one.id === id);
    for (const before of wanted) {
      try {
        const after = await this.ask("sync", { contract: before.id });
        this.#learn(after);
        if (byId("status").matches("[data-passing], [data-fault]")) this.say("", false);
        if (
          JSON.stringify({ ...after, synced_at_ms: 0, clock_ahead_ms: 0 }) !==
          JSON.stringify({ ...before, synced_at_ms: 0, clock_ahead_ms: 0 })
        )
          await this.route(true);
      } catch (fault) {
        await this.#lookBack(before.id);
        // What was shown before the log was read is not shown any more where that gave an alarm.
        if (fault instanceof AskFault && isAlarm(fault.kind)) await this.route(true);
        else this.#alarms();
        this.fault(fault);
      }
    }
  }

  /** @type {(link: string) => void} */
  invite(link) {
    const known = this.contracts.find((one) => link.includes(`.${one.id}.`) && !one.ended && !one.joining);
    show(byId("main"), invited(this, link, known));
    this.#frame();
    byId("main").focus({ preventScroll: true });
  }

  /** @type {(link: string) => Promise<void>} */
  async join(link) {
    this.say("Joining…", false);
    try {
      const contract = await this.ask("join", { link });
      this.#learn(contract);
      // The secret is used up: it need not stand in the address any more.
      history.replaceState(null, "", `#/${contract.id}`);
      await this.route();
      this.say(`You have joined “${contract.title}”.`);
      this.sync();
    } catch (fault) {
      this.fault(fault);
      this.contracts = await this.ask("contracts").catch(() => this.contracts);
      if (this.contracts.some((one) => one.joining && link.includes(one.id))) this.say(GOES_ON);
      this.#alarms();
    }
  }

  /** Sign, send and read again; a refusal is said by its name. @type {(id: string, acts: Act[], done: string) => Promise<void>} */
  async act(id, acts, done) {
    this.say("Signing and sending…", false);
    const sent = this.#sent;
    this.#sent = null;
    try {
      this.#learn(await this.ask("act", { contract: id, acts }));
      await this.route(true, sent);
      this.say(done);
    } catch (fault) {
      this.fault(fault);
      await this.#lookBack(id);
      this.#alarms();
    }
  }

  /** @type {(contract: Record<string, any>, slots: number[], what: string) => void} */
  dispute(contract, slots, what) {
    const reason = h("textarea", { id: "reason", required: true, rows: 4, maxlength: 2000 });
    const raise = () => {
      const row = {
        type: "dispute",
        part: { dispute: { act: "raised", slots } },
        content: { contract: contract.id, reason: reason.value },
      };
      return this.act(contract.id, [row], "The dispute is raised.");
    };
    this.confirm(
      `Dispute ${what}`,
      "The freelancer reads your reason and can reply. You can withdraw it at any time.",
      raise,
      h("p", {}, h("label", { for: "reason" }, "Reason"), reason),
    );
  }

  /** @type {(title: string, text: string, act: () => Promise<void>, ...more: Node[]) => void} */
  confirm(title, text, act, ...more) {
    const dialog = /** @type {HTMLDialogElement} */ (byId("dialog"));
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      dialog.close();
      act();
    };
    const form = h(
      "form",
      { onsubmit: submit },
      h("h2", { id: "dialog-title" }, title),
      h("p", {}, text),
      more,
      h(
        "p",
        { class: "acts" },
        h("button", { type: "submit" }, title),
        h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Not now"),
      ),
    );
    show(dialog, form);
    dialog.showModal();
  }

  /** Return a picture's address within this page, or a sentence why there is none. @type {(segment: Segment, shot: Snapshot, name: string) => Promise<{ url: string } | string>} */
  picture(segment, shot, name) {
    return this.#pictures.of(segment, shot, name);
  }

  /** @type {(name: string, text: string, type?: string) => void} */
  save(name, text, type = "text/csv") {
    const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  /** @type {(date: string) => void} */
  goTo(date) {
    if (date) location.hash = `#/${placeOf()[0]}/day/${date}`;
  }

  /** Show what the address names; `again`: what is shown is looked at anew, since something came; `sent`: the form of it whose content was taken. @type {(again?: boolean, sent?: Element | null) => Promise<void>} */
  async route(again = false, sent = null) {
    if (again && this.#talk && placeOf()[1] === "messages") return this.#follow(this.#talk);
    this.#turn += 1;
    const turn = this.#turn;
    if (location.hash.startsWith("#1.")) return this.invite(location.href);
    this.#talk = null;
    this.times = { ...this.times, theirs: this.contracts.find(({ id }) => id === placeOf()[0])?.zone ?? null };
    const nodes = await this.#nodes().catch(
      (fault) => (this.fault(fault), again ? null : [h("h1", {}, "That cannot be shown")]),
    );
    if (turn !== this.#turn || nodes === null) return undefined; // another address was asked for meanwhile
    const main = byId("main");
    if (!again) main.replaceChildren();
    this.#drawing.renew(main, nodes, sent);
    this.#frame();
    document.title = `${main.querySelector("h1")?.textContent ?? ""} · Work diary`;
    if (!again) this.#arrived(turn);
    return undefined;
  }

  /** A conversation is never drawn anew: what is being typed stays. @type {(talk: Conversation) => Promise<void>} */
  async #follow(talk) {
    await talk.refresh().catch((fault) => this.fault(fault));
    this.#frame();
  }

  /** Another page: what was said belongs to the one before, and the keyboard goes on from here. @type {(turn: number) => void} */
  #arrived(turn) {
    if (turn < 2) return;
    this.say("", false);
    byId("main").focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  /** @type {() => Promise<(Node | null)[]>} */
  async #nodes() {
    const [id, kind, what] = placeOf();
    if (id === "trust") return [h("h1", {}, "Trust"), trust()];
    const contract = this.contracts.find((one) => one.id === id);
    if (!contract) return home(this, this.contracts, id !== "");
    if (kind === "terms") return agreement(this, contract);
    if (kind === "messages") return (this.#talk = new Conversation(this, contract)).nodes();
    if (kind === "invoices") return invoicePages(this, contract, what);
    if (kind === "week") {
      const week = weekNamed(what);
      if (week) return weekPage(this, contract, (await this.#weeks(id, [week.firstSlot]))[0]);
    }
    if (kind === "day" && /^\d{4}-\d\d-\d\d$/.test(what))
      return dayPage(this, contract, what, await this.#segmentsOf(id, what));
    if (kind === "segment" && /^\d{1,9}$/.test(what)) {
      const date = localDate(Number(what), zoneOf(this.times));
      const around = (await this.#segmentsOf(id, date)).filter(
        ({ slot, state }) => state !== "deleted" && localDate(slot, zoneOf(this.times)) === date,
      );
      const segment = around.find(({ slot }) => slot === Number(what));
      if (segment) return segmentPage(this, contract, segment, around);
    }
    return timesheet(this, contract);
  }

  /** @type {(id: string, first: number[]) => Promise<import("./showing.js").WeekView[]>} */
  async #weeks(id, first) {
    const views = await this.ask("weeks", { contract: id, first, whole: true });
    // Behind what is shown: the server is asked which pictures never came.
    this.ask("whereabouts", { contract: id, first }).then(
      (isNews) => (isNews ? this.route(true) : undefined),
      (fault) => this.fault(fault),
    );
    return views;
  }

  /** Return the segments of every week that a local day touches. @type {(id: string, date: string) => Promise<Segment[]>} */
  async #segmentsOf(id, date) {
    const midnight = dayOfDate(date) * SLOTS_PER_DAY;
    const first = new Set(
      [-SLOTS_PER_DAY, 0, 2 * SLOTS_PER_DAY - 1].map((by) => weekOf(midnight + by).firstSlot),
    );
    return (await this.#weeks(id, [...first])).flatMap(({ segments }) => segments);
  }

  #frame() {
    const [id, kind] = placeOf();
    /** @type {(href: string, text: string, here: boolean) => HTMLElement} */
    const room = (href, text, here) => h("a", { href, "aria-current": here ? "page" : null }, text);
    const chosen = this.contracts.find((one) => one.id === id);
    const others = this.contracts.length > 1 ? [room("#/", "All contracts", !id)] : [];
    this.#drawing.renew(
      byId("rooms"),
      chosen
        ? [
            room(`#/${id}`, "Timesheet", !kind),
            room(`#/${id}/terms`, "Terms and requests", kind === "terms"),
            room(`#/${id}/messages`, chosen.unread ? `Messages (${chosen.unread}${chosen.more_unread ? "+" : ""})` : "Messages", kind === "messages"),
            room(`#/${id}/invoices`, "Invoices", kind === "invoices"),
            ...others,
          ]
        : [],
    );
    const choose = (/** @type {Partial<Desk["times"]>} */ chosen) => {
      this.times = { ...this.times, ...chosen };
      this.route(true);
    };
    this.#drawing.renew(byId("times"), timesForm(this.times, choose));
    this.#alarms();
  }

  #alarms() {
    const look = async (/** @type {Record<string, any>} */ { id }) => {
      this.#learn(await this.ask("seen", { contract: id }));
      this.#alarms();
    };
    this.#drawing.renew(byId("alarms"), alarmNotices(this, this.contracts, look));
  }
}

/** Return what the address names: contract, kind, which. @type {() => string[]} */
const placeOf = () => (location.hash.startsWith("#/") ? location.hash.slice(2).split("/") : [""]);

if ("serviceWorker" in navigator) {
  // Its scope is all that the page is made of: a worker's modules are asked for by their own address.
  const scope = new URL("../", import.meta.url).pathname;
  navigator.serviceWorker.register(scriptOf("service.js"), { scope }).catch(() => undefined);
}
new Desk().begin();

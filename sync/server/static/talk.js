// A contract's messages in the page: read, written, with files; what comes is added where a screen reader
// hears of it, and nothing that was typed is lost (R53, R66, R68).

import { AskFault } from "./asking.js";
import { h, show } from "./element.js";
import { charactersOf, FILE_BYTES_MAX, FILES_MAX, isLink, TEXT_CHARACTERS_MAX } from "./message.js";
import { momentOf } from "./times.js";
import { sayOf } from "./words.js";

/** @typedef {import("./page.js").Desk} Desk */
/** @typedef {import("./talking.js").Talk} Talk */
/** @typedef {import("./talking.js").Shown} Shown */
/** @typedef {Record<string, any>} Contract */

const SHOWN_AT_ONCE = 200;
const INLINE_BYTES_MAX = 8 * 1024 * 1024;
/** @type {Record<string, string>} */
const STATES = { waiting: "Waiting to be sent", sent: "Sent", delivered: "Delivered", read: "Read" };

/** One conversation that is shown; it follows what comes. */
export class Conversation {
  #count = SHOWN_AT_ONCE;
  #lookedBack = false;
  /** @type {Talk | null} */
  #talk = null;
  /** @type {Map<string, string>} */
  #drawn = new Map();
  #list = h("ol", {});
  #log = h("div", { class: "conversation", role: "log", "aria-label": "Messages", tabindex: 0 }, this.#list);
  #earlier = h("p", { hidden: true }, h("button", { type: "button", class: "quiet", onclick: () => this.#more() }, "Earlier messages"));
  #call = h("p", {});
  #text = h("textarea", { id: "text", rows: 4, "aria-describedby": "bounds" });
  #files = h("input", { id: "files", type: "file", multiple: true });
  #link = h("input", { id: "link", type: "url", placeholder: "https://", maxlength: 2000 });

  /** @param {Desk} desk @param {Contract} contract */
  constructor(desk, contract) {
    this.desk = desk;
    this.contract = contract;
  }

  /** @type {() => Promise<Node[]>} */
  async nodes() {
    await this.refresh();
    // Once the page has laid it out: the newest stand in view.
    requestAnimationFrame(() => (this.#log.scrollTop = this.#log.scrollHeight));
    const { contract } = this;
    return [
      h(
        "header",
        { class: "page-top" },
        h("h1", {}, "Messages"),
        h("p", { class: "under" }, `${contract.title} · sealed for the freelancer and you; nobody can take a message back.`),
      ),
      this.#call,
      this.#earlier,
      this.#log,
      contract.ended ? h("p", { class: "card" }, "Your access has ended: you can read what was written before.") : this.#form(),
      contract.ended ? h("p", {}) : this.#callForm(),
    ];
  }

  /** Take over what is new; what is shown already stays as it is. @type {() => Promise<void>} */
  async refresh() {
    const talk = await this.desk.ask("messages", { contract: this.contract.id, count: this.#count });
    const atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 80;
    this.#talk = talk;
    this.#draw(talk);
    this.#earlier.hidden = !talk.earlier;
    if (talk.call || !talk.earlier) this.#sayCall(talk.call);
    if (!talk.call && talk.earlier && !this.#lookedBack) this.#askCall().catch((fault) => this.desk.fault(fault));
    if (atEnd) this.#log.scrollTop = this.#log.scrollHeight;
    await this.seen();
  }

  /** Say that somebody has seen what is shown, in a window that is in use. */
  async seen() {
    const { newest, unread } = this.#talk ?? { newest: null, unread: 0 };
    const isSeen = document.visibilityState === "visible" && document.hasFocus() && this.#log.isConnected;
    if (!isSeen || !unread || !newest || this.contract.ended) return;
    if (this.#talk) this.#talk.unread = 0;
    await this.desk.ask("mark", { contract: this.contract.id, name: newest });
    this.desk.sync();
  }

  /** @type {(talk: Talk) => void} */
  #draw({ messages }) {
    const kept = new Set(messages.map(({ name }) => name));
    for (const name of [...this.#drawn.keys()].filter((each) => !kept.has(each))) {
      document.getElementById(`m-${name}`)?.remove();
      this.#drawn.delete(name);
    }
    if (!messages.length) show(this.#list, h("li", { class: "empty" }, "Nothing was written yet."));
    else this.#list.querySelector(".empty")?.remove();
    /** @type {Element | null} */
    let before = null;
    for (const one of messages) {
      const form = JSON.stringify([one.state, one.at_ms, one.refused, one.fault]);
      let item = [...this.#itemNamed(one.name)][0] ?? null;
      if (item === null || this.#drawn.get(one.name) !== form) {
        const drawn = this.#item(one);
        if (item) item.replaceWith(drawn);
        item = drawn;
        this.#drawn.set(one.name, form);
      }
      /** @type {Element | null} */
      const place = before === null ? this.#list.firstElementChild : before.nextElementSibling;
      if (item !== place) this.#list.insertBefore(item, place);
      before = item;
    }
  }

  /** @type {(name: string) => Generator<Element>} */
  *#itemNamed(name) {
    const found = this.#list.querySelector(`[id="m-${name}"]`);
    if (found) yield found;
  }

  /** @type {(one: Shown) => HTMLElement} */
  #item(one) {
    const writer = one.ours ? "You" : `The ${one.by}`;
    const word = one.refused ? "Refused" : one.ours ? STATES[one.state] : one.state === "unread" ? "New" : "";
    return h(
      "li",
      { class: "message", id: `m-${one.name}`, "data-ours": String(one.ours), "data-state": one.state },
      h("p", { class: "by" }, h("strong", {}, writer), ` ${momentOf(one.at_ms, this.desk.times)}`, word ? h("span", { class: "state" }, ` · ${word}`) : null),
      one.fault ? h("p", { class: "notice", "data-tone": "grave" }, one.fault) : null,
      one.refused ? this.#refusal(one) : null,
      one.kind === "call" ? h("p", {}, one.text ? `The video call is at ${one.text}` : "There is no video call any more.") : null,
      one.kind !== "call" && one.text ? h("p", { class: "words", dir: "auto" }, one.text) : null,
      one.files.length ? h("ul", { class: "files" }, one.files.map((file, index) => this.#file(one, file, index))) : null,
    );
  }

  /** @type {(one: Shown) => HTMLElement} */
  #refusal(one) {
    const dismiss = () =>
      this.desk.ask("dismiss", { contract: this.contract.id, name: one.name }).then(() => this.refresh(), (fault) => this.desk.fault(fault));
    return h(
      "p",
      { class: "notice", "data-tone": "grave" },
      `The server did not take it (${one.refused}). `,
      h("button", { type: "button", class: "quiet", onclick: dismiss }, "I have seen it: remove it"),
    );
  }

  /** @type {(one: Shown, file: { name: string, media_type: string, size: number }, index: number) => HTMLElement} */
  #file(one, file, index) {
    const size = file.size >= 100_000 ? `${(file.size / 1_000_000).toFixed(1)} MB` : `${file.size} bytes`;
    const item = h("li", {});
    const get = async () => {
      const bytes = await this.desk.ask("file", { contract: this.contract.id, name: one.name, index });
      if (bytes === null) throw new AskFault({ kind: "absent", what: "The file has not reached the server yet." });
      return bytes;
    };
    const save = () => get().then((bytes) => saved(bytes, file.name), (fault) => this.desk.fault(fault));
    if (file.media_type.startsWith("image/") && file.size <= INLINE_BYTES_MAX) {
      this.desk.whenNear(item, async () => {
        const bytes = await get().catch(() => null);
        const type = bytes === null ? null : pictureType(bytes);
        if (bytes === null || type === null) return; // no picture by its first bytes is shown as none
        const url = URL.createObjectURL(new Blob([bytes], { type }));
        item.prepend(h("img", { src: url, alt: `Picture sent as ${file.name}`, onload: () => URL.revokeObjectURL(url) }));
      });
    }
    item.append(h("button", { type: "button", class: "quiet", onclick: save }, h("bdi", {}, file.name)), h("span", { class: "under" }, ` ${size}`));
    return item;
  }

  /** @type {() => HTMLElement} */
  #form() {
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#send().catch((fault) => this.desk.fault(fault));
    };
    const form = h(
      "form",
      { class: "card", onsubmit: submit, "aria-label": "Write a message" },
      h("p", {}, h("label", { for: "text" }, "Write to the freelancer"), this.#text),
      h("p", {}, h("label", { for: "files" }, "Files"), this.#files),
      h("p", { class: "under", id: "bounds" }, `At most ${TEXT_CHARACTERS_MAX} characters and ${FILES_MAX} files of ${Math.floor(FILE_BYTES_MAX / 1e6)} MB. Ctrl+Enter sends.`),
      h("p", {}, h("button", { type: "submit" }, "Send")),
    );
    this.#text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    return form;
  }

  async #send() {
    const text = this.#text.value.trim();
    const chosen = [...(this.#files.files ?? [])];
    const fault = faultOf(text, chosen);
    if (fault) return this.desk.say(fault);
    const files = await Promise.all(
      chosen.map(async (file) => ({ name: file.name, media_type: file.type || "application/octet-stream", bytes: new Uint8Array(await file.arrayBuffer()) })),
    );
    await this.desk.ask("write", { contract: this.contract.id, kind: "text", text, files });
    this.#text.value = "";
    this.#files.value = "";
    this.desk.say("Written.", false);
    await this.refresh();
    this.#text.focus();
    this.desk.sync();
    return undefined;
  }

  /** @type {() => HTMLElement} */
  #callForm() {
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      const link = this.#link.value.trim();
      if (link && !isLink(link)) return this.desk.say("That is no address of a video call: it begins with https:// and hides nothing.");
      return this.desk
        .ask("write", { contract: this.contract.id, kind: "call", text: link, files: [] })
        .then(() => this.refresh())
        .then(() => this.desk.sync())
        .catch((fault) => this.desk.fault(fault));
    };
    return h(
      "details",
      { class: "card" },
      h("summary", {}, "Video call"),
      h(
        "form",
        { onsubmit: submit, "aria-label": "Address of the video call" },
        h("p", {}, h("label", { for: "link" }, "Its address, for both of you; empty for none"), this.#link),
        h("p", {}, h("button", { type: "submit" }, "Set it")),
      ),
    );
  }

  /** An address that was set long ago is looked for once: all that was written is opened for it. */
  async #askCall() {
    this.#lookedBack = true;
    this.#sayCall(await this.desk.ask("call", { contract: this.contract.id }));
  }

  /** @type {(call: string) => void} */
  #sayCall(call) {
    const isOpen = isLink(call);
    show(this.#call, isOpen ? h("a", { href: call, target: "_blank", rel: "noopener noreferrer" }, "Open the video call") : null);
    this.#call.hidden = !isOpen;
    if (!this.#link.value) this.#link.value = call;
  }

  #more() {
    this.#count += SHOWN_AT_ONCE;
    this.refresh().catch((fault) => this.desk.fault(fault));
  }
}

/** @type {(text: string, files: File[]) => string} */
function faultOf(text, files) {
  if (!text && !files.length) return "This message says nothing. Write something, or add a file.";
  if (charactersOf(text) > TEXT_CHARACTERS_MAX) return sayOf({ what: `A message has at most ${TEXT_CHARACTERS_MAX} characters; this one has ${charactersOf(text)}.` });
  if (files.length > FILES_MAX) return `A message takes at most ${FILES_MAX} files.`;
  const large = files.find(({ size }) => size > FILE_BYTES_MAX);
  return large ? `“${large.name}” is larger than ${Math.floor(FILE_BYTES_MAX / 1e6)} MB.` : "";
}

/** Hand bytes to the browser to be saved, as no kind of file that it would show. @type {(bytes: BlobPart, name: string) => void} */
function saved(bytes, name) {
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Return the type of a picture by its first bytes, null for what is none: whatever its sender says. @type {(bytes: Uint8Array) => string | null} */
export function pictureType(bytes) {
  const start = String.fromCharCode(...bytes.slice(0, 12));
  if (start.startsWith("RIFF") && start.slice(8) === "WEBP") return "image/webp";
  if (start.startsWith("\u0089PNG\r\n")) return "image/png";
  if (start.startsWith("\u00ff\u00d8\u00ff")) return "image/jpeg";
  if (start.startsWith("GIF8")) return "image/gif";
  return ["ftypavif", "ftypavis"].includes(start.slice(4)) ? "image/avif" : null;
}

// How a client pays: what the server says of their billing method, and the way to the gateway's own page
// (R11, R63). Nothing of the gateway's comes into this page: the browser goes there, and comes back (R53).

import { h } from "./element.js";
import { momentOf } from "./times.js";

/** @typedef {import("./page.js").Desk} Desk */
/** @typedef {Record<string, any>} Contract */
/** @typedef {import("./line.js").OwnBilling} Billing */

/** @type {Record<string, string>} */
const STATES = {
  verified: "Your billing method is verified.",
  unverified: "Your billing method is not verified. The freelancer is warned of that before they work for you.",
  stated: "The freelancer says that you pay by hand, as you both agreed.",
  unknown: "This server has no payment gateway: you pay by hand, as you both agreed.",
};

/** @type {(desk: Desk, contract: Contract) => HTMLElement | null} */
export function paying(desk, contract) {
  /** @type {Billing | null | undefined} */
  const billing = contract.billing;
  if (!billing) return null;
  const since = billing.at_ms === null ? "" : ` (${momentOf(billing.at_ms, desk.times)})`;
  const leave = () => goTo(desk, desk.ask("billing_page", { contract: contract.id }));
  const offers = billing.gateway !== "by_hand" && billing.state !== "verified" && !contract.reads_only;
  const words = contract.role === "manager" ? MANAGERS[billing.state] : STATES[billing.state];
  return h(
    "section",
    { class: "card", "aria-labelledby": "paying" },
    h("h2", { id: "paying" }, "How you pay"),
    h("p", { "data-billing": billing.state }, `${words ?? billing.state}${since}`),
    offers
      ? h(
          "p",
          { class: "acts" },
          h("button", { type: "button", onclick: leave }, "Leave a billing method"),
          " ",
          h("span", { class: "under" }, "You leave this page for the payment gateway's, and come back."),
        )
      : null,
  );
}

/** @type {Record<string, string>} */
const MANAGERS = {
  verified: "The client's billing method is verified.",
  unverified: "The client's billing method is not verified.",
  stated: "You and the client are said to have agreed on paying by hand.",
  unknown: "This server has no payment gateway: the client pays by hand.",
};

/**
 * The button by which an invoice's part is paid: by the gateway, where there is one.
 * @type {(desk: Desk, contract: Contract, invoice: number, issuer: string | null) => HTMLElement | null}
 */
export function payButton(desk, contract, invoice, issuer) {
  if (contract.reads_only || (contract.billing?.gateway ?? "by_hand") === "by_hand") return null;
  const pay = () => goTo(desk, desk.ask("start_payment", { contract: contract.id, invoice, issuer }));
  return h("button", { type: "button", onclick: pay, "data-invoice": String(invoice) }, "Pay");
}

/** Leave for the gateway's page; only where nobody can read on the way. @type {(desk: Desk, page: Promise<{ url: string | null }>) => Promise<void>} */
async function goTo(desk, page) {
  desk.say("Asking the payment gateway…", false);
  try {
    const { url } = await page;
    if (url === null) return desk.say("You pay this by hand; say so here once you have.");
    if (new URL(url).protocol !== "https:") return desk.say("The server names a page that is not safe.");
    location.assign(url);
  } catch (fault) {
    desk.fault(fault);
  }
}

// What goes wrong and what is meant, in a client's words; the kinds are those of the protocol and the reader.

/** Each refusal and alarm by its word. @type {Record<string, string>} */
export const KINDS = {
  invitation_unknown:
    "This link opens nothing here: its secret is another one, or it was copied wrongly. Compare it with the one that was sent to you, or ask for a new one.",
  invitation_expired: "This link has expired or was withdrawn. Ask for a new one.",
  invitation_used:
    "This link was used already: a link works once. If that was not you, tell whoever invited you; then ask for a new one.",
  another_server: "Another server answers here than the one your link names. Nothing was sent to it.",
  bad_signature: "The server shows something that its writer did not sign.",
  unlisted_device: "The server shows something written by a device that is not the freelancer's.",
  wrong_place: "The server shows something that belongs elsewhere.",
  wrong_side: "The server shows something that its writer had no right to write.",
  bad_joining: "The server shows a client who was never let in.",
  wrong_grant: "A key that was granted to this browser does not open: it was altered.",
  wrong_invitation: "The key that your link should open does not open: it was altered.",
  altered_picture: "This picture was altered: it is not shown.",
  hole: "The server leaves something out of the record.",
  log_shrank: "The server shows less than it showed before.",
  log_epoch: "The server began the record anew without saying so.",
  log_forked: "The server shows another record than before.",
  withheld: "Entries were held back from you that the server has, or showed to somebody else.",
  heads_differ: "The freelancer says, in an entry of theirs, that they were shown another record than you.",
  retimed: "The server gave an entry another time of receipt than it had.",
  bad_receipt: "The server gave a receipt for something that this browser did not send.",
  unsigned_head: "The server showed a record without its own signature.",
  unanswered: "The server shows another record than before, and for a week it did not say why.",
  invoice_missing: "The server left out something that its invoices were to bill you.",
  seal_differs: "The server sealed a week that the record does not come to; it is not shown as sealed.",
  device_list: "The server shows a list of devices that the freelancer cannot have signed.",
  forged_answer: "The server's answer does not bear its signature.",
  forged_opening: "The server says it was restored, by a statement that it did not sign.",
  unsigned_invoice: "The server shows an invoice that it did not sign.",
  device_revoked: "Your access from this browser was ended. What was loaded before stays readable here.",
  not_enrolled: "The server does not know this browser's access.",
  not_in_review:
    "This week is not in review: it is from the Monday after it, 12:00 UTC, to Friday 23:59 UTC.",
  slot_deleted: "The freelancer has deleted this time meanwhile.",
  unreachable: "The server cannot be reached. What was loaded before is shown.",
  not_the_server:
    "Something else answers in the server's place: a network that wants you to log in first, perhaps. What was loaded before is shown.",
  no_storage:
    "This browser lets the page keep nothing: cookies and site data are blocked, or this is a private window. The key that opens your contract has to stay in the browser. Allow this site to keep data, or use another window, and load the page again. Nothing was sent, and your link still works.",
  storage_full:
    "This browser has no room left for what the page keeps. Free some space on this device, or delete other sites' data, and load the page again. What was kept before is still there.",
  storage_closed:
    "What the page keeps in this browser is gone from under it: site data was deleted, or a newer version of the page is open beside it. Load the page again.",
};

/** What is said of a joining whose answer has not come. */
export const GOES_ON =
  "Joining is not finished: the server has not answered. Your key is kept in this browser, and joining goes on by itself once the server answers. Until then, keep this site's data.";

/** Alarms say that somebody is lying, and stay until a person has looked. @type {(kind: string) => boolean} */
export const isAlarm = (kind) => ALARMS.has(kind);

const ALARMS = new Set([
  ...["bad_signature", "unlisted_device", "wrong_place", "wrong_side", "wrong_grant", "wrong_invitation"],
  ...["hole", "log_shrank", "log_epoch", "log_forked", "device_list", "bad_joining", "another_server"],
  ...["forged_answer", "forged_opening", "withheld", "heads_differ", "retimed", "bad_receipt"],
  ...["unsigned_head", "seal_differs", "unsigned_invoice"],
]);

/** Return the sentence of a fault. @type {(fault: { kind?: string, what?: string, message?: string }) => string} */
export const sayOf = ({ kind = "", what, message }) => KINDS[kind] ?? what ?? message ?? "It did not work.";

/** @type {Record<string, string>} */
export const STATES = { active: "active", paused: "paused", closed: "closed" };

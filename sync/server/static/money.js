// Amounts of money as whole minor units, and how people write them (R7, R61). Exact: BigInt, rounded once.

// ISO 4217: the currencies whose minor unit is not a hundredth.
const NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" ");
const THREE = "BHD IQD JOD KWD LYD OMR TND".split(" ");
const FOUR = "CLF UYW".split(" ");

/** @type {(currency: string) => number} */
export const minorDigits = (currency) =>
  NONE.includes(currency) ? 0 : THREE.includes(currency) ? 3 : FOUR.includes(currency) ? 4 : 2;

/** Return an amount as it is written: 6050 of USD is "60.50". @type {(minor: bigint | number, currency: string) => string} */
export function money(minor, currency) {
  const digits = minorDigits(currency);
  const amount = BigInt(minor);
  const sign = amount < 0n ? "-" : "";
  const text = String(amount < 0n ? -amount : amount).padStart(digits + 1, "0");
  return digits ? `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}` : `${sign}${text}`;
}

/** Return segments x rate / 6, rounded half up once (R61). @type {(billable: number, rateMinor: number) => bigint} */
export const amountMinor = (billable, rateMinor) => (BigInt(billable) * BigInt(rateMinor) + 3n) / 6n;

/** Return the minor units of "60.50", null where it is no amount of this currency. @type {(written: string, currency: string) => number | null} */
export function minorOf(written, currency) {
  const found = /^([0-9]{1,9})(?:\.([0-9]{1,4}))?$/.exec(written.trim());
  const digits = minorDigits(currency);
  if (!found || (found[2] ?? "").length > digits) return null;
  return Number(found[1] + (found[2] ?? "").padEnd(digits, "0"));
}

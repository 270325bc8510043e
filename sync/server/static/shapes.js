// What kind of value a field of a header or content holds: a shape says whether a value is one of it.

/** @typedef {(value: any) => boolean} Shape */

/** @type {Shape} */
export const isText = (value) => typeof value === "string";
/** @type {Shape} */
export const isWhole = (value) => Number.isInteger(value);
/** @type {Shape} */
export const isBool = (value) => typeof value === "boolean";
/** @type {(shape: Shape) => Shape} */
export const orNull = (shape) => (value) => value === null || shape(value);
/** @type {(...words: string[]) => Shape} */
export const oneOf =
  (...words) =>
  (value) =>
    words.includes(value);
/** @type {(...shapes: Shape[]) => Shape} */
export const tuple =
  (...shapes) =>
  (value) =>
    Array.isArray(value) && value.length === shapes.length && shapes.every((shape, at) => shape(value[at]));
/** @type {(shape: Shape) => Shape} */
export const listOf = (shape) => (value) => Array.isArray(value) && value.every(shape);
/** @type {(value: any) => boolean} */
export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
/** @type {(shape: Shape) => Shape} */
export const mapOf = (shape) => (value) => isObject(value) && Object.values(value).every(shape);

/**
 * Return the shape of an object with these fields and no others.
 * @type {(needed: Record<string, Shape>, optional?: Record<string, Shape>) => Shape}
 */
export const fields =
  (needed, optional = {}) =>
  (value) =>
    isObject(value) &&
    Object.entries(needed).every(([name, shape]) => Object.hasOwn(value, name) && shape(value[name])) &&
    Object.keys(value).every(
      (name) => Object.hasOwn(needed, name) || (Object.hasOwn(optional, name) && optional[name](value[name])),
    );

/** @type {(text: any) => boolean} */
export const isId = (text) => typeof text === "string" && /^[0-9a-f]{32}$/.test(text);

/** @type {(text: any) => boolean} */
export const isHash = (text) => typeof text === "string" && /^[0-9a-f]{64}$/.test(text);

/** @type {(value: unknown) => value is null | undefined} */
export const isNone = (value) => value === null || value === undefined;

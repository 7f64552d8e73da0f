// Numbers as texts: a point and a true minus sign, in whatever language a browser speaks.

const NONE = "–", MINUS = "−";

/**
 * @param {number} value
 * @param {number} places behind the point
 */
export function fixed(value, places = 3) {
  if (!Number.isFinite(value)) return NONE;
  const text = Math.abs(value).toFixed(places);
  return (value < 0 && Number(text) !== 0 ? MINUS : "") + text;
}

/**
 * About three digits that count: 0.0123, 12.3, 1.2e−7.
 * @param {number} value
 */
export function short(value) {
  if (!Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? size.toExponential(1) : String(Number(size.toPrecision(3)));
  return (value < 0 ? MINUS : "") + text.replace("e-", "e" + MINUS).replace("e+", "e");
}

/**
 * A loss: three places, unless it is large.
 * @param {number} value
 */
export const lossText = value => Math.abs(value) < 1000 ? fixed(value) : short(value);

/** @param {number} share from 0 to 1 */
export const percent = share => Number.isFinite(share) ? `${(100 * share).toFixed(1)}%` : NONE;

/**
 * @param {number} count
 * @param {string} one
 */
export const counted = (count, one) => `${count} ${one}${count === 1 ? "" : "s"}`;

/** @param {number} number such as 12, as ₁₂ */
export const subscript = number => String(number).replace(/\d/g, digit => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]);

/** @param {string} name */
export const metricName = name => name === "r2" ? "R²" : name[0].toUpperCase() + name.slice(1);

/**
 * Joins a number with its unit, so that a line never ends between "5" and "mg".
 *
 * Only blanks become U+00A0; no other character changes. Copying turns them back (see Markdown.tsx).
 */
export const NBSP = "\u00a0";

const SIMPLE = [
  "%", "‰", "°", "°C", "°F", "K", "kg", "g", "mg", "µg", "μg", "mcg", "ng", "pg", "dL", "dl", "L", "l", "mL", "ml", "µL",
  "μL", "nL", "mol", "mmol", "µmol", "μmol", "nmol", "pmol", "M", "mM", "µM", "μM", "nM", "pM", "Eq", "mEq", "IU", "U", "kU", "mU",
  "km", "m", "cm", "mm", "µm", "μm", "nm", "m²", "m2", "cm²", "m³", "cm³", "s", "ms", "sec", "min", "h", "hr", "hrs", "d", "wk", "mo", "yr",
  "hours?", "minutes?", "seconds?", "days?", "weeks?", "months?", "years?", "Hz", "kHz", "MHz", "GHz", "bpm", "Pa", "kPa", "hPa", "bar",
  "mmHg", "cmH2O", "J", "kJ", "MJ", "cal", "kcal", "W", "kW", "V", "mV", "A", "mA", "Da", "kDa", "Gy", "Sv", "mSv", "Bq", "MBq",
  "B", "kB", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "px", "tablets?", "capsules?", "drops?", "puffs?", "doses?", "points?", "×", "fold",
];
const UNIT = `(?:${[...SIMPLE].sort((a, b) => b.length - a.length).join("|")})`;
const COMPOUND = `${UNIT}(?:[/·⋅]${UNIT}|[⁻−-]?[¹²³])*(?![\\p{L}\\p{N}])`;
const BLANK = "[ \\n]";

const BEFORE_UNIT = new RegExp(`(?<=\\d)${BLANK}(?=${COMPOUND})`, "gu");
const BETWEEN_NUMBERS = new RegExp(`(\\d[%°]?)${BLANK}([±×–])${BLANK}(?=\\d)`, "gu");
const THOUSANDS = /(?<![\d.,])(\d{1,3}(?: \d{3})+)(?!\d)/gu;
const COMPARED = /(^|[\s(])([<>≤≥≈~±])[ \n](?=\d)/gu;
const UNIT_FIRST = new RegExp(`^${BLANK}(?=${COMPOUND})`, "u");

/** `endsOnNumber`: the content just before this text, in another element, ended on a digit ("**5** mg"). */
export function joinUnits(text: string, endsOnNumber: boolean): string {
  if (!/\d/.test(text) && !endsOnNumber) return text;
  const joined = text
    .replace(THOUSANDS, (digits) => digits.replaceAll(" ", NBSP))
    .replace(BETWEEN_NUMBERS, `$1${NBSP}$2${NBSP}`)
    .replace(COMPARED, `$1$2${NBSP}`)
    .replace(BEFORE_UNIT, NBSP);
  return endsOnNumber ? joined.replace(UNIT_FIRST, NBSP) : joined;
}

/** The text as a person typed it, for the clipboard. */
export function withPlainBlanks(text: string): string {
  return text.replaceAll(NBSP, " ");
}

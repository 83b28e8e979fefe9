/**
 * A table as CSV (RFC 4180: CRLF, quotes doubled), safe to paste into a spreadsheet.
 *
 * A cell that a spreadsheet would run as a formula gets a leading apostrophe, as OWASP advises; a
 * cell that is only a number keeps its sign, because "-5" must stay a number.
 */
import { plainText, type Inline } from "./tree";

const FORMULA = /^\s*[=+\-@\t\r]/;
const SIGNED_NUMBER = /^[+-]?(?:\d+(?:[.,]\d+)*|[.,]\d+)(?:[eE][+-]?\d+)?\s?%?$/;

export function toCsv(rows: readonly Inline[][][]): string {
  return rows.map((row) => row.map((cell) => field(plainText(cell).trim())).join(",")).join("\r\n") + "\r\n";
}

function field(text: string): string {
  const inert = FORMULA.test(text) && !SIGNED_NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** What is typed into a field for a number. */
import { text } from "../../text";

export type NumberRule = { min: number; max: number; whole: boolean; canBeEmpty: boolean };
export type ReadNumber = { ok: true; value: number | null } | { ok: false; error: string };

/** Reads a number with a point or a comma; nothing typed is `null` where that is allowed. */
export function readNumber(typed: string, rule: NumberRule): ReadNumber {
  const words = text.settings.general;
  const trimmed = typed.trim();
  if (trimmed === "") return rule.canBeEmpty ? { ok: true, value: null } : { ok: false, error: words.needed };
  const value = /^-?\d+([.,]\d+)?$/.test(trimmed) ? Number(trimmed.replace(",", ".")) : Number.NaN;
  if (!Number.isFinite(value)) return { ok: false, error: words.notNumber };
  if (rule.whole && !Number.isInteger(value)) return { ok: false, error: words.notWhole };
  if (value < rule.min || value > rule.max) return { ok: false, error: words.range(rule.min, rule.max) };
  return { ok: true, value };
}

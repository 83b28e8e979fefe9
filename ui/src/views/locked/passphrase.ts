/** Whether a chosen passphrase will do. */
import { text } from "../../text";

/** Counted in characters as a person counts them, not in UTF-16 units. */
export const MIN_CHARACTERS = 8;

export type PassphraseCheck = { passphrase: string | null; again: string | null };

export function checkPassphrase(passphrase: string, again: string): PassphraseCheck {
  const missing = MIN_CHARACTERS - [...passphrase].length;
  return {
    passphrase: missing > 0 ? text.locked.choose.short(missing) : null,
    again: passphrase === again ? null : text.locked.choose.differ,
  };
}

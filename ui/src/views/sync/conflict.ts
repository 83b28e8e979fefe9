/** What a person means by “mine” and “the other”, in the core's terms: pure. */
import type { ConflictChoice, ConflictView } from "../../bridge";
import { text } from "../../text";
import { day } from "../../text/views";
import { when } from "../thread/format";

export type Wish = "mine" | "theirs" | "both";

const words = text.sync.conflict;

/** `ours` says that this device's value lost. Then keeping mine brings it back; else it stands already. */
export function choiceFor(conflict: Pick<ConflictView, "ours">, wish: Wish): ConflictChoice {
  if (wish === "both") return "keep_both";
  return (wish === "mine") === conflict.ours ? "bring_back" : "keep_current";
}

/** This device's value and the other's, each as it is to be read. */
export function sides({ ours, kept, lost, register }: Pick<ConflictView, "ours" | "kept" | "lost" | "register">): { mine: string; theirs: string } {
  const [mine, theirs] = ours ? [lost, kept] : [kept, lost];
  return { mine: shownValue(register, mine), theirs: shownValue(register, theirs) };
}

/** A value that is no text is said in words. */
export function shownValue(register: string, value: string): string {
  if (register === "trashed_ms") return value === "" ? words.no : words.trashed(day(new Date(Number(value)).toISOString()));
  if (value === "") return words.empty;
  if (value === "true") return words.yes;
  return value === "false" ? words.no : value;
}

/** `Edited on Work-PC 09:12`. */
export const chipOf = ({ device, at }: Pick<ConflictView, "device" | "at">): string => words.chip(device, when(at));

/** The message whose text is the one that was wished for, where both texts are in the chat. */
export function messageFor({ ours, message_id, copy_id }: Pick<ConflictView, "ours" | "message_id" | "copy_id">, wish: Wish): string | null {
  if (copy_id === null || wish === "both") return null;
  return (wish === "mine") === ours ? copy_id : message_id;
}

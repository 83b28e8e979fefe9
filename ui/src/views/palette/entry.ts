/** One row of the palette. */
import type { ReactNode } from "react";
import type { IconName } from "../../components";
import { show } from "../../store/view";

export type Entry = {
  /** Unique in the palette. */
  id: string;
  label: string;
  icon: IconName;
  /** Under the label, such as the words around a hit. */
  body?: ReactNode;
  /** At the end of the row: the keys that do the same, or a word. */
  keys?: string | undefined;
  note?: string | undefined;
  disabled?: boolean;
  run: () => void;
};

/** Closes the palette first, so that what is done next may take the focus. */
export function choose(entry: Entry): void {
  show.overlay(null);
  requestAnimationFrame(() => requestAnimationFrame(entry.run));
}

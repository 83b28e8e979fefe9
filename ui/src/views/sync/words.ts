/** What the sync words, their mark and their tone are, from where sync is: pure. */
import type { SyncState, SyncStatus } from "../../bridge";
import type { IconName } from "../../components";
import { text } from "../../text";
import { ago } from "./ago";

/** `calm` needs nobody, `busy` moves, `waits` waits for a network or a person. */
export type Tone = "calm" | "busy" | "waits";

export function tone(state: SyncState): Tone {
  switch (state.at) {
    case "local_only":
    case "up_to_date":
    case "elsewhere":
      return "calm";
    case "stopped":
    case "connecting":
    case "syncing":
    case "first_sync":
      return "busy";
    case "offline":
    case "paused":
    case "disk_full":
      return "waits";
  }
}

const icons: Record<SyncState["at"], IconName> = {
  local_only: "computer",
  stopped: "cloud",
  connecting: "cloud",
  syncing: "cloudUp",
  first_sync: "cloud",
  up_to_date: "cloudDone",
  elsewhere: "cloudDone",
  offline: "cloudOff",
  paused: "cloudStuck",
  disk_full: "cloudStuck",
};

export const iconOf = (state: SyncState): IconName => icons[state.at];

/** Where sync is, in a few words. */
export function wordsOf({ state, counts }: Pick<SyncStatus, "state" | "counts">, now: number): string {
  return text.sync.state(state, counts, state.at === "up_to_date" ? ago(state.since, now) : "");
}

/** How many things wait for a person. */
export const needsYou = ({ counts }: Pick<SyncStatus, "counts">): number => counts.parked + counts.conflicts;

/** How long ago something was, in the words of a person who does not count seconds. */
import { text } from "../../text";
import { day } from "../../text/views";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** `just now`, `5 min ago`, `3 h ago`, `yesterday`, `on 12 Sep 2026`. A time ahead of this computer's clock is just now. */
export function ago(at: string, now: number): string {
  const then = Date.parse(at);
  const passed = now - then;
  if (passed < MINUTE) return text.sync.justNow;
  if (passed < HOUR) return text.sync.minutes(Math.floor(passed / MINUTE));
  const days = daysBetween(then, now);
  if (days === 0 || passed < 6 * HOUR) return text.sync.hours(Math.floor(passed / HOUR));
  return days === 1 ? text.sync.yesterday : text.sync.on(day(at));
}

/** Midnights between two moments, here. */
function daysBetween(then: number, now: number): number {
  const midnight = (at: number) => new Date(at).setHours(0, 0, 0, 0);
  return Math.round((midnight(now) - midnight(then)) / (24 * HOUR));
}

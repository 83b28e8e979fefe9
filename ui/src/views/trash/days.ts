/** How long the trash keeps a chat. */
export const KEPT_DAYS = 30;
const DAY_MS = 86_400_000;

/** Days until a chat is deleted for ever: 30 on the day it was thrown away, 0 when it is due. */
export function daysLeft(trashed_at: string, now_ms: number): number {
  const since = (now_ms - Date.parse(trashed_at)) / DAY_MS;
  if (!Number.isFinite(since)) return KEPT_DAYS;
  return Math.max(0, Math.min(KEPT_DAYS, Math.ceil(KEPT_DAYS - since)));
}

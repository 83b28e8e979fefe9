/** Time zones, as minutes east of UTC. */

/** Those that some place on earth uses. */
export const ZONES = [
  ...Array.from({ length: 27 }, (_, hour) => (hour - 12) * 60),
  -570, -210, 210, 270, 330, 345, 390, 525, 570, 630, 765,
].sort((a, b) => a - b);

/** This computer's own. */
export const zoneHere = (now = new Date()): number => -now.getTimezoneOffset() || 0;

/** `UTC+05:30` */
export function zoneName(minutes: number): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const all = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${two(Math.floor(all / 60))}:${two(all % 60)}`;
}

/** The room above and below a line, so that its stroke is not cut off. */
const EDGE = 1.5;

/** A line through the values as an SVG path: oldest on the left, zero at the bottom, the highest at the top. */
export function lineOf(values: number[], width: number, height: number): string {
  const top = Math.max(...values, Number.MIN_VALUE);
  const y = (value: number) => (height - EDGE - (Math.max(0, value) / top) * (height - 2 * EDGE)).toFixed(1);
  const step = width / Math.max(1, values.length - 1);
  const points = values.map((value, n) => `${(n * step).toFixed(1)} ${y(value)}`);
  // One value is a level line.
  if (points.length === 1) points.push(`${width.toFixed(1)} ${y(values[0] ?? 0)}`);
  return `M${points.join("L")}`;
}

/** A small line of the latest values, from zero up to the highest. */
import { text } from "../../../text";
import { lineOf } from "./line";

const words = text.sync.health;
export const WIDTH = 96;
export const HEIGHT = 22;

export function Sparkline({ values, name }: { values: number[]; name: string }) {
  if (values.length === 0) return null;
  const label = words.chart(name, words.ms(Math.min(...values)), words.ms(Math.max(...values)));
  const line = lineOf(values, WIDTH, HEIGHT);
  return (
    <svg aria-label={label} className="spark" height={HEIGHT} role="img" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH}>
      <path className="spark-area" d={`${line}V${HEIGHT}H0Z`} />
      <path className="spark-line" d={line} />
    </svg>
  );
}

/** How long things took: percentiles, and the latest as a line. */
import type { Timing } from "../../../bridge";
import { text } from "../../../text";
import { Sparkline } from "./Sparkline";

const words = text.sync.health;

export function Timings({ timings, none }: { timings: Timing[]; none: string }) {
  if (timings.length === 0) return <p className="setting-about cards-none">{none}</p>;
  const { columns } = words;
  return (
    <table className="timings">
      <thead>
        <tr>
          <th scope="col">{columns.name}</th>
          <th scope="col">{columns.chart}</th>
          <th className="timings-count" scope="col">
            {columns.count}
          </th>
          <th scope="col">{columns.p50}</th>
          <th scope="col">{columns.p95}</th>
          <th scope="col">{columns.p99}</th>
          <th className="timings-max" scope="col">
            {columns.max}
          </th>
        </tr>
      </thead>
      <tbody>
        {timings.map((timing) => (
          <tr key={timing.name}>
            <th scope="row">{words.name(timing.name)}</th>
            <td className="timings-chart">
              <Sparkline name={words.name(timing.name)} values={timing.recent_ms} />
            </td>
            <td className="timings-count">{timing.count.toLocaleString()}</td>
            <td>{words.ms(timing.p50_ms)}</td>
            <td>{words.ms(timing.p95_ms)}</td>
            <td>{words.ms(timing.p99_ms)}</td>
            <td className="timings-max">{words.ms(timing.max_ms)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

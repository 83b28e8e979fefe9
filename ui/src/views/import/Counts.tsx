/** What was found, what was here, what is new; by kind. */
import { text } from "../../text";
import type { CountRow } from "./rows";

const words = text.imports.plan;

export function Counts({ rows, fresh }: { rows: CountRow[]; fresh: string }) {
  return (
    <table className="import-counts">
      <thead>
        <tr>
          <th scope="col">
            <span className="visually-hidden">{words.what}</span>
          </th>
          <th scope="col">{words.found}</th>
          <th scope="col">{words.here}</th>
          <th scope="col">{fresh}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.kind}>
            <th scope="row">{words.kinds[row.kind]}</th>
            <td>{row.found.toLocaleString()}</td>
            <td>{row.here.toLocaleString()}</td>
            <td className="import-fresh">{row.fresh.toLocaleString()}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

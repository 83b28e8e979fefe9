import { memo } from "react";
import { CopyButton } from "./CopyButton";
import { toCsv } from "./csv";
import { markdownText as text } from "./strings";
import { Text } from "./Text";
import { type Align, type Inline, plainText } from "./tree";

type Props = { align: readonly Align[]; rows: readonly Inline[][][] };

/** A table that scrolls sideways by itself, keeps its first column in sight and copies as CSV. */
export const TableBlock = memo(function TableBlock({ align, rows }: Props) {
  const [head = [], ...body] = rows;
  const name = text.table(head.map((cell) => plainText(cell).trim()).filter(Boolean).join(", "));
  return (
    <div className="md-table">
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by keyboard */}
      <div className="md-table-scroll" role="region" aria-label={name} tabIndex={0}>
        <table>
          <thead>
            <tr>{head.map((cell, column) => <th key={keyOf(column)} scope="col" className={sideOf(align[column])} dir="auto"><Text nodes={cell} /></th>)}</tr>
          </thead>
          <tbody>
            {body.map((row, index) => <Row key={keyOf(index)} cells={row} align={align} columns={head.length} />)}
          </tbody>
        </table>
      </div>
      <CopyButton label={text.copyCsv} content={() => toCsv(rows)} />
    </div>
  );
});

type RowProps = { cells: readonly Inline[][]; align: readonly Align[]; columns: number };

/** A row has as many cells as the head, however many were written (GFM, 4.10). */
const Row = memo(function Row({ cells, align, columns }: RowProps) {
  return (
    <tr>
      {Array.from({ length: columns }, (_, column) => (
        <td key={keyOf(column)} className={sideOf(align[column])} dir="auto"><Text nodes={cells[column] ?? NOTHING} /></td>
      ))}
    </tr>
  );
});

const NOTHING: readonly Inline[] = [];

/** Rows and columns never move, so their place is their name. */
function keyOf(index: number): string {
  return String(index);
}

function sideOf(side: Align | undefined): string | undefined {
  return side ? `md-${side}` : undefined;
}

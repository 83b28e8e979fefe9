/** Everything that does not come over, by name, with its place and the reason; and what is worth a word. */
import { type ReactNode, useState } from "react";
import type { Note, Plan, Skip } from "../../bridge";
import { Button, Icon } from "../../components";
import { text } from "../../text";
import { skippedIn } from "./rows";

const words = text.imports.skipped;
/** A list of ten thousand is read from its beginning. */
const PAGE = 50;

type Props = { plan: Pick<Plan, "skipped" | "skipped_unnamed" | "warnings">; isOver?: boolean };

export function Skipped({ plan, isOver = false }: Props) {
  const all = skippedIn(plan);
  return (
    <div className="import-skipped">
      {all === 0 ? (
        <p className="import-line">
          <Icon name="check" />
          {isOver ? words.noneDone : words.none}
        </p>
      ) : (
        <details open={all <= 8}>
          <summary>{isOver ? words.titleDone(all) : words.title(all)}</summary>
          <Paged items={plan.skipped} Line={SkipLine} />
          {plan.skipped_unnamed > 0 && <p className="setting-about">{words.unnamed(plan.skipped_unnamed)}</p>}
        </details>
      )}
      {plan.warnings.length > 0 && (
        <details>
          <summary>{text.imports.notes(plan.warnings.length)}</summary>
          <Paged items={plan.warnings} Line={NoteLine} />
        </details>
      )}
    </div>
  );
}

function Paged<T>({ items, Line }: { items: T[]; Line: (props: { item: T }) => ReactNode }) {
  const [shown, setShown] = useState(PAGE);
  const more = Math.min(PAGE * 4, items.length - shown);
  return (
    <>
      <ul className="import-skips">
        {items.slice(0, shown).map((item, number) => (
          // The list never changes: a number names a line.
          // oxlint-disable-next-line no-array-index-key
          <li key={number}>
            <Line item={item} />
          </li>
        ))}
      </ul>
      {more > 0 && (
        <Button onClick={() => setShown(shown + more)} size="small" tone="link">
          {words.more(more)}
        </Button>
      )}
    </>
  );
}

const SkipLine = ({ item: skip }: { item: Skip }) => (
  <>
    <p>
      <span className="import-kind">{words.what[skip.what]}</span> <span dir="auto">{skip.reason}</span>
    </p>
    <Where locator={skip.locator} path={skip.path} />
  </>
);

const NoteLine = ({ item: note }: { item: Note }) => (
  <>
    <p dir="auto">{note.text}</p>
    <Where locator={note.locator} path={note.path} />
  </>
);

const Where = ({ path, locator }: { path: string; locator: string }) => (
  <p className="import-where">
    <bdi>{path}</bdi> <bdi>{locator}</bdi>
  </p>
);

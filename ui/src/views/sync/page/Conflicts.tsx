/** Everything that two devices changed at once and nobody has settled. */
import type { ConflictView } from "../../../bridge";
import { Button, EmptyState, FailureState, Skeleton } from "../../../components";
import { useConflicts } from "../../../store/queries";
import { text } from "../../../text";
import { chipOf } from "../conflict";
import { ConflictSides } from "../ConflictSides";
import { look, settle } from "../settle";

const words = text.sync.conflict;

export function Conflicts() {
  const { data, error, refetch } = useConflicts(null);
  if (data === undefined) return error === null ? <Skeleton lines={4} /> : <FailureState failure={error} onRetry={() => void refetch()} />;
  if (data.length === 0) {
    return (
      <EmptyState icon="check" title={words.none}>
        {words.noneHint}
      </EmptyState>
    );
  }
  return (
    <>
      <p className="setting-about">{words.aboutAll}</p>
      <ul className="cards">
        {data.map((conflict) => (
          <Row conflict={conflict} key={conflict.id} />
        ))}
      </ul>
    </>
  );
}

function Row({ conflict }: { conflict: ConflictView }) {
  const { conversation_id: id, conversation_title: title } = conflict;
  const what = id === null ? words.what(conflict) : words.of(words.what(conflict), title || words.untitled);
  return (
    <li className="card trouble">
      <div className="card-text">
        <h3 className="trouble-what" dir="auto">
          {what}
        </h3>
        <p className="card-facts">
          <span>{chipOf(conflict)}</span>
        </p>
        <ConflictSides conflict={conflict} />
        <div aria-label={words.shortcutsLabel(what)} className="trouble-actions" role="group">
          <Button onClick={() => settle(conflict, "mine")} size="small">
            {words.keepMine}
          </Button>
          <Button onClick={() => settle(conflict, "theirs")} size="small">
            {words.keepTheirs}
          </Button>
          {conflict.can_keep_both && (
            <Button onClick={() => settle(conflict, "both")} size="small">
              {words.keepBoth}
            </Button>
          )}
          {conflict.conversation_id !== null && (
            <Button onClick={() => look(conflict)} size="small" tone="quiet">
              {words.open}
            </Button>
          )}
        </div>
      </div>
    </li>
  );
}

/** The mark of a message that is not on the server yet: none for nearly all. */
import type { MessageId } from "../../bridge";
import { Icon } from "../../components";
import { show } from "../../store/view";
import { text } from "../../text";
import { useMark } from "./useMarks";
import "./sync.css";

const words = text.sync.mark;

export function SyncMark({ id }: { id: MessageId }) {
  const mark = useMark(id);
  if (mark === undefined) return null;
  if (mark === "waits") {
    return (
      <span aria-label={words.waits} className="sync-mark" role="img" title={words.waits}>
        <Icon name="cloudUp" size={14} />
      </span>
    );
  }
  return (
    <button aria-label={words.stuck} className="sync-mark sync-mark-stuck" onClick={() => show.settings("sync", "parked")} title={words.stuck} type="button">
      <Icon name="cloudStuck" size={14} />
    </button>
  );
}

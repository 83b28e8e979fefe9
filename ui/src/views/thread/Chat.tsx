/** A conversation: header, thread, composer. */
import { useCallback, useEffect, useRef, useState } from "react";
import * as bridge from "../../bridge";
import { FailureState, Skeleton } from "../../components";
import { useShortcut } from "../../keys/useShortcuts";
import { act } from "../../store/act";
import { useConflicts, useModels } from "../../store/queries";
import { toast } from "../../store/toast";
import { show, useView } from "../../store/view";
import { text } from "../../text";
import { MarksProvider, useMarks } from "../sync/useMarks";
import { ThreadConflictsProvider } from "../sync/useThreadConflicts";
import { Composer } from "../composer/Composer";
import { FindBar } from "./FindBar";
import { Header } from "./Header";
import { ThreadModels } from "./models";
import { isOpen, lastOf, type Loaded, toStop } from "./page";
import { Shelved } from "./Shelved";
import { Status } from "./Status";
import { placeOf, ThreadList } from "./ThreadList";
import { type Thread, useThread } from "./useThread";
import { Welcome } from "./Welcome";
import "./thread.css";

const NONE: bridge.ModelEntry[] = [];
const NO_CONFLICTS: bridge.ConflictView[] = [];

type Props = { id: bridge.ConversationId | null; target: bridge.MessageId | null; visit: number };

export function Chat({ id, target, visit }: Props) {
  if (id === null) return <NewChat key="new" />;
  // A new visit (a search hit in the chat that is open) begins anew, at its target.
  return <OpenChat id={id} key={target === null ? id : `${id} ${visit}`} target={target} />;
}

function NewChat() {
  return (
    <>
      <Header conflicts={NO_CONFLICTS} loaded={null} />
      <Welcome />
      <Composer conversation={null} key="new" onEditLast={() => false} stopId={null} />
    </>
  );
}

function OpenChat({ id, target }: { id: bridge.ConversationId; target: bridge.MessageId | null }) {
  const [begin] = useState(() => target ?? placeOf(id));
  const thread = useThread(id, begin);
  const { state } = thread;
  if (state.at === "failed") {
    return (
      <div className="centre">
        <FailureState failure={state.failure} onRetry={thread.reload} />
      </div>
    );
  }
  if (state.at === "loading") {
    return (
      <div aria-label={text.thread.loading} className="thread-frame thread-loading">
        <Skeleton lines={7} />
      </div>
    );
  }
  return <ReadyChat begin={begin} flash={target !== null} loaded={state.loaded} thread={thread} />;
}

function ReadyChat({ thread, loaded, begin, flash }: { thread: Thread; loaded: Loaded; begin: bridge.MessageId | null; flash: boolean }) {
  const [editing, setEditing] = useState<bridge.MessageId | null>(null);
  const finding = useView((state) => state.overlay === "find");
  const models = useModels().data ?? NONE;
  const marks = useMarks(loaded.conversation.id);
  const conflicts = useConflicts(loaded.conversation.id).data ?? NO_CONFLICTS;
  useChatShortcuts(loaded);
  const editLast = () => {
    const last = lastOf(loaded.messages, "user");
    if (last === undefined) return false;
    setEditing(last.id);
    return true;
  };
  return (
    <>
      <Header conflicts={conflicts} loaded={loaded} />
      {finding && <FindBar conversationId={loaded.conversation.id} />}
      {loaded.messages.length === 0 ? (
        <Welcome />
      ) : (
        <ThreadModels value={models}>
          <MarksProvider value={marks}>
            <ThreadConflictsProvider value={conflicts}>
              <ThreadList editing={editing} flash={flash} loaded={loaded} onEdit={setEditing} target={begin} thread={thread} />
            </ThreadConflictsProvider>
          </MarksProvider>
        </ThreadModels>
      )}
      <Status loaded={loaded} />
      <Shelved conversation={loaded.conversation} />
      <Composer conversation={loaded.conversation} key={loaded.conversation.id} onEditLast={editLast} stopId={toStop(loaded.messages)} />
    </>
  );
}

/** Stop, copy, ask again: what concerns the answer at the end. */
function useChatShortcuts(loaded: Loaded): void {
  const latest = useRef(loaded);
  useEffect(() => {
    latest.current = loaded;
  }, [loaded]);
  useShortcut(
    "stop",
    useCallback(() => {
      const id = toStop(latest.current.messages);
      if (id === null) return false;
      act(() => bridge.stop(id));
      return true;
    }, []),
  );
  useShortcut(
    "copyAnswer",
    useCallback(() => {
      const answer = lastOf(latest.current.messages, "assistant");
      if (answer === undefined || answer.content === "") return false;
      navigator.clipboard.writeText(answer.content).then(
        () => toast.say(text.thread.copied),
        () => toast.say(text.thread.copyFailed),
      );
      return true;
    }, []),
  );
  useShortcut(
    "regenerate",
    useCallback(() => {
      const answer = lastOf(latest.current.messages, "assistant");
      if (answer === undefined || isOpen(answer)) return false;
      act(() => bridge.regenerate(answer.id));
      return true;
    }, []),
  );
  useShortcut("findInChat", useCallback(() => openFind(), []));
}

function openFind(): boolean {
  show.overlay("find");
  return true;
}

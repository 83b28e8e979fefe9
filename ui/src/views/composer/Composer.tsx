/** Where a message is written. It is cleared only after the mirror has it. */
import { useCallback, useEffect, useRef, useState } from "react";
import * as bridge from "../../bridge";
import { byteLength, carried } from "../../bridge/text";
import { Button } from "../../components";
import { SHORTCUTS } from "../../keys/registry";
import { act } from "../../store/act";
import { isBoolean, isString, useSetting } from "../../store/queries";
import { show } from "../../store/view";
import { text } from "../../text";
import { fit } from "./fit";
import { ModelPicker } from "./ModelPicker";
import { sends } from "./sends";
import { useDraft } from "./useDraft";
import "./composer.css";

const MAX_BYTES = 1 << 20;
const MAX_HEIGHT = 280;

/** Marks the moment at which a message can be written, for `./dev bench`: after the frame that shows the composer. */
function markPainted(): void {
  requestAnimationFrame(() => setTimeout(() => performance.mark("composer")));
}

type Props = {
  conversation: bridge.Conversation | null;
  /** The answer that Stop stops; `null` while none is on its way. */
  stopId: bridge.MessageId | null;
  /** Edits the last message of the person's; `false` where there is none. */
  onEditLast: () => boolean;
};

export function Composer({ conversation, stopId, onEditLast }: Props) {
  const id = conversation?.id ?? null;
  const { content, setContent, forget, flush } = useDraft(id);
  const [model, setModel] = useState<bridge.ModelRef | null>(null);
  const [failure, setFailure] = useState<bridge.Failure | null>(null);
  const sending = useRef(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const sendWith = useSetting("send_with", isString, "enter");
  const note = useSetting("show_educational_note", isBoolean, false);

  useEffect(() => {
    if (area.current?.value === content) fit(area.current, MAX_HEIGHT);
  }, [content]);
  useEffect(() => area.current?.focus({ preventScroll: true }), []);
  useEffect(markPainted, []);

  const tooLong = content.length > MAX_BYTES / 4 && byteLength(content) > MAX_BYTES;
  const empty = content.trim() === "";

  const send = useCallback(async () => {
    if (sending.current || empty || tooLong) return;
    sending.current = true;
    setFailure(null);
    try {
      const sent = await bridge.send({ conversation_id: id, parent_id: null, model: id === null ? model : null, ...carried(content) });
      forget();
      if (id === null) show.chat(sent.conversation_id);
    } catch (error) {
      // The text stays where it is; it was never cleared.
      setFailure(bridge.asFailure(error));
    } finally {
      sending.current = false;
    }
  }, [content, empty, forget, id, model, tooLong]);

  const onKeyDown = (event: React.KeyboardEvent<HTMLTextAreaElement>) => {
    if (sends(event, sendWith)) {
      event.preventDefault();
      void send();
    } else if (event.key === "ArrowUp" && content === "" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey) {
      if (!event.nativeEvent.isComposing && onEditLast()) event.preventDefault();
    }
  };

  return (
    <div className="composer" data-region="composer">
      <div className="composer-box">
        <textarea
          aria-describedby={failure || tooLong ? "composer-problem" : undefined}
          aria-label={text.composer.label}
          className="composer-text"
          dir="auto"
          onBlur={flush}
          onChange={(event) => setContent(event.target.value)}
          onKeyDown={onKeyDown}
          placeholder={text.composer.placeholder}
          ref={area}
          rows={1}
          spellCheck
          value={content}
        />
        {(failure || tooLong) && (
          <p className="composer-problem" id="composer-problem" role="alert">
            {tooLong ? text.composer.tooLong((byteLength(content) / MAX_BYTES).toFixed(1)) : `${failure?.message ?? ""} ${failure?.hint ?? ""}`}
          </p>
        )}
        <div className="composer-row">
          <ModelPicker conversation={conversation} model={model} onChoose={setModel} />
          {stopId === null ? (
            <Button disabled={empty || tooLong} onClick={() => void send()} tone="primary">
              {text.composer.send}
            </Button>
          ) : (
            <Button icon="stop" onClick={() => act(() => bridge.stop(stopId))} title={SHORTCUTS.stop.label}>
              {text.composer.stop}
            </Button>
          )}
        </div>
      </div>
      {note && <p className="composer-note">{text.composer.note}</p>}
    </div>
  );
}

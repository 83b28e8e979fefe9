/** Editing a message that was sent: a new version of it, with a new answer. */
import { useEffect, useRef, useState } from "react";
import * as bridge from "../../bridge";
import { Button } from "../../components";
import { text } from "../../text";
import { isString, useSetting } from "../../store/queries";
import { fit } from "../composer/fit";
import { sends } from "../composer/sends";

export function EditBox({ message, onClose }: { message: bridge.ThreadMessage; onClose: () => void }) {
  const [content, setContent] = useState(message.content);
  const [failure, setFailure] = useState<bridge.Failure | null>(null);
  const [busy, setBusy] = useState(false);
  const sendWith = useSetting("send_with", isString, "enter");
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const area = box.current;
    if (area === null) return;
    fit(area, 400);
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }, []);
  const send = async () => {
    if (busy || content.trim() === "") return;
    setBusy(true);
    try {
      await bridge.edit(message.id, content.toWellFormed());
      onClose();
    } catch (error) {
      setFailure(bridge.asFailure(error));
      setBusy(false);
    }
  };
  return (
    <div className="edit">
      <textarea
        aria-label={text.thread.editLabel}
        className="edit-text"
        dir="auto"
        onChange={(event) => {
          setContent(event.target.value);
          fit(event.target, 400);
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape") {
            event.stopPropagation();
            onClose();
          } else if (sends(event, sendWith)) {
            event.preventDefault();
            void send();
          }
        }}
        ref={box}
        value={content}
      />
      {failure && (
        <p className="field-error" role="alert">
          {failure.message} {failure.hint}
        </p>
      )}
      <div className="edit-foot">
        <Button onClick={onClose} size="small" tone="quiet">
          {text.cancel}
        </Button>
        <Button disabled={busy || content.trim() === ""} onClick={() => void send()} size="small" tone="primary">
          {text.thread.editSend}
        </Button>
      </div>
    </div>
  );
}

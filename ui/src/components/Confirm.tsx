import { useState } from "react";
import { asFailure, type Failure } from "../bridge";
import { text } from "../text";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Banner } from "./States";

type Props = { title: string; children: string; action: string; onConfirm: () => Promise<unknown>; onClose: () => void };

/** Asks before something that cannot be taken back; stays open, with the reason, when it fails. */
export function Confirm({ title, children, action, onConfirm, onClose }: Props) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const confirm = async () => {
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setFailure(asFailure(error));
      setBusy(false);
    }
  };
  const footer = (
    <>
      <Button onClick={onClose}>{text.cancel}</Button>
      <Button disabled={busy} onClick={() => void confirm()} tone="danger">
        {action}
      </Button>
    </>
  );
  return (
    <Dialog footer={footer} onClose={onClose} open title={title} width="narrow">
      <div className="dialog-body confirm">
        <p>{children}</p>
        {failure && <Banner tone="failure">{[failure.message, failure.hint].filter(Boolean).join(" ")}</Banner>}
      </div>
    </Dialog>
  );
}

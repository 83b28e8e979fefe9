/** Deleting the account: its address is typed first. */
import { useState } from "react";
import * as bridge from "../../bridge";
import { Banner, Button, Dialog, TextField } from "../../components";
import { toast } from "../../store/toast";
import { text } from "../../text";
import { inWords } from "../locked/useOpening";
import { Group, Row } from "../settings/Row";
import { useDoing } from "../settings/useDoing";
import { useShowAccount } from "./useEntering";

const words = text.account.remove;

export function DeleteAccount({ email }: { email: string }) {
  const [asking, setAsking] = useState(false);
  return (
    <Group>
      <Row about={words.about} title={words.title}>
        <Button onClick={() => setAsking(true)} tone="danger">
          {words.button}
        </Button>
      </Row>
      {asking && <Ask email={email} onClose={() => setAsking(false)} />}
    </Group>
  );
}

function Ask({ email, onClose }: { email: string; onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const { busy, failure, run } = useDoing();
  const showAccount = useShowAccount();
  const isTyped = typed.trim().toLowerCase() === email.toLowerCase();
  const remove = () =>
    void run(async () => {
      showAccount(await bridge.deleteAccount());
      toast.say(words.said);
      onClose();
    });
  const footer = (
    <>
      <Button onClick={onClose}>{text.cancel}</Button>
      <Button disabled={busy || !isTyped} onClick={remove} tone="danger">
        {busy ? words.busy : words.action}
      </Button>
    </>
  );
  return (
    <Dialog footer={footer} onClose={onClose} open title={words.ask(email)}>
      <div className="dialog-body confirm">
        <p>{words.text}</p>
        <TextField autoCapitalize="off" autoComplete="off" label={words.type(email)} onChange={(event) => setTyped(event.target.value)} spellCheck={false} value={typed} />
        {failure !== null && <Banner tone="failure">{inWords(failure)}</Banner>}
      </div>
    </Dialog>
  );
}

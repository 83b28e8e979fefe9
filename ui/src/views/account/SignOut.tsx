/** Signing out: what becomes of what is here, and of the other devices. */
import { useState } from "react";
import * as bridge from "../../bridge";
import { Banner, Button, Choice, Dialog } from "../../components";
import { toast } from "../../store/toast";
import { show } from "../../store/view";
import { text } from "../../text";
import { inWords } from "../locked/useOpening";
import { useDoing } from "../settings/useDoing";
import { useShowAccount } from "./useEntering";

const words = text.account.out;

type Props = { pending: number; canEverywhere: boolean; onClose: () => void };

export function SignOut({ pending, canEverywhere, onClose }: Props) {
  const [remove, setRemove] = useState(false);
  const [everywhere, setEverywhere] = useState(false);
  const { busy, failure, run } = useDoing();
  const showAccount = useShowAccount();
  const leave = () =>
    void run(async () => {
      // What waits was named here, and a person goes on: it is not asked a second time.
      showAccount(await bridge.signOut({ remove, everywhere, discard_pending: true }));
      if (remove) show.settings("account");
      toast.say(remove ? words.saidRemoved : words.said);
      onClose();
    });
  const footer = (
    <>
      <Button onClick={onClose}>{text.cancel}</Button>
      <Button disabled={busy} onClick={leave} tone={remove ? "danger" : "primary"}>
        {busy ? words.busy : words.action}
      </Button>
    </>
  );
  return (
    <Dialog footer={footer} onClose={onClose} open title={words.title}>
      <div className="dialog-body account-out">
        <fieldset className="choices">
          <legend className="visually-hidden">{words.what}</legend>
          <Choice about={words.keepAbout} checked={!remove} group="sign-out" label={words.keep} onChange={() => setRemove(false)} />
          <Choice about={words.removeAbout} checked={remove} group="sign-out" label={words.remove} onChange={() => setRemove(true)} />
        </fieldset>
        {canEverywhere && <Choice about={words.everywhereAbout} checked={everywhere} label={words.everywhere} onChange={setEverywhere} />}
        {pending > 0 && (
          <Banner tone="warning">
            {words.pending(pending)} {remove ? words.pendingRemove : words.pendingKeep}
          </Banner>
        )}
        {failure !== null && <Banner tone="failure">{inWords(failure)}</Banner>}
      </div>
    </Dialog>
  );
}

import { type FormEvent, useState } from "react";
import * as bridge from "../../bridge";
import { Banner, Button } from "../../components";
import { text } from "../../text";
import { checkPassphrase } from "./passphrase";
import { SecretField } from "./SecretField";
import { inWords, useOpening } from "./useOpening";

/** Asks for the passphrase that a computer without a keyring needs. */
export function ChoosePassphrase({ failure }: { failure: bridge.Failure }) {
  const [passphrase, setPassphrase] = useState("");
  const [again, setAgain] = useState("");
  const [asked, setAsked] = useState(false);
  const opening = useOpening((typed) => bridge.choosePassphrase(typed ?? ""));
  const wrong = checkPassphrase(passphrase, again);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (wrong.passphrase === null && wrong.again === null) void opening.submit(passphrase);
  };
  const words = text.locked.choose;
  return (
    <form className="locked-form" onSubmit={submit}>
      <h1 className="locked-title">{words.title}</h1>
      <p className="locked-about">{words.about}</p>
      <SecretField
        autoFocus
        error={asked ? wrong.passphrase : null}
        hint={words.hint}
        label={words.passphrase}
        onChange={setPassphrase}
        readOnly={opening.busy}
        value={passphrase}
      />
      <SecretField
        error={asked ? wrong.again : null}
        hint={words.warning}
        label={words.again}
        onChange={setAgain}
        readOnly={opening.busy}
        value={again}
      />
      {opening.failure && <Banner tone="failure">{inWords(opening.failure)}</Banner>}
      <Button aria-busy={opening.busy} disabled={opening.busy} tone="primary" type="submit">
        {opening.busy ? words.working : words.submit}
      </Button>
      <p className="locked-note">{inWords(failure)}</p>
    </form>
  );
}

import { type FormEvent, useEffect, useRef, useState } from "react";
import * as bridge from "../../bridge";
import { Button } from "../../components";
import { text } from "../../text";
import { SecretField } from "./SecretField";
import { inWords, useOpening } from "./useOpening";

type Props = { failure: bridge.Failure; hasPassphrase: boolean };

/** Asks for the passphrase, or for the recovery key where there is none. */
export function Unlock({ failure, hasPassphrase }: Props) {
  const [secret, setSecret] = useState("");
  const opening = useOpening((typed) => (typed === null ? bridge.reopen() : bridge.unlock(typed)));
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (opening.failure) field.current?.select();
  }, [opening.failure]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (secret.trim() !== "") void opening.submit(secret);
  };
  return (
    <form className="locked-form" onSubmit={submit}>
      <h1 className="locked-title">{text.locked.title}</h1>
      <p className="locked-about">{inWords(failure)}</p>
      <SecretField
        autoFocus
        error={inWords(opening.failure)}
        hint={text.locked.recoveryHint}
        label={hasPassphrase ? text.locked.passphrase : text.locked.recoveryOnly}
        onChange={(value) => {
          setSecret(value);
          opening.forget();
        }}
        readOnly={opening.busy}
        ref={field}
        value={secret}
      />
      <div className="locked-actions">
        <Button aria-busy={opening.busy} disabled={opening.busy || secret.trim() === ""} tone="primary" type="submit">
          {opening.busy ? text.locked.opening : text.locked.open}
        </Button>
        {!hasPassphrase && (
          <Button disabled={opening.busy} onClick={() => void opening.submit(null)} tone="quiet">
            {text.locked.askKeyring}
          </Button>
        )}
      </div>
    </form>
  );
}

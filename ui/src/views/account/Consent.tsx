import { useId } from "react";
import { text } from "../../text";

const words = text.account;

type Props = { chats: number; host: string | null; agreed: boolean; onChange: (agreed: boolean) => void; error: string | undefined };

/** What the first sign-in does with what is here, and a person's word that it may. */
export function Consent({ chats, host, agreed, onChange, error }: Props) {
  const id = useId();
  return (
    <fieldset aria-describedby={`${id}-about`} className="account-consent">
      <legend className="visually-hidden">{words.consent}</legend>
      <p className="account-consent-text" id={`${id}-about`}>
        <strong>{words.consentHere(chats)}</strong> {host === null ? words.consentTextAnywhere : words.consentText(host)}
      </p>
      <label className="account-tick">
        <input aria-invalid={error === undefined ? undefined : true} checked={agreed} onChange={(event) => onChange(event.target.checked)} type="checkbox" />
        {words.consentAgree}
      </label>
      {error !== undefined && (
        <p className="field-hint field-error" role="alert">
          {error}
        </p>
      )}
    </fieldset>
  );
}

import { useState } from "react";
import { Button, TextField } from "../../components";
import { text } from "../../text";
import { type Errors, hostOf, type Place } from "./entry";
import type { KnownProject } from "./useKnownProject";

const words = text.account;

type Props = {
  known: KnownProject | null;
  /** Whether another one than the known is to be entered. */
  other: boolean;
  onOther: (other: boolean) => void;
  place: Place;
  onChange: (change: Partial<Place>) => void;
  errors: Errors;
};

/** Which project: one line where it is known, two fields where it is not. */
export function ProjectFields({ known, other, onOther, place, onChange, errors }: Props) {
  if (known !== null && !other) {
    return (
      <div className="field">
        <span className="field-label">{words.project}</span>
        <div className="account-known">
          <span>{known.isOrganisations ? words.projectFound(hostOf(known.url)) : hostOf(known.url)}</span>
          <Button onClick={() => onOther(true)} size="small" tone="link">
            {words.projectOther}
          </Button>
        </div>
      </div>
    );
  }
  return (
    <>
      <TextField
        autoCapitalize="off"
        autoComplete="off"
        error={errors.url}
        hint={words.urlHint}
        inputMode="url"
        label={words.url}
        onChange={(event) => onChange({ url: event.target.value })}
        placeholder={words.urlPlaceholder}
        spellCheck={false}
        value={place.url}
      />
      <KeyOfProject error={errors.anonKey} onChange={(anonKey) => onChange({ anonKey })} value={place.anonKey} />
      <Certificates onChange={(caFile) => onChange({ caFile })} value={place.caFile} />
      {known !== null && (
        <Button onClick={() => onOther(false)} size="small" tone="link">
          {known.isOrganisations ? words.projectFoundAgain : words.projectKnownAgain(hostOf(known.url))}
        </Button>
      )}
    </>
  );
}

/** Every client of the project has this key: it is no secret, and easier to check when it is seen. */
export const KeyOfProject = ({ value, error, onChange }: { value: string; error: string | undefined; onChange: (key: string) => void }) => (
  <TextField
    autoCapitalize="off"
    autoComplete="off"
    error={error}
    hint={words.anonKeyHint}
    label={words.anonKey}
    onChange={(event) => onChange(event.target.value)}
    spellCheck={false}
    value={value}
  />
);

function Certificates({ value, onChange }: { value: string; onChange: (path: string) => void }) {
  const [open, setOpen] = useState(value !== "");
  return (
    <details className="provider-more" onToggle={(event) => setOpen(event.currentTarget.open)} open={open}>
      <summary>{words.advanced}</summary>
      <TextField hint={words.caHint} label={words.ca} onChange={(event) => onChange(event.target.value)} spellCheck={false} value={value} />
    </details>
  );
}

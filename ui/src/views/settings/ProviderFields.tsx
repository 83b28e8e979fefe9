import type { ProviderConfig, ProviderKind, ProviderView } from "../../bridge";
import { Field, Segments, TextField } from "../../components";
import { text } from "../../text";
import { isNear, isPlain, hasMoved, type ProviderErrors } from "./provider";
import { StoredKey } from "./StoredKey";
import { useReady } from "./useReady";

const words = text.settings.provider;
const KINDS: { value: ProviderKind; label: string }[] = [
  { value: "openai", label: words.openai },
  { value: "anthropic", label: words.anthropic },
];

type Props = {
  config: ProviderConfig;
  onChange: (config: ProviderConfig) => void;
  errors: ProviderErrors | null;
  keyText: string;
  onKey: (key: string) => void;
  /** What is stored, where the provider is there already. */
  stored?: ProviderView;
  /** Whether the protocol is still to be chosen. */
  isNew?: boolean;
  /** Whether only the key is missing. */
  keyFirst?: boolean;
};

/** What a provider's two dialogs ask for. */
export function ProviderFields({ config, onChange, errors, keyText, onKey, stored, isNew = false, keyFirst = false }: Props) {
  const set = (change: Partial<ProviderConfig>) => onChange({ ...config, ...change });
  return (
    <>
      <TextField error={errors?.name ?? errors?.id} label={words.name} onChange={(event) => set({ name: event.target.value })} value={config.name} />
      {isNew && (
        <div className="field">
          <span className="field-label">{words.kind}</span>
          <Segments label={words.kind} onChange={(kind) => set({ kind })} options={KINDS} value={config.kind} />
        </div>
      )}
      <TextField
        autoCapitalize="off"
        error={errors?.base_url}
        hint={addressHint(config.base_url, stored)}
        inputMode="url"
        label={words.url}
        onChange={(event) => set({ base_url: event.target.value })}
        placeholder={words.urlPlaceholder}
        spellCheck={false}
        value={config.base_url}
      />
      {stored?.has_key && !hasMoved(stored.base_url, config.base_url) ? (
        <StoredKey keyText={keyText} onKey={onKey} provider={stored} />
      ) : (
        <KeyField isFirst={keyFirst} label={isNear(config.base_url) ? words.keyOptional : words.key} onChange={onKey} value={keyText} />
      )}
      <details className="provider-more" open={config.ca_file !== null}>
        <summary>{words.advanced}</summary>
        <TextField hint={words.caHint} label={words.ca} onChange={(event) => set({ ca_file: event.target.value.trim() || null })} spellCheck={false} value={config.ca_file ?? ""} />
      </details>
    </>
  );
}

function addressHint(address: string, stored: ProviderView | undefined): string | undefined {
  if (stored?.has_key && hasMoved(stored.base_url, address)) return words.urlMoved;
  return isPlain(address) ? words.check.urlPlain : undefined;
}

type KeyFieldProps = { label: string; value: string; onChange: (key: string) => void; autoFocus?: boolean; isFirst?: boolean };

/** A field for a key: never filled from what is stored, never offered to a password manager. */
export function KeyField({ label, value, onChange, autoFocus = false, isFirst = false }: KeyFieldProps) {
  const ready = useReady();
  return (
    <Field hint={ready && words.keyKept(ready.key)} label={label}>
      {({ id, describedBy }) => (
        <input
          aria-describedby={describedBy}
          autoComplete="off"
          autoFocus={autoFocus}
          className="input"
          data-first={isFirst ? "" : undefined}
          id={id}
          onChange={(event) => onChange(event.target.value)}
          spellCheck={false}
          type="password"
          value={value}
        />
      )}
    </Field>
  );
}

import { useState } from "react";
import * as bridge from "../../bridge";
import { Button } from "../../components";
import { text } from "../../text";
import { inWords } from "../locked/useOpening";
import { KeyField } from "./ProviderFields";
import { useDoing } from "./useDoing";
import { useReady } from "./useReady";

const words = text.settings.provider;

/** A key that is stored: it can be replaced or removed, and is never shown. */
export function StoredKey({ provider, keyText, onKey }: { provider: bridge.ProviderView; keyText: string; onKey: (key: string) => void }) {
  const ready = useReady();
  const doing = useDoing();
  const [replacing, setReplacing] = useState(false);
  if (replacing) return <KeyField autoFocus label={words.key} onChange={onKey} value={keyText} />;
  return (
    <div className="field">
      <span className="field-label">{words.key}</span>
      <div className="stored-key">
        <span className="setting-about">{ready && words.keyStored(ready.key)}</span>
        <Button onClick={() => setReplacing(true)} size="small">
          {words.keyReplace}
        </Button>
        <Button disabled={doing.busy} onClick={() => void doing.run(() => bridge.setKey(provider.id, null))} size="small" tone="quiet">
          {words.keyRemove}
        </Button>
      </div>
      {doing.failure && (
        <div className="field-hint field-error" role="alert">
          {inWords(doing.failure)}
        </div>
      )}
    </div>
  );
}

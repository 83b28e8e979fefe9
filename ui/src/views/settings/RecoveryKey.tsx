import { useState } from "react";
import * as bridge from "../../bridge";
import { Button } from "../../components";
import { text } from "../../text";
import { inWords } from "../locked/useOpening";
import { useCopying } from "./useCopying";

const words = text.settings.recovery;

/** Shows the recovery key when asked, and never keeps it anywhere but on the screen. */
export function RecoveryKey() {
  const [key, setKey] = useState<string | null>(null);
  const [failure, setFailure] = useState<bridge.Failure | null>(null);
  const show = async () => {
    try {
      setFailure(null);
      setKey(await bridge.recoveryKey());
    } catch (error) {
      setFailure(bridge.asFailure(error));
    }
  };
  if (key !== null) return <Shown onHide={() => setKey(null)} value={key} />;
  return (
    <div className="recovery">
      <Button icon="key" onClick={() => void show()}>
        {words.show}
      </Button>
      {failure && (
        <div className="field-error setting-about" role="alert">
          {inWords(failure)}
        </div>
      )}
    </div>
  );
}

function Shown({ value, onHide }: { value: string; onHide: () => void }) {
  const copying = useCopying(words.copied, words.copyFailed);
  return (
    <div className="recovery">
      <output aria-label={words.value} className="recovery-key">
        {value}
      </output>
      <div className="recovery-actions">
        <Button icon="copy" onClick={() => copying.copy(value)} size="small">
          {words.copy}
        </Button>
        <Button onClick={onHide} size="small" tone="quiet">
          {words.hide}
        </Button>
        <span className="setting-about" role="status">
          {copying.said}
        </span>
      </div>
    </div>
  );
}

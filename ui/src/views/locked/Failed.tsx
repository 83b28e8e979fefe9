import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Failure, reopen } from "../../bridge";
import { Button, Icon } from "../../components";
import { keys } from "../../store/keys";
import { text } from "../../text";

/** Says why the database cannot be opened, where it is, and that it is untouched. */
export function Failed({ failure, dataDir }: { failure: Failure; dataDir: string }) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const retry = async () => {
    setBusy(true);
    try {
      client.setQueryData(keys.app, await reopen());
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="locked-form" role="alert">
      <h1 className="locked-title locked-failed">
        <Icon name="warning" size={20} />
        {text.locked.failedTitle}
      </h1>
      <p className="locked-about">{failure.message}</p>
      {failure.hint && <p className="locked-about">{failure.hint}</p>}
      {dataDir !== "" && (
        <dl className="locked-folder">
          <dt>{text.locked.folder}</dt>
          <dd>{dataDir}</dd>
        </dl>
      )}
      <Button disabled={busy} icon="retry" onClick={() => void retry()}>
        {text.tryAgain}
      </Button>
    </div>
  );
}

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type AppState, asFailure, type Failure } from "../../bridge";
import { keys } from "../../store/keys";

/** Opens the mirror with what a person typed (`null`: with nothing new); what comes back is shown at once. */
export function useOpening(open: (secret: string | null) => Promise<AppState>) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const submit = async (secret: string | null) => {
    setBusy(true);
    setFailure(null);
    try {
      client.setQueryData(keys.app, await open(secret));
    } catch (error) {
      setFailure(asFailure(error));
    } finally {
      setBusy(false);
    }
  };
  return { busy, failure, submit, forget: () => setFailure(null) };
}

/** A failure in one line, beside its field. */
export const inWords = (failure: Failure | null): string | null =>
  failure && [failure.message, failure.hint].filter((part) => part !== null).join(" ");

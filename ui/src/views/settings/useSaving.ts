/** Saves one setting at once, says so quietly, and keeps the failure beside it. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import * as bridge from "../../bridge";
import { keys } from "../../store/keys";

const SAID_MS = 2000;

export type Saving = { saved: boolean; failure: bridge.Failure | null; save: (value: unknown) => Promise<boolean> };

export function useSaving(key: string): Saving {
  const client = useQueryClient();
  const [saves, setSaves] = useState(0);
  const [failure, setFailure] = useState<bridge.Failure | null>(null);
  const saved = useBriefly(saves);
  const save = async (value: unknown) => {
    const before = client.getQueryData<bridge.Setting[]>(keys.settings);
    setFailure(null);
    put(client, key, value);
    try {
      put(client, key, (await bridge.setSetting(key, value)).value);
      setSaves((n) => n + 1);
      return true;
    } catch (error) {
      client.setQueryData(keys.settings, before);
      setFailure(bridge.asFailure(error));
      return false;
    }
  };
  return { saved, failure, save };
}

/** Shown at once: the mirror is on this computer, and what it refuses is put back. */
function put(client: QueryClient, key: string, value: unknown): void {
  client.setQueryData<bridge.Setting[]>(keys.settings, (all) => all?.map((one) => (one.key === key ? { ...one, value } : one)));
}

/** True for a moment after the number grew. */
function useBriefly(times: number): boolean {
  const [over, setOver] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => setOver(times), SAID_MS);
    return () => clearTimeout(timer);
  }, [times]);
  return times > over;
}

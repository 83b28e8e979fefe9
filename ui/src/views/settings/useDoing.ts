/** A click that may take a moment or fail: the failure is kept beside what was clicked. */
import { useState } from "react";
import { asFailure, type Failure } from "../../bridge";

export function useDoing() {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const run = async (work: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setFailure(null);
    try {
      await work();
      return true;
    } catch (error) {
      setFailure(asFailure(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, failure, run, forget: () => setFailure(null) };
}

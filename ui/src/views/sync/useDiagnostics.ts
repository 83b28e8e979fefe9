import * as bridge from "../../bridge";
import { text } from "../../text";
import { useCopying } from "../settings/useCopying";
import { useReady } from "../settings/useReady";
import { diagnostics } from "./diagnostics";

/** Copies what helps somebody else to see what is wrong. */
export function useDiagnostics() {
  const ready = useReady();
  const copying = useCopying(text.sync.diagnosticsCopied, text.sync.diagnosticsFailed);
  const copy = () =>
    void bridge
      .health()
      .then((health) => copying.copy(diagnostics(health, ready?.version ?? "", new Date())))
      .catch(copying.fail);
  return { said: copying.said, copy };
}

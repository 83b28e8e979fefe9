import { text } from "../../text";
import { useHealth } from "../../store/queries";
import { useCopying } from "../settings/useCopying";
import { useReady } from "../settings/useReady";
import { diagnostics } from "./diagnostics";

/**
 * Copies what helps somebody else to see what is wrong.
 *
 * It is read beforehand: WebKit lets only the click itself write to the clipboard, and nothing that waits.
 */
export function useDiagnostics() {
  const ready = useReady();
  const health = useHealth().data;
  const copying = useCopying(text.sync.diagnosticsCopied, text.sync.diagnosticsFailed);
  const copy = () => {
    if (health === undefined) copying.fail();
    else copying.copy(diagnostics(health, ready?.version ?? "", new Date()));
  };
  return { said: copying.said, copy };
}

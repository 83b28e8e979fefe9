import { shownKeys } from "../keys/registry";

/** Keys as this system writes them: `mod+shift+f` is Ctrl ⇧ F, or ⌘⇧F on a Mac. */
export function Kbd({ keys }: { keys: string }) {
  return <kbd className="kbd">{shownKeys(keys)}</kbd>;
}

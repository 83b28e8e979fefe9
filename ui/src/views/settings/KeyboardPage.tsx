import { ShortcutList } from "../shortcuts/ShortcutList";

export function KeyboardPage() {
  return <ShortcutList />;
}

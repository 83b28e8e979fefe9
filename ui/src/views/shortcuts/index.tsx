import { Dialog } from "../../components";
import { show } from "../../store/view";
import { text } from "../../text";
import { ShortcutList } from "./ShortcutList";

/** The sheet of all shortcuts. */
export default function Shortcuts() {
  return (
    <Dialog onClose={() => show.overlay(null)} open title={text.shortcuts.title} width="wide">
      <div className="dialog-body">
        <ShortcutList />
      </div>
    </Dialog>
  );
}

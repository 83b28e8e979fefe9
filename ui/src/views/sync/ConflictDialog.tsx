/** Both values in full, and the choice between them. */
import type { ConflictView } from "../../bridge";
import { Button, Dialog } from "../../components";
import { text } from "../../text";
import { chipOf, type Wish } from "./conflict";
import { ConflictSides } from "./ConflictSides";
import { settle } from "./settle";

const words = text.sync.conflict;

export function ConflictDialog({ conflict, onClose }: { conflict: ConflictView; onClose: () => void }) {
  const choose = (wish: Wish) => () => {
    onClose();
    settle(conflict, wish);
  };
  const footer = (
    <>
      {conflict.can_keep_both && <Button onClick={choose("both")}>{words.keepBoth}</Button>}
      <Button onClick={choose("theirs")}>{words.keepTheirs}</Button>
      <Button onClick={choose("mine")} tone="primary">
        {words.keepMine}
      </Button>
    </>
  );
  return (
    <Dialog footer={footer} onClose={onClose} open title={words.titleOf(words.what(conflict))} width="wide">
      <div className="dialog-body conflict">
        <p className="conflict-about">{conflict.copy_id === null ? words.about : words.aboutCopy}</p>
        <ConflictSides conflict={conflict} />
        <p className="conflict-about">{chipOf(conflict)}</p>
      </div>
    </Dialog>
  );
}

import { useQueryClient } from "@tanstack/react-query";
import * as bridge from "../../bridge";
import { Confirm } from "../../components";
import { toast } from "../../store/toast";
import { text } from "../../text";

const words = text.imports.undo;

/** Asks, takes an import back, and says what of it stayed. */
export function UndoImport({ id, onClose }: { id: string; onClose: () => void }) {
  const client = useQueryClient();
  const undo = async () => {
    const undone = await bridge.importUndo(id);
    // Its end was seen: what is shown next is not its report.
    await bridge.importSettle();
    toast.say(words.done(undone));
    await client.invalidateQueries({ predicate: (query) => query.meta?.asksServer !== true });
  };
  return (
    <Confirm action={words.action} onClose={onClose} onConfirm={undo} title={words.title}>
      {words.text}
    </Confirm>
  );
}

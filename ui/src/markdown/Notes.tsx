/** Footnotes: a small number in the text, and the list at the end. */
import { createContext, useContext } from "react";
import { BlockList } from "./Blocks";
import type { Note, Numbers } from "./notes-order";
import { markdownText as text } from "./strings";

/** The numbers of the segment being drawn, and what makes element ids unique to one answer. */
export const NoteNumbers = createContext<{ prefix: string; numbers: Numbers }>({ prefix: "", numbers: {} });

export function NoteRef({ id }: { id: string }) {
  const { prefix, numbers } = useContext(NoteNumbers);
  const number = numbers[id] ?? 0;
  return (
    <sup className="md-note-ref">
      <button type="button" id={`${prefix}ref${number}`} aria-label={text.note(number)} onClick={() => goTo(`${prefix}note${number}`)}>
        {number}
      </button>
    </sup>
  );
}

export function NoteList({ prefix, notes }: { prefix: string; notes: readonly Note[] }) {
  if (notes.length === 0) return null;
  return (
    <section className="md-notes" aria-label={text.notes}>
      <ol>
        {notes.map((note) => (
          <li key={note.id} id={`${prefix}note${note.number}`} value={note.number} tabIndex={-1} dir="auto">
            <NoteNumbers.Provider value={{ prefix, numbers: note.numbers }}>
              <BlockList blocks={note.blocks} settled={true} tight={false} />
            </NoteNumbers.Provider>
            <button type="button" className="md-note-back" aria-label={text.backToText(note.number)} onClick={() => goTo(`${prefix}ref${note.number}`)}>
              ↩
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** A click asked for it, so here the focus may move. */
function goTo(id: string): void {
  const target = document.getElementById(id);
  target?.scrollIntoView({ block: "nearest" });
  target?.focus({ preventScroll: true });
}

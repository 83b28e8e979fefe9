/**
 * Footnote numbers: in the order of the first reference in the text, then of those inside notes.
 */
import type { Segment } from "./parse";
import type { Block, Inline } from "./tree";

/** A segment with the numbers of the notes it refers to; the same object as long as both stay. */
export type Numbered = { segment: Segment; numbers: Numbers };
export type Numbers = Readonly<Record<string, number>>;
export type Note = { id: string; number: number; blocks: readonly Block[]; numbers: Numbers };

const NONE: Numbers = {};
const kept = new WeakMap<Segment, Numbered>();

export function numberNotes(segments: readonly Segment[]): { segments: Numbered[]; notes: Note[] } {
  const bodies = new Map<string, Block[]>();
  const numbers = new Map<string, number>();
  for (const { notes, refs } of segments) {
    for (const [id, blocks] of notes) if (!bodies.has(id)) bodies.set(id, blocks);
    for (const id of refs) if (!numbers.has(id)) numbers.set(id, numbers.size + 1);
  }
  // A Map is walked in insertion order, and also over what is inserted while walking.
  for (const id of numbers.keys()) {
    for (const inner of refsIn(bodies.get(id) ?? [])) if (!numbers.has(inner)) numbers.set(inner, numbers.size + 1);
  }
  const notes = [...numbers].flatMap(([id, number]): Note[] => {
    const blocks = bodies.get(id);
    return blocks ? [{ id, number, blocks, numbers: pick(refsIn(blocks), numbers) }] : [];
  });
  return { segments: segments.map((segment) => withNumbers(segment, numbers)), notes };
}

function withNumbers(segment: Segment, numbers: ReadonlyMap<string, number>): Numbered {
  const old = kept.get(segment);
  const now = pick(segment.refs, numbers);
  if (old && segment.refs.every((id) => old.numbers[id] === now[id])) return old;
  const numbered = { segment, numbers: now };
  kept.set(segment, numbered);
  return numbered;
}

function pick(refs: readonly string[], numbers: ReadonlyMap<string, number>): Numbers {
  if (refs.length === 0) return NONE;
  return Object.fromEntries(refs.map((id) => [id, numbers.get(id) ?? 0]));
}

/** The references inside blocks, in order. */
function refsIn(blocks: readonly Block[]): string[] {
  return blocks.flatMap((block): string[] => {
    switch (block.type) {
      case "paragraph":
      case "heading":
        return refsInText(block.children);
      case "quote":
        return refsIn(block.children);
      case "list":
        return block.items.flatMap((item) => refsIn(item.children));
      case "table":
        return block.rows.flat().flatMap(refsInText);
      default:
        return [];
    }
  });
}

function refsInText(nodes: readonly Inline[]): string[] {
  return nodes.flatMap((node): string[] => {
    if (node.type === "noteRef") return [node.id];
    return "children" in node ? refsInText(node.children) : [];
  });
}

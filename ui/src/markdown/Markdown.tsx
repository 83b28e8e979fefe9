/**
 * An answer's Markdown, drawn as it arrives.
 *
 * Everything that comes in is untrusted: no HTML string is ever made, no address is fetched, and a
 * link only asks the app to open it. What is settled is drawn once (stream.ts); the rest is cheap.
 */
import { type ClipboardEvent, memo, useId } from "react";
import { type MarkdownActions, StableActions } from "./actions";
import { BlockList } from "./Blocks";
import { NoteList, NoteNumbers } from "./Notes";
import type { Numbered } from "./notes-order";
import { withPlainBlanks } from "./units";
import { useReading } from "./useReading";
import "./markdown.css";

type Props = Pick<MarkdownActions, "openLink" | "onLoadImage"> & {
  /** The whole text so far. */
  source: string;
  /** Whether more may come. */
  streaming: boolean;
};

export const Markdown = memo(function Markdown({ source, streaming, openLink, onLoadImage }: Props) {
  const prefix = useId();
  const { chunks, notes } = useReading(source, streaming);
  return (
    <StableActions actions={{ openLink, onLoadImage }}>
      <div className="md" data-streaming={streaming || undefined} onCopy={copyPlainBlanks}>
        {chunks.map((chunk, index) => (
          <Chunk key={index} segments={chunk} prefix={prefix} open={streaming && index === chunks.length - 1} />
        ))}
        <NoteList prefix={prefix} notes={notes} />
      </div>
    </StableActions>
  );
});

/** `open`: the last segment may still change. */
type ChunkProps = { segments: readonly Numbered[]; prefix: string; open: boolean };

const Chunk = memo(function Chunk({ segments, prefix, open }: ChunkProps) {
  if (segments.every(({ segment }) => segment.blocks.length === 0)) return null; // names only
  return (
    <div className="md-chunk">
      {segments.map((numbered, index) => {
        const settled = !(open && index === segments.length - 1);
        return <SegmentView key={numbered.segment.start} numbered={numbered} prefix={prefix} settled={settled} />;
      })}
    </div>
  );
});

type SegmentProps = { numbered: Numbered; prefix: string; settled: boolean };

const SegmentView = memo(function SegmentView({ numbered, prefix, settled }: SegmentProps) {
  const { segment, numbers } = numbered;
  const blocks = <BlockList blocks={segment.blocks} settled={settled} tight={false} />;
  if (segment.refs.length === 0) return blocks;
  return <NoteNumbers.Provider value={{ prefix, numbers }}>{blocks}</NoteNumbers.Provider>;
});

/** A number and its unit are joined on the screen only: what is copied has ordinary blanks. */
function copyPlainBlanks(event: ClipboardEvent): void {
  const selection = document.getSelection();
  if (!selection || selection.isCollapsed) return;
  const holder = document.createElement("div");
  for (let index = 0; index < selection.rangeCount; index += 1) {
    holder.append(selection.getRangeAt(index).cloneContents());
  }
  const plain = selection.toString();
  if (!plain.includes("\u00a0")) return;
  event.clipboardData.setData("text/plain", withPlainBlanks(plain));
  event.clipboardData.setData("text/html", withPlainBlanks(holder.innerHTML.replaceAll("&nbsp;", " ")));
  event.preventDefault();
}

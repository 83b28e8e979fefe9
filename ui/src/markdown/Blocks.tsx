/** Blocks: paragraphs, headings, lists, quotes, tables. Each knows its own direction (`dir="auto"`). */
import { createElement, memo } from "react";
import { CodeBlock } from "./Code";
import { FormulaText } from "./Formula";
import { markdownText as text } from "./strings";
import { TableBlock } from "./Table";
import { Text } from "./Text";
import type { Block, Item } from "./tree";

type ListProps = { blocks: readonly Block[]; settled: boolean; tight: boolean };

/** `settled`: nothing here will grow; `tight`: paragraphs are the lines of a tight list. */
export const BlockList = memo(function BlockList({ blocks, settled, tight }: ListProps) {
  return (
    <>
      {blocks.map((block, index) => (
        <BlockView key={index} block={block} settled={settled || index < blocks.length - 1} tight={tight} />
      ))}
    </>
  );
});

type BlockProps = { block: Block; settled: boolean; tight: boolean };

export const BlockView = memo(function BlockView({ block, settled, tight }: BlockProps) {
  switch (block.type) {
    case "paragraph":
      return tight ? <div className="md-line" dir="auto"><Text nodes={block.children} /></div> : <p dir="auto"><Text nodes={block.children} /></p>;
    case "heading":
      return createElement(headingTag(block.depth), { className: `md-h${block.depth}`, dir: "auto" }, <Text nodes={block.children} />);
    case "code":
      return <CodeBlock lang={block.lang} value={block.value} settled={settled || block.closed} />;
    case "math":
      return <DisplayFormula block={block} />;
    case "quote":
      return <blockquote dir="auto"><BlockList blocks={block.children} settled={settled} tight={false} /></blockquote>;
    case "list":
      return <ListView start={block.start} loose={block.loose} items={block.items} settled={settled} />;
    case "table":
      return <TableBlock align={block.align} rows={block.rows} />;
    case "rule":
      return <hr />;
    case "plain":
      return <Plain value={block.value} />;
  }
});

/** The page and the conversation have h1 and h2; an answer's own headings begin below them. */
function headingTag(depth: number): string {
  return `h${Math.min(depth + 2, 6)}`;
}

/** A formula that is still being written, or was never closed, is shown as written. */
function DisplayFormula({ block: { open, value, closed } }: { block: Extract<Block, { type: "math" }> }) {
  if (!closed) return <Plain value={value === "" ? open : `${open}\n${value}`} />;
  return <div className="md-formula"><FormulaText value={value} display={true} /></div>;
}

function Plain({ value }: { value: string }) {
  return <div className="md-plain" dir="auto">{value}</div>;
}

type ItemsProps = { start: number | null; loose: boolean; items: readonly Item[]; settled: boolean };

const ListView = memo(function ListView({ start, loose, items, settled }: ItemsProps) {
  const tasks = items.some((item) => item.checked !== null);
  const children = items.map((item, index) => (
    <ItemView key={index} item={item} loose={loose} settled={settled || index < items.length - 1} />
  ));
  const className = [loose ? "md-loose" : "md-tight", tasks ? "md-tasks" : ""].join(" ").trim();
  if (start === null) return <ul className={className} dir="auto">{children}</ul>;
  return <ol className={className} dir="auto" start={start === 1 ? undefined : start}>{children}</ol>;
});

const ItemView = memo(function ItemView({ item, loose, settled }: { item: Item; loose: boolean; settled: boolean }) {
  return (
    <li dir="auto" className={item.checked === null ? undefined : "md-task"}>
      {item.checked === null ? null : (
        <input type="checkbox" checked={item.checked} disabled readOnly aria-label={item.checked ? text.done : text.notDone} />
      )}
      <BlockList blocks={item.children} settled={settled} tight={!loose} />
    </li>
  );
});

/** Inline content: text, emphasis, links, pictures, formulas. */
import { createContext, Fragment, memo, type MouseEvent, type ReactNode, useContext, useState } from "react";
import { useMarkdownActions } from "./actions";
import { balanceBidi, hasBidiControls } from "./bidi";
import { codeText } from "./Code";
import { FormulaText } from "./Formula";
import { disguisedHost, hostOf, safeLink, shortUrl } from "./links";
import { NoteRef } from "./Notes";
import { markdownText as text } from "./strings";
import { type Inline, plainText } from "./tree";
import { joinUnits, NBSP } from "./units";

/** Inside a link there is no other link and no button. */
const InLink = createContext(false);

type TextProps = { nodes: readonly Inline[] };

/** Draws inline content. Memoised: a settled paragraph inside a growing list is skipped. */
export const Text = memo(function Text({ nodes }: TextProps) {
  return <>{nodes.map((node, index) => draw(node, index, endsOnNumber(nodes[index - 1])))}</>;
});

function endsOnNumber(node: Inline | undefined): boolean {
  if (!node || node.type === "text" || node.type === "code") return false;
  return /\d$/.test(plainText([node]));
}

function draw(node: Inline, key: number, afterNumber: boolean): ReactNode {
  switch (node.type) {
    case "text":
      return <Fragment key={key}>{words(node.value, afterNumber)}</Fragment>;
    case "strong":
      return <strong key={key}><Text nodes={node.children} /></strong>;
    case "emphasis":
      return <em key={key}><Text nodes={node.children} /></em>;
    case "delete":
      return <del key={key}><Text nodes={node.children} /></del>;
    case "sub":
      return <sub key={key}><Text nodes={node.children} /></sub>;
    case "sup":
      return <sup key={key}><Text nodes={node.children} /></sup>;
    case "code":
      return <code key={key} className="md-inline-code" dir="ltr">{codeText(node.value)}</code>;
    case "math":
      return <FormulaText key={key} value={node.value} display={node.display} />;
    case "break":
      return <br key={key} />;
    case "link":
      return <Link key={key} url={node.url} nodes={node.children} />;
    case "image":
      return <Picture key={key} url={node.url} alt={node.alt} />;
    case "noteRef":
      return <NoteRef key={key} id={node.id} />;
  }
}

function words(value: string, afterNumber: boolean): ReactNode {
  const joined = joinUnits(value, afterNumber);
  if (hasBidiControls(joined)) return <bdi>{balanceBidi(joined)}</bdi>;
  if (RIGHT_TO_LEFT.test(joined) && joined.includes(NBSP)) return quantities(joined);
  return RANGE.test(joined) ? ranges(joined) : joined;
}

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const RANGE = /\d–\d/;

/** In Arabic or Hebrew text "5 mg" would read "mg 5": each quantity gets a direction of its own. */
function quantities(value: string): ReactNode {
  return value.split(/([<>≤≥≈~±]?\u00a0?\d[^\s]*(?:\u00a0[^\s\u0590-\u08ff]+)+)/).map((part, index) =>
    index % 2 === 0 ? part : <bdi key={index} dir="ltr">{part}</bdi>,
  );
}

/** A line may end after a dash, but not inside "5–10 mg". */
function ranges(value: string): ReactNode {
  return value.split(/(\d[\d.,]{0,12}–\d[\d.,]{0,12}(?:\u00a0[^\s]{1,12})?)/).map((part, index) =>
    index % 2 === 0 ? part : <span key={index} className="md-together">{part}</span>,
  );
}

/** A link that the app opens; an address that may not be opened is text, with the address visible. */
function Link({ url, nodes }: { url: string; nodes: readonly Inline[] }) {
  const actions = useMarkdownActions();
  const href = safeLink(url);
  const label = plainText(nodes);
  if (useContext(InLink)) return <Text nodes={nodes} />;
  if (href === null) return <Refused label={label} url={url} nodes={nodes} />;
  const open = (event: MouseEvent) => {
    event.preventDefault();
    actions.openLink?.(href);
  };
  const openInMiddle = (event: MouseEvent) => (event.button === 1 ? open(event) : event.preventDefault());
  const host = disguisedHost(label, href);
  return (
    <>
      <a href={href} title={href} draggable={false} onClick={open} onAuxClick={openInMiddle}>
        <InLink.Provider value={true}>{label.trim() === "" ? shortUrl(href) : <Text nodes={nodes} />}</InLink.Provider>
      </a>
      {host === null ? null : <bdi className="md-host"> ({host})</bdi>}
      {nodes.map((node, index) => (node.type === "image" ? draw(node, index, false) : null))}
    </>
  );
}

function Refused({ label, url, nodes }: { label: string; url: string; nodes: readonly Inline[] }) {
  const visible = label.includes(url) || url === `http://${label}`;
  return (
    <span className="md-refused">
      <Text nodes={nodes} />
      {visible ? null : <> (<bdi className="md-address">{codeText(shortUrl(url))}</bdi>)</>}
    </span>
  );
}

/** A picture is never fetched by itself: its words, and a button that says where it would come from. */
function Picture({ url, alt }: { url: string; alt: string }) {
  const actions = useMarkdownActions();
  const [shown, setShown] = useState(false);
  const inLink = useContext(InLink);
  const words = alt.trim() === "" ? text.imageWithoutText : alt;
  const href = safeLink(url);
  if (inLink) return <>{words}</>;
  if (href === null || !href.startsWith("https:")) {
    return <span className="md-refused">{words}{url === "" ? null : <> (<bdi className="md-address">{codeText(shortUrl(url))}</bdi>)</>}</span>;
  }
  const load = () => (actions.onLoadImage ? actions.onLoadImage(href) : setShown(true));
  return (
    <span className="md-image">
      <span className="md-image-alt">{words}</span>
      <button type="button" className="md-image-load" onClick={load}>{text.loadImage(hostOf(href))}</button>
      {shown ? <bdi className="md-address">{shortUrl(href)}</bdi> : null}
    </span>
  );
}

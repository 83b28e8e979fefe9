import type { KeyboardEvent } from "react";
import type { SearchHit } from "../../bridge";
import { show } from "../../store/view";
import { text } from "../../text";
import { day } from "../../text/views";
import { Marked } from "./Marked";
import { walk } from "./walk";

/** One hit: where it is, when, and the words around it. */
export function Hit({ hit }: { hit: SearchHit }) {
  const isTitle = hit.message_id === null;
  const title = hit.title || text.search.untitled;
  const onKeyDown = (event: KeyboardEvent) => {
    if (walk(event.key)) event.preventDefault();
  };
  return (
    <button className="search-hit" onClick={() => show.chat(hit.conversation_id, hit.message_id)} onKeyDown={onKeyDown} type="button">
      <span className="search-hit-head">
        <span className="search-hit-title" dir="auto">
          {/* The core marks the title itself where that is what matched. */}
          {isTitle && hit.snippet === hit.title ? <Marked highlights={hit.highlights} text={hit.title} /> : title}
        </span>
        {hit.shelf !== "active" && <span className="search-hit-shelf">{text.search.shelf[hit.shelf]}</span>}
        <time className="search-hit-date" dateTime={hit.created_at}>
          {day(hit.created_at)}
        </time>
      </span>
      {!isTitle && (
        <span className="search-hit-snippet" dir="auto">
          <Marked highlights={hit.highlights} text={hit.snippet} />
        </span>
      )}
    </button>
  );
}

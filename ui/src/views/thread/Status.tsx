/** The one polite voice of the thread: says that an answer comes, and that it is there. */
import { useState } from "react";
import type { ThreadMessage } from "../../bridge";
import { text } from "../../text";
import { words } from "./format";
import { isArriving, lastOf, type Loaded } from "./page";

/** What is said of an answer; nothing of one that was there when the chat was opened. */
export function Status({ loaded }: { loaded: Loaded }) {
  const answer = lastOf(loaded.messages, "assistant");
  const stamp = answer === undefined ? "" : `${answer.id} ${answer.state}`;
  const [spoken, setSpoken] = useState({ stamp, said: "" });
  // Kept while drawing, so that the sentence is there together with what it tells of.
  if (spoken.stamp !== stamp) setSpoken({ stamp, said: answer === undefined ? "" : (sentence(answer) ?? spoken.said) });
  return (
    <div aria-live="polite" className="visually-hidden" role="status">
      {spoken.said}
    </div>
  );
}

function sentence(answer: ThreadMessage): string | null {
  if (isArriving(answer)) return text.thread.generating;
  if (answer.state === "done") return text.thread.complete(words(answer.content));
  if (answer.state !== "stopped") return null;
  return answer.metadata?.finish === "length" ? text.thread.fullStatus : text.thread.stoppedStatus;
}

/** Both values of a conflict, side by side: whose, and which of them is shown now. */
import type { ConflictView } from "../../bridge";
import { text } from "../../text";
import { sides } from "./conflict";
import "./sync.css";

const words = text.sync.conflict;

export function ConflictSides({ conflict }: { conflict: ConflictView }) {
  const { mine, theirs } = sides(conflict);
  return (
    <div className="sides">
      <Side stands={!conflict.ours} value={mine} whose={words.here} />
      <Side stands={conflict.ours} value={theirs} whose={words.elsewhere(conflict.device)} />
    </div>
  );
}

function Side({ whose, value, stands }: { whose: string; value: string; stands: boolean }) {
  return (
    <section aria-label={whose} className={stands ? "side side-stands" : "side"}>
      <header className="side-head">
        <span>{whose}</span>
        <span className="side-state">{stands ? words.stands : words.lost}</span>
      </header>
      <p className="side-value" dir="auto">
        {value}
      </p>
    </section>
  );
}

/** A chip that says that two devices changed the same, and offers what can be done about it. */
import { useState } from "react";
import type { ConflictView } from "../../bridge";
import { Icon, Menu, MenuHeading, MenuItem, MenuLine } from "../../components";
import { show } from "../../store/view";
import { text } from "../../text";
import { chipOf, sides } from "./conflict";
import { ConflictDialog } from "./ConflictDialog";
import { settle } from "./settle";
import "./sync.css";

const words = text.sync.conflict;
/** A value is hinted at in the menu; the dialog has all of it. */
const HINT = 60;
const hint = (value: string) => (value.length > HINT ? `${value.slice(0, HINT).trimEnd()}…` : value);

export function ConflictChip({ conflicts }: { conflicts: ConflictView[] }) {
  const [viewed, setViewed] = useState<number | null>(null);
  const [first] = conflicts;
  if (first === undefined) return null;
  const isOne = conflicts.length === 1;
  const label = isOne ? chipOf(first) : words.chips(conflicts.length);
  const shown = conflicts.find((one) => one.id === viewed);
  const trigger = (
    <button className="chip" title={label} type="button">
      <Icon name="branch" size={14} />
      <span className="chip-text">{label}</span>
      <Icon name="chevronDown" size={12} />
    </button>
  );
  return (
    <>
      <Menu label={words.title} trigger={trigger}>
        {isOne ? <One conflict={first} onView={() => setViewed(first.id)} /> : <Several conflicts={conflicts} onView={setViewed} />}
      </Menu>
      {shown && <ConflictDialog conflict={shown} onClose={() => setViewed(null)} />}
    </>
  );
}

function One({ conflict, onView }: { conflict: ConflictView; onView: () => void }) {
  const { mine, theirs } = sides(conflict);
  return (
    <>
      <MenuHeading>{words.what(conflict)}</MenuHeading>
      <MenuItem onSelect={onView}>{words.view}</MenuItem>
      <MenuLine />
      <MenuItem note={hint(mine)} onSelect={() => settle(conflict, "mine")}>
        {words.keepMine}
      </MenuItem>
      <MenuItem note={hint(theirs)} onSelect={() => settle(conflict, "theirs")}>
        {words.keepTheirs}
      </MenuItem>
      {conflict.can_keep_both && <MenuItem onSelect={() => settle(conflict, "both")}>{words.keepBoth}</MenuItem>}
    </>
  );
}

function Several({ conflicts, onView }: { conflicts: ConflictView[]; onView: (id: number) => void }) {
  return (
    <>
      {conflicts.slice(0, 6).map((one) => (
        <MenuItem key={one.id} note={chipOf(one)} onSelect={() => onView(one.id)}>
          {words.what(one)}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem onSelect={() => show.settings("sync", "conflicts")}>{words.viewAll}</MenuItem>
    </>
  );
}

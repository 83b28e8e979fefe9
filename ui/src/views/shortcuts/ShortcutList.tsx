import { Fragment } from "react";
import { Kbd } from "../../components";
import { SHORTCUTS } from "../../keys/registry";
import { isString, useSetting } from "../../store/queries";
import { text } from "../../text";
import "./shortcuts.css";

type Row = { label: string; keys: string };
const GROUPS = ["chat", "find", "app"] as const;

/** Every shortcut, in groups; the sheet and the settings show the same list. */
export function ShortcutList() {
  const sending = useSending();
  return (
    <div className="shortcut-groups">
      {GROUPS.map((group) => (
        <section aria-label={text.shortcuts.groups[group]} key={group}>
          <h3 className="shortcut-group">{text.shortcuts.groups[group]}</h3>
          <dl className="shortcut-list">
            {[...(group === "chat" ? sending : []), ...of(group)].map((row) => (
              <Fragment key={row.keys}>
                <dt>{row.label}</dt>
                <dd>
                  <Kbd keys={row.keys} />
                </dd>
              </Fragment>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}

const of = (group: (typeof GROUPS)[number]): Row[] => Object.values(SHORTCUTS).filter((shortcut) => shortcut.group === group);

/** The composer's own keys depend on a setting. */
function useSending(): Row[] {
  const { send, newLine, keys } = text.shortcuts.fixed;
  const modEnter = useSetting("send_with", isString, "enter") === "mod_enter";
  return [
    { label: send, keys: modEnter ? keys.sendMod : keys.send },
    { label: newLine, keys: modEnter ? keys.send : keys.newLine },
  ];
}

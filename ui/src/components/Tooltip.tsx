import { Tooltip as Base } from "@base-ui/react/tooltip";
import type { ReactElement } from "react";
import { Kbd } from "./Kbd";

/** Says what a control does, after a moment; never the only place where it is said. */
export function Tooltip({ label, shortcut, children }: { label: string; shortcut?: string | undefined; children: ReactElement }) {
  return (
    <Base.Root>
      <Base.Trigger delay={500} render={children} />
      <Base.Portal>
        <Base.Positioner className="layer" sideOffset={6}>
          <Base.Popup className="tooltip">
            {label}
            {shortcut && <Kbd keys={shortcut} />}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

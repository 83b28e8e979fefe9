import type { ReactNode } from "react";
import { Icon } from "../../components";
import { text } from "../../text";
import { inWords } from "../locked/useOpening";
import type { Saving } from "./useSaving";

type RowProps = { title: string; about?: ReactNode; saving?: Saving | undefined; wide?: boolean; children?: ReactNode };

/** One setting: what it is, its control, and how saving went. */
export function Row({ title, about, saving, wide = false, children }: RowProps) {
  return (
    <div className={wide ? "setting setting-wide" : "setting"}>
      <div className="setting-text">
        <div className="setting-head">
          <span className="setting-title">{title}</span>
          <Saved saving={saving} />
        </div>
        {about && <div className="setting-about">{about}</div>}
        {saving?.failure && (
          <div className="field-error setting-about" role="alert">
            {inWords(saving.failure)}
          </div>
        )}
      </div>
      {children && <div className="setting-control">{children}</div>}
    </div>
  );
}

function Saved({ saving }: { saving: Saving | undefined }) {
  return (
    <span className="setting-saved" role="status">
      {saving?.saved && (
        <>
          <Icon name="check" size={14} />
          {text.settings.saved}
        </>
      )}
    </span>
  );
}

/** Settings that belong together. */
export function Group({ title, about, action, children }: { title?: string; about?: string; action?: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title} className="setting-group">
      {title && (
        <div className="setting-group-head">
          <div className="setting-text">
            <h3 className="setting-group-title">{title}</h3>
            {about && <p className="setting-about">{about}</p>}
          </div>
          {action}
        </div>
      )}
      {children}
    </section>
  );
}

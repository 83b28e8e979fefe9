import { useState } from "react";
import type { SalvageReport } from "../../bridge";
import { Banner, IconButton } from "../../components";
import { text } from "../../text";
import "./locked.css";

/** Says what was saved from a damaged database at this start, until it is dismissed. */
export function SalvageNotice({ report }: { report: SalvageReport }) {
  const [shown, setShown] = useState(true);
  if (!shown) return null;
  const { rows_saved, rows_lost, set_aside, tables } = report;
  const dismiss = <IconButton icon="close" label={text.dismiss} onClick={() => setShown(false)} size="small" />;
  return (
    <div className="salvage">
      <Banner action={dismiss} tone="warning">
        <p>{rows_lost === 0 ? text.salvage.saved(rows_saved) : text.salvage.lost(rows_saved, rows_lost)}</p>
        <details>
          <summary>{text.salvage.details}</summary>
          <p className="salvage-path">{text.salvage.aside(set_aside)}</p>
          <ul>
            {tables.map(({ table, saved, lost }) => (
              <li key={table}>{text.salvage.row(table, saved, lost)}</li>
            ))}
          </ul>
        </details>
      </Banner>
    </div>
  );
}

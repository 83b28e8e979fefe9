/** What is shown instead of the chats while the database cannot be read. */
import type { AppState } from "../../bridge";
import { Mark } from "../../components";
import { text } from "../../text";
import { ChoosePassphrase } from "./ChoosePassphrase";
import { Failed } from "./Failed";
import { Unlock } from "./Unlock";
import "./locked.css";

export { SalvageNotice } from "./SalvageNotice";

export function Locked({ state }: { state: Exclude<AppState, { at: "ready" }> }) {
  return (
    <main className="centre locked">
      <div className="locked-card">
        <div className="locked-brand">
          <Mark size={28} />
          <span>{text.product}</span>
        </div>
        <Inside state={state} />
      </div>
    </main>
  );
}

function Inside({ state }: { state: Exclude<AppState, { at: "ready" }> }) {
  switch (state.at) {
    case "locked":
      return <Unlock failure={state.failure} hasPassphrase={state.has_passphrase} />;
    case "needs_passphrase":
      return <ChoosePassphrase failure={state.failure} />;
    case "failed":
      return <Failed dataDir={state.data_dir} failure={state.failure} />;
  }
}

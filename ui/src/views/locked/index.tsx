import type { AppState } from "../../bridge";
import { FailureState } from "../../components";

export function Locked({ state }: { state: Exclude<AppState, { at: "ready" }> }) {
  return (
    <div className="centre">
      <FailureState failure={state.failure} />
    </div>
  );
}

/** The way of an import, from what was found to the report. The page of the settings and the first run both show it. */
import * as bridge from "../../bridge";
import { Banner, Button } from "../../components";
import { act } from "../../store/act";
import { useImportState } from "../../store/queries";
import { text } from "../../text";
import { inWords } from "../locked/useOpening";
import { restart, useFlow } from "./flow";
import { Found } from "./Found";
import { Failed, Paused } from "./Paused";
import { PlanView } from "./PlanView";
import { Prove } from "./Prove";
import { Reading } from "./Reading";
import { ReportView } from "./ReportView";
import { Running } from "./Running";
import { Stage } from "./Stage";
import { Who } from "./Who";
import "../settings/settings.css";
import "./import.css";

/** `onLeave` is called when a person goes to one of the chats that came over. */
export function Import({ onLeave }: { onLeave?: (() => void) | undefined }) {
  const state = useImportState().data;
  switch (state?.at) {
    case undefined:
      return null;
    case "running":
    case "pausing":
      return <Running moment={state.moment} pausing={state.at === "pausing"} request={state.request} />;
    case "done":
      return <Done id={state.id} onLeave={onLeave} />;
    case "paused":
      return (
        <div className="import">
          <Paused id={state.id} path={state.request.path} />
          <Steps />
        </div>
      );
    case "failed":
      return (
        <div className="import">
          <Failed failure={state.failure} />
          <Steps />
        </div>
      );
    case "planning":
    case "idle":
      return <Steps />;
  }
}

function Done({ id, onLeave }: { id: string; onLeave: (() => void) | undefined }) {
  return (
    <Stage title={text.imports.report.title}>
      <ReportView id={id} onLeave={onLeave} />
      <div className="import-actions">
        <Button onClick={() => act(bridge.importSettle)} tone="primary">
          {text.imports.report.close}
        </Button>
      </div>
    </Stage>
  );
}

function Steps() {
  const flow = useFlow();
  switch (flow.at) {
    case "found":
      return <Found />;
    case "reading":
      return <Reading source={flow.source} />;
    case "who":
      return <Who {...flow} />;
    case "prove":
      return <Prove {...flow} />;
    case "plan":
      return <PlanView {...flow} />;
    case "failed":
      return (
        <div className="import">
          <Banner action={<Button onClick={restart}>{text.back}</Button>} tone="failure">
            {inWords(flow.failure)}
          </Banner>
        </div>
      );
  }
}

/** The first start: where things are, a recovery key, who answers, what other programs left, an account. Every step can be skipped. */
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import * as bridge from "../../bridge";
import { Banner, Button, Mark } from "../../components";
import { keys } from "../../store/keys";
import { text } from "../../text";
import { useFlow } from "../import/flow";
import { inWords } from "../locked/useOpening";
import { useDoing } from "../settings/useDoing";
import { Done } from "./Done";
import { ImportStep } from "./ImportStep";
import { ModelStep } from "./ModelStep";
import { RecoveryStep } from "./RecoveryStep";
import { SyncStep } from "./SyncStep";
import { Welcome } from "./Welcome";
import "../settings/settings.css";
import "./first-run.css";

type Ready = Extract<bridge.AppState, { at: "ready" }>;

const words = text.firstRun;
const STEPS = ["welcome", "recovery", "model", "import", "sync", "done"] as const;
type Step = (typeof STEPS)[number];

export default function FirstRun({ state }: { state: Ready }) {
  const [at, setAt] = useState(0);
  const finishing = useFinish();
  const step = STEPS[at] ?? "done";
  return (
    <main aria-label={words.label} className="centre first-run">
      <div className="first-run-card">
        <Head at={at} />
        <Body key={step}>
          <Inside state={state} step={step} />
        </Body>
        {finishing.failure && <Banner tone="failure">{inWords(finishing.failure)}</Banner>}
        <Foot at={at} busy={finishing.busy} onFinish={finishing.finish} onStep={setAt} />
      </div>
    </main>
  );
}

function Inside({ step, state }: { step: Step; state: Ready }) {
  switch (step) {
    case "welcome":
      return <Welcome state={state} />;
    case "recovery":
      return <RecoveryStep kept={state.key} />;
    case "model":
      return <ModelStep />;
    case "import":
      return <ImportStep />;
    case "sync":
      return <SyncStep />;
    case "done":
      return <Done />;
  }
}

/** Ends the first run; the window then shows the chats. */
function useFinish() {
  const client = useQueryClient();
  const { busy, failure, run } = useDoing();
  const finish = () =>
    void run(async () => {
      await bridge.finishFirstRun();
      await client.invalidateQueries({ queryKey: keys.app });
    });
  return { busy, failure, finish };
}

function Head({ at }: { at: number }) {
  return (
    <div className="first-run-head">
      <Mark size={28} />
      <span className="first-run-brand">{text.product}</span>
      <span className="first-run-step">{words.step(at + 1, STEPS.length)}</span>
    </div>
  );
}

/** A step that was asked for takes the focus, so that it is read from its beginning. */
function Body({ children }: { children: ReactNode }) {
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => {
    body.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div className="first-run-body" ref={body} tabIndex={-1}>
      {children}
    </div>
  );
}

type FootProps = { at: number; busy: boolean; onStep: (at: number) => void; onFinish: () => void };

function Foot({ at, busy, onStep, onFinish }: FootProps) {
  const isAsked = useFlow().at !== "found";
  if (at === 0) {
    return (
      <div className="first-run-foot">
        <Button disabled={busy} onClick={onFinish} tone="primary">
          {words.startNow}
        </Button>
        <Button onClick={() => onStep(1)}>{words.welcome.setUp}</Button>
      </div>
    );
  }
  const isLast = at === STEPS.length - 1;
  // Whoever is in the middle of an import has its next step before them.
  const isAside = STEPS[at] === "import" && isAsked;
  return (
    <div className="first-run-foot">
      <Button disabled={busy} onClick={isLast ? onFinish : () => onStep(at + 1)} tone={isAside ? "plain" : "primary"}>
        {isLast ? words.start : at === 1 ? words.recovery.wrote : words.next}
      </Button>
      {at === 1 && <Button onClick={() => onStep(at + 1)}>{words.later}</Button>}
      <Button onClick={() => onStep(at - 1)} tone="quiet">
        {words.back}
      </Button>
      {!isLast && (
        <span className="first-run-end">
          <Button disabled={busy} onClick={onFinish} tone="quiet">
            {words.startNow}
          </Button>
        </span>
      )}
    </div>
  );
}

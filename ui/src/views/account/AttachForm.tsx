/** Signing in to a project, or making an account there. */
import { type FormEvent, useState } from "react";
import { Banner, Button, Segments, TextField } from "../../components";
import { useConversations } from "../../store/queries";
import { text } from "../../text";
import { inWords } from "../locked/useOpening";
import { SecretField } from "../locked/SecretField";
import { Consent } from "./Consent";
import { hostOf, type Step } from "./entry";
import { ProjectFields } from "./ProjectFields";
import { type Entering, useEntering } from "./useEntering";
import { type KnownProject, useKnownProject } from "./useKnownProject";
import "../locked/locked.css";
import "./account.css";

const words = text.account;
const MODES: { value: "sign_in" | "sign_up"; label: string }[] = [
  { value: "sign_in", label: words.have },
  { value: "sign_up", label: words.create },
];

export function AttachForm() {
  const { known, problem, isPending } = useKnownProject();
  // The form asks for what is not known: it waits for that, which is a read of this computer.
  if (isPending) return null;
  return <Form known={known} problem={problem} />;
}

function Form({ known, problem }: { known: KnownProject | null; problem: string | null }) {
  const [other, setOther] = useState(false);
  const here = useChatsHere();
  const entering = useEntering({ knowsProject: known !== null && !other, needsConsent: here > 0 });
  const { step, fields, set, errors, failure } = entering;
  const host = known !== null && !other ? hostOf(known.url) : /^https?:\/\/./.test(fields.url.trim()) ? hostOf(fields.url.trim()) : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    entering.submit();
  };
  return (
    <form aria-label={titleOf(step)} className="account-form" noValidate onSubmit={submit}>
      {problem !== null && <Banner tone="warning">{problem}</Banner>}
      {entering.toConfirm !== null && <Banner>{words.confirmSent(entering.toConfirm)}</Banner>}
      <Head entering={entering} />
      {step !== "code" && <ProjectFields errors={errors} known={known} onChange={set} onOther={setOther} other={other} place={fields} />}
      {step !== "code" && (
        <TextField
          autoCapitalize="off"
          autoComplete="off"
          error={errors.email}
          label={words.email}
          onChange={(event) => set({ email: event.target.value })}
          spellCheck={false}
          type="email"
          value={fields.email}
        />
      )}
      {step === "code" && (
        <TextField autoComplete="off" error={errors.code} label={words.code} onChange={(event) => set({ code: event.target.value })} spellCheck={false} value={fields.code} />
      )}
      {step !== "forgot" && (
        <SecretField
          error={errors.password ?? null}
          hint={step === "sign_in" ? undefined : words.newPasswordHint}
          label={step === "code" ? words.newPassword : words.password}
          onChange={(password) => set({ password })}
          value={fields.password}
        />
      )}
      {here > 0 && step !== "forgot" && <Consent agreed={entering.agreed} chats={here} error={errors.consent} host={host} onChange={entering.setAgreed} />}
      {failure !== null && <Banner tone="failure">{inWords(failure)}</Banner>}
      <Actions entering={entering} />
    </form>
  );
}

function titleOf(step: Step): string {
  switch (step) {
    case "sign_in":
      return words.have;
    case "sign_up":
      return words.create;
    case "forgot":
      return words.forgotTitle;
    case "code":
      return words.codeTitle;
  }
}

function Head({ entering: { step, go, fields } }: { entering: Entering }) {
  if (step === "sign_in" || step === "sign_up") {
    return (
      <div>
        <Segments label={words.mode} onChange={go} options={MODES} value={step} />
      </div>
    );
  }
  return (
    <div>
      <h3 className="setting-group-title">{titleOf(step)}</h3>
      <p className="setting-about" role="status">
        {step === "forgot" ? words.forgotAbout : words.codeSent(fields.email.trim())}
      </p>
    </div>
  );
}

const SUBMIT: Record<Step, { idle: string; busy: string }> = {
  sign_in: { idle: words.signIn, busy: words.signingIn },
  sign_up: { idle: words.signUp, busy: words.signingUp },
  forgot: { idle: words.sendCode, busy: words.sendingCode },
  code: { idle: words.reset, busy: words.resetting },
};

function Actions({ entering: { step, go, busy } }: { entering: Entering }) {
  return (
    <div className="account-actions">
      <Button disabled={busy} tone="primary" type="submit">
        {busy ? SUBMIT[step].busy : SUBMIT[step].idle}
      </Button>
      {step === "sign_in" && (
        <Button onClick={() => go("forgot")} tone="link">
          {words.forgot}
        </Button>
      )}
      {step === "code" && (
        <Button onClick={() => go("forgot")} tone="link">
          {words.resendCode}
        </Button>
      )}
      {(step === "forgot" || step === "code") && (
        <Button onClick={() => go("sign_in")} tone="quiet">
          {words.back}
        </Button>
      )}
    </div>
  );
}

/** Chats on this computer, those in the archive too. */
function useChatsHere(): number {
  const active = useConversations("active").data?.length ?? 0;
  const archived = useConversations("archived").data?.length ?? 0;
  return active + archived;
}

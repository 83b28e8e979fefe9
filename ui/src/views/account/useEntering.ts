/** Signing in, up, or in with a new password: what is typed, what is missing, and what came of it. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import * as bridge from "../../bridge";
import { keys } from "../../store/keys";
import { text } from "../../text";
import { useDoing } from "../settings/useDoing";
import { addressOf, check, EMPTY, type Errors, type Fields, isFine, type Step } from "./entry";

/** Shows at once how the account stands after something that told it. */
export function useShowAccount() {
  const client = useQueryClient();
  return (status: bridge.AccountStatus) => {
    client.setQueryData(keys.account, status);
    for (const queryKey of [keys.sync, keys.devices, keys.sessions]) void client.invalidateQueries({ queryKey });
  };
}

type Options = { knowsProject: boolean; needsConsent: boolean };

export function useEntering({ knowsProject, needsConsent }: Options) {
  const [step, setStep] = useState<Step>("sign_in");
  const [fields, setFields] = useState<Fields>(EMPTY);
  const [agreed, setAgreed] = useState(false);
  const [asked, setAsked] = useState(false);
  /** Whose address has to be confirmed first. */
  const [toConfirm, setToConfirm] = useState<string | null>(null);
  const { busy, failure, run, forget } = useDoing();
  const showAccount = useShowAccount();

  const missing = check(step, fields, knowsProject);
  const errors: Errors = needsConsent && step !== "forgot" && !agreed ? { ...missing, consent: text.account.consentNeeded } : missing;
  const go = (next: Step) => {
    setStep(next);
    setAsked(false);
    forget();
  };
  const enter = async () => {
    const project = knowsProject ? null : addressOf(fields);
    const who = { project, email: fields.email.trim(), password: fields.password };
    if (step === "forgot") {
      await bridge.forgotPassword(project, who.email);
      setFields({ ...fields, password: "" });
      go("code");
      return;
    }
    const status = await (step === "sign_up" ? bridge.signUp(who) : step === "code" ? bridge.resetPassword({ ...who, code: fields.code.trim() }) : bridge.signIn(who));
    setFields({ ...fields, password: "", code: "" });
    if (status.state === "unconfirmed") {
      setToConfirm(status.email);
      go("sign_in");
    } else showAccount(status);
  };
  const submit = () => {
    setAsked(true);
    if (isFine(errors)) void run(enter);
  };
  return {
    step,
    go,
    fields,
    set: (change: Partial<Fields>) => setFields({ ...fields, ...change }),
    agreed,
    setAgreed,
    errors: asked ? errors : {},
    toConfirm,
    busy,
    failure,
    submit,
  };
}

export type Entering = ReturnType<typeof useEntering>;

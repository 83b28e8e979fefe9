/** The account is known; only its password is asked for, and the project's key where that was refused. */
import { type FormEvent, useState } from "react";
import * as bridge from "../../bridge";
import { Banner, Button } from "../../components";
import { text } from "../../text";
import { SecretField } from "../locked/SecretField";
import { inWords } from "../locked/useOpening";
import { useDoing } from "../settings/useDoing";
import { addressOf } from "./entry";
import { KeyOfProject } from "./ProjectFields";
import { useShowAccount } from "./useEntering";
import "../locked/locked.css";
import "./account.css";

const words = text.account;

type Props = { email: string; url: string; asksKey?: boolean };

export function SignInAgain({ email, url, asksKey = false }: Props) {
  const [password, setPassword] = useState("");
  const [anonKey, setAnonKey] = useState("");
  const [asked, setAsked] = useState(false);
  const { busy, failure, run } = useDoing();
  const showAccount = useShowAccount();
  const isWhole = password !== "" && (!asksKey || anonKey.trim() !== "");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (!isWhole) return;
    const project = asksKey ? addressOf({ url, anonKey, caFile: "" }) : null;
    void run(async () => {
      const status = await bridge.signIn({ project, email, password });
      setPassword("");
      showAccount(status);
      await bridge.syncNow();
    });
  };
  return (
    <form aria-label={words.again} className="account-form" noValidate onSubmit={submit}>
      {asksKey && <KeyOfProject error={asked && anonKey.trim() === "" ? words.check.anonKey : undefined} onChange={setAnonKey} value={anonKey} />}
      <SecretField error={asked && password === "" ? words.check.password : null} hint={email} label={words.password} onChange={setPassword} value={password} />
      {failure !== null && <Banner tone="failure">{inWords(failure)}</Banner>}
      <div className="account-actions">
        <Button disabled={busy} tone="primary" type="submit">
          {busy ? words.signingIn : words.again}
        </Button>
      </div>
    </form>
  );
}

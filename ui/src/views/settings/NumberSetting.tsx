import { type KeyboardEvent, useId } from "react";
import { useSetting } from "../../store/queries";
import { text } from "../../text";
import { type NumberRule, readNumber } from "./number";
import { Row } from "./Row";
import { useSaving } from "./useSaving";
import { useTyped } from "./useTyped";

type Props = { setting: string; title: string; about: string; rule: NumberRule; fallback: number | null };

const isNumberOrNull = (value: unknown): value is number | null => value === null || typeof value === "number";

/** A setting that is a number; a slip stays in the field with the reason, and nothing is changed. */
export function NumberSetting({ setting, title, about, rule, fallback }: Props) {
  const stored = useSetting(setting, isNumberOrNull, fallback);
  const saving = useSaving(setting);
  const typed = useTyped(stored?.toString() ?? "", async (entered) => {
    const last = readNumber(entered, rule);
    return last.ok && (last.value === stored || (await saving.save(last.value)));
  });
  const id = useId();
  const read = readNumber(typed.value, rule);
  const leave = () => {
    if (read.ok) typed.leave();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") leave();
  };
  return (
    <Row about={about} saving={saving} title={title}>
      <input
        aria-describedby={id}
        aria-invalid={read.ok ? undefined : true}
        aria-label={title}
        className="input setting-number"
        inputMode="decimal"
        onBlur={leave}
        onChange={(event) => typed.set(event.target.value)}
        onKeyDown={onKeyDown}
        placeholder={rule.canBeEmpty ? text.settings.general.providerDecides : undefined}
        type="text"
        value={typed.value}
      />
      <div className="field-error setting-number-error" id={id} role="alert">
        {read.ok ? "" : read.error}
      </div>
    </Row>
  );
}

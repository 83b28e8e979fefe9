import { Segments, Switch } from "../../components";
import { shownKeys } from "../../keys/registry";
import { isBoolean, isString, useSetting } from "../../store/queries";
import { text } from "../../text";
import { NumberSetting } from "./NumberSetting";
import { Group, Row } from "./Row";
import { useSaving } from "./useSaving";
import { useTyped } from "./useTyped";

const words = text.settings.general;
const TEMPERATURE = { min: 0, max: 2, whole: false, canBeEmpty: true };
const TOKENS = { min: 1, max: 1_000_000, whole: true, canBeEmpty: true };
const HOURS = { min: 0, max: 24 * 365, whole: true, canBeEmpty: false };

export function GeneralPage() {
  return (
    <>
      <Group title={words.writing}>
        <SendWith />
        <NumberSetting about={words.holdAbout} fallback={24} rule={HOURS} setting="hold_after_hours" title={words.hold} />
        <Note />
      </Group>
      <Group title={words.answers}>
        <Prompt />
        <NumberSetting about={words.temperatureAbout} fallback={null} rule={TEMPERATURE} setting="temperature" title={words.temperature} />
        <NumberSetting about={words.maxTokensAbout} fallback={null} rule={TOKENS} setting="max_answer_tokens" title={words.maxTokens} />
      </Group>
    </>
  );
}

function SendWith() {
  const saving = useSaving("send_with");
  const value = useSetting("send_with", isString, "enter");
  const options = [
    { value: "enter", label: words.enter },
    { value: "mod_enter", label: shownKeys("mod+enter") },
  ];
  return (
    <Row about={words.sendWithAbout} saving={saving} title={words.sendWith}>
      <Segments label={words.sendWith} onChange={(chosen) => void saving.save(chosen)} options={options} value={value} />
    </Row>
  );
}

function Note() {
  const saving = useSaving("show_educational_note");
  const value = useSetting("show_educational_note", isBoolean, false);
  return (
    <Row about={words.noteAbout} saving={saving} title={words.note}>
      <Switch checked={value} label={words.note} onChange={(on) => void saving.save(on)} />
    </Row>
  );
}

function Prompt() {
  const saving = useSaving("default_system_prompt");
  const stored = useSetting("default_system_prompt", isString, "");
  const typed = useTyped(stored, saving.save);
  return (
    <Row about={words.promptAbout} saving={saving} title={words.prompt} wide>
      <textarea
        aria-label={words.prompt}
        className="input setting-prompt"
        dir="auto"
        onBlur={typed.leave}
        onChange={(event) => typed.set(event.target.value)}
        placeholder={words.promptPlaceholder}
        rows={4}
        value={typed.value}
      />
    </Row>
  );
}

import { Segments } from "../../components";
import { isString, useSetting } from "../../store/queries";
import { text } from "../../text";
import { Group, Row } from "./Row";
import { useSaving } from "./useSaving";

const words = text.settings.appearance;
const THEMES = [
  { value: "system", label: words.system },
  { value: "light", label: words.light },
  { value: "dark", label: words.dark },
];
const WIDTHS = [
  { value: "normal", label: words.normal },
  { value: "wide", label: words.wide },
];

export function AppearancePage() {
  return (
    <Group>
      <Choice about={words.themeAbout} fallback="system" options={THEMES} setting="theme" title={words.theme} />
      <Choice about={words.widthAbout} fallback="normal" options={WIDTHS} setting="reading_width" title={words.width} />
    </Group>
  );
}

type ChoiceProps = { setting: string; title: string; about: string; fallback: string; options: { value: string; label: string }[] };

function Choice({ setting, title, about, fallback, options }: ChoiceProps) {
  const saving = useSaving(setting);
  const value = useSetting(setting, isString, fallback);
  return (
    <Row about={about} saving={saving} title={title}>
      <Segments label={title} onChange={(chosen) => void saving.save(chosen)} options={options} value={value} />
    </Row>
  );
}

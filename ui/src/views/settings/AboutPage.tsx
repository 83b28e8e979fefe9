import { Mark } from "../../components";
import { text } from "../../text";
import { Group, Row } from "./Row";
import { useReady } from "./useReady";

const words = text.settings.about;

export function AboutPage() {
  const ready = useReady();
  return (
    <>
      <div className="about-brand">
        <Mark size={36} />
        <div>
          <div className="about-name">{text.product}</div>
          {ready && <div className="setting-about">{words.version(ready.version)}</div>}
        </div>
      </div>
      <Group>
        <Row about={words.telemetryText} title={words.telemetry} />
        <Row about={words.localText} title={words.local} />
        <Row about={words.licenceText} title={words.licence} />
      </Group>
    </>
  );
}

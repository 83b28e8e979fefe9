import * as bridge from "../../bridge";
import { Button } from "../../components";
import { act } from "../../store/act";
import { text } from "../../text";
import { Health } from "./Health";
import { RecoveryKey } from "./RecoveryKey";
import { Group, Row } from "./Row";
import { useReady } from "./useReady";

const words = text.settings.data;

export function DataPage() {
  const ready = useReady();
  if (ready === null) return null;
  return (
    <>
      <Group>
        <Row about={words.whereAbout} title={words.where} wide>
          <div className="data-folder">
            <code className="data-path">{ready.data_dir}</code>
            <Button icon="folder" onClick={() => act(bridge.openDataDir)} size="small">
              {words.openFolder}
            </Button>
          </div>
        </Row>
        <Row about={words.encryptionText(ready.key)} title={words.encryption} />
        <Row about={text.settings.recovery.about} title={text.settings.recovery.title} wide>
          <RecoveryKey />
        </Row>
        <Row about={words.exportText} title={words.export} />
      </Group>
      <Health />
    </>
  );
}

import { useMutation } from "@tanstack/react-query";
import * as bridge from "../../bridge";
import { Banner, Button, Icon } from "../../components";
import { text } from "../../text";
import { size } from "../../text/views";
import { inWords } from "../locked/useOpening";
import { Group, Row } from "./Row";
import { useCopying } from "./useCopying";

const words = text.settings.data;

/** Runs the doctor and shows what it found. */
export function Health() {
  const check = useMutation<bridge.DoctorReport, bridge.Failure>({ mutationFn: bridge.doctor });
  return (
    <Group>
      <Row about={words.healthAbout} title={words.health}>
        <Button aria-busy={check.isPending} disabled={check.isPending} onClick={() => check.mutate()}>
          {check.isPending ? words.running : words.run}
        </Button>
      </Row>
      {check.isError && <Banner tone="failure">{inWords(check.error)}</Banner>}
      {check.data && <Report report={check.data} />}
    </Group>
  );
}

function Report({ report }: { report: bridge.DoctorReport }) {
  const copying = useCopying(words.reportCopied, words.reportNotCopied);
  return (
    <div className="health">
      <div className={report.ok ? "health-result" : "health-result health-bad"} role="status">
        <Icon name={report.ok ? "check" : "warning"} />
        {report.ok ? words.ok : words.found(report.findings.length)}
      </div>
      {report.findings.length > 0 && (
        <ul className="health-findings">
          {report.findings.map((finding) => (
            <li key={finding}>{finding}</li>
          ))}
        </ul>
      )}
      <Facts report={report} />
      <div className="recovery-actions">
        <Button icon="copy" onClick={() => copying.copy(JSON.stringify(report, null, 2))} size="small">
          {words.copyReport}
        </Button>
        <span className="setting-about" role="status">
          {copying.said}
        </span>
      </div>
    </div>
  );
}

function Facts({ report }: { report: bridge.DoctorReport }) {
  const facts: [string, string][] = [
    ...Object.entries(report.counts).map<[string, string]>(([name, n]) => [words.counts[name] ?? name, n.toLocaleString()]),
    [words.size, size(report.bytes)],
    [words.key, words.keyKept(report.key)],
    [words.versions, [report.version, ...Object.entries(report.versions).map(([name, version]) => `${name} ${version}`)].join(" · ")],
  ];
  return (
    <details>
      <summary>{words.details}</summary>
      <dl className="health-facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

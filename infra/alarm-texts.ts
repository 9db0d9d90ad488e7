/**
 * The texts of the alarms, for the person who is paged. Each says what happened, what it means, and what to look at first. The rest is in
 * `docs/runbook.md`, in the section that has the alarm's id, which also repeats the query that the alarm opens.
 */

import { Aws } from 'aws-cdk-lib';
import type { AlarmId } from '../lambdas/shared/alarms';
import { dashboardName } from './names';

interface AlarmText {
  readonly text: string;
  /** The functions whose logs answer `query`; none where the alarm names what to look at. */
  readonly logs: readonly ('archiver' | 'verifier')[];
  readonly query: string;
}

/** `<team>` and `<hours>` are filled in for each team. */
export const alarmTexts: Readonly<Record<AlarmId, AlarmText>> = {
  silent: {
    text: 'No run of the team <team> has succeeded for <hours> hours. Nothing is lost yet: Postman keeps 180 days, and the next good run reads all of it. Look at the code of the newest run in the log. If there is no run at all, look at the schedule. A new team is silent until its first run.',
    logs: ['archiver'],
    query: 'filter message = "run" and team = "<team>" | display @timestamp, outcome, code, detail',
  },
  gap: {
    text: 'Postman has forgotten events of a team before they were read, so they are lost for ever; or it will within 30 days, because the position of a team is older than 150 days. The log names the team and the time. Somebody must decide what that means, and write it down.',
    logs: ['archiver'],
    query:
      'filter ispresent(gaps.0.from) or message = "position" | display @timestamp, team, gaps.0.from, gaps.0.to, position',
  },
  integrity: {
    text: 'A run or the verifier found what contradicts the signed chain, an anchor or a lock: somebody may have removed, changed or planted objects. The run wrote nothing more. Call the security team, delete nothing, and look at the objects that the log names.',
    logs: ['archiver', 'verifier'],
    query: 'filter level = "ERROR" | display @timestamp, team, code, object, detail',
  },
  drift: {
    text: 'More than a tenth of the lines that a run met have no usable id or time. They are kept verbatim under quarantine/, but no query of events sees them. Postman has probably changed their form. The log names the team. Compare such a line with the contract.',
    logs: ['archiver'],
    query: 'filter outcome = "archived" and ispresent(detail) | display @timestamp, team, detail',
  },
  unverified: {
    text: 'For two days no verification was good for every team. The archive may be whole, but nothing has proved it. The verifier does not run, or it fails, or it has findings (then "integrity" rang first). The log tells which.',
    logs: ['verifier'],
    query: 'filter message = "verification" or level = "ERROR" | display @timestamp, @message',
  },
  unhandled: {
    text: 'EventBridge Scheduler could not start a run or a verification, even after an hour of retries. Nothing is lost: the next trigger does the work. Read the message in the queue <queue>, which is kept for four days and says why.',
    logs: [],
    query: '',
  },
};

/** The page of CloudWatch Logs Insights with the query filled in, for the last two days. */
export function insightsUrl(query: string, logGroups: readonly string[]): string {
  // The console decodes twice: `$` and two digits in the whole, and `*` and two digits in a value.
  const encoded = query.replace(/[^\w.-]/g, (each) => `*${each.charCodeAt(0).toString(16).padStart(2, '0')}`);
  const sources = logGroups.map((group) => `~$27${group}`).join('');
  const detail = `~$28end~0~start~-172800~timeType~$27RELATIVE~unit~$27seconds~editorString~$27${encoded}~source~$28${sources}$29$29`;
  return `${consoleUrl(Aws.REGION)}#logsV2:logs-insights$3FqueryDetail$3D${detail}`;
}

/** The dashboard of an archive. */
export function dashboardUrl(archive: string, region: string): string {
  return `${consoleUrl(region)}#dashboards/dashboard/${dashboardName(archive, region)}`;
}

function consoleUrl(region: string): string {
  return `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}`;
}

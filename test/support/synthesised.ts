/**
 * Synthesises the real app with everything that stops a real synth: both rule packs, the limits, CloudFormation's own
 * rules. Only the code of the function is a stand-in, because bundling it for every configuration would prove no more.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppProps, Environment } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { archiveApp } from '../../infra/archive-app';

/** The report of the rule packs, CDK's `validation-report.json`. */
interface Report {
  readonly pluginReports: readonly {
    readonly pluginName: string;
    readonly violations: readonly { readonly ruleName: string; readonly severity: string }[];
    readonly suppressedViolations?: readonly { readonly acknowledgedId: string; readonly reason: string }[];
  }[];
}

/**
 * `archive` is `context.archive` of `cdk.json`, and `props.context` is the rest of it. If the synth stops, this throws
 * with the report as the message.
 */
export function synthesise(archive: unknown, env: Environment = {}, { context, ...props }: AppProps = {}) {
  const outdir = mkdtempSync(join(tmpdir(), 'synth-'));
  try {
    const code = () => Code.fromInline('exports.handler = async () => {};');
    const stubs = { archiverCode: code, verifierCode: code };
    const assembly = archiveApp({ ...props, ...stubs, env, outdir, context: { ...context, archive } }).synth();
    const stack = assembly.stacks[0];
    if (stack === undefined) throw new Error('the app has no stack');
    return {
      template: Template.fromJSON(stack.template),
      /** The messages that are printed at the terminal, each with its level. */
      messages: stack.messages.map(({ level, entry }) => `${level}: ${String(entry.data)}`),
      report: JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8')) as Report,
    };
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

/** The only resource of its type, or of those whose logical id begins so. */
export function only(
  template: Template,
  type: string,
  part = '',
): { readonly id: string; readonly properties: Properties } {
  const found = Object.entries(template.findResources(type)).filter(([id]) => id.startsWith(part));
  const [id, resource] = found[0] ?? [];
  if (id === undefined || resource === undefined || found.length > 1) throw new Error(`${found.length} of ${type}`);
  return { id, properties: resource.Properties };
}

/** CDK types the properties that it finds as anything. */
export type Properties = ReturnType<Template['findResources']>[string][string];

/**
 * An empty AWS account on ministack, and a person who works in it: with a shell in a checkout of this project, a home
 * without settings, the CDK CLI of this project and the AWS CLI.
 */
import { type ExecFileException, execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { engineFolder } from '../engines/install';
import { launch } from '../engines/process';
import { REGION } from '../engines/servers';
import { scratch } from '../support/scratch';

const root = join(import.meta.dirname, '../..');
const python = join(engineFolder('ministack'), 'bin/python');

export type Account = Awaited<ReturnType<typeof openAccount>>;

/** The function that is deployed there trusts `certificate`, too. */
export async function openAccount(certificate: string) {
  // ministack takes twelve digits for the account. CDK remembers the account of each access key in the user's home.
  const accountId = String(randomInt(1e11, 1e12));
  const credentials = { AWS_ACCESS_KEY_ID: accountId, AWS_SECRET_ACCESS_KEY: 'secret' };
  const server = await launch('ministack', {
    command: (port, folder) => [
      ...['env', `GATEWAY_PORT=${port}`, `HOME=${folder}`, `TMPDIR=${folder}`, `STATE_DIR=${folder}`],
      ...[python, join(import.meta.dirname, 'ministack/server.py')],
    ],
    env: {
      ...credentials,
      // It evaluates the policies of roles, buckets and keys.
      AUTH: 'true',
      BIND_HOST: '127.0.0.1',
      IOT_MTLS_ENABLED: '0',
      MINISTACK_REGION: REGION,
      NODE_EXTRA_CA_CERTS: certificate,
    },
    isReady: async (url) => (await fetch(`${url}/_ministack/health`)).ok,
  });
  const checkout = checkOut();
  const environment = {
    ...credentials,
    PATH: `${checkout}/bin:${process.env.PATH}`,
    HOME: server.folder,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ENDPOINT_URL: server.url,
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CI: 'true',
    npm_config_offline: 'true',
  };

  /** Types a command in the checkout. Returns what it prints, and throws if it fails. */
  async function shell(command: string, { input = '', ...variables }: Readonly<Record<string, string>> = {}) {
    const running = promisify(execFile)('bash', ['-e', '-o', 'pipefail', '-c', command], {
      cwd: checkout,
      env: { ...environment, ...variables },
      maxBuffer: 2 ** 26,
    });
    // A command that reads no input may have ended before this input is written.
    running.child.stdin?.on('error', () => undefined).end(input);
    const { stdout } = await running.catch(({ code, stdout, stderr }: ExecFileException) => {
      throw new Error(`${command}\nended with ${code}. It printed:\n${stdout}\n${stderr}`);
    });
    return stdout;
  }

  return {
    checkout,
    shell,
    /** Asks the AWS CLI, and returns its answer. */
    aws: async (command: string) => JSON.parse((await shell(`aws ${command} --output json`)) || 'null'),
    /** Writes `cdk.json` with this `context.archive`. */
    configure: (archive: object) => {
      writeFileSync(join(checkout, 'cdk.json'), JSON.stringify(withoutQuestions(archive)));
    },
    /** Returns the outputs of the stack. */
    deploy: async (): Promise<Readonly<Record<string, string>>> => {
      await shell('npx cdk deploy');
      const [outputs] = Object.values<Record<string, string>>(
        JSON.parse(readFileSync(join(checkout, 'outputs.json'), 'utf8')),
      );
      return outputs ?? {};
    },
  };
}

/** A folder that shows this project, apart from `cdk.json` and from what the commands write. Its `bin` holds `aws`. */
function checkOut(): string {
  const folder = join(scratch, 'checkout');
  mkdirSync(folder);
  for (const name of ['cli', 'infra', 'node_modules', 'package.json'])
    symlinkSync(join(root, name), join(folder, name));
  // pip's own script names the folder in which the engine was installed before it was put in place. For queues the AWS CLI 1 has
  // an address of its own, unless the option gives another one.
  mkdirSync(join(folder, 'bin'));
  writeFileSync(
    join(folder, 'bin/aws'),
    `#!/bin/sh\nexec ${python} -m awscli --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n`,
    { mode: 0o755 },
  );
  return folder;
}

function withoutQuestions(archive: object) {
  const { app, context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));
  return {
    app,
    tags: [{ Key: 'owner', Value: 'security' }],
    context: { ...context, archive },
    requireApproval: 'never',
    outputsFile: 'outputs.json',
    notices: false,
  };
}

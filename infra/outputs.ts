/** What the person who deploys needs next, ready to be copied. */
import { Aws, CfnOutput } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Archiver } from './archiver';
import type { BreakGlass } from './break-glass';
import type { Catalog } from './catalog';
import type { TeamConfig } from './config';
import type { Keys } from './keys';
import type { Storage } from './storage';

interface OutputsProps {
  readonly name: string;
  readonly teams: readonly TeamConfig[];
  readonly storage: Storage;
  readonly archiver: Archiver;
  readonly catalog: Catalog;
  readonly keys: Keys;
  readonly breakGlass: BreakGlass;
}

export class Outputs extends Construct {
  constructor(scope: Construct, id: string, props: OutputsProps) {
    super(scope, id);
    const { name, teams, storage, archiver, catalog, keys, breakGlass } = props;
    for (const team of teams) this.print(`PutApiKey${outputName(team.name)}`, putApiKey(name, team));
    this.print('FirstQuery', firstQuery(catalog.database, teams[0]?.name ?? ''));
    this.print('Bucket', storage.bucket.bucketName);
    this.print('Workgroup', catalog.workgroup.name);
    this.print('ArchiverFunction', archiver.function.functionName);
    this.print('PublicKey', publicKey(keys.signing.keyArn));
    this.print('BreakGlassRole', breakGlass.role.roleArn);
  }

  private print(id: string, value: string): void {
    new CfnOutput(this, id, { value }).overrideLogicalId(id);
  }
}

/** Only letters and digits may name an output. No two teams share one: a name has no capitals of its own. */
function outputName(team: string): string {
  return team.charAt(0).toUpperCase() + team.slice(1).replaceAll('-', 'X');
}

/** Asks for the key, so that it is neither in the shell's history nor in the list of processes. */
function putApiKey(name: string, team: TeamConfig): string {
  return (
    `read -rs KEY && printf %s "$KEY" | aws ssm put-parameter --region ${Aws.REGION} --name ${team.apiKeyParameter}` +
    ` --type SecureString --key-id alias/${name} --overwrite --value file:///dev/stdin`
  );
}

function firstQuery(database: string, team: string): string {
  return (
    `SELECT event_time, action, actor_name, message FROM ${database}.events WHERE team = '${team}'` +
    " AND dt >= date_format(current_date - interval '7' day, '%Y-%m-%d') ORDER BY event_time DESC LIMIT 100"
  );
}

function publicKey(keyArn: string): string {
  return (
    `aws kms get-public-key --region ${Aws.REGION} --key-id ${keyArn} --query PublicKey --output text` +
    ' | base64 --decode | openssl pkey -pubin -inform DER -out archive.pub.pem'
  );
}

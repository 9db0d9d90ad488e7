/** What the person who deploys needs next, ready to be copied. */
import { Aws, CfnOutput } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { TeamConfig } from './config';

interface OutputsProps {
  readonly name: string;
  readonly teams: readonly TeamConfig[];
  /** As SQL spells it. */
  readonly database: string;
  readonly signingKeyArn: string;
  /** Printed as they are. */
  readonly values: Readonly<Record<string, string>>;
}

export class Outputs extends Construct {
  constructor(scope: Construct, id: string, props: OutputsProps) {
    super(scope, id);
    const { name, teams, database, signingKeyArn, values } = props;
    const printed = {
      ...Object.fromEntries(teams.map((team) => [`PutApiKey${outputName(team.name)}`, putApiKey(name, team)])),
      FirstQuery: firstQuery(database, teams[0]?.name ?? ''),
      PublicKey: publicKey(signingKeyArn),
      ...values,
    };
    for (const [output, value] of Object.entries(printed)) {
      new CfnOutput(this, output, { value }).overrideLogicalId(output);
    }
  }
}

/** Only letters and digits may name an output. No two teams share one: a name has no capitals of its own. */
function outputName(team: string): string {
  return team.charAt(0).toUpperCase() + team.slice(1).replaceAll('-', 'X');
}

/** Asks for the key, so that it is neither in the shell's history nor in the list of processes. */
function putApiKey(name: string, { apiKeyParameter }: TeamConfig): string {
  return (
    `read -rs KEY && printf %s "$KEY" | aws ssm put-parameter --region ${Aws.REGION} --name ${apiKeyParameter}` +
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

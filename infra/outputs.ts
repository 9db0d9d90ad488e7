/** The outputs of the stack: commands and names that the person who deploys needs next, ready to be copied. */

import { Aws, CfnOutput } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { TeamConfig } from './config';

interface OutputsProps {
  readonly name: string;
  readonly teams: readonly TeamConfig[];
  readonly database: string;
  readonly signingKeyArn: string;
  /** Further outputs, by their names. */
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

/** An output's name holds only letters and digits. Names of teams have no capitals, so that no two teams share one. */
function outputName(team: string): string {
  return team.charAt(0).toUpperCase() + team.slice(1).replaceAll('-', 'X');
}

/** The command asks for the API key, which therefore is in neither the shell's history nor the list of processes. */
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

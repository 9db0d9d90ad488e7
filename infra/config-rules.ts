/** The rules between values of the configuration, each of which may be right by itself. */

import { z } from 'zod';
import { apiKeyParameter, parametersElsewhere } from './names';

/** AWS's limit for the inline policies of one role, in characters. White space does not count. */
const MAX_POLICY_CHARACTERS = 10_240;
/** The archiver's policy without parameters of the teams' own, if each name that AWS chooses is as long as can be. */
const OTHER_POLICY_CHARACTERS = 4_040;
/** The policy names a parameter twice, each time as an ARN of the longest region, in quotes and after a comma. */
const ARN_CHARACTERS = 'arn:aws-us-gov:ssm:ap-southeast-99:111122223333:parameter'.length + '"",'.length;

/** The part of a configuration that the rules need. They are applied even if another part is wrong. */
export const ruled = z.looseObject({
  stage: z.string(),
  teams: z.array(z.looseObject({ name: z.string(), apiKeyParameter: z.string().optional() })),
  formerTeams: z.array(z.string()),
});

export function brokenRules({ stage, teams, formerTeams }: z.infer<typeof ruled>) {
  const names = teams.map((team) => team.name);
  const parameters = teams.map((team) => team.apiKeyParameter ?? apiKeyParameter(stage, team.name));
  return [
    ...repeated(names).map((i) => problem(['teams', i, 'name'], names[i], 'is the name of another team too')),
    ...repeated(parameters)
      .filter((i) => !repeated(names).includes(i))
      .map((i) => problem(['teams', i, 'apiKeyParameter'], parameters[i], sharedKey)),
    ...repeated(formerTeams).map((i) => problem(['formerTeams', i], formerTeams[i], 'is listed twice')),
    ...names.flatMap((name, i) =>
      formerTeams.includes(name) ? problem(['teams', i, 'name'], name, 'is also in formerTeams') : [],
    ),
    ...policySize(parametersElsewhere(stage, parameters)),
  ];
}

const sharedKey = "is another team's parameter too, so that one API key would fill two archives";

function problem(path: (string | number)[], value: unknown, message: string) {
  return { path, message: `${JSON.stringify(value)} ${message}` };
}

/** CloudFormation would find a policy that is too long only in the middle of a deployment. */
function policySize(parameters: readonly string[]) {
  const own = parameters.reduce((sum, name) => sum + 2 * (ARN_CHARACTERS + name.length), 0);
  const characters = OTHER_POLICY_CHARACTERS + own;
  if (characters <= MAX_POLICY_CHARACTERS) return [];
  const message = `the ${parameters.length} entries "apiKeyParameter" make the function's policy ${characters} characters long, and AWS allows ${MAX_POLICY_CHARACTERS}; leave them out, because one entry then covers all teams`;
  return [{ path: ['teams'], message }];
}

/** The positions of the values that an earlier position holds already. */
function repeated(values: readonly unknown[]): number[] {
  return values.flatMap((value, i) => (values.indexOf(value) < i ? [i] : []));
}

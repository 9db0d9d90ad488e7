/**
 * What is wrong with a configuration although each value by itself is right. Reads the raw object, so that it speaks even
 * where something else is wrong too.
 */
import { z } from 'zod';
import { apiKeyParameter } from './names';

export function clashes(context: unknown): string[] {
  const raw = looseArchive.safeParse(context);
  if (!raw.success) return [];
  const { days, expireAfterDays } = raw.data.retention;
  const teams = raw.data.teams.map((each) => z.looseObject({ name: z.string() }).safeParse(each).data);
  const names = teams.map((each) => each?.name);
  const parameters = teams.map((each) => each && (each.apiKeyParameter ?? apiKeyParameter(raw.data.stage, each.name)));
  const former = raw.data.formerTeams;
  return [
    ...repeated(names).map((i) => `teams[${i}].name: ${JSON.stringify(names[i])} is the name of another team too`),
    ...repeated(parameters)
      .filter((i) => !repeated(names).includes(i))
      .map(
        (i) =>
          `teams[${i}].apiKeyParameter: ${JSON.stringify(parameters[i])} is another team's too; one key would fill two archives`,
      ),
    ...repeated(former).map((i) => `formerTeams[${i}]: ${JSON.stringify(former[i])} is listed twice`),
    ...names.flatMap((name, i) =>
      name !== undefined && former.includes(name)
        ? `teams[${i}].name: ${JSON.stringify(name)} is also in formerTeams`
        : [],
    ),
    ...(expireAfterDays < days
      ? [`retention.expireAfterDays: ${expireAfterDays} is less than the ${days} days of the lock`]
      : []),
  ];
}

const looseList = z.array(z.unknown()).catch([]);
const looseArchive = z.looseObject({
  stage: z.string().catch('prod'),
  teams: looseList,
  formerTeams: looseList,
  retention: z
    .looseObject({ days: z.number().catch(400), expireAfterDays: z.number().catch(Number.POSITIVE_INFINITY) })
    .catch({ days: 0, expireAfterDays: 0 }),
});

/** The positions of values that an earlier position holds already. */
function repeated(values: readonly unknown[]): number[] {
  return values.flatMap((value, i) => (value !== undefined && values.indexOf(value) < i ? [i] : []));
}

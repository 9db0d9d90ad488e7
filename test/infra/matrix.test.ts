import { acknowledgements } from '../../infra/acknowledgements';
import { measure, type Template as TemplateJson } from '../../infra/limits';
import { synthesise } from '../support/synthesised';
import { matrix } from './matrix';

describe.each(Object.entries(matrix))('synth with %s', (_, archive) => {
  const { template, report } = synthesise(archive);

  it('passes both rule packs and the rules of CloudFormation, with nothing left open', () => {
    const packs = report.pluginReports.map(({ pluginName }) => pluginName);
    expect(packs).toEqual(expect.arrayContaining(['AwsSolutions', 'NIST.800.53.R5']));
    const open = report.pluginReports.flatMap(({ violations }) => violations);
    expect(open.filter(({ severity }) => severity !== 'info')).toEqual([]);
  });

  it('stays below what CloudFormation, Lambda and IAM allow', () => {
    const { Resources, Outputs } = template.toJSON();
    expect(Object.keys(Resources).length).toBeLessThan(500);
    expect(Object.keys(Outputs).length).toBeLessThan(200);
    expect(JSON.stringify(template.toJSON()).length).toBeLessThan(1_000_000);
    const measured = measure(template.toJSON() as TemplateJson);
    expect(measured).toHaveLength(4);
    for (const { size, limit } of measured) expect(size).toBeLessThan(limit);
    expect(measured.map(({ limit }) => limit).sort()).toEqual([10_240, 10_240, 10_240, 4096]);
  });

  it('gives every team a schedule and a command, and no two teams the same', () => {
    const teams = (archive as { readonly teams: readonly { readonly name: string }[] }).teams.map(({ name }) => name);
    const schedules = Object.values(template.findResources('AWS::Scheduler::Schedule'));
    expect(schedules.map(({ Properties }) => Properties.Name).sort()).toEqual(teams.toSorted());
    const commands = Object.keys(template.findOutputs('*')).filter((id) => id.startsWith('PutApiKey'));
    expect(commands).toHaveLength(teams.length);
  });
});

describe('synth refuses, with the number,', () => {
  const teams = (count: number, custom: boolean) => ({
    teams: Array.from({ length: count }, (_, i) => ({
      name: `team-${i}`,
      ...(custom && { apiKeyParameter: `/a/path/of/the/company/team-${i}` }),
    })),
  });

  it('more teams than a stack can print commands for', () => {
    expect(() => synthesise(teams(200, false))).toThrow(/206 outputs, maximum is 200/);
  });

  it('more teams than a stack can hold', () => {
    expect(() => synthesise(teams(500, false))).toThrow(/5\d\d is greater than allowed maximum of 500/);
  });

  it('more API keys outside the path of the stage than a policy can name', () => {
    const tooMany = () => synthesise(teams(60, true));
    expect(tooMany).toThrow(/\d{5} characters of inline policy in ArchiverPolicy\w+; AWS allows 10240/);
    expect(tooMany).toThrow(/Leave apiKeyParameter out/);
  });
});

it('every acknowledgement answers a finding, with a sentence', () => {
  const { report } = synthesise(matrix['one team']);
  const answered = report.pluginReports.flatMap(({ suppressedViolations = [] }) => suppressedViolations);
  const given = acknowledgements('postman-audit-archive');
  expect(answered.map(({ acknowledgedId }) => acknowledgedId).sort()).toEqual(given.map(({ id }) => id).sort());
  for (const { reason } of given) expect(reason).toMatch(/^[A-Z].{40,}\.$/);
});

/** Every configuration that must deploy is synthesised, and no configuration gets past a limit of AWS. */
import type { Template } from 'aws-cdk-lib/assertions';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { acknowledgements } from '../../infra/acknowledgements';
import { readConfig } from '../../infra/config';
import { roleName } from '../../infra/names';
import { synthesise } from '../support/synthesised';
import { matrix } from './matrix';

const MAX_POLICY_CHARACTERS = 10_240;

describe.each(Object.entries(matrix))('with %s', (_, archive) => {
  const { template, report } = synthesise(archive);

  it('both rule packs and the rules of CloudFormation leave no finding open', () => {
    const packs = report.pluginReports.map(({ pluginName }) => pluginName);
    expect(packs).toEqual(expect.arrayContaining(['AwsSolutions', 'NIST.800.53.R5']));
    const open = report.pluginReports.flatMap(({ violations }) => violations);
    expect(open.filter(({ severity }) => severity !== 'info')).toEqual([]);
  });

  it('the stack stays below the limits of CloudFormation, Lambda and IAM', () => {
    const { Resources, Outputs } = template.toJSON();
    expect(Object.keys(Resources).length).toBeLessThan(500);
    expect(Object.keys(Outputs).length).toBeLessThan(200);
    expect(JSON.stringify(template.toJSON()).length).toBeLessThan(1_000_000);
    for (const { Environment } of ofType(template, 'AWS::Lambda::Function')) {
      expect(longest(Environment.Variables).length).toBeLessThan(4096);
    }
    for (const characters of policies(template).values()) expect(characters).toBeLessThan(MAX_POLICY_CHARACTERS);
    const owners = ['Archiver', 'Auditors', 'BreakGlass', 'Schedules', 'Verifier'];
    expect([...policies(template).keys()].filter((owner) => !owners.includes(owner))).toEqual([]);
  });

  it('every team has a schedule and a printed command of its own', () => {
    const teams = (archive as { readonly teams: readonly { readonly name: string }[] }).teams.map(({ name }) => name);
    const schedules = ofType(template, 'AWS::Scheduler::Schedule').map(({ Name }) => Name);
    expect(schedules.sort()).toEqual([...teams, '_verifier'].sort());
    const commands = Object.keys(template.findOutputs('*')).filter((id) => id.startsWith('PutApiKey'));
    expect(commands).toHaveLength(teams.length);
  });
});

it('the name of a role fits into 64 characters for the longest stage in every region', () => {
  const regions = RegionInfo.regions.map(({ name }) => name);
  expect(regions).toEqual(expect.arrayContaining(['ap-southeast-1', 'us-gov-west-1', 'us-isof-south-1']));
  const names = regions.map((region) => roleName('acceptance-eu-10', 'break-glass', region));
  expect(names.filter((name) => !/^[\w-]{1,64}$/.test(name))).toEqual([]);
});

const teams = (length: number) => Array.from({ length }, (_, i) => ({ name: `team-${i}` }));

it('synth refuses more teams than a stack can print commands for, says what to do, and refuses no fewer', () => {
  const { Outputs } = synthesise({ ...matrix['with auditors'], teams: teams(190) }).template.toJSON();
  expect(Object.keys(Outputs).length).toBeLessThanOrEqual(200);
  expect(() => synthesise({ teams: teams(191) })).toThrow(/- teams: are more than the 190 .* another "stage"$/);
});

it('synth refuses more API keys outside the path of the stage than a policy can name, and no fewer', () => {
  const archive = (characters: number) => ({
    stage: 'sixteen-letters0',
    teams: teams(20).map(({ name }) => ({ name, apiKeyParameter: `/${name.padStart(characters - 1, 'x')}` })),
  });
  const characters = policies(synthesise(archive(95)).template).get('Archiver');
  expect(characters).toBeLessThanOrEqual(MAX_POLICY_CHARACTERS);
  expect(characters).toBeGreaterThan(MAX_POLICY_CHARACTERS - 100);
  expect(() => synthesise(archive(96))).toThrow(/20 entries .* policy 10280 characters long, and AWS allows 10240/);
});

it.each([
  'one team',
  'with auditors',
  'an adopted archive',
])('every acknowledgement answers a finding, with a sentence: %s', (name) => {
  const { report } = synthesise(matrix[name]);
  const answered = report.pluginReports.flatMap(({ suppressedViolations = [] }) => suppressedViolations);
  const given = acknowledgements(readConfig(matrix[name]));
  expect(answered.map(({ acknowledgedId }) => acknowledgedId).sort()).toEqual(given.map(({ id }) => id).sort());
  for (const { reason } of given) expect(reason).toMatch(/^[A-Z].{40,}\.$/);
});

function ofType(template: Template, type: string) {
  return Object.values(template.findResources(type)).map(({ Properties }) => Properties);
}

/** The characters of each role's inline policies, by the name of the construct that owns the role. */
function policies(template: Template): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { PolicyDocument, Roles } of ofType(template, 'AWS::IAM::Policy')) {
    for (const { Ref } of Roles) {
      const owner = Ref.replace(/Role[0-9A-F]{8}$/, '');
      sizes.set(owner, (sizes.get(owner) ?? 0) + longest(PolicyDocument).length);
    }
  }
  return sizes;
}

/** A part of a template as JSON, in which every reference is as long as AWS may make it. */
function longest(value: unknown): string {
  const pseudo = { Partition: 'aws-us-gov', Region: 'ap-southeast-99', AccountId: '111122223333' };
  const reference = 'x'.repeat(160);
  const text = JSON.stringify(value, (_, each) => {
    const [name, argument] = Object.entries<string>(each ?? {})[0] ?? [];
    if (name === 'Ref') return pseudo[argument?.replace('AWS::', '') as keyof typeof pseudo] ?? reference;
    return name === 'Fn::GetAtt' ? reference : each;
  });
  return text.replace(/\{"Fn::Join":\["",\[(.*?)\]\]\}/g, (_, parts: string) =>
    JSON.stringify(JSON.parse(`[${parts}]`).join('')),
  );
}

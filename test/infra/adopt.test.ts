/**
 * A later stack adopts what an earlier one kept. The first stack is deployed, its output is pasted into the configuration,
 * and the templates are compared.
 */
import { deploy } from '../support/deployed';
import { type Properties, synthesise } from '../support/synthesised';
import { matrix } from './matrix';

const first = synthesise(matrix['one team']).template;
const { filled: namedByLogicalId } = deploy(first);
/** A part of a template as it is deployed. CDK accepts only what looks like the id of a key. */
function filled(value: unknown) {
  const ids = {
    KeysEncryption703EF701: '0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0',
    KeysSigningD455BFD1: '1b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0',
  };
  const text = JSON.stringify(namedByLogicalId(value) ?? null);
  return JSON.parse(text.replace(/(?<=:key\/)Keys\w+/g, (id) => ids[id as keyof typeof ids]));
}
const resources: Readonly<Record<string, Properties>> = first.toJSON().Resources;
const { Adopt, ...outputs } = filled(first.toJSON().Outputs) as Record<string, { readonly Value: string }>;
const adopting = { ...matrix['one team'], adopt: JSON.parse(Adopt?.Value ?? '') };
const later = synthesise(adopting).template.toJSON();

const KEPT = ['Retain', 'RetainExceptOnCreate'];
const isKept = (id: string) => KEPT.includes(resources[id]?.DeletionPolicy);

test('what is kept refers to nothing that destroy deletes, so that its policies go on to work', () => {
  const kept = Object.keys(resources).filter(isKept);
  const referred = kept.flatMap((id) => references(resources[id])).filter((id) => !id.startsWith('AWS::'));
  expect(referred.length).toBeGreaterThan(5);
  expect(referred.filter((id) => !isKept(id))).toEqual([]);
});

test('a stack that adopts makes nothing that is kept but new log groups, and the rest under the same names', () => {
  const expected = Object.keys(resources).filter((id) => !isKept(id) || /^(Archiver|Verifier)Logs/.test(id));
  expect(Object.keys(later.Resources).sort()).toEqual(expected.sort());
  const properties = (from: Readonly<Record<string, Properties>>) =>
    expected.map((id) => [id, filled(from[id]?.Properties)]);
  expect(properties(later.Resources)).toEqual(properties(resources));
});

test('the outputs of a stack that adopts are those of the first one', () => {
  expect(filled(later.Outputs)).toEqual({ ...outputs, Adopt });
});

test('the aliases of the keys go with the first stack, so that the later one can make them', () => {
  const aliases = Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::KMS::Alias');
  expect(aliases.map(([, { DeletionPolicy }]) => DeletionPolicy)).toEqual([undefined, undefined]);
});

test('synth says which settings of the kept bucket are not managed, in place of what the lock would do', () => {
  const retention = { mode: 'COMPLIANCE', days: 2557, expireAfterDays: 2600 };
  const { messages } = synthesise({ ...adopting, retention });
  expect(messages).toContainEqual(expect.stringMatching(/must be COMPLIANCE for 2557 days, .* that of 2600 days/));
  expect(messages.filter((each) => each.includes('lock: '))).toEqual([]);
});

test('synth says how a kept bucket comes to notify EventBridge, because the stack does not manage it', () => {
  const { template, messages } = synthesise({ ...adopting, eventBridge: true });
  expect(messages).toContainEqual(expect.stringMatching(/^info: eventBridge: .* break glass .* '\{"EventBridge/));
  expect(template.findResources('AWS::S3::Bucket')).toEqual({});
});

test('synth refuses kept keys of another region', () => {
  const { messages } = synthesise(adopting, { account: '111122223333', region: 'eu-west-1' });
  expect(messages).toContainEqual(expect.stringMatching(/^error: adopt: .*:eu-west-1:111122223333:$/));
  const same = synthesise(adopting, { account: '111122223333', region: 'eu-central-1' });
  expect(same.messages.filter((each) => each.startsWith('error'))).toEqual([]);
});

test('synth warns if another stage made what is adopted, even if its name begins with that of this stage', () => {
  const warnings = (stage: string, table: string) =>
    synthesise({ ...adopting, stage, adopt: { ...adopting.adopt, table } }).messages.filter((each) =>
      each.startsWith('warning: adopt: the stage of this deployment'),
    );
  const [prod, dev] = ['', '-dev'].map((stage) => `postman-audit-archive${stage}-StorageCheckpoints2CDBDF43-1A2B`);
  const found = ['prod', 'dev'].flatMap((stage) => [prod, dev].map((table) => warnings(stage, table ?? '').length));
  expect(found).toEqual([0, 1, 1, 0]);
});

/** The names that `Ref` and `Fn::GetAtt` refer to. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    if (key === 'Ref') return [String(each)];
    return key === 'Fn::GetAtt' ? [String(each[0])] : references(each);
  });
}

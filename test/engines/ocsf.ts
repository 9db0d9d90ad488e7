/** The rows of the view `events_ocsf` as JSON, which the official schemas of OCSF judge. Ajv knows JSON Schema, and nothing of OCSF. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020';
import { views } from '../../infra/views/views';
import { ALL_DAYS, type Asking } from '../support/asked/suite';
import { engineFolder } from './install';
import { describeWith } from './servers';

const CLASSES = ['3002', '3004', '3005', '3006', '6003'];
const columns = views.find(({ name }) => name === 'events_ocsf')?.columns ?? [];
/** The others are partitions of the archive. */
const attributes = columns.filter(({ name }) => name !== 'team' && name !== 'dt');

type Event = Readonly<Record<string, unknown>>;

export function testOcsf(asking: () => Asking): void {
  describeWith(['ocsf-json-schema'], 'OCSF 1.6.0', () => {
    let judges: ReturnType<typeof readJudges>;
    beforeAll(() => {
      judges = readJudges();
    });

    test('each row of events_ocsf is an event by the official schema of its class, and there are events of every class', async () => {
      const events = await eventsOf(asking());
      const refused = events.flatMap((event) => {
        const errors = judges(event).map(({ instancePath, message }) => `${instancePath} ${message}`);
        return errors.length > 0 ? { errors, raw: event.raw_data } : [];
      });
      expect(refused).toEqual([]);
      expect([...new Set(events.map(({ class_uid }) => String(class_uid)))].sort()).toEqual(CLASSES);
    });

    test('the schema refuses an event of each class without any one of its required attributes', async () => {
      const events = await eventsOf(asking());
      for (const uid of CLASSES) {
        const event = events.find(({ class_uid }) => String(class_uid) === uid) ?? {};
        for (const attribute of ['activity_id', 'metadata', 'time', 'type_uid'])
          expect(judges({ ...event, [attribute]: undefined }).map(({ message }) => message)).toEqual([
            `must have required property '${attribute}'`,
          ]);
      }
    });
  });
}

/** The errors of an event by the schema of its class. */
function readJudges() {
  const python = join(engineFolder('ocsf-json-schema'), 'bin/python');
  const program = join(import.meta.dirname, 'ocsf/schemas.py');
  const { stdout } = spawnSync(python, [program, '1.6.0', ...CLASSES], { encoding: 'utf8', maxBuffer: 1e8 });
  const schemas: Readonly<Record<string, object>> = JSON.parse(stdout);
  // The schemas name formats of OCSF's own, whose patterns stand beside them.
  const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });
  const compiled = new Map(Object.entries(schemas).map(([uid, schema]) => [uid, ajv.compile(schema)]));
  return (event: Event) => {
    const validate = compiled.get(String(event.class_uid));
    if (validate === undefined) throw new Error(`there is no schema of the class ${event.class_uid}`);
    return validate(withoutNull(event)) ? [] : (validate.errors ?? []);
  };
}

/** `unmapped` is text that holds an object. */
async function eventsOf({ ask }: Asking): Promise<Event[]> {
  const isNested = (type: string) => type.includes('(');
  const select = attributes.map(({ name, type }) =>
    isNested(type) ? `json_format(CAST("${name}" AS JSON))` : `"${name}"`,
  );
  const { rows } = await ask(`SELECT ${select.join(', ')} FROM events_ocsf WHERE ${ALL_DAYS}`);
  return rows.map((row) => {
    const values = attributes.map(({ name, type }, i) => {
      const cell = row[i] ?? null;
      return [name, cell === null || (type === 'varchar' && name !== 'unmapped') ? cell : JSON.parse(String(cell))];
    });
    return Object.fromEntries(values);
  });
}

/** In OCSF an attribute without a value is absent. */
function withoutNull(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const present = Object.entries(value).filter(([, each]) => each !== null && each !== undefined);
  return Object.fromEntries(present.map(([name, each]) => [name, withoutNull(each)]));
}

import fc from 'fast-check';
import { PageError, readPage } from '../../lambdas/archiver/page';
import { jsonValue, spaced, whiteSpace } from '../support/json-text';

const drawnEvents = fc.array(jsonValue, { maxLength: 5 });

/** The tokens of the values, with a comma between each two of them. */
function separated(values: readonly (readonly string[])[]): string[] {
  return values.flatMap((tokens, index) => (index === 0 ? tokens : [',', ...tokens]));
}

describe('a page', () => {
  test('a page yields each of its events verbatim, whatever is around them', () => {
    fc.assert(
      fc.property(drawnEvents, jsonValue, whiteSpace, fc.nat(2), (events, other, white, at) => {
        const members = [
          ['"total"', ':', ...other],
          ['"nextCursor"', ':', '9007199254740993'],
        ];
        members.splice(at, 0, ['"trails"', ':', '[', ...separated(events), ']']);
        const page = readPage(Buffer.from(spaced(['{', ...separated(members), '}'], white)));
        expect(page.events.map(({ line }) => line.toString())).toEqual(events.map((event) => event.join('')));
        expect(page.cursor).toBe('9007199254740993');
      }),
      { numRuns: 200 },
    );
  });

  test('any bytes are read or refused with a PageError', () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.string().map(Buffer.from), fc.json().map(Buffer.from));
    fc.assert(
      fc.property(bytes, (body) => {
        expect(() => readPage(Buffer.from(body))).toThrow(PageError);
      }),
      { numRuns: 200 },
    );
  });
});

describe('an error', () => {
  /** Every text of the document is made of these two letters, which no error message has side by side. */
  const CANARY = 'zq';
  const secret = fc.constantFrom(CANARY, `${CANARY}\u0001`, `\\${CANARY}`, `"${CANARY}`, `${CANARY}\n`);
  const token = fc.oneof(
    secret,
    secret.map((text) => `"${text}"`),
    fc.constantFrom(...'{}[]:,', '1', 'null', '"trails":['),
  );

  function everythingSaid(error: unknown): string {
    if (!(error instanceof Error)) return String(error);
    return `${error.name} ${error.message} ${error.stack} ${JSON.stringify(error)} ${everythingSaid(error.cause ?? '')}`;
  }

  test('an error never quotes the document', () => {
    let refused = 0;
    fc.assert(
      fc.property(fc.array(token, { minLength: 1, maxLength: 12 }), fc.boolean(), (tokens, inTrails) => {
        const text = inTrails ? `{"trails":[${tokens.join('')}]}` : tokens.join('');
        try {
          readPage(Buffer.from(text));
        } catch (error) {
          refused += 1;
          expect(error).toBeInstanceOf(PageError);
          expect(everythingSaid(error)).not.toContain(CANARY);
        }
      }),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});

/** The metrics in log lines, as CloudWatch takes them out of the embedded metric format. */

export interface Datapoint {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

interface Directive {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string }[];
}

/** Every set of dimensions is a metric of its own. */
export function datapointsIn(lines: readonly string[]): Datapoint[] {
  const objects = lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  return objects.flatMap(({ _aws, ...values }) =>
    (_aws?.CloudWatchMetrics ?? []).flatMap(({ Namespace, Dimensions, Metrics }: Directive) =>
      Dimensions.flatMap((names) =>
        Metrics.map(({ Name }) => ({
          namespace: Namespace,
          name: Name,
          dimensions: Object.fromEntries(names.map((name) => [name, values[name]])),
          value: values[Name],
          at: _aws.Timestamp,
        })),
      ),
    ),
  );
}

/** The port through which the checks of `audit-archive status` ask an AWS account. Every call throws an error where AWS refuses it. */

export interface DeployedFunction {
  readonly arn: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly lastModified: string;
}

export interface Schedule {
  readonly isEnabled: boolean;
  /** ARN of what it starts. */
  readonly target: string;
  readonly expression: string;
}

/** How the last run of a team ended. Nothing is known of a team that no run has ended since the deployment of this version. */
export interface Ending {
  readonly outcome: string | undefined;
  readonly ended: string | undefined;
  /** Epoch milliseconds; NaN where nobody holds the lease. */
  readonly leaseUntil: number;
}

export interface Account {
  /** The function that has this role. */
  functionOf(role: string): Promise<DeployedFunction | undefined>;
  /** Whether the parameter is there, as a SecureString. The key in it is not read. */
  parameterExists(name: string): Promise<boolean>;
  schedule(group: string, name: string): Promise<Schedule | undefined>;
  /** The names of the schedules that start this function. Those of the archiver have the names of the deployed teams. */
  schedulesOf(functionArn: string): Promise<readonly string[]>;
  versioning(bucket: string): Promise<string>;
  /** The default retention; undefined where there is none. */
  lock(bucket: string): Promise<{ readonly mode: string; readonly days: number } | undefined>;
  bucketPolicy(bucket: string): Promise<unknown>;
  /** The enabled rules. */
  lifecycle(bucket: string): Promise<readonly { readonly prefix: string; readonly days: number | null }[]>;
  checkpoint(table: string, team: string): Promise<Ending>;
  /** The state that KMS gives, such as `Enabled`, and the ARN. `key` may be an alias. */
  keyState(key: string): Promise<{ readonly state: string; readonly arn: string }>;
  workgroupState(name: string): Promise<string>;
  /** ARN of the topic whose name begins so. */
  topicOf(prefix: string): Promise<string | undefined>;
  subscriptions(topic: string): Promise<readonly { readonly endpoint: string; readonly isConfirmed: boolean }[]>;
  publish(topic: string, text: string): Promise<void>;
  /** The time by the clock of AWS. */
  clock(): Promise<Date | undefined>;
}

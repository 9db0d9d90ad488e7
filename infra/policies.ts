/** The few shapes of policy statement that this stack is made of. */
import { Aws } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';

interface Denied {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

/** A right of the role it is attached to. `sid` says what for. */
export function allow(
  sid: string,
  actions: readonly string[],
  resources: readonly string[],
  conditions: iam.Conditions = {},
): iam.PolicyStatement {
  return new iam.PolicyStatement({ sid, actions: [...actions], resources: [...resources], conditions });
}

/** Holds for every principal, in any account, but one role; no identity policy and no grant overrules it. */
export function denyAllBut(role: iam.IRole, sid: string, denied: Denied): iam.PolicyStatement {
  return denyAll(sid, denied, { ArnNotEquals: { 'aws:PrincipalArn': role.roleArn } });
}

export function denyAll(sid: string, denied: Denied, conditions: iam.Conditions): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid,
    effect: iam.Effect.DENY,
    principals: [new iam.AnyPrincipal()],
    actions: [...denied.actions],
    resources: [...denied.resources],
    conditions,
  });
}

/** Of this account and region, by name: the template stays the same wherever it is synthesised. */
export function accountArn(service: string, resource: string): string {
  return `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
}

/** A service may act for this account only, not for a stranger who has it name our key, role or bucket. */
export function forThisAccount(): Record<string, string> {
  return { 'aws:SourceAccount': Aws.ACCOUNT_ID };
}

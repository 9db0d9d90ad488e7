/** The shapes of policy statement that this stack uses, and what becomes of a resource that outlives the stack. */
import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { type FixedRole, roleName } from './names';

/** Outlives the stack, unless the deployment that creates it fails: what is still empty is then removed again. */
export const KEPT = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
/**
 * Is kept even if the deployment that creates it fails. CloudFormation cannot remove a key whose policy denies that to
 * all but break glass, or a table with deletion protection, and a rollback that fails would leave far more behind.
 */
export const KEPT_ALWAYS = RemovalPolicy.RETAIN;

/** A right of the role that the statement is attached to. `sid` names its purpose. */
export function allow(
  sid: string,
  actions: string[],
  resources: string[],
  conditions: iam.Conditions = {},
): iam.PolicyStatement {
  return new iam.PolicyStatement({ sid, actions, resources, conditions });
}

/** Lets a service act on the resource that the statement is attached to. */
export function allowService(
  service: string,
  sid: string,
  actions: string[],
  on: { readonly resource?: string; readonly conditions: iam.Conditions },
): iam.PolicyStatement {
  const { resource = '*', conditions } = on;
  const principals = [new iam.ServicePrincipal(service)];
  return new iam.PolicyStatement({ sid, principals, actions, resources: [resource], conditions });
}

/** Denies to every principal of any account but these roles. No identity policy and no grant can overrule it. */
export function denyAllBut(roles: string[], sid: string, actions: string[], resources: string[]): iam.PolicyStatement {
  return denyAll(sid, actions, resources, { ArnNotEquals: { 'aws:PrincipalArn': roles } });
}

export function denyAll(
  sid: string,
  actions: string[],
  resources: string[],
  conditions: iam.Conditions,
): iam.PolicyStatement {
  const everybody = { effect: iam.Effect.DENY, principals: [new iam.AnyPrincipal()] };
  return new iam.PolicyStatement({ sid, ...everybody, actions, resources, conditions });
}

/** The ARN as text, which stays true while the role does not exist. */
export function roleArn(stage: string, role: FixedRole): string {
  return `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/${roleName(stage, role, Aws.REGION)}`;
}

/** An ARN in the account and region of the deployment. The template does not depend on where it is synthesised. */
export function accountArn(service: string, resource: string): string {
  return `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
}

/** A service may act for this account only. A stranger could make it act on our key or role, if he knew the name. */
export const FOR_THIS_ACCOUNT = { 'aws:SourceAccount': Aws.ACCOUNT_ID };

/** The names that AWS asks for. They differ between stages, so that one account can hold several archives. */

/** The production archive has the plain name. */
export function archiveName(stage: string): string {
  return stage === 'prod' ? 'postman-audit-archive' : `postman-audit-archive-${stage}`;
}

/** The aliases of the keys of an archive. A stage holds no slash, so that no stage has the alias of another one's key. */
export function keyAliases(archive: string) {
  return { encryption: `alias/${archive}`, signing: `alias/${archive}/signing` };
}

/** Dashboards of all regions share their names. */
export function dashboardName(archive: string, region: string): string {
  return `${archive}-${region}`;
}

/** The name of the database in SQL, where it may not hold a hyphen. */
export function databaseName(archive: string): string {
  return archive.replaceAll('-', '_');
}

/** The path of a stage's API keys in SSM. The function may read every parameter below it. */
export function parameterPath(stage: string): string {
  return `/${archiveName(stage)}/`;
}

/** The SSM parameter of a team's API key, unless the configuration names another one. */
export function apiKeyParameter(stage: string, team: string): string {
  return `${parameterPath(stage)}${team}/api-key`;
}

/** The roles whose names are fixed. No word ends with another one, so that the role of no stage has the name of another. */
export type FixedRole = 'archiver' | 'auditor' | 'break-glass' | 'verifier';

/**
 * The kept policies name these roles, so a role that is created again must have the same name. Names are unique within
 * an account and not only within a region. The prefix is short, because the longest name must fit into 64 characters.
 */
export function roleName(stage: string, role: FixedRole, region: string): string {
  return ['postman-archive', ...(stage === 'prod' ? [] : [stage]), role, region].join('-');
}

/** The parameters that lie outside the path of the stage. The policy of the function must name each of them. */
export function parametersElsewhere(stage: string, parameters: readonly string[]): string[] {
  return parameters.filter((name) => !name.startsWith(parameterPath(stage)));
}

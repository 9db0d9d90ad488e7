/** What the parts of an archive are called wherever AWS wants a name: two stages in one account share none. */

/** The production archive has the plain name. */
export function archiveName(stage: string): string {
  return stage === 'prod' ? 'postman-audit-archive' : `postman-audit-archive-${stage}`;
}

/** The path of a stage's API keys in SSM; rights are given to all of it. */
export function parameterPath(stage: string): string {
  return `/${archiveName(stage)}/`;
}

/** Where a team's API key is, unless its configuration says otherwise. */
export function apiKeyParameter(stage: string, team: string): string {
  return `${parameterPath(stage)}${team}/api-key`;
}

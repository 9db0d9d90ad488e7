/**
 * The whole archive. The stack composes its parts and owns no resource; each part is in the file of its name. From the
 * top: the role that may remove, the keys, the storage, the function that writes, its schedules, the catalog for SQL.
 */

import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { Archiver } from './archiver';
import { BreakGlass } from './break-glass';
import { Catalog } from './catalog';
import type { ArchiveConfig } from './config';
import { KmsKeys } from './kms-keys';
import { archiveName } from './names';
import { firstQuery, publicKey, putApiKeys, runNow } from './outputs';
import { Schedules } from './schedules';
import { Storage } from './storage';

interface ArchiveStackProps extends StackProps {
  readonly config: ArchiveConfig;
  readonly archiverCode: Code;
}

export class ArchiveStack extends Stack {
  constructor(scope: Construct, id: string, props: ArchiveStackProps) {
    super(scope, id, props);
    const { config, archiverCode } = props;
    const name = archiveName(config.stage);
    const teams = [...config.teams.map((team) => team.name), ...config.formerTeams];

    const breakGlass = new BreakGlass(this, 'BreakGlass');
    const keys = new KmsKeys(this, 'Keys', { name, breakGlass });
    const storage = new Storage(this, 'Storage', { retention: config.retention, key: keys.encryption, breakGlass });
    const archiver = new Archiver(this, 'Archiver', { config, code: archiverCode, keys, ...storage });
    new Schedules(this, 'Schedules', { teams: config.teams, archiver });
    storage.writeOnlyAs(archiver.role);
    keys.signOnlyAs(archiver.role);
    const catalog = new Catalog(this, 'Catalog', { name, teams, bucket: storage.bucket, key: keys.encryption });
    const outputs = {
      ...putApiKeys(name, config.teams),
      RunNow: runNow(archiver.function.functionName, config.teams[0]?.name),
      FirstQuery: firstQuery(catalog.database, config.teams[0]?.name),
      PublicKey: publicKey(keys.signing.keyArn),
      Bucket: storage.bucket.bucketName,
      Workgroup: catalog.workgroup.name,
      ArchiverFunction: archiver.function.functionName,
      BreakGlassRole: breakGlass.role.roleArn,
    };
    for (const [output, value] of Object.entries(outputs)) new CfnOutput(this, output, { value });
  }
}

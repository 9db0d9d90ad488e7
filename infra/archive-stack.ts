/**
 * The whole archive. The stack composes its parts and owns no resource; each part is in the file of its name. From the top: the
 * keys, the storage, the role that may remove, the function that writes, the function that verifies, their schedules, the alarms
 * and the dashboard, the catalog for SQL, and the role that may only ask.
 */

import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { Alarms } from './alarms';
import { Archiver } from './archiver';
import { Auditors } from './auditors';
import { BreakGlass } from './break-glass';
import { Catalog } from './catalog';
import type { ArchiveConfig } from './config';
import { Dashboard } from './dashboard';
import { KmsKeys } from './kms-keys';
import { archiveName } from './names';
import { firstQuery, kept, publicKey, putApiKeys, runNow } from './outputs';
import { roleArn } from './policies';
import { Schedules } from './schedules';
import { Storage } from './storage';
import { Verifier } from './verifier';

interface ArchiveStackProps extends StackProps {
  readonly config: ArchiveConfig;
  readonly archiverCode: Code;
  readonly verifierCode: Code;
}

export class ArchiveStack extends Stack {
  constructor(scope: Construct, id: string, props: ArchiveStackProps) {
    super(scope, id, props);
    const { config, archiverCode, verifierCode } = props;
    const { stage, adopt } = config;
    const name = archiveName(stage);
    const teams = [...config.teams.map((team) => team.name), ...config.formerTeams];

    const keys = new KmsKeys(this, 'Keys', config);
    const storage = new Storage(this, 'Storage', { ...config, key: keys.encryption });
    const { bucket } = storage;
    // An adopted archive has its role and its policies already, and CloudFormation cannot manage them a second time.
    if (adopt === null) new BreakGlass(this, 'BreakGlass', { stage, keys, storage });
    const archiver = new Archiver(this, 'Archiver', { config, code: archiverCode, keys, ...storage });
    const verifier = new Verifier(this, 'Verifier', { stage, code: verifierCode, keys, bucket });
    const { unhandled } = new Schedules(this, 'Schedules', { teams: config.teams, archiver, verifier });
    const logs = { archiver: archiver.logGroup, verifier: verifier.logGroup };
    const alarms = new Alarms(this, 'Alarms', { name, config, key: keys.encryption, bucket, unhandled, logs });
    verifier.sendMailTo(alarms.topicArn, { isOwn: config.alarms.topicArn === null });
    new Dashboard(this, 'Dashboard', { name, bucket, archiverLog: archiver.logGroup, alarms: alarms.all });
    const catalog = new Catalog(this, 'Catalog', { name, teams, bucket, key: keys.encryption });
    const hasAuditors = config.auditors.length > 0;
    if (hasAuditors) new Auditors(this, 'Auditors', { ...config, bucket, key: keys.encryption, catalog });
    const outputs = {
      ...putApiKeys(name, config.teams),
      RunNow: runNow(archiver.function.functionName, config.teams[0]?.name),
      FirstQuery: firstQuery(catalog.database, config.teams[0]?.name),
      PublicKey: publicKey(keys.signing.keyArn),
      Bucket: bucket.bucketName,
      Workgroup: catalog.workgroup.name,
      ArchiverFunction: archiver.function.functionName,
      ...(hasAuditors && { AuditorRole: roleArn(stage, 'auditor') }),
      BreakGlassRole: roleArn(stage, 'break-glass'),
      Adopt: this.toJsonString(kept(storage, keys)),
    };
    for (const [output, value] of Object.entries(outputs)) new CfnOutput(this, output, { value });
  }
}

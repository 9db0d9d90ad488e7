/**
 * The retention of the archive bucket: one schema for the configuration, the function's environment and the manifests.
 * An object cannot expire while it is under lock, so an expiry that comes before the end of the lock is refused. A manifest
 * is read with the fields alone: whether an object may have expired is worked out from the later of the two times.
 */
import * as z from 'zod/mini';

/** Postman serves 180 days. If an event expired earlier here, it would be fetched and archived a second time. */
export const MIN_EXPIRE_DAYS = 200;

const days = z.int().check(z.positive());

export const retentionFields = {
  mode: z.enum(['GOVERNANCE', 'COMPLIANCE']),
  /** How long each object is locked after it was written. */
  days,
  /** S3 deletes the objects that a manifest lists after so many days; null where it never does. Manifests stay. */
  expireAfterDays: z.nullable(days),
};

export const retentionSchema = z.object(retentionFields).check(z.refine(expiresAfterTheLock));

export type Retention = Readonly<z.infer<typeof retentionSchema>>;

export function expiresAfterTheLock(retention: Omit<Retention, 'mode'>): boolean {
  return retention.expireAfterDays === null || retention.expireAfterDays >= retention.days;
}

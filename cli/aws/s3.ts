/** The S3 client of the command line. It has the credentials and the region of the AWS command line. */
import { S3Client } from '@aws-sdk/client-s3';

/** A bucket may be in another region than the one that is configured. */
export function openS3(): S3Client {
  return new S3Client({ followRegionRedirects: true });
}

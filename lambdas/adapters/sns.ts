/** The topic of the archive, to which the alarms and the weekly mail go. */
import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { ConfigError } from '../shared/errors';
import { awsFailure, errorName, httpStatus } from './aws-errors';

/** The subject is ASCII without line breaks and has at most 100 characters; the message has at most 256 KB. */
export async function publishMail(
  client: SNSClient,
  topic: string,
  mail: { readonly subject: string; readonly message: string },
): Promise<void> {
  try {
    await client.send(new PublishCommand({ TopicArn: topic, Subject: mail.subject, Message: mail.message }));
  } catch (cause) {
    if ((httpStatus(cause) ?? 500) >= 500) throw awsFailure(cause, `sending the weekly mail to ${topic}`);
    const problem = `${topic} did not take the weekly mail: AWS answered ${errorName(cause)}`;
    throw new ConfigError('mail-refused', `${problem}; check the policies of the topic and its key`, { cause });
  }
}

/** gzip members as other tools may write them (RFC 1952): with any optional header field and any deflate stream. */
import { crc32, deflateRawSync, type ZlibOptions } from 'node:zlib';

export interface Header {
  readonly extra?: Buffer;
  readonly name?: string;
  readonly comment?: string;
  readonly headerCrc?: boolean;
  readonly text?: boolean;
  readonly mtime?: number;
  readonly operatingSystem?: number;
}

export function gzipMember(content: Buffer, header: Header = {}, deflate: ZlibOptions = {}): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(content), 0);
  trailer.writeUInt32LE(content.length >>> 0, 4);
  return Buffer.concat([encodeHeader(header), deflateRawSync(content, deflate), trailer]);
}

function encodeHeader({ extra, name, comment, headerCrc = false, text = false, mtime = 0, ...rest }: Header): Buffer {
  const flags =
    (text ? 1 : 0) |
    (headerCrc ? 2 : 0) |
    (extra ? 4 : 0) |
    (name === undefined ? 0 : 8) |
    (comment === undefined ? 0 : 16);
  const fixed = Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, rest.operatingSystem ?? 255]);
  fixed.writeUInt32LE(mtime, 4);
  const fields: Buffer[] = [fixed];
  if (extra !== undefined) fields.push(Buffer.from([extra.length & 0xff, extra.length >> 8]), extra);
  for (const field of [name, comment]) if (field !== undefined) fields.push(Buffer.from(`${field}\0`, 'latin1'));
  const header = Buffer.concat(fields);
  const crc = crc32(header) & 0xffff;
  return headerCrc ? Buffer.concat([header, Buffer.from([crc & 0xff, crc >> 8])]) : header;
}

import type { KeyObject } from 'node:crypto';
import { verifyEnvelope } from './dsse';
import { decodeManifest, type Manifest, ManifestError, PAYLOAD_TYPE, sha256 } from './manifest';

/** A manifest's object as far as it can be trusted. */
export interface OpenedManifest {
  /** Undefined where the payload is not a manifest of this format. */
  readonly manifest: Manifest | undefined;
  /** SHA-256 of the payload's bytes; empty where there is no payload. */
  readonly sha256: string;
  /** Undefined for a manifest whose signature is good. */
  readonly problem: 'not-an-envelope' | 'newer-format' | 'other-key' | 'bad-signature' | 'no-manifest' | undefined;
  /** Further facts about the problem; may be empty. */
  readonly detail: string;
}

/**
 * Opens a stored manifest and checks its signature with the pinned key. The payload is decoded even where the signature is
 * bad, so that the verifier can look for further damage. The caller must not trust such a manifest.
 */
export function openManifest(bytes: Buffer, publicKey: KeyObject): OpenedManifest {
  const opened = verifyEnvelope(bytes, PAYLOAD_TYPE, publicKey);
  const problem = opened.ok ? undefined : opened.problem;
  const { payload } = opened;
  if (payload === undefined) {
    return { manifest: undefined, sha256: '', problem: isNewer(bytes) ? 'newer-format' : problem, detail: '' };
  }
  try {
    const manifest = decodeManifest(payload);
    const isOtherSpelling = opened.ok && manifest.lowS === true && !opened.hasLowS;
    const detail = isOtherSpelling
      ? 'it is the other spelling of the signature, which can be made without the key'
      : '';
    return { manifest, sha256: sha256(payload), problem: isOtherSpelling ? 'bad-signature' : problem, detail };
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    const detail = error.message;
    const cause = isNewer(payload) ? 'newer-format' : 'no-manifest';
    return { manifest: undefined, sha256: sha256(payload), problem: problem ?? cause, detail };
  }
}

/** Both the payload type of an envelope and the `format` of a payload name the version. */
function isNewer(bytes: Buffer): boolean {
  const [, version] = /postman-audit-archive(?:\.manifest\.v|\/)(\d+)/.exec(bytes.toString('latin1')) ?? [];
  return Number(version ?? 1) > 1;
}

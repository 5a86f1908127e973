import { placeOf } from './url.js';

/** Where a responsiveness server has its three resources. */
export interface ResponsivenessUrls {
  readonly small: string;
  readonly large: string;
  readonly upload: string;
  /** The host to connect to instead of the URLs' own, where the configuration names one. */
  readonly endpoint?: string;
}

export type ResponsivenessConfig = { readonly ok: true; readonly urls: ResponsivenessUrls } | { readonly ok: false; readonly why: string };

/** Where a server publishes its configuration (draft-ietf-ippm-responsiveness, section 7.1). */
export const NQ_PATH = '/.well-known/nq';
/** More than this is no configuration. */
export const CONFIG_BYTES_MAX = 16_384;

/**
 * Reads a configuration document. The names with `https` in them are those of the draft before version
 * 02, which servers still have. Unknown names are ignored, as the draft demands.
 */
export function parseResponsivenessConfig(text: string): ResponsivenessConfig {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { ok: false, why: 'it is not JSON' };
  }
  if (!isRecord(document)) return { ok: false, why: 'it is not a JSON object' };
  if (document['version'] !== 1) return { ok: false, why: `its version is ${JSON.stringify(document['version'])}, not 1` };
  const { urls } = document;
  if (!isRecord(urls)) return { ok: false, why: 'it has no urls' };
  const url = (...names: readonly string[]): string | undefined => {
    const value = names.map((name) => urls[name]).find((found) => typeof found === 'string');
    return typeof value === 'string' ? placeOf(value)?.url : undefined;
  };
  const small = url('small_download_url', 'small_https_download_url');
  const large = url('large_download_url', 'large_https_download_url');
  const upload = url('upload_url', 'https_upload_url');
  if (small === undefined || large === undefined || upload === undefined)
    return { ok: false, why: 'it does not name all of small_download_url, large_download_url and upload_url as http or https URLs' };
  const origins = new Set([small, large, upload].map((text) => new URL(text).origin));
  if (origins.size > 1) return { ok: false, why: `its URLs are not all on one host: ${[...origins].join(', ')}` };
  const endpoint = document['test_endpoint'];
  return { ok: true, urls: { small, large, upload, ...(typeof endpoint === 'string' && endpoint !== '' ? { endpoint } : {}) } };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

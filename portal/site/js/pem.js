// Certificates in files, as PEM (RFC 7468).

/** No file with certificates is larger, in bytes. */
const MOST = 256 << 10;

/** The first byte of a certificate in DER: a sequence (X.690). */
const SEQUENCE = 0x30;

/**
 * What a file has of certificates, as PEM; '' where it has none. A file in DER, as Windows exports it, is one.
 * @param {Blob} file
 */
export async function certificateOf(file) {
  if (file.size > MOST) return '';
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes[0] === SEQUENCE) return pemOf(bytes);
  const blocks = new TextDecoder().decode(bytes).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  return (blocks ?? []).map((block) => `${block}\n`).join('');
}

/** @param {Uint8Array} der */
function pemOf(der) {
  const base64 = btoa(Array.from(der, (byte) => String.fromCharCode(byte)).join(''));
  return `-----BEGIN CERTIFICATE-----\n${(base64.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`;
}

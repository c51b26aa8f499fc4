/* Certificates, lists of revoked ones and the way from a certificate to a published root (RFC 5280, what we issue of it). */
const HASHES = { '2.16.840.1.101.3.4.2.1': 'SHA-256', '2.16.840.1.101.3.4.2.2': 'SHA-384', '2.16.840.1.101.3.4.2.3': 'SHA-512' }
const MECHANISMS = {
  '1.2.840.10045.4.3.2': ['ECDSA', 'SHA-256'],
  '1.2.840.10045.4.3.3': ['ECDSA', 'SHA-384'],
  '1.2.840.10045.4.3.4': ['ECDSA', 'SHA-512'],
  '1.2.840.113549.1.1.11': ['RSA', 'SHA-256'],
  '1.2.840.113549.1.1.12': ['RSA', 'SHA-384'],
  '1.2.840.113549.1.1.13': ['RSA', 'SHA-512']
}
const RSA_KEY = '1.2.840.113549.1.1.1'
const EC_KEY = '1.2.840.10045.2.1'
const CURVES = {
  '1.2.840.10045.3.1.7': ['P-256', 32, 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'],
  '1.3.132.0.34': ['P-384', 48, 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973'],
  '1.3.132.0.35': ['P-521', 66, '01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409']
}
const BASIC_CONSTRAINTS = '2.5.29.19'
const KEY_USAGE = '2.5.29.15'
const EXTENDED_KEY_USAGE = '2.5.29.37'
const ISSUING_POINT = '2.5.29.28'
const REASON = '2.5.29.21'
const WITHOUT_SUSPICION = [3, 4, 5] // affiliation changed, superseded, cessation of operation
const UNDERSTOOD = [BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE]
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8'
const COMMON_NAME = '2.5.4.3'
const MAX_PATH = 5
const MIN_RSA_BITS = 2048

async function digestOf (bytes, name = 'SHA-256') {
  return new Uint8Array(await crypto.subtle.digest(name, bytes))
}

/* What kind of key a SubjectPublicKeyInfo holds: { kind, curve, size } or { kind, bits }. */
function keyOf (spki) {
  const [algorithm, bits] = parts(der(spki, SEQUENCE))
  const [id, parameter] = parts(algorithm, SEQUENCE)
  const kind = oidOf(id)
  if (kind === EC_KEY) {
    const found = parameter && parameter.tag === OBJECT_ID && CURVES[oidOf(parameter)]
    if (!found) throw new Unexaminable('curve')
    return { kind: 'ECDSA', curve: found[0], size: found[1], order: found[2] }
  }
  if (kind !== RSA_KEY) throw new Unexaminable('key')
  const modulus = integerOf(parts(der(wholeBits(bits), SEQUENCE))[0])
  const length = modulus[0] === 0 ? modulus.length - 1 : modulus.length
  if (length * 8 < MIN_RSA_BITS || length > 1024) throw new Unexaminable('key size')
  return { kind: 'RSA', bits: length * 8, size: length }
}

/* Whether ``signature`` over ``data`` was made with this key; ``mechanism`` is [kind, hash]. */
async function signatureHolds (spki, mechanism, data, signature) {
  const key = keyOf(spki)
  const [kind, hash] = mechanism
  if (kind !== key.kind) return false
  const algorithm = kind === 'RSA' ? { name: 'RSASSA-PKCS1-v1_5', hash } : { name: 'ECDSA', namedCurve: key.curve }
  let usable
  try {
    usable = await crypto.subtle.importKey('spki', spki, algorithm, false, ['verify'])
  } catch (error) {
    throw new Unexaminable('key')
  }
  if (kind === 'RSA') return signature.length === key.size && crypto.subtle.verify(algorithm, usable, signature, data)
  let flat
  try {
    flat = flatSignature(signature, key.size)
  } catch (error) {
    return false
  }
  return crypto.subtle.verify({ name: 'ECDSA', hash }, usable, flat, data)
}

/* [kind, hash] of an AlgorithmIdentifier of a signature; ``hash`` is for the mechanism that names none. */
function mechanismOf (node, hash) {
  const [id, parameter, ...more] = parts(node, SEQUENCE)
  const name = oidOf(id)
  if (more.length || (parameter && (parameter.tag !== NULL || parameter.body.length))) throw new Unexaminable('algorithm')
  if (name === RSA_KEY && hash) return ['RSA', hash]
  if (!MECHANISMS[name]) throw new Unexaminable('algorithm')
  return MECHANISMS[name]
}

function hashOf (node) {
  const [id, parameter, ...more] = parts(node, SEQUENCE)
  if (more.length || (parameter && (parameter.tag !== NULL || parameter.body.length))) throw new Malformed('algorithm')
  const name = HASHES[oidOf(id)]
  if (!name) throw new Unexaminable('algorithm')
  return name
}

function extensionsOf (node) {
  const found = new Map()
  for (const extension of parts(onlyPart(node), SEQUENCE)) {
    const fields = parts(extension, SEQUENCE)
    const name = oidOf(fields[0])
    if (found.has(name) || fields.length < 2 || fields.length > 3) throw new Malformed('extension')
    const critical = fields.length === 3 && isTrue(fields[1])
    found.set(name, { critical, value: bodyOf(fields[fields.length - 1], OCTET_STRING) })
  }
  return found
}

function commonName (name) {
  for (const set of parts(der(name, SEQUENCE))) {
    for (const pair of parts(set, SET)) {
      const [id, value] = parts(pair, SEQUENCE)
      if (oidOf(id) === COMMON_NAME) return new TextDecoder().decode(value.body)
    }
  }
  return ''
}

/* A signed structure: what was signed, by which mechanism, the signature. */
function signedParts (bytes) {
  const [body, algorithm, signature, ...more] = parts(der(bytes, SEQUENCE))
  if (!signature || more.length) throw new Malformed('signed structure')
  return { body, algorithm, signature: wholeBits(signature) }
}

function readCertificate (bytes) {
  const signed = signedParts(bytes)
  const fields = parts(signed.body, SEQUENCE)
  if (fields[0].tag !== 0xa0 || smallNumber(onlyPart(fields[0])) !== 2) throw new Malformed('version')
  const [, serial, algorithm, issuer, validity, subject, spki, ...rest] = fields
  if (!equal(algorithm.bytes, signed.algorithm.bytes)) throw new Malformed('algorithm')
  const [from, until] = parts(validity, SEQUENCE).map(timeOf)
  const extended = rest.find(part => part.tag === 0xa3)
  return {
    bytes,
    signed,
    serial: integerOf(serial),
    issuer: issuer.bytes,
    subject: subject.bytes,
    spki: spki.bytes,
    from,
    until,
    name: commonName(subject.bytes),
    extensions: extended ? extensionsOf(extended) : new Map()
  }
}

function isAuthority (certificate, below) {
  const basic = certificate.extensions.get(BASIC_CONSTRAINTS)
  if (!basic) return false
  const fields = parts(der(basic.value, SEQUENCE))
  if (!fields.length || fields[0].tag !== 0x01 || !isTrue(fields[0])) return false
  const longest = fields.length > 1 ? smallNumber(fields[1]) : MAX_PATH
  return below <= longest && hasUsage(certificate, 5)
}

/* Whether the n-th bit of the key usage is set, counted from 0; true where the certificate says nothing of usage. */
function hasUsage (certificate, bit) {
  const usage = certificate.extensions.get(KEY_USAGE)
  if (!usage) return true
  const body = bodyOf(der(usage.value), BIT_STRING)
  const byte = body[1 + (bit >> 3)]
  return byte !== undefined && Boolean(byte & (0x80 >> (bit & 7)))
}

/* May sign reports, or with ``stamping`` only make time stamps. */
function isMeantFor (certificate, stamping) {
  if (isAuthority(certificate, 0)) return false
  const extended = certificate.extensions.get(EXTENDED_KEY_USAGE)
  const purposes = extended ? parts(der(extended.value, SEQUENCE)).map(oidOf) : []
  if (stamping) return purposes.length === 1 && purposes[0] === TIME_STAMPING && extended.critical
  return (hasUsage(certificate, 0) || hasUsage(certificate, 1)) && !purposes.includes(TIME_STAMPING)
}

function isUnderstood (certificate) {
  return [...certificate.extensions].every(([name, { critical }]) => !critical || UNDERSTOOD.includes(name))
}

async function isIssuedBy (certificate, issuer) {
  if (!equal(certificate.issuer, issuer.subject)) return false
  const mechanism = mechanismOf(certificate.signed.algorithm)
  return signatureHolds(issuer.spki, mechanism, certificate.signed.body.bytes, certificate.signed.signature)
}

/* The certificates from ``leaf`` up to, but without, a published root that held at ``moment``; null if none leads there. */
async function pathToRoot (leaf, others, roots, moment) {
  const path = [leaf]
  const holds = one => one.from <= moment && moment <= one.until && isUnderstood(one)
  if (!holds(leaf)) return null
  while (path.length <= MAX_PATH) {
    const last = path[path.length - 1]
    const below = path.length - 1
    for (const root of roots) {
      if (holds(root) && isAuthority(root, below) && await isIssuedBy(last, root)) return { path, root }
    }
    let next = null
    for (const other of others) {
      if (path.includes(other) || !holds(other) || !isAuthority(other, below)) continue
      if (await isIssuedBy(last, other)) { next = other; break }
    }
    if (!next) return null
    path.push(next)
  }
  return null
}

/* A list of revoked certificates: { issuer, revoked: serial in hex → { at, isSuspicious } }. */
function readRevocations (bytes) {
  const signed = signedParts(bytes)
  const fields = parts(signed.body, SEQUENCE)
  if (fields[0].tag !== INTEGER || smallNumber(fields[0]) !== 1) throw new Malformed('version')
  if (!equal(fields[1].bytes, signed.algorithm.bytes)) throw new Malformed('algorithm')
  const entries = fields.slice(4).find(part => part.tag === SEQUENCE)
  const extended = fields.find(part => part.tag === 0xa0)
  const extensions = extended ? extensionsOf(extended) : new Map()
  if ([...extensions].some(([name, one]) => one.critical || name === ISSUING_POINT)) throw new Unexaminable('list in parts')
  const revoked = new Map()
  for (const entry of entries ? parts(entries) : []) {
    const [serial, at, further] = parts(entry, SEQUENCE)
    const reason = further && extensionsOf({ tag: 0x30, body: further.bytes }).get(REASON)
    const code = reason ? bodyOf(der(reason.value), 0x0a)[0] : 0
    revoked.set(hexOf(integerOf(serial)), { at: timeOf(at), isSuspicious: !WITHOUT_SUSPICION.includes(code) })
  }
  return { signed, issuer: fields[2].bytes, revoked }
}

/* Since when one of ``path`` is revoked by the lists that its issuer signed: { at, isSuspicious }, undefined if none is,
   null if there is no list of the first one's issuer. */
async function revocationOf ({ path, root }, lists) {
  let found = null
  for (const [place, certificate] of path.entries()) {
    const issuer = path[place + 1] || root
    for (const list of lists) {
      if (!equal(list.issuer, certificate.issuer) || !hasUsage(issuer, 6)) continue
      const mechanism = mechanismOf(list.signed.algorithm)
      if (!await signatureHolds(issuer.spki, mechanism, list.signed.body.bytes, list.signed.signature)) continue
      const entry = list.revoked.get(hexOf(certificate.serial))
      if (entry) found = found && found.at < entry.at ? { ...found, isSuspicious: found.isSuspicious || entry.isSuspicious } : entry
      else if (found === null && place === 0) found = undefined
    }
  }
  return found
}

/* The signature container (PAdES): the one part of a report's file that no digest covers.
   So it must be, byte for byte, what the signer writes around a signature; a time stamp in it likewise (RFC 3161). */
const SIGNED_DATA = '2a864886f70d010702'
const DATA = '2a864886f70d010701'
const STAMP_INFO = '2a864886f70d0109100104'
const STAMP_TOKEN = '2a864886f70d010910020e'
const TOKEN_ROOM = 8192
const DIGESTS = { 'SHA-256': '608648016503040201', 'SHA-384': '608648016503040202', 'SHA-512': '608648016503040203' }
const MECHANISM_IDS = {
  RSA: { 'SHA-256': '2a864886f70d01010b', 'SHA-384': '2a864886f70d01010c', 'SHA-512': '2a864886f70d01010d' },
  ECDSA: { 'SHA-256': '2a8648ce3d040302', 'SHA-384': '2a8648ce3d040303', 'SHA-512': '2a8648ce3d040304' }
}
const CONTENT_TYPE = '1.2.840.113549.1.9.3'
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4'
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12'
const SIGNING_CERTIFICATE_2 = '1.2.840.113549.1.9.16.2.47'
const MAX_CERTIFICATES = 8

const oidNode = hex => write(OBJECT_ID, fromHex(hex))

/* The first value of ``bytes`` and whether nothing but zeros follows it. */
function valueAndPadding (bytes) {
  const [node, end] = nodeAt(bytes, 0)
  return { node, isPadded: bytes.subarray(end).every(byte => byte === 0) }
}

/* The container's bytes out of its hexadecimal form in the file, ``<`` and ``>`` included; null if it is not ours. */
function containerBytes (text) {
  const last = text.length - 1
  if (text.length < 4 || text[0] !== 0x3c || text[last] !== 0x3e) return null
  const bytes = new Uint8Array((last - 1) >> 1)
  const digit = byte => byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : byte >= 0x41 && byte <= 0x46 ? byte - 0x37 : -1
  for (let at = 0; at < bytes.length; at++) {
    const high = digit(text[1 + 2 * at])
    const low = digit(text[2 + 2 * at])
    if (high < 0 || low < 0) return null
    bytes[at] = high * 16 + low
  }
  if ((last - 1) % 2 && text[last - 1] !== 0x30) return null
  return bytes
}

/* The parts of a signed message: { version, digests, content, certificates, signer, others }, nodes all. */
function readMessage (node) {
  const [type, wrapped, ...more] = parts(node, SEQUENCE)
  if (more.length || hexOf(bodyOf(type, OBJECT_ID)) !== SIGNED_DATA) throw new Malformed('message')
  const fields = parts(onlyPart(wrapped, 0xa0), SEQUENCE)
  const bag = fields.find(field => field.tag === 0xa0)
  const certificates = bag ? parts(bag) : []
  if (certificates.length > MAX_CERTIFICATES) throw new Malformed('certificates')
  return {
    version: smallNumber(fields[0]),
    digests: parts(fields[1], SET),
    content: parts(fields[2], SEQUENCE),
    certificates: certificates.map(one => readCertificate(one.bytes)),
    signer: readSigner(onlyPart(fields[fields.length - 1], SET)),
    others: fields.slice(3, -1).filter(field => field !== bag)
  }
}

function readSigner (node) {
  const [version, id, digest, attributes, mechanism, signature, ...unsigned] = parts(node, SEQUENCE)
  if (!signature || attributes.tag !== 0xa0 || unsigned.length > 1) throw new Malformed('signer')
  return {
    version: smallNumber(version),
    id,
    digest,
    attributes: readAttributes(attributes),
    attributeBytes: attributes.body,
    mechanism,
    signature: bodyOf(signature, OCTET_STRING),
    unsigned: unsigned[0]
  }
}

function readAttributes (node) {
  const found = new Map()
  for (const attribute of parts(node)) {
    const [id, values, ...more] = parts(attribute, SEQUENCE)
    const name = oidOf(id)
    if (more.length || found.has(name)) throw new Malformed('attribute')
    found.set(name, onlyPart(values, SET))
  }
  return found
}

/* The certificate the signer names by issuer and serial number. */
function signerCertificate (message) {
  const id = message.signer.id
  const named = message.certificates.filter(one => equal(write(SEQUENCE, one.issuer, write(INTEGER, one.serial)), id.bytes))
  if (named.length !== 1) throw new Malformed('signer')
  return named[0]
}

/* Whether the signed attributes name this certificate by its digest, so that no other can take its place. */
async function namesCertificate (attributes, certificate) {
  const second = attributes.get(SIGNING_CERTIFICATE_2)
  const value = second || attributes.get(SIGNING_CERTIFICATE)
  if (!value) return false
  const first = parts(parts(value, SEQUENCE)[0], SEQUENCE)[0]
  const fields = parts(first, SEQUENCE)
  const hasAlgorithm = fields[0].tag === SEQUENCE
  const hash = hasAlgorithm ? hashOf(fields[0]) : second ? 'SHA-256' : 'SHA-1'
  return equal(bodyOf(fields[hasAlgorithm ? 1 : 0], OCTET_STRING), await digestOf(certificate.bytes, hash))
}

function messageDigest (attributes) {
  const value = attributes.get(MESSAGE_DIGEST)
  if (!value) throw new Malformed('message digest')
  return bodyOf(value, OCTET_STRING)
}

/* Certificates in the order DER gives a set. */
function inOrder (certificates) {
  return certificates.map(one => one.bytes).sort((one, other) => {
    for (let at = 0; at < Math.min(one.length, other.length); at++) if (one[at] !== other[at]) return one[at] - other[at]
    return one.length - other.length
  })
}

/* A signed message as ours are written: { version, content } around the attributes and the signature of ``message``. */
function asWritten (message, certificate, chain, { version, content }) {
  const { signer } = message
  const hash = hashOf(signer.digest)
  const digest = write(SEQUENCE, oidNode(DIGESTS[hash]), write(NULL))
  const { kind } = keyOf(certificate.spki)
  const mechanism = [oidNode(MECHANISM_IDS[kind][hash]), ...(kind === 'RSA' ? [write(NULL)] : [])]
  const signerInfo = write(SEQUENCE,
    write(INTEGER, [1]),
    write(SEQUENCE, certificate.issuer, write(INTEGER, certificate.serial)),
    digest,
    write(0xa0, signer.attributeBytes),
    write(SEQUENCE, ...mechanism),
    write(OCTET_STRING, signer.signature),
    signer.unsigned ? signer.unsigned.bytes : new Uint8Array(0))
  const signedData = write(SEQUENCE,
    write(INTEGER, [version]),
    write(SET, digest),
    write(SEQUENCE, ...content),
    write(0xa0, ...inOrder(chain)),
    write(SET, signerInfo))
  return write(SEQUENCE, oidNode(SIGNED_DATA), write(0xa0, signedData))
}

/* Of the two values of s that both verify, our signer writes the lower. */
function isLow (certificate, signature) {
  const key = keyOf(certificate.spki)
  if (key.kind === 'RSA') return true
  const s = BigInt('0x' + hexOf(flatSignature(signature, key.size).subarray(key.size)))
  return s > 0n && 2n * s <= BigInt('0x' + key.order)
}

/* The signer and those of the other certificates that lead upwards from it by name; a root is no part of it. */
function climb (certificate, others) {
  const path = [certificate]
  while (path.length <= others.length) {
    const last = path[path.length - 1]
    const above = others.find(one => !path.includes(one) && equal(one.subject, last.issuer) && !equal(one.subject, one.issuer))
    if (!above) break
    path.push(above)
  }
  return path
}

/* Whether the message holds nothing but what is written around a signature: ``bytes`` are its own. */
function isAsWritten (message, certificate, bytes, frame) {
  const chain = climb(certificate, message.certificates.filter(one => one !== certificate))
  return chain.length === message.certificates.length && equal(asWritten(message, certificate, chain, frame), bytes)
}

/* A report's container: of the two values of s the lower; only the first reports of all, which left no room for a
   time stamp, have either. What unsigned attributes hold is examined on its own. */
function isReportForm (message, certificate, node, size) {
  const stamped = message.signer.unsigned ? message.signer.unsigned.bytes.length : 0
  const hasRoom = size >= node.bytes.length - stamped - 16 + TOKEN_ROOM
  if (hasRoom && !isLow(certificate, message.signer.signature)) return false
  return isAsWritten(message, certificate, node.bytes, { version: 1, content: [oidNode(DATA)] })
}

/* Whether the signature is over the attributes, made with the certificate's key, and names this very certificate. */
async function signerHolds (message, certificate) {
  const { signer } = message
  const hash = hashOf(signer.digest)
  const attributes = write(SET, signer.attributeBytes)
  const mechanism = mechanismOf(signer.mechanism, hash)
  if (mechanism[1] !== hash) return false
  return await namesCertificate(signer.attributes, certificate) &&
    await signatureHolds(certificate.spki, mechanism, attributes, signer.signature)
}

/* The time-stamp token among the unsigned attributes: undefined if there are none, null if they are anything else. */
function tokenOf (message) {
  const { unsigned } = message.signer
  if (!unsigned) return undefined
  if (unsigned.tag !== 0xa1) return null
  const [attribute, ...more] = parts(unsigned)
  if (!attribute || more.length) return null
  const [id, values, ...rest] = parts(attribute, SEQUENCE)
  if (rest.length || hexOf(bodyOf(id, OBJECT_ID)) !== STAMP_TOKEN) return null
  return onlyPart(values, SET)
}

/* What a token says: the digest it stamps and when, with how the digest was made. */
function readStamp (content) {
  const [type, wrapped] = content
  if (hexOf(bodyOf(type, OBJECT_ID)) !== STAMP_INFO) throw new Malformed('stamp')
  const bytes = bodyOf(onlyPart(wrapped, 0xa0), OCTET_STRING)
  const [version, , imprint, , at] = parts(der(bytes, SEQUENCE))
  const [algorithm, digest] = parts(imprint, SEQUENCE)
  if (smallNumber(version) !== 1) throw new Malformed('stamp')
  return { bytes, hash: hashOf(algorithm), digest: bodyOf(digest, OCTET_STRING), at: timeOf(at) }
}

/* When the signature was stamped, by an authority that leads to ``roots``; null if the stamp does not hold. */
async function stampedAt (token, signature, roots) {
  const message = readMessage(token)
  const stamp = readStamp(message.content)
  if (!equal(stamp.digest, await digestOf(signature, stamp.hash))) return null
  const certificate = signerCertificate(message)
  const digest = await digestOf(stamp.bytes, hashOf(message.signer.digest))
  const type = message.signer.attributes.get(CONTENT_TYPE)
  if (!type || hexOf(bodyOf(type, OBJECT_ID)) !== STAMP_INFO || !equal(messageDigest(message.signer.attributes), digest)) return null
  if (!isMeantFor(certificate, true) || !await signerHolds(message, certificate)) return null
  const frame = { version: 3, content: [oidNode(STAMP_INFO), write(0xa0, write(OCTET_STRING, stamp.bytes))] }
  if (message.signer.unsigned || !isLow(certificate, message.signer.signature)) return null
  if (!isAsWritten(message, certificate, token.bytes, frame)) return null
  const found = await stampPath(certificate, message.certificates, roots, stamp.at)
  return found && { at: stamp.at, certificate, root: found.root }
}

/* A published certificate of the authority itself will do; otherwise it must lead to a published one. */
async function stampPath (certificate, certificates, roots, moment) {
  const itself = roots.find(one => equal(one.bytes, certificate.bytes))
  if (itself && itself.from <= moment && moment <= itself.until) return { path: [certificate], root: itself }
  const others = certificates.filter(one => one !== certificate)
  return pathToRoot(certificate, others, roots, moment)
}

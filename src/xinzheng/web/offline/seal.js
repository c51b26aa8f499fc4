/* The text of a report's QR code: an address, and after # the sealed part (COSE_Sign1 with ES256, RFC 9052).
   CBOR is read in its one canonical form (RFC 7049 section 3.9): shortest heads, sorted keys, nothing after. */
const MAX_SEALED = 2000
const MAX_NESTING = 4
const QR_TEXT = /^(https?):\/\/([A-Za-z0-9.-]+(?::\d{1,5})?)\/v\/([A-Za-z0-9_-]{8,64})#([A-Za-z0-9_-]{40,1200})$/
const LOOPBACK = ['127.0.0.1', 'localhost']
const ES256 = -7

class Tagged {
  constructor (tag, value) {
    this.tag = tag
    this.value = value
  }
}

function headAt (bytes, at) {
  const first = bytes[at]
  if (first === undefined) throw new Malformed('cbor')
  const major = first >> 5
  const short = first & 0x1f
  if (short < 24) return [major, short, at + 1]
  if (short > 27) throw new Malformed('cbor')
  const size = 2 ** (short - 24)
  if (at + 1 + size > bytes.length) throw new Malformed('cbor')
  let number = 0
  for (let next = 1; next <= size; next++) number = number * 256 + bytes[at + next]
  const least = size === 1 ? 24 : 2 ** (4 * size)
  if (number < least || number > Number.MAX_SAFE_INTEGER) throw new Malformed('cbor')
  return [major, number, at + 1 + size]
}

function cborAt (bytes, at, depth) {
  if (depth > MAX_NESTING) throw new Malformed('cbor')
  const [major, number, start] = headAt(bytes, at)
  if (major === 0) return [number, start]
  if (major === 1) return [-1 - number, start]
  if (major === 2 || major === 3) {
    const end = start + number
    if (end > bytes.length) throw new Malformed('cbor')
    const body = bytes.subarray(start, end)
    return [major === 2 ? body : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body), end]
  }
  if (major === 4) return listAt(bytes, start, number, depth)
  if (major === 5) return mapAt(bytes, start, number, depth)
  if (major !== 6) throw new Malformed('cbor')
  const [value, end] = cborAt(bytes, start, depth + 1)
  return [new Tagged(number, value), end]
}

function listAt (bytes, at, count, depth) {
  const items = []
  for (let left = count; left > 0; left--) {
    const [item, end] = cborAt(bytes, at, depth + 1)
    items.push(item)
    at = end
  }
  return [items, at]
}

function mapAt (bytes, at, count, depth) {
  const found = new Map()
  let last = null
  for (let left = count; left > 0; left--) {
    const [key, afterKey] = cborAt(bytes, at, depth + 1)
    const written = bytes.subarray(at, afterKey)
    if (last && !comesBefore(last, written)) throw new Malformed('cbor')
    const [value, end] = cborAt(bytes, afterKey, depth + 1)
    found.set(key, value)
    last = written
    at = end
  }
  return [found, at]
}

function comesBefore (one, other) {
  if (one.length !== other.length) return one.length < other.length
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return one[at] < other[at]
  return false
}

function cbor (bytes) {
  if (bytes.length > MAX_SEALED) throw new Malformed('cbor')
  const [value, end] = cborAt(bytes, 0, 0)
  if (end !== bytes.length) throw new Malformed('cbor')
  return value
}

function cborBytes (major, body) {
  if (body.length < 24) return joined([major << 5 | body.length], body)
  if (body.length < 256) return joined([major << 5 | 24, body.length], body)
  return joined([major << 5 | 25, body.length >> 8, body.length & 0xff], body)
}

/* { host, code, sealed } of a scanned text; null if it is not one of a report's. */
function readQrText (text) {
  const match = text.length <= MAX_SEALED ? QR_TEXT.exec(text.trim()) : null
  if (!match) return null
  const [, scheme, host, code, encoded] = match
  if (scheme !== (LOOPBACK.includes(host.split(':')[0]) ? 'http' : 'https')) return null
  try {
    return { host, code, sealed: fromBase64(encoded) }
  } catch (error) {
    return null
  }
}

/* The host of any address as browsers resolve it: full-width or foreign letters that only look alike become visible. */
function plainHost (text) {
  try {
    const address = new URL(text.trim())
    return /^https?:$/.test(address.protocol) ? address.host : null
  } catch (error) {
    return null
  }
}

/* What a sealed part says: { keyId, number, digest, host, asOf, policy, signed, signature }. */
function readSeal (sealed) {
  const outer = cbor(sealed)
  if (!(outer instanceof Tagged) || outer.tag !== 18 || !Array.isArray(outer.value) || outer.value.length !== 4) throw new Malformed('seal')
  const [shielded, open, payload, signature] = outer.value
  const isSound = [shielded, payload, signature].every(part => part instanceof Uint8Array) && open instanceof Map &&
    open.size === 0 && signature.length === 64
  if (!isSound) throw new Malformed('seal')
  const head = cbor(shielded)
  const said = cbor(payload)
  const [number, digest, host, asOf, policy] = [1, 2, 3, 4, 5].map(label => said instanceof Map ? said.get(label) : undefined)
  const isHead = head instanceof Map && head.get(1) === ES256 && head.get(4) instanceof Uint8Array
  const isSaid = [number, host, policy].every(part => typeof part === 'string') && digest instanceof Uint8Array &&
    digest.length === 32 && Number.isInteger(asOf)
  if (!isHead || !isSaid) throw new Malformed('seal')
  const signed = joined([0x84], cborBytes(3, new TextEncoder().encode('Signature1')), cborBytes(2, shielded), [0x40], cborBytes(2, payload))
  return { keyId: hexOf(head.get(4)), number, digest, host, asOf: asOf * 1000, policy, signed, signature }
}

/* Whether the seal was made with this P-256 key. */
async function sealHolds (seal, spki) {
  const key = await crypto.subtle.importKey('spki', spki, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])
  return crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, seal.signature, seal.signed)
}

/* DER, strictly (ITU-T X.690): one encoding for each value, definite and minimal lengths, nothing left over.
   A node is { tag, bytes, body }: its first byte, the whole of it, what it holds. */
const MAX_PARTS = 20000
const SEQUENCE = 0x30
const SET = 0x31
const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const NULL = 0x05
const OBJECT_ID = 0x06

/* What was given has not the form it must have. */
class Malformed extends Error {}

/* What was given has a form this verifier cannot examine: no answer is better than a wrong one. */
class Unexaminable extends Error {}

function equal (one, other) {
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false
  return true
}

function joined (...pieces) {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

function hexOf (bytes) {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

function fromHex (text) {
  const bytes = new Uint8Array(text.length >> 1)
  for (let at = 0; at < bytes.length; at++) bytes[at] = parseInt(text.substr(2 * at, 2), 16)
  return bytes
}

/* Of base64 or base64url, padded or not; anything else is malformed. */
function fromBase64 (text) {
  const plain = text.replace(/-/g, '+').replace(/_/g, '/').replace(/=+$/, '')
  if (!/^[A-Za-z0-9+/]*$/.test(plain) || plain.length % 4 === 1) throw new Malformed('base64')
  const binary = atob(plain + '='.repeat((4 - plain.length % 4) % 4))
  return Uint8Array.from(binary, char => char.charCodeAt(0))
}

function lengthAt (bytes, at) {
  const first = bytes[at]
  if (first === undefined) throw new Malformed('length')
  if (first < 0x80) return [first, at + 1]
  const count = first & 0x7f
  if (count === 0 || count > 4 || at + count >= bytes.length) throw new Malformed('length')
  let length = 0
  for (let next = at + 1; next <= at + count; next++) length = length * 256 + bytes[next]
  if (bytes[at + 1] === 0 || length < 0x80) throw new Malformed('length')
  return [length, at + 1 + count]
}

/* The node that begins at ``at``, and where it ends. */
function nodeAt (bytes, at) {
  const tag = bytes[at]
  if (tag === undefined || (tag & 0x1f) === 0x1f) throw new Malformed('tag')
  const [length, start] = lengthAt(bytes, at + 1)
  const end = start + length
  if (end > bytes.length) throw new Malformed('length')
  return [{ tag, bytes: bytes.subarray(at, end), body: bytes.subarray(start, end) }, end]
}

/* The one node that ``bytes`` is. */
function der (bytes, tag) {
  const [node, end] = nodeAt(bytes, 0)
  if (end !== bytes.length) throw new Malformed('more than one value')
  if (tag !== undefined && node.tag !== tag) throw new Malformed('tag')
  return node
}

/* What a constructed node holds, each a node. */
function parts (node, tag) {
  if (tag !== undefined && node.tag !== tag) throw new Malformed('tag')
  if (!(node.tag & 0x20)) throw new Malformed('not constructed')
  const found = []
  for (let at = 0; at < node.body.length;) {
    const [part, end] = nodeAt(node.body, at)
    found.push(part)
    if (found.length > MAX_PARTS) throw new Malformed('too many parts')
    at = end
  }
  return found
}

function onlyPart (node, tag) {
  const found = parts(node, tag)
  if (found.length !== 1) throw new Malformed('one part expected')
  return found[0]
}

function bodyOf (node, tag) {
  if (node.tag !== tag) throw new Malformed('tag')
  return node.body
}

function oidOf (node) {
  const body = bodyOf(node, OBJECT_ID)
  if (!body.length || body.length > 64) throw new Malformed('object identifier')
  const numbers = []
  let number = 0
  body.forEach((byte, at) => {
    if (number === 0 && byte === 0x80) throw new Malformed('object identifier')
    number = number * 128 + (byte & 0x7f)
    if (number > Number.MAX_SAFE_INTEGER) throw new Malformed('object identifier')
    if (byte & 0x80) {
      if (at === body.length - 1) throw new Malformed('object identifier')
      return
    }
    numbers.push(number)
    number = 0
  })
  const top = Math.min(2, Math.floor(numbers[0] / 40))
  return [top, numbers[0] - 40 * top, ...numbers.slice(1)].join('.')
}

/* The bytes of a whole number, the shortest way; its sign is the first bit. */
function integerOf (node) {
  const body = bodyOf(node, INTEGER)
  if (!body.length) throw new Malformed('integer')
  const superfluous = body.length > 1 && ((body[0] === 0 && body[1] < 0x80) || (body[0] === 0xff && body[1] >= 0x80))
  if (superfluous) throw new Malformed('integer')
  return body
}

function smallNumber (node) {
  const body = integerOf(node)
  if (body.length > 4 || body[0] & 0x80) throw new Malformed('integer')
  return body.reduce((value, byte) => value * 256 + byte, 0)
}

function isTrue (node) {
  const body = bodyOf(node, 0x01)
  if (body.length !== 1 || body[0] !== 0xff) throw new Malformed('boolean') // false is the default and is left out
  return true
}

function wholeBits (node) {
  const body = bodyOf(node, BIT_STRING)
  if (!body.length || body[0] !== 0) throw new Malformed('bit string')
  return body.subarray(1)
}

/* Milliseconds of UTCTime or GeneralizedTime in UTC. */
function timeOf (node) {
  const text = String.fromCharCode(...node.body.subarray(0, 32))
  const form = { 0x17: /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)()Z$/, 0x18: /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{1,9})?Z$/ }
  const match = form[node.tag] && form[node.tag].exec(text)
  if (!match || node.body.length > 32) throw new Malformed('time')
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number)
  const full = node.tag === 0x17 ? year + (year < 50 ? 2000 : 1900) : year
  const moment = Date.UTC(full, month - 1, day, hour, minute, second)
  const made = new Date(moment)
  if (made.getUTCMonth() !== month - 1 || made.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) {
    throw new Malformed('time')
  }
  return moment + (match[7] ? Math.floor(Number('0' + match[7]) * 1000) : 0)
}

/* A node of these contents, as DER writes it. */
function write (tag, ...pieces) {
  const body = joined(...pieces)
  if (body.length < 0x80) return joined([tag, body.length], body)
  const length = []
  for (let rest = body.length; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest % 256)
  return joined([tag, 0x80 | length.length, ...length], body)
}

/* r and s side by side, as WebCrypto takes them, out of the SEQUENCE that CMS and X.509 keep. */
function flatSignature (bytes, size) {
  const numbers = parts(der(bytes, SEQUENCE)).map(integerOf)
  if (numbers.length !== 2) throw new Malformed('signature')
  return joined(...numbers.map(number => {
    const digits = number[0] === 0 ? number.subarray(1) : number
    if (number[0] & 0x80 || !digits.length || digits.length > size) throw new Malformed('signature')
    return joined(new Uint8Array(size - digits.length), digits)
  }))
}

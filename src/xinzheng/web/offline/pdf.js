/* As much of PDF as a report needs (ISO 32000-1): the signed ranges, the signature's own words, the attached data.
   Anything a report does not use (compressed objects, filters but Flate, encryption) is not read: null, never a guess. */
const MAX_FILE = 20000000
const MAX_ATTACHMENT = 8000000
const MAX_DEPTH = 24
const MAX_OBJECTS = 200000
const MAX_SECTIONS = 16
const MAX_TOKENS = 400000
const ATTACHMENT = 'report.json'

const isSpace = byte => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0
const isDelimiter = byte => '()<>[]{}/%'.includes(String.fromCharCode(byte))
const latin = bytes => {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return text
}

class Name { constructor (text) { this.text = text } }
class Reference { constructor (number) { this.number = number } }

/* Every place where ``text`` stands, at most ``most`` of them. */
function places (bytes, text, most) {
  const wanted = Array.from(text, char => char.charCodeAt(0))
  const found = []
  for (let at = bytes.indexOf(wanted[0]); at >= 0 && found.length < most; at = bytes.indexOf(wanted[0], at + 1)) {
    if (wanted.every((byte, next) => bytes[at + next] === byte)) found.push(at)
  }
  return found
}

/* The container between the two signed ranges: { from, to }, null if they are not the whole file around it. */
function signedRanges (bytes, at) {
  const text = latin(bytes.subarray(at, at + 120))
  const match = /^\/ByteRange\s{0,8}\[\s{0,8}(\d{1,8})\s{1,8}(\d{1,8})\s{1,8}(\d{1,8})\s{1,8}(\d{1,8})\s{0,60}\]/.exec(text)
  if (!match) return null
  const [start, length, resume, rest] = match.slice(1, 5).map(Number)
  const isWhole = start === 0 && length > 0 && length < resume && rest > 0 && resume + rest === bytes.length
  return isWhole ? { from: length, to: resume } : null
}

/* Reads values from one place of a file onwards. */
class Reader {
  constructor (bytes, at) {
    this.bytes = bytes
    this.at = at
    this.left = MAX_TOKENS
  }

  skip () {
    for (;;) {
      const byte = this.bytes[this.at]
      if (byte === 0x25) while (this.at < this.bytes.length && this.bytes[this.at] !== 0x0a && this.bytes[this.at] !== 0x0d) this.at++
      else if (byte !== undefined && isSpace(byte)) this.at++
      else return
    }
  }

  /* A run of ordinary letters: a number, a keyword, the text of a name. */
  word () {
    const start = this.at
    while (this.at < this.bytes.length && !isSpace(this.bytes[this.at]) && !isDelimiter(this.bytes[this.at])) this.at++
    if (this.at - start > 256) throw new Malformed('word')
    return latin(this.bytes.subarray(start, this.at))
  }

  takes (text) {
    for (let next = 0; next < text.length; next++) if (this.bytes[this.at + next] !== text.charCodeAt(next)) return false
    this.at += text.length
    return true
  }

  value (depth = 0) {
    if (depth > MAX_DEPTH || --this.left < 0) throw new Malformed('depth')
    this.skip()
    if (this.takes('<<')) return this.dictionary(depth)
    if (this.takes('[')) return this.array(depth)
    if (this.takes('(')) return this.literal()
    if (this.takes('<')) return this.hexadecimal()
    if (this.takes('/')) return new Name(this.word().replace(/#([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))))
    return this.atom()
  }

  atom () {
    const word = this.word()
    if (word === 'true' || word === 'false') return word === 'true'
    if (word === 'null') return null
    if (!/^[+-]?\d{0,10}(\.\d{0,10})?$/.test(word) || !/\d/.test(word)) throw new Malformed('value')
    const after = this.at
    const match = /^\d+$/.test(word) && /^\s{1,4}\d{1,5}\s{1,4}R(?![A-Za-z0-9])/.exec(latin(this.bytes.subarray(after, after + 16)))
    if (!match) return Number(word)
    this.at = after + match[0].length
    return new Reference(Number(word))
  }

  array (depth) {
    const items = []
    for (;;) {
      this.skip()
      if (this.takes(']')) return items
      items.push(this.value(depth + 1))
    }
  }

  dictionary (depth) {
    const found = new Map()
    for (;;) {
      this.skip()
      if (this.takes('>>')) return found
      const key = this.value(depth + 1)
      if (!(key instanceof Name) || found.has(key.text)) throw new Malformed('dictionary')
      found.set(key.text, this.value(depth + 1))
    }
  }

  literal () {
    const start = this.at
    for (let open = 1; open > 0; this.at++) {
      const byte = this.bytes[this.at]
      if (byte === undefined) throw new Malformed('string')
      if (byte === 0x5c) this.at++
      else if (byte === 0x28) open++
      else if (byte === 0x29) open--
    }
    const escapes = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }
    return latin(this.bytes.subarray(start, this.at - 1)).replace(/\\([0-7]{1,3}|\r\n|[\s\S])/g, (_, escaped) => {
      if (/^[0-7]/.test(escaped)) return String.fromCharCode(parseInt(escaped, 8) & 0xff)
      return /^[\r\n]/.test(escaped) ? '' : escapes[escaped] || escaped
    })
  }

  hexadecimal () {
    const end = this.bytes.indexOf(0x3e, this.at)
    if (end < 0 || end - this.at > 400000) throw new Malformed('string')
    const digits = latin(this.bytes.subarray(this.at, end)).replace(/\s+/g, '')
    this.at = end + 1
    if (!/^[0-9A-Fa-f]*$/.test(digits)) throw new Malformed('string')
    return digits.replace(/../g, pair => String.fromCharCode(parseInt(pair, 16)))
  }
}

/* Where each object stands, the newest first: { offsets, trailer }. */
function readTables (bytes) {
  const tail = latin(bytes.subarray(Math.max(0, bytes.length - 1024)))
  const match = /startxref\s+(\d{1,8})\s+%%EOF\s*$/.exec(tail)
  if (!match) throw new Malformed('startxref')
  const offsets = new Map()
  const seen = new Set()
  let trailer = null
  for (let next = Number(match[1]); next !== undefined;) {
    if (typeof next !== 'number' || seen.has(next) || seen.size >= MAX_SECTIONS) throw new Malformed('tables')
    seen.add(next)
    const found = readTable(bytes, next, offsets)
    trailer = trailer || found
    next = found.get('Prev')
  }
  return { offsets, trailer }
}

function readTable (bytes, at, offsets) {
  const reader = new Reader(bytes, at)
  reader.skip()
  if (!reader.takes('xref')) throw new Unexaminable('tables')
  for (;;) {
    reader.skip()
    if (reader.takes('trailer')) return reader.value()
    const first = reader.value()
    const count = reader.value()
    if (!Number.isInteger(first) || !Number.isInteger(count) || offsets.size + count > MAX_OBJECTS) throw new Malformed('table')
    reader.skip()
    for (let entry = 0; entry < count; entry++, reader.at += 20) {
      const line = /^(\d{10}) \d{5} ([nf])/.exec(latin(bytes.subarray(reader.at, reader.at + 20)))
      if (!line) throw new Malformed('table')
      if (!offsets.has(first + entry)) offsets.set(first + entry, line[2] === 'n' ? Number(line[1]) : null)
    }
  }
}

/* The object of a number: its value, and where its stream begins if it has one. */
function objectAt (bytes, at, number) {
  const reader = new Reader(bytes, at)
  const head = /^(\d{1,8})\s{1,4}\d{1,5}\s{1,4}obj/.exec(latin(bytes.subarray(at, at + 40)))
  if (!head || (number !== undefined && Number(head[1]) !== number)) throw new Malformed('object')
  reader.at += head[0].length
  const value = reader.value()
  reader.skip()
  const stream = reader.takes('stream\r\n') || reader.takes('stream\n') ? reader.at : null
  return { value, stream }
}

function resolve (bytes, offsets, value, depth = 0) {
  if (!(value instanceof Reference)) return { value, stream: null }
  const at = offsets.get(value.number)
  if (typeof at !== 'number' || depth > MAX_DEPTH) throw new Malformed('reference')
  const found = objectAt(bytes, at, value.number)
  return found.value instanceof Reference ? resolve(bytes, offsets, found.value, depth + 1) : found
}

/* What the signature says of itself: its moment in milliseconds, or null. */
function claimedMoment (bytes, offsets, container) {
  let start = -1
  for (const at of offsets.values()) if (at !== null && at < container.from && at > start) start = at
  if (start < 0) return null
  const { value } = objectAt(bytes, start)
  if (!(value instanceof Map) || !Array.isArray(value.get('ByteRange'))) return null
  return momentOf(value.get('M'))
}

function momentOf (text) {
  const match = /^D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:Z|([+-])(\d\d)'(\d\d)'?)$/.exec(String(text))
  if (!match) return null
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number)
  const ahead = match[7] ? (match[7] === '+' ? 1 : -1) * (Number(match[8]) * 60 + Number(match[9])) : 0
  return Date.UTC(year, month - 1, day, hour, minute, second) - ahead * 60000
}

/* The canonical data attached to a report; null if there is none or it cannot be read. */
async function attachmentOf (bytes, tables) {
  const value = given => resolve(bytes, tables.offsets, given).value
  const files = value(value(tables.trailer.get('Root')).get('AF'))
  for (const given of Array.isArray(files) ? files.slice(0, 16) : []) {
    const file = value(given)
    if (textOf(file.get('UF') || file.get('F')) !== ATTACHMENT) continue
    return unpack(bytes, tables.offsets, resolve(bytes, tables.offsets, value(file.get('EF')).get('F')))
  }
  return null
}

function textOf (text) {
  if (typeof text !== 'string') return ''
  if (!text.startsWith('\xfe\xff')) return text
  return new TextDecoder('utf-16be').decode(Uint8Array.from(text.slice(2), char => char.charCodeAt(0)))
}

async function unpack (bytes, offsets, { value, stream }) {
  const length = resolve(bytes, offsets, value.get('Length')).value
  if (stream === null || !Number.isInteger(length) || length < 0 || stream + length > bytes.length) throw new Malformed('stream')
  const packed = bytes.subarray(stream, stream + length)
  const filter = [].concat(value.get('Filter') || [])
  if (value.get('DecodeParms') || filter.length > 1) throw new Unexaminable('filter')
  if (!filter.length) return packed.length <= MAX_ATTACHMENT ? packed : null
  if (filter[0].text !== 'FlateDecode') throw new Unexaminable('filter')
  return inflate(packed)
}

/* Never more than the bound, whatever the packed bytes promise. */
async function inflate (packed) {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate')).getReader()
  const pieces = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return joined(...pieces)
    size += value.length
    if (size > MAX_ATTACHMENT) {
      await reader.cancel()
      throw new Malformed('attachment')
    }
    pieces.push(value)
  }
}

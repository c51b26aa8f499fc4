/* The verifier's parsers by themselves: what has one form is read in that form alone, and nothing is read for ever. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { test } from 'node:test'
import { core } from './core.mjs'

const bytes = hex => core.fromHex(hex)
const ascii = text => Uint8Array.from(text, char => char.charCodeAt(0))
const refuses = (work, kind = core.Malformed) => assert.throws(work, kind)

test('DER is read in its one form only', () => {
  assert.equal(core.parts(core.der(bytes('3006020101020102'))).length, 2)
  for (const wrong of [
    '30060201010201', // cut short
    '300602010102010200', // something after
    '3080020101020102 0000'.replace(' ', ''), // indefinite length
    '308106020101020102', // a length longer than it need be
    '3f8100', // a tag of several bytes
    '30840000000602010102010 2'.replace(' ', ''), // a length with zeros before
    '' // nothing
  ]) refuses(() => core.parts(core.der(bytes(wrong))))
})

test('lengths that promise more than there is are refused before anything is allotted', () => {
  refuses(() => core.der(bytes('30847fffffff00')))
  refuses(() => core.der(bytes('3085ffffffffff')))
})

test('object identifiers and times are read as they are written', () => {
  assert.equal(core.oidOf(core.der(bytes('06092a864886f70d010702'))), '1.2.840.113549.1.7.2')
  refuses(() => core.oidOf(core.der(bytes('06032a8001'))))
  const time = (tag, text) => core.timeOf({ tag, body: ascii(text) })
  assert.equal(time(0x17, '261121070802Z'), Date.UTC(2026, 10, 21, 7, 8, 2))
  assert.equal(time(0x18, '20261121070802.5Z'), Date.UTC(2026, 10, 21, 7, 8, 2, 500))
  for (const wrong of ['261321070802Z', '260231070802Z', '2611210708Z', '261121070802+0800']) refuses(() => time(0x17, wrong))
})

test('an ECDSA signature is read in its one form', () => {
  assert.equal(core.hexOf(core.flatSignature(bytes('3006020101020102'), 2)), '00010002')
  for (const wrong of ['3007020200010201 02'.replace(' ', ''), '3006020181020102', '3003020101', '3006020100020102']) {
    refuses(() => core.flatSignature(bytes(wrong), 2))
  }
})

test('what is written can be read again, whatever its length', () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65535, 65536]) {
    const node = core.der(core.write(0x04, new Uint8Array(length)))
    assert.equal(node.body.length, length)
  }
})

test('CBOR is read in its canonical form only', () => {
  assert.deepEqual(core.cbor(bytes('83010220')), [1, 2, -1])
  for (const wrong of [
    '1801', // a head longer than it need be
    '9f01ff', // without a length
    'a2020101 02'.replace(' ', ''), // keys out of order
    'a201010102', // a key twice
    '8301', // cut short
    '0101', // something after
    '8181818181818101', // too deep
    'f90000', // no number of ours
    '5b7fffffffffffffff', // a length beyond all
    '61ff' // no UTF-8
  ]) assert.throws(() => core.cbor(bytes(wrong)))
})

test('a QR text that is not one of ours is not read', () => {
  const tail = '/v/7K3M9Q2XB4HT#' + 'A'.repeat(60)
  assert.equal(core.readQrText('https://credit.example' + tail).host, 'credit.example')
  assert.equal(core.readQrText('http://127.0.0.1:8000' + tail).host, '127.0.0.1:8000')
  for (const wrong of [
    'http://credit.example' + tail, 'ftp://credit.example' + tail, 'https://credit.example/x' + tail, 'https://u@credit.example' + tail,
    'https://ｃredit.example' + tail, 'https://credit.example' + tail + ' x', 'https://credit.example/v/x#AAAA', 'x'.repeat(3000), ''
  ]) assert.equal(core.readQrText(wrong), null)
})

test('a host that only looks like another shows itself', () => {
  assert.equal(core.plainHost('https://сredit.example/v/x'), 'xn--redit-0ye.example') // the first letter is Cyrillic
  assert.equal(core.plainHost('https://ｃｒｅｄｉｔ.example/'), 'credit.example')
  assert.equal(core.plainHost('javascript:alert(1)'), null)
})

test('PDF values end, whatever they hold', () => {
  const read = text => new core.Reader(ascii(text), 0).value()
  assert.deepEqual([...read('<</A 1/B[2 0 R(x\\)y)<4142>]>>').keys()], ['A', 'B'])
  for (const wrong of ['[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[', '<<'.repeat(40), '(', '<41', '<</A', '<</A 1/A 2>>', '<<1 2>>', '[', 'endobj', '']) {
    refuses(() => read(wrong))
  }
  refuses(() => read('[' + '1 '.repeat(500000) + ']'))
})

test('tables that lead in a circle or promise too much are refused', () => {
  const file = body => ascii(`%PDF-1.7\n${body}`)
  const circle = 'xref\n0 1\n0000000000 65535 f \ntrailer\n<</Prev 9>>\nstartxref\n9\n%%EOF\n'
  refuses(() => core.readTables(file(circle)))
  refuses(() => core.readTables(file('xref\n0 99999999\ntrailer\n<<>>\nstartxref\n9\n%%EOF\n')))
  refuses(() => core.readTables(file('1 0 obj\nstartxref\n9\n%%EOF\n')), core.Unexaminable)
  refuses(() => core.readTables(file('no tables at all')))
})

test('a bomb is not unpacked', async () => {
  const bomb = deflateSync(Buffer.alloc(64 * 1024 * 1024))
  await assert.rejects(core.inflate(new Uint8Array(bomb)), core.Malformed)
  assert.equal((await core.inflate(new Uint8Array(deflateSync(Buffer.from('x'))))).length, 1)
})

test('the signed ranges must be the whole file around one gap', () => {
  const of = (text, length) => core.signedRanges(Object.assign(ascii(text.padEnd(length))), 0)
  assert.deepEqual(of('/ByteRange [0 100 200 50]', 250), { from: 100, to: 200 })
  for (const wrong of ['[0 100 200 49]', '[0 100 200 51]', '[1 100 200 50]', '[0 200 100 150]', '[0 100 250 0]', '[0 100 200 50 1 1]',
    '[0 -1 200 50]', '[0 100 99999999999 50]', '[0 100 200]']) assert.equal(of(`/ByteRange ${wrong}`, 250), null)
})

test('the moment a signature claims is read with its zone', () => {
  assert.equal(core.momentOf("D:20261121150802+08'00'"), Date.UTC(2026, 10, 21, 7, 8, 2))
  assert.equal(core.momentOf('D:20261121070802Z'), Date.UTC(2026, 10, 21, 7, 8, 2))
  for (const wrong of ['D:2026', '20261121070802Z', null, 'D:20261121070802']) assert.equal(core.momentOf(wrong), null)
})

test('a path leads to the root from its own leaf and place only (RFC 6962)', async () => {
  const hash = (...pieces) => new Uint8Array(pieces.reduce((sum, piece) => sum.update(Uint8Array.from(piece)), createHash('sha256')).digest())
  const leaves = await Promise.all(['a', 'b', 'c'].map(core.leafHash))
  const left = hash([1], leaves[0], leaves[1])
  const root = hash([1], left, leaves[2])
  const leads = async (...way) => { const found = await core.rootFrom(...way); return Boolean(found) && core.equal(found, root) }
  assert.ok(await leads(leaves[2], 2, 3, [left]))
  assert.ok(await leads(leaves[0], 0, 3, [leaves[1], leaves[2]]))
  for (const wrong of [[leaves[0], 1, 3, [leaves[1], leaves[2]]], [leaves[0], 0, 3, [leaves[1]]], [leaves[0], 0, 2, [leaves[1], leaves[2]]],
    [leaves[1], 3, 3, [left]], [leaves[2], 2, 3, [left, left]]]) assert.ok(!await leads(...wrong))
})

test('files of twenty megabytes made to tire the verifier are answered within its five seconds', async () => {
  const size = 19_900_000
  const keys = { format: 'xinzheng.keys/1', host: 'credit.example', keys: [] }
  const filled = unit => {
    const file = Buffer.alloc(size, unit, 'latin1')
    file.write('%PDF-')
    return file
  }
  const hole = (unit, start) => {
    const [from, to] = [100, size - 400]
    const file = filled(' ').fill(unit, from, to)
    file.write(`<${start}`, from)
    file.write('>', to - 1)
    file.write(`/ByteRange [0 ${from} ${to} ${size - to}]`, to + 10)
    return file
  }
  const files = [filled('/'), filled('/ByteRang'), filled('<<'), hole('0', ''), hole('3084', ''), hole('0500', '308400900000a084008f0000')]
  for (const file of files) {
    const begun = performance.now()
    const facts = await core.examine({ pdf: new Uint8Array(file) }, keys)
    assert.equal(facts.intact, false)
    assert.ok(performance.now() - begun < 5000)
  }
})

/* Reports signed in every way we sign them, and changed in every way we could think of, through the verifier of the page. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { core } from './core.mjs'

const folder = process.env.XINZHENG_SAMPLES
const { cases, hostile, flipped } = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8'))
const file = name => new Uint8Array(readFileSync(join(folder, name)))
const isAllGood = facts => facts.intact === true && facts.signature_valid === true && facts.signer_trusted === true

for (const { name, pdf, qr, proof, keys, expect, says } of cases) {
  test(name, async () => {
    const facts = await core.examine({ pdf: pdf && file(pdf), qr, proof }, keys)
    for (const [fact, value] of Object.entries(expect)) assert.equal(facts[fact], value, `${fact}: ${facts.reasons}`)
    assert.equal(facts.status, null)
    const told = facts.reasons.join('\n')
    for (const words of says) assert.ok(told.includes(words), told)
  })
}

test(`none of ${hostile.files.length} changed files has all facts good`, async () => {
  for (const name of hostile.files) {
    const facts = await core.examine({ pdf: file(name) }, hostile.keys)
    assert.ok(!isAllGood(facts), name)
    assert.ok(facts.reasons.length > 1, `${name}: no reason given`)
    assert.equal(facts.number, null, name)
  }
})

/* A generator of our own, so that a failure can be repeated. */
function * numbers (seed) {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    yield state / 2 ** 32
  }
}

test('no single changed byte, wherever it is, leaves all facts good', async () => {
  const random = numbers(20261121)
  const next = below => Math.floor(random.next().value * below)
  let done = 0
  for (const { name, keys } of flipped) {
    const whole = file(name)
    const { from, to } = core.signedRanges(whole, Buffer.from(whole).lastIndexOf('/ByteRange'))
    const filled = core.valueAndPadding(core.containerBytes(whole.subarray(from, to))).node.bytes.length * 2 + 2
    const places = [
      ...Array.from({ length: 60 }, () => next(whole.length)),
      ...Array.from({ length: 140 }, () => from - 4 + next(filled + 8)),
      ...Array.from({ length: 30 }, () => from + filled + next(to - from - filled)),
      ...Array.from({ length: 30 }, () => to + next(whole.length - to))
    ]
    for (const place of places) {
      const changed = whole.slice()
      changed[place] ^= 1 + next(255)
      assert.ok(!isAllGood(await core.examine({ pdf: changed }, keys)), `${name} at ${place}: ${whole[place]} to ${changed[place]}`)
      done++
    }
    for (let digit = from + 1; digit < from + filled; digit += 1 + next(12)) {
      const changed = whole.slice()
      changed[digit] = '0123456789ABCDEF'.charCodeAt(('0123456789ABCDEF'.indexOf(String.fromCharCode(whole[digit])) + 1 + next(15)) % 16)
      assert.ok(!isAllGood(await core.examine({ pdf: changed }, keys)), `${name}: digit ${digit}`)
      done++
    }
  }
  assert.ok(done > 500)
})

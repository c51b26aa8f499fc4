/* The whole corpus of changed reports through the verifier of the page: one file, one after the other. */
import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { core } from './core.mjs'

const folder = process.env.XINZHENG_SAMPLES
const { keys, good, changed } = JSON.parse(readFileSync(join(folder, 'corpus.json'), 'utf8'))

async function * examined (listed) {
  const file = openSync(join(folder, 'corpus.bin'))
  for (const { name, from, length } of listed) {
    const pdf = new Uint8Array(length)
    readSync(file, pdf, 0, length, from)
    yield { name, facts: await core.examine({ pdf }, keys) }
  }
  closeSync(file)
}

const isAllGood = facts => facts.intact === true && facts.signature_valid === true && facts.signer_trusted === true

test('what was issued is in order', async () => {
  for await (const { name, facts } of examined(good)) assert.ok(isAllGood(facts), `${name}: ${facts.reasons}`)
})

test(`none of ${changed.length} changed reports has all facts good`, async () => {
  const passed = []
  let done = 0
  for await (const { name, facts } of examined(changed)) {
    done++
    if (isAllGood(facts) || facts.number !== null || facts.reasons.length < 2) passed.push(name)
  }
  assert.deepEqual(passed, [])
  assert.ok(done >= 500)
})

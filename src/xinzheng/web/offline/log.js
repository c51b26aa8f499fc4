/* The inclusion proof beside a report (RFC 6962, RFC 9162 section 2.1): what the transparency log holds about it,
   under a checkpoint signed with the log's published key (C2SP signed note, Ed25519). */
const PROOF = 'xinzheng.proof/1'
const MOST_LEAVES = 16
const MOST_STEPS = 64
const NOTE = /^([^\n]+)\n(0|[1-9]\d{0,14})\n([A-Za-z0-9+/]{43}=)\n\n((?:— \S+ [A-Za-z0-9+/]+=*\n)+)$/
const LOG_WORDS = {
  unreadable: '收录证明读不出，请重新下载。',
  noKey: '公布的密钥里没有透明日志的公钥，没有核对收录证明。',
  cannot: '本页不能核对透明日志的签名（浏览器不支持 Ed25519），没有核对收录证明。',
  nothing: '没有提交报告文件或者二维码，没有核对收录证明。',
  lostKey: '透明日志的密钥已经公布失密，没有核对收录证明。',
  otherKey: '收录证明的检查点由另一把日志密钥签署，没有核对收录证明。',
  wrong: '收录证明不成立：检查点的签名或者路径对不上。',
  other: '收录证明不是这份报告的。',
  changed: {
    superseded: '透明日志记载：报告已更正，请以新报告为准。',
    revoked: '透明日志记载：报告已作废。',
    expired: '透明日志记载：报告已过期。'
  }
}

async function leafHash (text) {
  return digestOf(joined([0], new TextEncoder().encode(text)))
}

/* The root that ``path`` leads to from a leaf at ``index`` of ``size``; null if it leads nowhere. */
async function rootFrom (leaf, index, size, path) {
  if (index >= size) return null
  let place = index
  let last = size - 1
  let found = leaf
  const half = number => Math.floor(number / 2)
  for (const neighbour of path) {
    if (last === 0) return null
    if (place % 2 || place === last) {
      found = await digestOf(joined([1], neighbour, found))
      while (place % 2 === 0 && place) [place, last] = [half(place), half(last)]
    } else {
      found = await digestOf(joined([1], found, neighbour))
    }
    place = half(place)
    last = half(last)
  }
  return last === 0 ? found : null
}

/* The Ed25519 key behind ``name+id+key``: { name, id, bytes }; Malformed if its parts do not agree. */
async function readLogKey (text) {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(String(text).trim())
  const data = match ? fromBase64(match[3]) : new Uint8Array(0)
  if (data.length !== 33 || data[0] !== 1) throw new Malformed('log key')
  const id = (await digestOf(joined(new TextEncoder().encode(match[1] + '\n'), data))).subarray(0, 4)
  if (hexOf(id) !== match[2]) throw new Malformed('log key')
  return { name: match[1], id, bytes: data.subarray(1) }
}

/* { size, root } of a checkpoint that the key signed; null if its signature is wrong, undefined if it has none. */
async function openNote (note, key) {
  const match = NOTE.exec(String(note).slice(0, 100000))
  if (!match) throw new Malformed('checkpoint')
  if (match[1] !== key.name) return undefined
  const body = new TextEncoder().encode(match.slice(1, 4).join('\n') + '\n')
  let usable
  try {
    usable = await crypto.subtle.importKey('raw', key.bytes, { name: 'Ed25519' }, false, ['verify'])
  } catch (error) {
    throw new Unexaminable('Ed25519')
  }
  let found
  for (const line of match[4].trimEnd().split('\n')) {
    const [, name, encoded] = line.split(' ')
    const data = fromBase64(encoded)
    if (name !== key.name || !equal(data.subarray(0, 4), key.id)) continue
    if (!await crypto.subtle.verify({ name: 'Ed25519' }, usable, data.subarray(4), body)) return null
    found = { size: Number(match[2]), root: fromBase64(match[3]) }
  }
  return found
}

function readProof (proof) {
  const isSound = proof && proof.format === PROOF && typeof proof.checkpoint === 'string' && Array.isArray(proof.leaves) &&
    proof.leaves.length > 0 && proof.leaves.length <= MOST_LEAVES
  if (!isSound) throw new Malformed('proof')
  return proof.leaves.map(({ leaf, index, path }) => {
    const isLeaf = typeof leaf === 'string' && leaf.length <= 1024 && Number.isSafeInteger(index) && index >= 0 &&
      Array.isArray(path) && path.length <= MOST_STEPS
    if (!isLeaf) throw new Malformed('proof')
    const hashes = path.map(fromBase64)
    if (hashes.some(hash => hash.length !== 32)) throw new Malformed('proof')
    return { text: leaf, said: JSON.parse(leaf), index, path: hashes }
  })
}

/* Whether the log holds this report, and what else it holds about it, as far as the proof goes. */
async function examineProof (facts, proof, keys) {
  const digest = facts.content ? hexOf(await digestOf(facts.content)) : facts.seal ? hexOf(facts.seal.digest) : null
  if (!digest) return say(facts, LOG_WORDS.nothing)
  if (!keys.log || !keys.log.vkey) return say(facts, LOG_WORDS.noKey)
  try {
    const leaves = readProof(proof)
    const key = await readLogKey(keys.log.vkey)
    if (keys.lostLogs.some(spki => equal(spki.subarray(-32), key.bytes))) return say(facts, LOG_WORDS.lostKey)
    const head = await openNote(proof.checkpoint, key)
    if (head === undefined) return say(facts, LOG_WORDS.otherKey)
    await weighLeaves(facts, leaves, head, digest)
  } catch (error) {
    if (error instanceof Unexaminable) say(facts, LOG_WORDS.cannot)
    else {
      facts.in_log = false
      say(facts, LOG_WORDS.unreadable)
    }
  }
}

async function weighLeaves (facts, leaves, head, digest) {
  facts.in_log = false
  for (const leaf of leaves) {
    const root = head && await rootFrom(await leafHash(leaf.text), leaf.index, head.size, leaf.path)
    if (!root || !equal(root, head.root)) return say(facts, LOG_WORDS.wrong)
  }
  const mine = leaves.filter(leaf => leaf.said && leaf.said.digest === digest)
  const covered = facts.covered && hexOf(facts.covered)
  const isIssue = leaf => leaf.said.type === 'issued' && (!covered || leaf.said.file === covered)
  if (!mine.some(isIssue)) return say(facts, LOG_WORDS.other)
  facts.in_log = true
  facts.log_size = head.size
  for (const leaf of mine) {
    const words = leaf.said.type === 'status' && Object.hasOwn(LOG_WORDS.changed, leaf.said.status) && LOG_WORDS.changed[leaf.said.status]
    if (!words) continue
    facts.log_words = words
    say(facts, words)
  }
}

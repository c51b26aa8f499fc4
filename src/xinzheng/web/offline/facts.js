/* What is found out about a report without a network: facts, each examined on its own, never one verdict.
   A fact nobody could examine is null, and the reasons say so. The status is never examined here. */
const CHANGING = 24 * 3600 * 1000
const WORDS = {
  tooLarge: '文件超过20 MB，没有核对。请提交原始报告文件。',
  unreadable: '文件不能作为报告读出：不是 PDF 文件，或者已经损坏、被改动。',
  unsigned: '文件没有数字签名，不能证明由谁签发、是否改动。',
  several: '文件含有不止一个签名，不是签发时的原样。',
  notWhole: '签名没有覆盖整个文件：签发之后文件有增加或者截去的内容。',
  altered: '文件内容与签名时不一致。',
  container: '签名数据的形式不是签发时的原样。',
  invalid: '签名与签名证书不相符。',
  undated: '签名没有写明时间，不能核对证书在签发时是否有效。',
  untrusted: '签名证书不是由受信任的机构签发，或者签发时证书不在有效期内。',
  revoked: '签名没有时间戳，签名证书后来被吊销，或者已经公布失密，不能证明签名在先。',
  lateStamp: '时间戳是后来盖的，签名证书在此以前被吊销，或者已经公布失密，不能证明签名在先。',
  revokedBefore: '签名时间在证书被吊销、密钥公布失密或者停用以后。',
  unexaminable: '签名用的算法或者证书本页不能核对，没有核对签名和签发者。请改用网站或者命令行核验。',
  stampUnexaminable: '签名里的时间戳用了本页不能核对的算法，没有核对。',
  stampKey: '时间戳机构的密钥已经公布失密，时间戳不能作数。',
  noLists: '没有可用的吊销名单，证书有没有被吊销没有核对。',
  notQr: '不是本系统报告的二维码内容，应当以 https:// 开头并含有 /v/。',
  sealUnreadable: '二维码的签名部分读不出。请重新扫描。',
  sealUnknown: '二维码由未公布的密钥签发，不能确认来源。请核对网址。',
  sealInvalid: '二维码的签名无效，内容可能被改动过。',
  sealHost: '二维码的网址与签名里写明的网站不是同一个，不要打开这个网址。',
  sealKey: '二维码的签章密钥已经公布失密或者停用，单凭二维码不能认定来源。',
  differs: '文件与二维码不是同一份报告。',
  noDocument: '未提交文件，未核对内容',
  noNetwork: '未联网，未查询状态'
}

/* The published keys, out of what the site serves at /.well-known/xinzheng.json; Malformed if it is anything else. */
function readKeys (published) {
  if (!published || published.format !== 'xinzheng.keys/1' || !Array.isArray(published.keys)) throw new Malformed('keys')
  const keys = published.keys.map(readKey)
  const of = (purpose, member) => keys.filter(key => key.purpose === purpose && key[member])
  const held = key => key.status !== 'compromised'
  return {
    host: String(published.host || ''),
    roots: of('root', 'certificate').filter(held).map(key => key.certificate),
    stampers: of('stamp', 'certificate'),
    documents: of('document', 'certificate'),
    seals: of('seal', 'spki'),
    lists: (Array.isArray(published.crls) ? published.crls : []).map(text => orNull(() => readRevocations(fromBase64(text)))).filter(Boolean),
    log: published.log || null,
    lostLogs: of('log', 'spki').filter(key => !held(key)).map(key => key.spki)
  }
}

function readKey (key) {
  const moment = text => text ? Date.parse(text) : null
  return {
    id: String(key.id),
    purpose: String(key.purpose),
    status: String(key.status),
    since: moment(key.since),
    until: moment(key.until),
    certificate: key.certificate ? orNull(() => readCertificate(fromBase64(key.certificate))) : null,
    spki: key.spki ? orNull(() => fromBase64(key.spki)) : null
  }
}

/* What cannot be read says nothing; the rest of the published keys still counts. */
function orNull (read) {
  try {
    return read()
  } catch (error) {
    return null
  }
}

function nothingKnown () {
  return {
    intact: null, signature_valid: null, signer_trusted: null, status: null,
    stamped: null, not_revoked: null, same_report: null, in_log: null,
    number: null, host: null, as_of: null, signed_at: null, stamped_at: null, signer: null, content: null, reasons: []
  }
}

function say (facts, reason) {
  if (!facts.reasons.includes(reason)) facts.reasons.push(reason)
}

/* The facts about a file's bytes. */
async function examineDocument (bytes, keys) {
  const facts = nothingKnown()
  if (bytes.length > MAX_FILE) {
    say(facts, WORDS.tooLarge)
    return facts
  }
  const container = findContainer(facts, bytes)
  if (!container) return facts
  try {
    await examineSigned(facts, bytes, container, keys)
  } catch (error) {
    if (error instanceof Unexaminable) return unexamined(facts)
    return { ...nothingKnown(), intact: false, reasons: [WORDS.unreadable] }
  }
  return facts
}

function unexamined (facts) {
  say(facts, WORDS.unexaminable)
  const signature = facts.signature_valid === false ? false : null
  return { ...facts, signature_valid: signature, signer_trusted: null, content: null, number: null }
}

function findContainer (facts, bytes) {
  const found = places(bytes, '/ByteRange', 2)
  const container = found.length === 1 ? signedRanges(bytes, found[0]) : null
  const isPdf = latin(bytes.subarray(0, 5)) === '%PDF-'
  if (container && isPdf) return container
  facts.intact = false
  say(facts, !isPdf ? WORDS.unreadable : !found.length ? WORDS.unsigned : found.length > 1 ? WORDS.several : WORDS.notWhole)
  return null
}

async function examineSigned (facts, bytes, container, keys) {
  const held = containerBytes(bytes.subarray(container.from, container.to))
  if (!held) throw new Malformed('container')
  const { node, isPadded } = valueAndPadding(held)
  const message = readMessage(node)
  const covered = joined(bytes.subarray(0, container.from), bytes.subarray(container.to))
  facts.intact = equal(messageDigest(message.signer.attributes), await digestOf(covered))
  if (!facts.intact) say(facts, WORDS.altered)
  const certificate = signerCertificate(message)
  facts.signer = certificate.name
  const holds = await signerHolds(message, certificate)
  if (!holds) say(facts, WORDS.invalid)
  const isForm = isPadded && isReportForm(message, certificate, node, held.length)
  if (!isForm) say(facts, WORDS.container)
  facts.signature_valid = holds && isForm
  const tables = tablesOf(bytes)
  facts.signed_at = tables ? claimedMoment(bytes, tables.offsets, container) : null
  const stamp = await examineStamp(facts, message, keys)
  if (holds) await examineSigner(facts, { message, certificate, stamp }, keys)
  if (facts.intact) await examineContent(facts, bytes, tables)
  facts.covered = await digestOf(covered)
}

function tablesOf (bytes) {
  return orNull(() => readTables(bytes))
}

/* The time stamp: true, false, or null where there is none or it cannot be examined. One that is wrong spoils the container. */
async function examineStamp (facts, message, keys) {
  const token = tokenOf(message)
  if (token === undefined) return null
  const roots = [...keys.roots, ...keys.stampers.map(key => key.certificate)]
  let stamp = null
  try {
    stamp = token && await stampedAt(token, message.signer.signature, roots)
  } catch (error) {
    if (error instanceof Unexaminable) {
      say(facts, WORDS.stampUnexaminable)
      if (facts.signature_valid) facts.signature_valid = null // what stands there unexamined may be anything
      return null
    }
  }
  facts.stamped = Boolean(stamp)
  if (!stamp) {
    facts.signature_valid = false
    say(facts, WORDS.container)
    return null
  }
  if (await isSpoiled(stamp, keys)) {
    facts.stamped = false
    say(facts, WORDS.stampKey)
    return null
  }
  facts.stamped_at = stamp.at
  return stamp
}

/* Whether somebody else may have the authority's key: then a stamp of any date may be theirs. */
async function isSpoiled (stamp, keys) {
  if ([stamp.certificate, stamp.root].some(one => endsOf(keys.stampers, one.spki).lost !== null)) return true
  const revoked = await revocationOf({ path: [stamp.certificate], root: stamp.root }, keys.lists)
  return Boolean(revoked) && (revoked.isSuspicious || revoked.at <= stamp.at)
}

async function examineSigner (facts, { message, certificate, stamp }, keys) {
  const moment = stamp ? stamp.at : facts.signed_at
  if (moment === null) {
    facts.signer_trusted = false
    say(facts, WORDS.undated)
    return
  }
  const others = message.certificates.filter(one => one !== certificate)
  const found = isMeantFor(certificate, false) ? await pathToRoot(certificate, others, keys.roots, moment) : null
  facts.signer_trusted = Boolean(found)
  if (!found) {
    say(facts, WORDS.untrusted)
    return
  }
  await examineValidity(facts, found, stamp, keys)
}

/* What is published of a key, whichever certificate it has: when it ceased to count because it was replaced (what was
   being signed at that moment still does), and since when others may have had it. */
function endsOf (keys, spki) {
  const same = keys.filter(key => equal(key.certificate ? key.certificate.spki : key.spki, spki))
  const earliest = moments => moments.length ? Math.min(...moments) : null
  return {
    isKnown: same.length > 0,
    retired: earliest(same.filter(key => key.until !== null).map(key => key.until + CHANGING)),
    lost: earliest(same.filter(key => key.status === 'compromised').map(key => key.since === null ? -Infinity : key.since))
  }
}

/* Whether the signer's key still counted, by the lists of revoked certificates and by the keys' history. The signer says
   himself when he signed: where others may have had the key, only a stamp proves that it was before. */
async function examineValidity (facts, found, stamp, keys) {
  const revoked = await revocationOf(found, keys.lists)
  const ends = endsOf(keys.documents, found.path[0].spki)
  facts.not_revoked = revoked || ends.lost !== null ? false : revoked === null && !ends.isKnown ? null : true
  if (facts.not_revoked === null) say(facts, WORDS.noLists)
  const doubts = [revoked ? revoked.at : null, ends.lost].filter(at => at !== null).map(at => doubtAfter(at, facts.signed_at, stamp))
  const told = [facts.signed_at, stamp && stamp.at].filter(at => typeof at === 'number')
  if (ends.retired !== null && Math.min(...told) >= ends.retired) doubts.push(WORDS.revokedBefore)
  for (const doubt of doubts.filter(Boolean)) {
    facts.signer_trusted = false
    say(facts, doubt)
  }
}

/* What speaks against a signature whose key counts no longer since then; nothing if it was stamped before. */
function doubtAfter (at, signedAt, stamp) {
  if (stamp && stamp.at < at) return null
  if (signedAt === null || signedAt >= at) return WORDS.revokedBefore
  return stamp ? WORDS.lateStamp : WORDS.revoked
}

/* What the attached data says; told as the report's own words only where file, signature and signer are in order. */
async function examineContent (facts, bytes, tables) {
  let content = null
  try {
    content = tables && await attachmentOf(bytes, tables)
  } catch (error) {
    content = null
  }
  if (!content) return
  facts.content = content
  if (!facts.signature_valid || !facts.signer_trusted) return
  try {
    const said = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content))
    facts.number = typeof said.number === 'string' ? said.number.slice(0, 32) : null
    facts.said = said
  } catch (error) {
    facts.number = null
  }
}

/* The facts about the text of a QR code; ``digest`` is that of a report's content. */
async function examineQrText (text, keys) {
  const facts = nothingKnown()
  const read = readQrText(text)
  if (!read) {
    const host = plainHost(text)
    say(facts, WORDS.notQr)
    if (host && host !== keys.host) say(facts, otherHost(host, keys.host))
    return facts
  }
  facts.host = read.host
  let seal
  try {
    seal = readSeal(read.sealed)
  } catch (error) {
    facts.signature_valid = false
    say(facts, WORDS.sealUnreadable)
    return facts
  }
  await examineSeal(facts, seal, read, keys)
  return facts
}

function otherHost (host, ours) {
  return `这张码写明的核验网站是 ${host}，不是本站（${ours}）。`
}

async function examineSeal (facts, seal, read, keys) {
  const ids = await Promise.all(keys.seals.map(async key => hexOf((await digestOf(key.spki)).subarray(0, 8))))
  const key = keys.seals[ids.indexOf(seal.keyId)]
  if (!key) {
    facts.signer_trusted = false
    say(facts, WORDS.sealUnknown)
    if (seal.host !== keys.host) say(facts, otherHost(seal.host, keys.host))
    return
  }
  facts.signature_valid = await sealHolds(seal, key.spki) && seal.host === read.host
  if (!facts.signature_valid) {
    say(facts, seal.host === read.host ? WORDS.sealInvalid : WORDS.sealHost)
    return
  }
  const ends = endsOf(keys.seals, key.spki)
  facts.signer_trusted = ends.lost === null && (ends.retired === null || seal.asOf < ends.retired)
  if (!facts.signer_trusted) say(facts, WORDS.sealKey)
  Object.assign(facts, { number: seal.number, as_of: seal.asOf, host: seal.host, policy: seal.policy, seal })
  if (seal.host !== keys.host) say(facts, otherHost(seal.host, keys.host))
}

/* Everything that was handed in, together: { pdf, qr, proof } against the published keys. */
async function examine (given, published) {
  const keys = readKeys(published)
  const fromQr = given.qr ? await examineQrText(given.qr, keys) : null
  const facts = given.pdf ? await examineDocument(given.pdf, keys) : fromQr || nothingKnown()
  if (!given.pdf) facts.reasons.unshift(WORDS.noDocument)
  if (given.pdf && fromQr) await compare(facts, fromQr)
  if (given.proof) await examineProof(facts, given.proof, keys)
  say(facts, WORDS.noNetwork)
  for (const inner of ['content', 'seal', 'covered']) delete facts[inner]
  return facts
}

/* Whether file and code are of one report; only two that are in order themselves can be. */
async function compare (facts, fromQr) {
  fromQr.reasons.forEach(reason => say(facts, reason))
  facts.host = fromQr.host
  if (!fromQr.signer_trusted || !fromQr.signature_valid || !facts.content) {
    if (fromQr.signature_valid === false || fromQr.signer_trusted === false) facts.same_report = false
    return
  }
  facts.same_report = equal(await digestOf(facts.content), fromQr.seal.digest)
  if (!facts.same_report) say(facts, WORDS.differs)
}

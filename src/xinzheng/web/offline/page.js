/* The page around the verifier: takes what is handed in, has it examined apart from the page, shows the facts. */
(function () {
  'use strict'
  const PATIENCE = 5000
  const TIMED_OUT = '核对超过5秒没有完成，已经停止。这份文件不像本系统的报告。'
  const GAVE_UP = '核对中途停止，没有结果。这份文件不像本系统的报告。'
  const GOOD = 'none'
  const BAD = 'found'
  const OPEN = 'unver'
  const SILENT = 'minus'
  const $ = id => document.getElementById(id)
  const embedded = JSON.parse($('published').textContent)
  let published = embedded

  const FACTS = [
    ['intact', '文件是否改动', ['文件未改动', '签发以后没有改动过。'], ['文件已被改动', '签发以后被改动过，或者不是本系统的报告，不要使用。']],
    ['signature_valid', '签名是否有效', ['签名有效', '签名与内容相符。'], ['签名无效', '没有签名，或者签名与内容不符。']],
    ['signer_trusted', '签发者是否可信', ['签发者可信', '签发所用的密钥是本站公布的。'], ['签发者不可信', '签发所用的密钥不是本站公布的，或者已经不能作数。']]
  ]
  const MORE = [
    ['same_report', '文件与二维码', '是同一份报告', '不是同一份报告', '没有同时提交，未核对'],
    ['stamped', '时间戳', '有效，签发时间有第三方证明', '无效', '没有时间戳，或者未核对'],
    ['not_revoked', '证书吊销', '没有吊销（以内置的吊销名单和公布的密钥为准）', '已经吊销', '没有核对'],
    ['in_log', '透明日志', '已收录', '收录证明不成立', '没有提交收录证明，未核对']
  ]

  function element (tag, classes, ...children) {
    const made = document.createElement(tag)
    if (classes) made.className = classes
    made.append(...children)
    return made
  }

  function icon (name, colour) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
    svg.setAttribute('class', colour ? `icon is-${colour}` : 'icon')
    svg.setAttribute('aria-hidden', 'true')
    const use = document.createElementNS('http://www.w3.org/2000/svg', 'use')
    use.setAttribute('href', `#i-${name}`)
    svg.append(use)
    return svg
  }

  function moment (milliseconds) {
    const two = number => String(number).padStart(2, '0')
    const at = new Date(milliseconds + 8 * 3600000)
    const day = `${at.getUTCFullYear()}年${at.getUTCMonth() + 1}月${at.getUTCDate()}日`
    return `${day} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}（北京时间）`
  }

  /* In a worker, which can be stopped; in the page itself where the browser makes none. */
  function examineApart (given) {
    const code = `${$('core').textContent}\nonmessage = event => examine(event.data.given, event.data.published)` +
      '.then(facts => postMessage({ facts }), error => postMessage({ error: String(error.message) }))\npostMessage({ ready: true })'
    const address = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }))
    return new Promise((resolve, reject) => {
      let worker
      try {
        worker = new Worker(address)
      } catch (error) {
        return resolve(examine(given, published))
      }
      let isReady = false
      const end = settle => value => {
        clearTimeout(timer)
        worker.terminate()
        URL.revokeObjectURL(address)
        settle(value)
      }
      const timer = setTimeout(() => end(reject)(new Error(TIMED_OUT)), PATIENCE)
      worker.onmessage = ({ data }) => {
        if (data.ready) isReady = true
        else if (data.error) end(reject)(new Error('公布的密钥读不出，请换一份密钥文件。'))
        else end(resolve)(data.facts)
      }
      worker.onerror = event => {
        event.preventDefault()
        if (isReady) end(reject)(new Error(GAVE_UP)) // what stopped the worker must not stop the page as well
        else end(resolve)(examine(given, published))
      }
      worker.postMessage({ given, published })
    })
  }

  function factItem (mark, what, words, reason) {
    const colour = { minus: 'apart', none: 'info' }[mark] || mark
    return element('li', '', icon(mark, colour), element('h3', '', element('span', '', what), words), element('p', '', reason))
  }

  function factItems (facts, given) {
    const items = FACTS.map(([name, what, good, bad]) => {
      if (facts[name] === null) return factItem(given.pdf ? OPEN : SILENT, what, given.pdf ? '未核对' : '未提交文件，未核对内容', '没有读出，或者没有提交，不能回答。')
      const [words, reason] = facts[name] ? good : bad
      return factItem(facts[name] ? GOOD : BAD, what, words, reason)
    })
    return [...items, factItem(OPEN, '报告状态', '未联网，未查询状态', `是否更正、作废，请到 ${published.host} 用编号和核验码查询。`)]
  }

  function sentence (facts, given) {
    const words = FACTS.map(([name, , good, bad]) => facts[name] === null ? null : (facts[name] ? good : bad)[0])
    const told = words.filter(Boolean)
    if (!given.pdf) told.unshift('未提交文件，未核对内容')
    else if (words.includes(null)) told.push('有未核对的事项')
    return `${told.join('，')}；${facts.log_words || '未联网，未查询状态。'}`
  }

  function markOf (facts) {
    const decisive = [...FACTS.map(([name]) => facts[name]), facts.same_report, facts.in_log]
    return decisive.includes(false) || facts.log_words ? BAD : OPEN
  }

  function advice (facts, given) {
    if (facts.log_words) return '透明日志里这份报告的状态已经改变，不要再使用。以联网核验的结果为准。'
    if (markOf(facts) === BAD) return '不要使用这份文件。请向主体要原文件，再核验一次。'
    const isGenuine = given.pdf && FACTS.every(([name]) => facts[name] === true)
    if (isGenuine) return '文件为真，状态未查询。使用以前，请联网查询报告是否已经更正或者作废。'
    return given.pdf ? '没有全部核对，不能据此认定文件为真。' : '这次只核对了二维码。要确认手里的文件，请再选择报告文件。'
  }

  function rows (facts) {
    const said = facts.said || {}
    const subject = said.subject || {}
    const conclusion = said.conclusion || {}
    return [
      ['报告编号', facts.number],
      ['名称', Array.isArray(said.title) ? said.title.join('') : null],
      ['主体', subject.name],
      ['核查结论', conclusion.text],
      ['政策依据', (said.policy || {}).document_title],
      ['性质', said.demonstration ? '演示文件，无证明效力' : null],
      ['签发者', facts.signer_trusted ? facts.signer : null],
      ['签名时间', facts.signed_at === null ? null : moment(facts.signed_at)],
      ['时间戳', facts.stamped_at === null ? null : moment(facts.stamped_at)],
      ['数据时点', facts.as_of === null ? null : moment(facts.as_of)],
      ['二维码写明的核验网站', facts.host]
    ].filter(([, value]) => typeof value === 'string' && value)
  }

  function recordWord (facts) {
    const word = facts.said && facts.said.policy && facts.said.policy.record_word
    return typeof word === 'string' ? word : '有关记录'
  }

  function show (facts, given) {
    const mark = markOf(facts)
    const box = element('section', `answer answer-${mark}`, icon(mark), element('p', 'label', facts.number ? `报告 ${facts.number}` : '核对结果'),
      element('p', 'text', sentence(facts, given)), element('p', '', advice(facts, given)),
      element('p', '', `以上说明报告真伪，不代表该主体目前有无${recordWord(facts)}。`))
    box.setAttribute('aria-label', '核验结论')
    const more = element('ul', 'four', ...MORE.map(([name, what, good, bad, none]) => {
      const value = facts[name]
      return factItem(value === null ? SILENT : value ? GOOD : BAD, what, value === null ? none : value ? good : bad, '')
    }))
    const list = element('dl', 'facts', ...rows(facts).map(([term, value]) => element('div', '', element('dt', '', term), element('dd', '', value))))
    const reasons = element('ul', 'reasons', ...facts.reasons.map(reason => element('li', '', reason)))
    $('result').replaceChildren(box, part('四项核对', element('ul', 'four', ...factItems(facts, given))), part('另外核对', more),
      ...(list.children.length ? [part('签名里写明的内容，请与页面上印的逐项对照', list)] : []), part('说明', reasons))
    $('result').hidden = false
    $('result').focus()
  }

  function part (title, ...children) {
    return element('section', 'section', element('h2', '', title), ...children)
  }

  function mistake (text) {
    $('mistake').textContent = text
    $('mistake').hidden = !text
    if (text) $('mistake').focus()
  }

  async function readJson (input, what) {
    const file = input.files[0]
    if (!file) return null
    if (file.size > 2000000) throw new Error(`${what}太大，不是本站公布的。请换一份。`)
    try {
      return JSON.parse(await file.text())
    } catch (error) {
      throw new Error(`${what}读不出，应当是从本站另存的 JSON 文件。`)
    }
  }

  async function submit (event) {
    event.preventDefault()
    mistake('')
    $('result').hidden = true
    $('go').disabled = true
    try {
      const file = $('pdf').files[0]
      const text = $('qr_text').value.trim()
      if (!file && !text) throw new Error('请选择报告文件，或者粘贴扫码得到的文字。')
      if (file && file.size > 20000000) throw new Error('文件超过20 MB，不是本系统出具的报告。请换成收到的报告原文件。')
      published = await readJson($('keys'), '密钥文件') || embedded
      const given = { pdf: file ? new Uint8Array(await file.arrayBuffer()) : null, qr: text, proof: await readJson($('proof'), '收录证明') }
      show(await examineApart(given), given)
    } catch (error) {
      mistake(error.message)
    }
    $('go').disabled = false
  }

  /* Of the codes in a picture the one that names the site of the published keys; nobody follows any of them. */
  function reportsCode (texts) {
    const reports = texts.filter(text => /^https?:\/\/[^/]+\/v\/[\w-]+#[\w-]+$/.test(text))
    const ours = reports.filter(text => new URL(text).host === published.host)
    const chosen = ours.length ? ours : reports
    if (chosen.length > 1) throw new Error(`图片里有${chosen.length}份不同报告的二维码，不能替你选。请一次只拍一个。`)
    if (chosen.length) return chosen[0]
    if (texts.length) throw new Error('图片里的二维码不是报告的二维码，没有打开它。请拍报告末页的二维码。')
    throw new Error('图片里没有找到二维码。请对准报告末页的二维码，拍满画面、对好焦，再试一次；也可以粘贴扫码得到的文字。')
  }

  /* By the browser's own reader of codes; the text then stands in the field, where it can be looked at. */
  async function readPicture (file) {
    mistake('')
    $('qr_text').value = ''
    try {
      if (file.size > 10000000) throw new Error('图片超过10 MB。请用普通分辨率重新拍一张。')
      const picture = await createImageBitmap(file).catch(() => { throw new Error('图片打不开。请用PNG、JPEG或者WebP图片，或者重新拍一张。') })
      const found = await new window.BarcodeDetector({ formats: ['qr_code'] }).detect(picture)
      picture.close()
      $('qr_text').value = reportsCode([...new Set(found.map(code => code.rawValue))])
    } catch (error) {
      mistake(error.message)
    }
  }

  async function offerPictures () {
    if (!window.BarcodeDetector) return
    const kinds = await window.BarcodeDetector.getSupportedFormats().catch(() => [])
    if (!kinds.includes('qr_code')) return
    $('no-pictures').hidden = true
    $('pictures').hidden = false
    for (const name of ['photo', 'picture']) {
      const input = $(name)
      input.addEventListener('change', () => { if (input.files[0]) readPicture(input.files[0]) })
    }
  }

  function enableDrop (drop) {
    const input = drop.querySelector('input')
    const line = drop.querySelector('[data-drop-name]')
    const before = [...line.childNodes]
    const name = () => input.files[0] ? line.replaceChildren(element('b', '', input.files[0].name)) : line.replaceChildren(...before)
    input.addEventListener('change', name)
    for (const kind of ['dragenter', 'dragover']) drop.addEventListener(kind, event => { event.preventDefault(); drop.classList.add('is-over') })
    for (const kind of ['dragleave', 'drop']) drop.addEventListener(kind, () => drop.classList.remove('is-over'))
    drop.addEventListener('drop', event => {
      event.preventDefault()
      if (!event.dataTransfer.files.length) return
      input.files = event.dataTransfer.files
      input.dispatchEvent(new Event('change'))
    })
  }

  const isSaved = location.protocol === 'file:'
  $('saving').hidden = isSaved
  if (!isSaved && location.host !== embedded.host) mistake(`这一页的网址是 ${location.host}，公布密钥的网站是 ${embedded.host}。两者不同，不要使用这一页。`)
  if (!window.isSecureContext || !window.crypto || !crypto.subtle) mistake('这个浏览器不能核对签名。请把本页存到电脑上，用新版浏览器打开。')
  document.querySelectorAll('[data-drop]').forEach(enableDrop)
  $('verify').addEventListener('submit', submit)
  offerPictures()
})()

/* Progressive enhancement: everything here also works without it. */
(function () {
  'use strict'

  /* Files: drag and drop, the chosen name, too large said before anything is sent, progress of the upload. */
  function megabytes (bytes) {
    return bytes < 1048576 ? Math.max(1, Math.round(bytes / 1024)) + ' KB' : (bytes / 1048576).toFixed(1) + ' MB'
  }

  function showChosen (drop, input) {
    var files = Array.from(input.files || [])
    if (!files.length) return
    var size = files.reduce(function (sum, file) { return sum + file.size }, 0)
    var limit = Number(input.dataset.maxBytes || 0)
    var line = drop.querySelector('[data-drop-name]')
    var name = document.createElement('b')
    name.textContent = files.length > 1 ? '已选' + files.length + '份文件' : files[0].name
    line.replaceChildren(name, document.createTextNode('　' + megabytes(size)))
    var tooLarge = limit && size > limit
    var instead = files.length > 1 ? '，请分几次。' : '，请换一个文件。'
    input.setCustomValidity(tooLarge ? '文件有' + megabytes(size) + '，超过' + megabytes(limit) + instead : '')
    if (tooLarge) input.reportValidity()
  }

  function enableDrop (drop) {
    var input = drop.querySelector('input[type=file]')
    input.addEventListener('change', function () { showChosen(drop, input) })
    ;['dragenter', 'dragover'].forEach(function (name) {
      drop.addEventListener(name, function (event) { event.preventDefault(); drop.classList.add('is-over') })
    })
    ;['dragleave', 'drop'].forEach(function (name) {
      drop.addEventListener(name, function () { drop.classList.remove('is-over') })
    })
    drop.addEventListener('drop', function (event) {
      event.preventDefault()
      if (!event.dataTransfer.files.length) return
      input.files = event.dataTransfer.files
      showChosen(drop, input)
    })
  }

  function enableSendProgress (form) {
    var box = form.querySelector('[data-sending]')
    var said = box.querySelector('[data-sending-text]')
    form.addEventListener('htmx:xhr:progress', function (event) {
      if (!event.detail.lengthComputable) return
      var percent = Math.round(event.detail.loaded / event.detail.total * 100)
      box.hidden = false
      box.querySelector('progress').value = percent
      said.textContent = percent < 100 ? '正在上传，' + percent + '%' : said.dataset.sent || '已上传，正在登记'
    })
    ;['htmx:sendError', 'htmx:responseError'].forEach(function (name) {
      form.addEventListener(name, function () {
        box.hidden = false
        said.textContent = said.dataset.failed || '没有报送成功，账本没有变化。请检查网络和登录，再点“报送”。'
      })
    })
  }

  /* One click, one submission. */
  function guardTwice (form) {
    form.addEventListener('submit', function () {
      var button = form.querySelector('button[data-once]')
      if (button) window.setTimeout(function () { button.disabled = true }, 0)
    })
  }

  /* A code copies with one click. */
  function enableCopy (button) {
    if (!navigator.clipboard) return
    button.hidden = false
    button.addEventListener('click', function () {
      navigator.clipboard.writeText(button.dataset.copy).then(function () {
        var before = button.textContent
        button.textContent = '已复制'
        window.setTimeout(function () { button.textContent = before }, 2000)
      })
    })
  }

  /* The part of a QR address behind # never reaches the server by itself; it is posted so that the signed text counts. */
  function sendFragment (form) {
    if (window.location.hash.length < 2) return
    form.querySelector('[name=qr_text]').value = form.dataset.fragment + window.location.hash
    window.history.replaceState(null, '', window.location.pathname)
    form.submit()
  }

  var seen = new WeakSet()
  function each (root, selector, work) {
    var found = Array.from(root.querySelectorAll(selector))
    if (root.matches && root.matches(selector)) found.push(root)
    found.forEach(function (element) {
      if (!seen.has(element)) work(element)
    })
    return found
  }

  function enable (root) {
    var done = [].concat(
      each(root, '[data-drop]', enableDrop),
      each(root, 'form[data-upload]', enableSendProgress),
      each(root, 'form:not([data-upload])', guardTwice),
      each(root, '[data-copy]', enableCopy),
      each(root, 'form[data-fragment]', sendFragment)
    )
    done.forEach(function (element) { seen.add(element) })
    var errors = root.querySelector('.errors')
    if (errors) errors.focus()
  }

  /* What unfolds over the page folds again when somebody goes elsewhere. */
  function foldMenus (event) {
    document.querySelectorAll('.nav-more[open]').forEach(function (menu) {
      if (event.key === 'Escape' || (event.type === 'click' && !menu.contains(event.target))) menu.open = false
    })
  }
  document.addEventListener('click', foldMenus)
  document.addEventListener('keydown', foldMenus)

  enable(document)
  document.addEventListener('htmx:load', function (event) { enable(event.target) })
  document.addEventListener('htmx:afterSettle', function (event) {
    var answer = event.target.querySelector('.answer[tabindex]')
    if (answer) answer.focus()
  })
  window.addEventListener('pageshow', function (event) {
    if (event.persisted) document.querySelectorAll('button[data-once]').forEach(function (b) { b.disabled = false })
  })
})()

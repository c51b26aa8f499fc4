/* 亮码: the code on a screen held up to somebody, and the content while a view is open. */
(function () {
  'use strict'
  var LENGTH = 2 * Math.PI * 10
  var GRACE = 30
  var FAILURES = 3

  /* Seconds left until the next code. Where the site cannot be reached the code is hidden before it is dead. */
  var drawnAt = Date.now()
  function tick () {
    var box = document.querySelector('[data-code]')
    if (!box) return
    var every = Number(box.dataset.seconds)
    var left = every - (Date.now() - drawnAt) / 1000
    var ring = box.querySelector('[data-ring]')
    ring.setAttribute('stroke-dasharray', Math.max(0, left) / every * LENGTH + ' ' + LENGTH)
    var said = box.querySelector('[data-left]')
    if (left > 0) said.textContent = Math.ceil(left) + '秒后自动换新码'
    else if (left > -5) said.textContent = '正在换新码'
    else said.textContent = '没有连上网站，正在重试'
    box.classList.toggle('is-dead', left < -GRACE)
  }
  function renew () {
    var box = document.querySelector('[data-code]')
    if (box && window.htmx) window.htmx.trigger(box, 'renew')
  }
  if (document.querySelector('[data-code]')) {
    window.setInterval(tick, 1000)
    tick()
    document.addEventListener('htmx:afterSettle', function (event) {
      if (!event.target.matches || !event.target.matches('[data-code]')) return
      drawnAt = Date.now()
      tick()
    })
    document.addEventListener('click', function (event) {
      if (!event.target.closest('[data-renew]') || !window.htmx) return
      event.preventDefault()
      renew()
    })
    document.addEventListener('visibilitychange', function () { if (!document.hidden) renew() })
    document.querySelectorAll('[data-awake]').forEach(stayAwake)
  }

  /* A screen that is held up should not go dark. */
  function stayAwake () {
    if (!navigator.wakeLock) return
    navigator.wakeLock.request('screen').catch(function () { /* not allowed, or the battery is low */ })
  }

  /* The content goes when it may no longer be shown, also when nobody can be asked, and does not come back by “back”. */
  var open = document.querySelector('[data-view-open]')
  if (open) {
    var failed = 0
    document.addEventListener('htmx:afterRequest', function (event) {
      failed = event.detail.successful ? 0 : failed + 1
      document.querySelector('[data-view-body]').hidden = failed >= FAILURES
    })
    document.addEventListener('visibilitychange', function () { if (!document.hidden) window.htmx.trigger(open, 'look') })
  }
  window.addEventListener('pageshow', function (event) { if (event.persisted) window.location.reload() })

  document.querySelectorAll('[data-print]').forEach(function (button) {
    button.hidden = false
    button.addEventListener('click', function () { window.print() })
  })
})()

/* Security keys: ask the browser for one, and post what it answers with the form. */
(function () {
  'use strict'

  function bytes (text) {
    var plain = atob(text.replace(/-/g, '+').replace(/_/g, '/'))
    return Uint8Array.from(plain, function (char) { return char.charCodeAt(0) })
  }

  function text (buffer) {
    var plain = String.fromCharCode.apply(null, new Uint8Array(buffer))
    return btoa(plain).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
  }

  function described (list) {
    return (list || []).map(function (item) { return Object.assign({}, item, { id: bytes(item.id) }) })
  }

  function readable (given) {
    var options = Object.assign({}, given, { challenge: bytes(given.challenge) })
    if (given.user) options.user = Object.assign({}, given.user, { id: bytes(given.user.id) })
    if (given.excludeCredentials) options.excludeCredentials = described(given.excludeCredentials)
    if (given.allowCredentials) options.allowCredentials = described(given.allowCredentials)
    return options
  }

  function answered (credential) {
    var response = {}
    ;['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'].forEach(function (name) {
      if (credential.response[name]) response[name] = text(credential.response[name])
    })
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response: response,
      clientExtensionResults: credential.getClientExtensionResults()
    })
  }

  function enable (form) {
    var button = form.querySelector('[data-ask]')
    var said = form.querySelector('[data-said]')
    var kind = form.dataset.securityKey
    function tell (words) {
      said.querySelector('span').textContent = words
      said.hidden = !words
      button.disabled = false
    }
    if (!window.PublicKeyCredential) {
      button.disabled = true
      said.querySelector('span').textContent = '这个浏览器不能用安全密钥，请换一个浏览器，或者用动态口令。'
      said.hidden = false
      return
    }
    button.addEventListener('click', function () {
      tell('')
      button.disabled = true
      navigator.credentials[kind]({ publicKey: readable(JSON.parse(form.dataset.options).publicKey) }).then(
        function (credential) {
          form.elements.credential.value = answered(credential)
          form.submit()
        },
        function (error) {
          tell(error.name === 'InvalidStateError' ? '这个安全密钥已经绑定过了。' : '安全密钥没有回应，或者您取消了。请再点一次。')
        }
      )
    })
  }

  document.querySelectorAll('[data-security-key]').forEach(enable)
})()

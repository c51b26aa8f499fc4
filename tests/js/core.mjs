/* The verifier's own code as the page runs it, one scope, and what the tests ask of it. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../../src/xinzheng/web/offline/', import.meta.url))
export const PARTS = ['der.js', 'x509.js', 'cms.js', 'pdf.js', 'seal.js', 'facts.js', 'log.js']
const NAMES = ['der', 'parts', 'oidOf', 'timeOf', 'write', 'flatSignature', 'fromBase64', 'hexOf', 'fromHex', 'equal', 'digestOf',
  'readCertificate', 'readRevocations', 'pathToRoot', 'revocationOf', 'readMessage', 'Malformed', 'Unexaminable',
  'Reader', 'readTables', 'attachmentOf', 'inflate', 'signedRanges', 'momentOf', 'cbor', 'readQrText', 'readSeal', 'plainHost',
  'examine', 'examineQrText', 'examineDocument', 'readKeys', 'rootFrom', 'leafHash', 'readLogKey', 'openNote', 'valueAndPadding', 'containerBytes']

const source = PARTS.map(name => readFileSync(FOLDER + name, 'utf8')).join('\n')
export const core = new Function(`'use strict'\n${source}\nreturn { ${NAMES.join(', ')} }`)()

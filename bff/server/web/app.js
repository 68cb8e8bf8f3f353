// The page of coatcheck-bff. It shows what the server's routes are for. What comes
// from outside becomes text, never markup.

const $ = (id) => document.getElementById(id)
const meta = (name) => document.querySelector(`meta[name="${name}"]`).content
const show = (id, on) => { $(id).hidden = !on }

// ask calls a route of ours. The header is what other sites cannot send.
const ask = (path, options = {}) => fetch(path, { ...options, headers: { 'X-CSRF': '1', ...options.headers }, credentials: 'same-origin', redirect: 'error' })

// said is the sentence of a problem, or a status.
async function said(res) {
  try { return (await res.json()).detail || `Error ${res.status}` } catch { return `Error ${res.status}` }
}

const state = { ends: 0, stream: null, timer: 0 }

function signedOut(why = '') {
  stopStream()
  clearInterval(state.timer)
  show('signed-in', false)
  show('signed-out', true)
  show('login', meta('bff-provider') === 'true')
  show('dev-login', meta('bff-dev-login') === 'true')
  $('why').textContent = why
  $('status').textContent = 'You are signed out.'
}

// deadlines shows how long a session lasts. The browser's clock may be wrong: what the
// server says is how many seconds are left.
function deadlines(session) {
  state.ends = performance.now() + session.expiresIn * 1000
  $('absolute').textContent = session.absoluteExpiresAt ? `(at ${new Date(session.absoluteExpiresAt).toLocaleTimeString()} in any case)` : ''
  tick()
}

function tick() {
  const left = Math.max(0, Math.round((state.ends - performance.now()) / 1000))
  $('left').textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`
}

async function signedIn(answer) {
  show('signed-out', false)
  show('signed-in', true)
  show('expiring', false)
  $('status').textContent = 'You are signed in.'
  $('user').textContent = answer.user.sub
  $('name').textContent = answer.user.name ?? ''
  deadlines(answer.session)
  clearInterval(state.timer)
  state.timer = setInterval(tick, 1000)
  await devices()
  if (!state.stream) listen()
}

// load asks who is signed in. The look itself is no use of the session.
async function load(slide = false) {
  let res
  try { res = await ask(`/bff/session${slide ? '' : '?slide=false'}`) } catch { $('status').textContent = 'The server cannot be reached.'; return }
  if (res.status === 401) return signedOut(state.stream ? await said(res) : '')
  if (!res.ok) { $('status').textContent = await said(res); return }
  await signedIn(await res.json())
}

function cell(row, text) {
  const td = row.insertCell()
  td.textContent = text
  return td
}

const time = (text) => text ? new Date(text).toLocaleString() : ''

async function devices() {
  const res = await ask('/bff/sessions')
  if (!res.ok) return
  const rows = (await res.json()).sessions.map((s) => {
    const row = document.createElement('tr')
    row.dataset.handle = s.handle
    cell(row, (s.label || 'Unknown device') + (s.current ? ' (this one)' : ''))
    cell(row, s.network ?? '')
    cell(row, time(s.createdAt))
    cell(row, time(s.lastSeen))
    const button = document.createElement('button')
    button.textContent = 'Sign out'
    button.className = 'revoke'
    button.setAttribute('aria-label', `Sign out ${s.label || 'device'} since ${time(s.createdAt)}`)
    button.addEventListener('click', () => change(() => ask(`/bff/sessions/${encodeURIComponent(s.handle)}`, { method: 'DELETE' })))
    cell(row, '').append(button)
    return row
  })
  $('devices').replaceChildren(...rows)
}

// change runs a request that ends sessions, and looks at what is left.
async function change(request) {
  let res
  try { res = await request() } catch { $('status').textContent = 'The server cannot be reached.'; return }
  if (!res.ok && res.status !== 401) { $('status').textContent = await said(res); return }
  await load()
}

async function logout() {
  const res = await ask('/bff/logout', { method: 'POST' })
  if (!res.ok) { $('status').textContent = await said(res); return }
  stopStream()
  location.assign((await res.json()).redirect)
}

function note(text) {
  const li = document.createElement('li')
  li.textContent = `${new Date().toLocaleTimeString()} ${text}`
  $('events').prepend(li)
  while ($('events').children.length > 50) $('events').lastChild.remove()
}

function stopStream() {
  state.stream?.abort()
  state.stream = null
}

// listen follows /bff/events. EventSource sends no headers, so the stream is read here.
async function listen() {
  const stream = state.stream = new AbortController()
  for (let wait = 1000; state.stream === stream; wait = Math.min(wait * 2, 30000)) {
    try {
      const res = await ask('/bff/events', { signal: stream.signal })
      if (res.status === 401) return signedOut(await said(res))
      if (res.ok) { await read(res.body, stream); wait = 1000 }
    } catch { /* tried again below */ }
    if (state.stream !== stream) return
    await new Promise((done) => setTimeout(done, wait))
  }
}

async function read(body, stream) {
  let text = ''
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const events = text.split('\n\n')
    text = events.pop()
    for (const e of events) {
      const name = e.match(/^event: (.*)$/m)?.[1]
      const data = e.match(/^data: (.*)$/m)?.[1]
      if (name && state.stream === stream) heard(name, JSON.parse(data))
    }
  }
}

function heard(name, data) {
  note(name)
  switch (name) {
    case 'ready': deadlines(data); break
    case 'refreshed': show('expiring', false); deadlines(data); break
    case 'expiring': show('expiring', true); deadlines(data); break
    case 'expired': signedOut('Your session has expired.'); break
    case 'revoked': signedOut('Your session was ended.'); break
  }
}

async function call() {
  const path = $('api-path').value.split('/').map(encodeURIComponent).join('/')
  const res = await ask(`/bff/api/${encodeURIComponent($('api-name').value)}/${path}`)
  $('api-answer').textContent = `${res.status}\n${await res.text()}`
  if (res.status === 401) await load()
}

async function devLogin() {
  const res = await ask('/bff/dev/login', {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ sub: $('dev-sub').value, name: $('dev-name').value }),
  })
  if (!res.ok) { $('why').textContent = await said(res); return }
  await load()
}

$('refresh').addEventListener('click', () => change(() => ask('/bff/session/refresh', { method: 'POST' })))
$('logout').addEventListener('click', logout)
$('others').addEventListener('click', () => change(() => ask('/bff/sessions?except=current', { method: 'DELETE' })))
$('everywhere').addEventListener('click', () => change(() => ask('/bff/sessions', { method: 'DELETE' })))
$('call').addEventListener('submit', (e) => { e.preventDefault(); call() })
$('dev-login').addEventListener('submit', (e) => { e.preventDefault(); devLogin() })
document.addEventListener('visibilitychange', () => { if (!document.hidden && state.stream) load() })

const apis = meta('bff-apis').split(' ').filter(Boolean)
show('api', apis.length > 0)
$('api-name').replaceChildren(...apis.map((name) => new Option(name)))
$('login').href = `/bff/login?returnTo=${encodeURIComponent(location.pathname + location.search)}`
load()

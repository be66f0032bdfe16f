/** A mail server on a socket: SMTP with STARTTLS, TLS from the start, AUTH PLAIN and LOGIN, and faults that a test chooses. */
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { TLSSocket } from 'node:tls'

export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  readonly isEncrypted: boolean
  /** Lower-case names, in order; folded lines are one. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly text: string
}

export interface SmtpBehaviour {
  readonly tls: 'starttls' | 'implicit' | 'none'
  /** Without it nobody is asked who they are. */
  readonly login?: { readonly user: string; readonly password: string } | undefined
  /** Recipients that are refused. */
  readonly refused?: readonly string[]
  /** Answer to a whole message. */
  readonly answer?: string
  /** Nothing is said, not even a greeting. */
  readonly isSilent?: boolean
}

export interface SmtpServer {
  readonly port: number
  readonly mails: readonly ReceivedMail[]
  /** Every line that came in, before and after TLS; of AUTH as it was sent. */
  readonly lines: readonly { readonly text: string; readonly isEncrypted: boolean }[]
  readonly sessions: number
  behave(change: Partial<SmtpBehaviour>): void
  /** Ends every session. */
  hangUp(): void
  close(): Promise<void>
}

const pem = (name: string) => readFileSync(new URL(`../tls/${name}.pem`, import.meta.url))

export async function smtpServer(start: SmtpBehaviour): Promise<SmtpServer> {
  let behaviour = start
  let sessions = 0
  const mails: ReceivedMail[] = []
  const lines: { text: string; isEncrypted: boolean }[] = []
  const sockets = new Set<Socket>()

  function encrypted(socket: Socket): TLSSocket {
    const secure = new TLSSocket(socket, { isServer: true, key: pem('first.key'), cert: pem('first') })
    secure.on('error', () => socket.destroy())
    return secure
  }

  async function serve(plain: Socket): Promise<void> {
    if (behaviour.isSilent === true) return
    let socket: Socket = behaviour.tls === 'implicit' ? encrypted(plain) : plain
    let isEncrypted = socket !== plain
    const say = (text: string) => socket.write(`${text}\r\n`)
    let wanted: string[] | undefined
    let from = ''
    let to: string[] = []
    let isKnown = behaviour.login === undefined

    /** True: the rest comes in TLS. */
    function command(line: string): boolean {
      const [word = ''] = line.toUpperCase().split(' ', 1)
      const address = /<([^>]*)>/.exec(line)?.[1] ?? ''
      switch (word) {
        case 'EHLO': {
          const offers = ['test.example greets you', '8BITMIME']
          if (behaviour.tls === 'starttls' && !isEncrypted) offers.push('STARTTLS')
          if (behaviour.login !== undefined) offers.push('AUTH PLAIN')
          for (const [index, offer] of offers.entries()) say(`250${index < offers.length - 1 ? '-' : ' '}${offer}`)
          return false
        }
        case 'STARTTLS':
          if (behaviour.tls !== 'starttls') say('502 5.5.1 not implemented')
          else say('220 go ahead')
          return behaviour.tls === 'starttls'
        case 'AUTH': {
          const [, user, password] = Buffer.from(line.split(' ')[2] ?? '', 'base64')
            .toString()
            .split('\0')
          isKnown = user === behaviour.login?.user && password === behaviour.login?.password
          say(isKnown ? '235 2.7.0 welcome' : `535 5.7.8 ${user} may not use ${password}`)
          return false
        }
        case 'MAIL':
          if (isKnown) from = address
          say(isKnown ? '250 2.1.0 ok' : '530 5.7.0 who are you?')
          return false
        case 'RCPT':
          if (behaviour.refused?.includes(address) === true) say('550 5.1.1 nobody of that name')
          else {
            to.push(address)
            say('250 2.1.5 ok')
          }
          return false
        case 'DATA':
          wanted = []
          say('354 go ahead')
          return false
        case 'QUIT':
          say('221 bye')
          socket.end()
          return false
        default:
          say('500 5.5.2 what?')
          return false
      }
    }

    function read(): void {
      const reader = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })
      reader.on('error', () => plain.destroy())
      reader.on('line', (line) => {
        lines.push({ text: line, isEncrypted })
        if (wanted !== undefined) {
          if (line !== '.') return void wanted.push(line.startsWith('.') ? line.slice(1) : line)
          const answer = behaviour.answer ?? '250 2.0.0 taken'
          if (answer.startsWith('2')) mails.push({ from, to, isEncrypted, ...parsed(wanted) })
          wanted = undefined
          to = []
          return void say(answer)
        }
        if (!command(line)) return
        reader.close()
        socket = encrypted(plain)
        isEncrypted = true
        read()
      })
    }
    say('220 test.example')
    read()
  }

  const server = createServer((socket) => {
    sessions += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    void serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    mails,
    lines,
    get sessions() {
      return sessions
    },
    behave: (change) => {
      behaviour = { ...behaviour, ...change }
    },
    hangUp: () => {
      for (const socket of sockets) socket.destroy()
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function parsed(lines: readonly string[]): Pick<ReceivedMail, 'headers' | 'text'> {
  const end = lines.indexOf('')
  const headers: [string, string][] = []
  for (const line of lines.slice(0, end)) {
    const last = headers.at(-1)
    if (/^[ \t]/.test(line) && last !== undefined) last[1] += line
    else headers.push([line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])
  }
  const encoding = headers.find(([name]) => name === 'content-transfer-encoding')?.[1]
  const body = lines.slice(end + 1).join('\n')
  return { headers, text: encoding === 'quoted-printable' ? unquoted(body) : body }
}

function unquoted(text: string): string {
  return text.replace(/=\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
}

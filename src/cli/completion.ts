import { Argument, Command } from 'commander'

const shells = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof shells)[number]

/** `scim-bridge completion`: the commands and options of the program itself, for a shell to offer. */
export function completionCommand(write: (text: string) => void = (text) => void process.stdout.write(text)): Command {
  const command = new Command('completion')
    .description('print a script that completes commands and options: eval "$(scim-bridge completion bash)"')
    .addArgument(new Argument('<shell>', 'which one').choices(shells))
    .action((shell: Shell) => {
      const program = command.parent ?? command
      write(scripts[shell](wordsOf(program, [])))
    })
  return command
}

/** The words typed so far, and what may follow. */
interface Place {
  readonly path: string
  readonly words: readonly string[]
}

function wordsOf(command: Command, path: readonly string[]): Place[] {
  const help = command.createHelp()
  const inner = help.visibleCommands(command)
  const options = help.visibleOptions(command).map(({ long, short }) => long ?? short ?? '')
  const here = { path: path.join(' '), words: [...inner.map((one) => one.name()), ...options] }
  return [here, ...command.commands.flatMap((one) => wordsOf(one, [...path, one.name()]))]
}

const name = 'scim-bridge'

/** Of what was typed the words that are commands, up to the one in work, tell the place. */
const scripts: Readonly<Record<Shell, (places: readonly Place[]) => string>> = {
  bash: (places) => `_scim_bridge() {
  local path='' word found
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) continue ;; esac
    case "$path $word" in
${cases(places, '      ', (path) => `' ${path}') path="$path $word" ;;`)}
    esac
  done
  case "$path" in
${places.map(({ path, words }) => `    '${path === '' ? '' : ` ${path}`}') found='${words.join(' ')}' ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$found" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [[ \${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _scim_bridge ${name}
`,
  zsh: (places) => `#compdef ${name}
_scim_bridge() {
  local path_so_far='' word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$word" in -*) continue ;; esac
    case "$path_so_far $word" in
${cases(places, '      ', (path) => `' ${path}') path_so_far="$path_so_far $word" ;;`)}
    esac
  done
  case "$path_so_far" in
${places.map(({ path, words }) => `    '${path === '' ? '' : ` ${path}`}') compadd -- ${words.join(' ')} ;;`).join('\n')}
  esac
  _files
}
compdef _scim_bridge ${name}
`,
  fish: (places) =>
    `function __scim_bridge_at
  set -l path
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and continue
    contains -- (string join ' ' $path $word) ${places
      .filter(({ path }) => path !== '')
      .map(({ path }) => `'${path}'`)
      .join(' ')}; and set -a path $word
  end
  test (string join ' ' $path) = "$argv[1]"
end
${places
  .flatMap(({ path, words }) =>
    words.map((word) => {
      const what = word.startsWith('--')
        ? `-l ${word.slice(2)}`
        : word.startsWith('-')
          ? `-s ${word.slice(1)}`
          : `-f -a ${word}`
      return `complete -c ${name} -n "__scim_bridge_at '${path}'" ${what}`
    }),
  )
  .join('\n')}
`,
}

function cases(places: readonly Place[], indent: string, line: (path: string) => string): string {
  return places
    .filter(({ path }) => path !== '')
    .map(({ path }) => indent + line(path))
    .join('\n')
}

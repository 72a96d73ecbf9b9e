/** `millrace completion`: scripts that let a shell complete commands, verbs and options. */
import { Argument, Command } from "commander";
import type { Io } from "../io.ts";
import { type CommandEntry, commands } from "./index.ts";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

export function define(command: Command, io: Io): void {
  command.addArgument(new Argument("<shell>", "which shell").choices(shells));
  command.addHelpText(
    "after",
    "\nExamples:\n  $ millrace completion bash > ~/.local/share/bash-completion/completions/millrace\n  $ millrace completion zsh > ~/.zfunc/_millrace     # with ~/.zfunc in fpath\n  $ millrace completion fish > ~/.config/fish/completions/millrace.fish",
  );
  command.action(async (shell: Shell) => {
    io.stdout.write(writers[shell](await readWords(io)));
  });
}

interface Word {
  readonly name: string;
  readonly summary: string;
}
interface Place {
  /** Words that lead here: empty, a command, or a command and a verb. */
  readonly path: readonly string[];
  readonly verbs: readonly Word[];
  readonly options: readonly Word[];
}

/** Every place in the command line at which something can be completed. */
async function readWords(io: Io): Promise<Place[]> {
  const places: Place[] = [];
  const top: Word[] = [];
  for (const [name, entry] of Object.entries(commands) as [string, CommandEntry][]) {
    const command = new Command(name);
    (await entry.load()).define(command, io);
    for (const alias of [name, ...(entry.aliases ?? [])]) {
      top.push({ name: alias, summary: entry.summary });
      places.push({ path: [alias], verbs: verbsOf(command), options: optionsOf(command) });
    }
    for (const verb of command.commands) {
      for (const alias of [verb.name(), ...verb.aliases()]) {
        places.push({ path: [name, alias], verbs: [], options: optionsOf(verb) });
      }
    }
  }
  return [{ path: [], verbs: top, options: [{ name: "--help", summary: "how to use this" }] }, ...places];
}

function verbsOf(command: Command): Word[] {
  const verbs = command.commands.map((verb) => ({ name: verb.name(), summary: verb.description() }));
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return [...verbs, ...choices.map((name) => ({ name, summary: "" }))];
}

function optionsOf(command: Command): Word[] {
  return [
    ...command.options
      .filter(({ hidden, long }) => !hidden && long)
      .map(({ long, description }) => ({ name: long!, summary: description })),
    { name: "--help", summary: "how to use this" },
  ];
}

const names = (words: readonly Word[]): string => words.map(({ name }) => name).join(" ");

/** One `case` over the words before the cursor serves bash and zsh. */
function cases(places: readonly Place[]): string {
  return places
    .map(
      ({ path, verbs, options }) =>
        `    "${path.join(" ")}") verbs="${names(verbs)}"; options="${names(options)}" ;;`,
    )
    .join("\n");
}

function bash(places: readonly Place[]): string {
  return `# bash completion for millrace
_millrace() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word verbs="" options="" found=0 i
  for ((i = 1; i < COMP_CWORD && found < 2; i++)); do
    word="\${COMP_WORDS[i]}"
    [[ "$word" == -* ]] && break
    path="\${path:+$path }$word"
    found=$((found + 1))
  done
  case "$path" in
${cases(places)}
  esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ -n "$verbs" ]]; then
    COMPREPLY=($(compgen -W "$verbs" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _millrace millrace
`;
}

function zsh(places: readonly Place[]): string {
  return `#compdef millrace
# zsh completion for millrace
_millrace() {
  local path_="" word verbs="" options="" i
  for ((i = 2; i < CURRENT && i < 4; i++)); do
    word="\${words[i]}"
    [[ "$word" == -* ]] && break
    path_="\${path_:+$path_ }$word"
  done
  case "$path_" in
${cases(places)}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    compadd -- \${=options}
  elif [[ -n "$verbs" ]]; then
    compadd -- \${=verbs}
  else
    _files
  fi
}
if [[ "$funcstack[1]" == "_millrace" ]]; then _millrace "$@"; else compdef _millrace millrace; fi
`;
}

function fish(places: readonly Place[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = ["# fish completion for millrace"];
  for (const { path, verbs, options } of places) {
    const [command, verb] = path;
    const others =
      path.length === 1 && verbs.length > 0 ? `; and not __fish_seen_subcommand_from ${names(verbs)}` : "";
    const condition =
      command === undefined
        ? "__fish_use_subcommand"
        : verb === undefined
          ? `__fish_seen_subcommand_from ${command}${others}`
          : `__fish_seen_subcommand_from ${command}; and __fish_seen_subcommand_from ${verb}`;
    const start = `complete -c millrace -n ${quoted(condition)}`;
    for (const { name, summary } of verbs) lines.push(`${start} -f -a ${name} -d ${quoted(summary)}`);
    for (const { name, summary } of options) lines.push(`${start} -l ${name.slice(2)} -d ${quoted(summary)}`);
  }
  return `${lines.join("\n")}\n`;
}

const writers: Readonly<Record<Shell, (places: readonly Place[]) => string>> = { bash, zsh, fish };

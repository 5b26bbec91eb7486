/** What a shell needs of a command. */
export interface CompletedCommand {
  name: string;
  summary: string;
  flags: CompletedFlag[];
  operands: "sets" | "targets" | "files";
}

export interface CompletedFlag {
  option: string;
  about: string;
  /** none: it takes no value. any: a value that only the caller knows. */
  value: "none" | "any" | "file" | readonly string[];
}

export function completionLines(shell: "bash" | "zsh" | "fish", all: readonly CompletedCommand[]): string[] {
  switch (shell) {
    case "bash":
      return bash(all);
    case "zsh":
      // zsh can emulate the completion of bash.
      return ["#compdef holdstill", "autoload -U +X bashcompinit && bashcompinit", ...bash(all)];
    case "fish":
      return fish(all);
  }
}

/** The first words, each with the second words of its group. */
function firstWords(all: readonly CompletedCommand[]): Map<string, CompletedCommand[]> {
  const groups = new Map<string, CompletedCommand[]>();
  for (const one of all) {
    const [first = "", second] = one.name.split(" ");
    groups.set(first, [...(groups.get(first) ?? []), ...(second === undefined ? [] : [{ ...one, name: second }])]);
  }
  return groups;
}

const namesOf = (some: readonly CompletedCommand[]): string => some.map(({ name }) => name).join(" ");

function bash(all: readonly CompletedCommand[]): string[] {
  const firsts = firstWords(all);
  const cases = all.map(({ name, flags, operands }) => {
    const words = flags.map(({ option }) => `--${option}`).join(" ");
    return `    ${JSON.stringify(name)}) words="${words}"; more=${operands} ;;`;
  });
  return [
    "_holdstill() {",
    '  local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words="" more=files name="${COMP_WORDS[1]}"',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    COMPREPLY=($(compgen -W "${[...firsts.keys()].join(" ")} --help --version" -- "$current"))`,
    "    return",
    "  fi",
    ...[...firsts].flatMap(([first, seconds]) =>
      seconds.length === 0
        ? []
        : [
            `  if [ "$COMP_CWORD $name" = "2 ${first}" ]; then`,
            `    COMPREPLY=($(compgen -W "${namesOf(seconds)}" -- "$current"))`,
            "    return",
            "  fi",
          ],
    ),
    ...all
      .filter(({ name }) => name.includes(" "))
      .map(({ name }) => `  [ "$name \${COMP_WORDS[2]}" = "${name}" ] && name="${name}"`),
    "  # bash splits words at a colon and at an equals sign.",
    '  [ "$before" = "=" ] && before="${COMP_WORDS[COMP_CWORD-2]}"',
    '  [ "$current" = "=" ] && current=""',
    '  case "$name $before" in',
    ...all.flatMap(({ name, flags }) => flags.flatMap((flag) => bashValue(name, flag))),
    "  esac",
    '  case "$name" in',
    ...cases,
    "  esac",
    '  if [[ "$current" == -* ]]; then COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  elif [ "$more" = sets ]; then',
    '    COMPREPLY=($(compgen -W "$(holdstill completions sets 2>/dev/null)" -- "$current"))',
    '  elif [ "$more" = targets ] && [ "$before$current" = "writer:" ]; then',
    '    COMPREPLY=($(holdstill completions writers 2>/dev/null | sed "s/^writer://"))',
    '  elif [ "$more" = targets ] && [ "$before" = ":" ]; then',
    '    COMPREPLY=($(compgen -W "$(holdstill completions writers 2>/dev/null | sed "s/^writer://")" -- "$current"))',
    '  elif [ "$more" = targets ]; then',
    '    COMPREPLY=($(compgen -W "$(holdstill completions writers 2>/dev/null)" -- "$current") $(compgen -f -- "$current"))',
    '  else COMPREPLY=($(compgen -f -- "$current")); fi',
    "}",
    "complete -o filenames -F _holdstill holdstill",
  ];
}

function bashValue(name: string, { option, value }: CompletedFlag): string[] {
  if (value === "none") return [];
  const words = `COMPREPLY=($(compgen ${typeof value === "string" ? "-f" : `-W "${value.join(" ")}"`} -- "$current"))`;
  return [`    "${name} --${option}") ${value === "any" ? "COMPREPLY=()" : words}; return ;;`];
}

function fish(all: readonly CompletedCommand[]): string[] {
  const firsts = firstWords(all);
  const groups = [...firsts].filter(([, seconds]) => seconds.length > 0);
  const groupNames = groups.map(([first]) => first).join(" ");
  return [
    ...[...firsts].map(([first, seconds]) => {
      const about = all.find(({ name }) => name === first)?.summary ?? seconds.map(({ name }) => name).join(", ");
      return word("__fish_use_subcommand", first, about);
    }),
    ...groups.flatMap(([first, seconds]) =>
      seconds.map(({ name, summary }) => word(`${seen(first)}; and not ${seen(namesOf(seconds))}`, name, summary)),
    ),
    ...all.flatMap(({ name, flags, operands }) => {
      const [first = "", second] = name.split(" ");
      const when =
        second === undefined ? `${seen(first)}; and not ${seen(groupNames)}` : `${seen(first)}; and ${seen(second)}`;
      const on = `complete -c holdstill -n '${when}'`;
      return [
        ...flags.map(({ option, about, value }) => `${on} -l ${option}${fishValue(value)} -d ${quoted(about)}`),
        ...fishOperands[operands].map((words) => `${on} ${words}`),
      ];
    }),
  ];
}

function fishValue(value: CompletedFlag["value"]): string {
  switch (value) {
    case "none":
      return "";
    case "file":
      return " -r";
    case "any":
      return " -x";
    default:
      return ` -x -a ${quoted(value.join(" "))}`;
  }
}

const fishOperands: Readonly<Record<CompletedCommand["operands"], readonly string[]>> = {
  sets: ["-f -a '(holdstill completions sets 2>/dev/null)'"],
  targets: ["-a '(holdstill completions writers 2>/dev/null)'"],
  files: [],
};

const seen = (words: string): string => `__fish_seen_subcommand_from ${words}`;
const word = (when: string, name: string, about: string): string =>
  `complete -c holdstill -f -n '${when}' -a ${name} -d ${quoted(about)}`;
const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", String.raw`\'`)}'`;

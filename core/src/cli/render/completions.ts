/** A command, as a shell needs to know it. */
export interface Known {
  name: string;
  summary: string;
  flags: { option: string; about: string; takesValue: boolean }[];
  operands: "sets" | "files";
}

export function completionLines(shell: "bash" | "zsh" | "fish", all: readonly Known[]): string[] {
  switch (shell) {
    case "bash":
      return bash(all);
    case "zsh":
      // zsh reads bash's with its own emulation.
      return ["#compdef holdstill", "autoload -U +X bashcompinit && bashcompinit", ...bash(all)];
    case "fish":
      return fish(all);
  }
}

function bash(all: readonly Known[]): string[] {
  const firsts = [...new Set(all.map(({ name }) => name.split(" ", 1)[0]))].join(" ");
  const cases = all.map(({ name, flags, operands }) => {
    const words = flags.map(({ option }) => `--${option}`).join(" ");
    return `    ${JSON.stringify(name)}) words="${words}"; more=${operands} ;;`;
  });
  return [
    "_holdstill() {",
    '  local current="${COMP_WORDS[COMP_CWORD]}" words="" more=files name="${COMP_WORDS[1]}"',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    COMPREPLY=($(compgen -W "${firsts} --help --version" -- "$current"))`,
    "    return",
    "  fi",
    ...all
      .filter(({ name }) => name.includes(" "))
      .map(({ name }) => `  [ "$name \${COMP_WORDS[2]}" = "${name}" ] && name="${name}"`),
    '  case "$name" in',
    ...cases,
    "  esac",
    '  if [[ "$current" == -* ]]; then COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  elif [ "$more" = sets ]; then',
    '    COMPREPLY=($(compgen -W "latest $(holdstill list --quiet 2>/dev/null)" -- "$current"))',
    '  else COMPREPLY=($(compgen -f -- "$current")); fi',
    "}",
    "complete -o filenames -F _holdstill holdstill",
  ];
}

function fish(all: readonly Known[]): string[] {
  const firsts = new Map(all.map(({ name, summary }) => [name.split(" ", 1)[0] ?? name, summary]));
  return [
    ...[...firsts].map(
      ([name, about]) => `complete -c holdstill -n __fish_use_subcommand -a ${name} -d ${quoted(about)}`,
    ),
    ...all.flatMap(({ name, flags, operands }) => {
      const on = `complete -c holdstill -n '__fish_seen_subcommand_from ${name.split(" ").at(-1)}'`;
      const sets = operands === "sets" ? [`${on} -f -a 'latest (holdstill list --quiet 2>/dev/null)'`] : [];
      return [
        ...flags.map(
          ({ option, about, takesValue }) => `${on} -l ${option}${takesValue ? " -r" : ""} -d ${quoted(about)}`,
        ),
        ...sets,
      ];
    }),
  ];
}

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", String.raw`\'`)}'`;

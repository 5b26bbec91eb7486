import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";

/** Runs a script that stops at its first failure; its output. */
export function sh(script: string, cwd: string): string {
  return execFileSync("sh", ["-euc", script], { cwd, encoding: "utf8" });
}

/** Everything that a copy is to keep, as text: names, types, modes, owners, times to the microsecond, sizes, ACLs, attributes. */
export function portrait(dir: string): string {
  const names = "find . -mindepth 1 ! -name .holdstill ! -path './.holdstill/*'";
  return sh(
    `${names} -printf '%p %y %m %U %G %TY%Tm%Td%TH%TM%.9TS %n %l ' \\( -type f -printf '%s' -o -true \\) -printf '\\n' | sort
     ${names} -type f -exec sha256sum {} + | sort
     ${names} ! -type l -print0 | sort -z | xargs -0 getfacl -p
     ${names} ! -type l ! -type p -print0 | sort -z | xargs -0 getfattr -d -m '^user'`,
    dir,
  );
}

/** A tree with one of each thing that is easily lost. */
export function furnish(dir: string): string {
  mkdirSync(dir, { recursive: true });
  sh(
    `mkdir -p plain 'with space/empty' secret
     head -c 300000 /dev/urandom > plain/data; ln plain/data 'with space/hard'; ln -s ../plain/data 'with space/soft'; ln -s /no/where dangling
     truncate -s 8M sparse; printf tail >> sparse
     setfattr -n user.colour -v blue plain/data; setfattr -n user.kind -v dir plain; setfacl -m u:1234:rw plain/data; setfacl -d -m g:1234:rx secret
     mkfifo pipe; chown 1001:1002 plain/data; chown -h 1001:1002 dangling; chmod 4751 plain/data; chmod 0500 secret
     printf x > "it's \\$(odd)
name"; printf y > -dash; printf z > ünïcode; printf n > "$(printf 'bytes\\377')"
     touch -h -d '2001-02-03 04:05:06.123456789' dangling; touch -d '2001-02-03 04:05:06.123456789' plain/data plain`,
    dir,
  );
  return dir;
}

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { EtcdTls } from "./etcd-server.js";

const openssl = (dir: string, ...args: readonly string[]): void =>
  void execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });

/** An authority, which signs the requests of hosts, in a folder. */
export function makeAuthority(dir: string): void {
  openssl(
    dir,
    ..."req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem".split(" "),
  );
  writeFileSync(path.join(dir, "loopback"), "subjectAltName=IP:127.0.0.1\n");
}

/** Signs NAME.csr. */
export function sign(dir: string, name: string): EtcdTls {
  openssl(
    dir,
    ...`x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile loopback -out ${name}.pem`.split(
      " ",
    ),
  );
  const file = (suffix: string): string => path.join(dir, `${name}${suffix}`);
  return { ca: path.join(dir, "ca.pem"), certificate: file(".pem"), key: file(".key") };
}

/** A key and its certificate. */
export function certificateFor(dir: string, name: string): EtcdTls {
  openssl(
    dir,
    ..."req -new -newkey rsa:2048 -nodes".split(" "),
    "-subj",
    `/CN=${name}`,
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.csr`,
  );
  return sign(dir, name);
}

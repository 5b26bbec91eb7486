/** What a ledger is kept with: a session of any server that speaks SQL. */
export interface SqlClient {
  query(sql: string): Promise<{ rows: object[] }>;
}

/** The rows that a statement answers. */
export async function rowsOf<Row extends object>(client: SqlClient, sql: string): Promise<Row[]> {
  const { rows } = await client.query(sql);
  return rows as Row[];
}

/** Accounts that money is moved between. */
export const accounts = 200;

/** The last transaction of a worker that the server has confirmed. */
export interface Acknowledged {
  readonly worker: number;
  /** Of this worker's transactions, counted from 1. */
  readonly seq: number;
  /** When the confirmation came: performance.now(), ms. */
  readonly at: number;
}

/** The books are wrong; `faults` has all that was found. */
export class LedgerBroken extends Error {
  override readonly name = "LedgerBroken";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`the ledger is broken: ${faults.join("; ")}`);
    this.faults = faults;
  }
}

/**
 * Makes the tables of a double-entry ledger: accounts with a balance, and a journal that only grows. Each transaction takes
 * an amount from one account, adds it to another and writes one row, so that a half transaction, a lost one and one
 * that came twice all show.
 */
export async function createLedger(client: SqlClient, tablespace?: string): Promise<void> {
  const where = tablespace === undefined ? "" : ` TABLESPACE ${tablespace}`;
  await client.query(`
    CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL)${where};
    CREATE TABLE journal (
      worker int, seq bigint, debit int NOT NULL, credit int NOT NULL, amount bigint NOT NULL, PRIMARY KEY (worker, seq)
    )${where};
    INSERT INTO account VALUES ${Array.from({ length: accounts }, (_, index) => `(${index + 1}, 0)`).join(", ")};`);
}

/**
 * Moves money, as transaction number `seq` of `worker`; when it returns, the server has confirmed the commit. The accounts are
 * locked in the order of their numbers, so that workers never deadlock.
 */
export async function post(client: SqlClient, worker: number, seq: number): Promise<void> {
  const debit = 1 + Math.floor(Math.random() * accounts);
  const credit = 1 + ((debit + Math.floor(Math.random() * (accounts - 1))) % accounts);
  const amount = 1 + Math.floor(Math.random() * 1000);
  const moves = [
    { id: debit, by: -amount },
    { id: credit, by: amount },
  ].toSorted((a, b) => a.id - b.id);
  const updates = moves.map(({ id, by }) => `UPDATE account SET balance = balance + (${by}) WHERE id = ${id};`);
  // One message, so that the time of a transaction is the server's and not that of five round trips.
  await client.query(
    `BEGIN; ${updates.join(" ")} INSERT INTO journal VALUES (${worker}, ${seq}, ${debit}, ${credit}, ${amount}); COMMIT`,
  );
}

/**
 * Checks the books: the balances add up to nothing, each is what the journal says, no worker's numbers have a gap, and nothing
 * is missing that had been confirmed. Answers how many journal rows it read, or fails with LedgerBroken.
 */
export async function verifyLedger(
  client: SqlClient,
  acknowledged: readonly Acknowledged[] = [],
): Promise<{ rowsChecked: number }> {
  const faults: string[] = [];
  const [sum] = await rowsOf<{ accounts: string; total: string }>(
    client,
    "SELECT count(*) AS accounts, coalesce(sum(balance), 0) AS total FROM account",
  );
  if (Number(sum?.accounts) !== accounts) faults.push(`${sum?.accounts} accounts instead of ${accounts}`);
  if (Number(sum?.total) !== 0) faults.push(`the balances add up to ${sum?.total} instead of 0`);

  const wrong = await rowsOf<{ id: number; balance: string; journal: string }>(
    client,
    `
    SELECT id, balance, coalesce(moved, 0) AS journal
      FROM account LEFT JOIN (
        SELECT id, sum(moved) AS moved FROM (
          SELECT debit AS id, -amount AS moved FROM journal UNION ALL SELECT credit, amount FROM journal
        ) AS move GROUP BY id
      ) AS moves USING (id)
     WHERE balance <> coalesce(moved, 0) ORDER BY id`,
  );
  const [first] = wrong;
  if (first !== undefined) {
    const more = wrong.length === 1 ? "" : ` (and ${wrong.length - 1} more)`;
    faults.push(`account ${first.id} holds ${first.balance}, by the journal ${first.journal}${more}`);
  }

  const workers = await rowsOf<{ worker: number; entries: string; last: string }>(
    client,
    "SELECT worker, count(*) AS entries, max(seq) AS last FROM journal GROUP BY worker ORDER BY worker",
  );
  for (const { worker, entries, last } of workers) {
    if (Number(entries) !== Number(last)) faults.push(`worker ${worker} has ${entries} rows up to number ${last}`);
  }
  for (const { worker, seq } of acknowledged) {
    const last = Number(workers.find((row) => row.worker === worker)?.last ?? 0);
    if (last < seq) faults.push(`worker ${worker} ends at ${last}, but ${seq} was confirmed`);
  }
  if (faults.length > 0) throw new LedgerBroken(faults);
  return { rowsChecked: workers.reduce((total, { entries }) => total + Number(entries), 0) };
}

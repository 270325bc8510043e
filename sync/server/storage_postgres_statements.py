"""PostgreSQL's tables and statements (R45, R69).

The account is the first column of every key and stands in every question but three: whose a new contract is,
what is still to be tidied, and, once when a process starts, what was received last. A distributed engine
that speaks PostgreSQL's protocol can spread all tables by it.

No statement depends on what the planner knows of the tables, which is nothing at first and later wrong for
columns that go together, as account and contract do. Each has one index whose columns it names all; a list
is looked up one by one (LATERAL … OFFSET 0), for `= ANY` may be applied after an account's rows were read.
"""

# The account's lock (R3): whoever gets it sees what the one before committed.
LOCK = """
    SELECT received_at_ms, log_epoch, sealed_until_ms, ledger_due_ms, healing_from
      FROM account
     WHERE account = %(account)s
       FOR UPDATE
"""

LAST_RECEIVED_OF_ALL = "SELECT max(received_at_ms) FROM account"

DEVICE_LIST = """
    SELECT v.header, v.body
      FROM account AS a
      JOIN version AS v
        ON v.account = a.account
       AND v.contract = a.account
       AND v.log_epoch = a.list_epoch
       AND v.log_index = a.list_index
     WHERE a.account = %(account)s
"""

ACCEPTED = """
    SELECT v.n, v.header, v.body_hash, v.contract, v.log_epoch, v.log_index, v.received_at_ms, v.leaf
      FROM unnest(%(ns)s::bigint[]) AS asked (n)
     CROSS JOIN LATERAL (SELECT *
                           FROM version
                          WHERE version.account = %(account)s
                            AND version.replica = %(replica)s
                            AND version.n = asked.n
                         OFFSET 0) AS v
"""

REFUSED = """
    SELECT r.n, r.header_hash, r.body_hash, r.reason, r.because, r.refused_at_ms
      FROM unnest(%(ns)s::bigint[]) AS asked (n)
     CROSS JOIN LATERAL (SELECT *
                           FROM refusal
                          WHERE refusal.account = %(account)s
                            AND refusal.replica = %(replica)s
                            AND refusal.n = asked.n
                         OFFSET 0) AS r
"""

STANDING = """
    SELECT v.contract, v.slot, v.header, v.received_at_ms
      FROM unnest(%(contracts)s::text[], %(slots)s::bigint[]) AS place (contract, slot)
     CROSS JOIN LATERAL (SELECT *
                           FROM version
                          WHERE version.account = %(account)s
                            AND version.contract = place.contract
                            AND version.slot = place.slot
                         OFFSET 0) AS v
     ORDER BY v.contract, v.log_epoch, v.log_index
"""

LOGS = """
    SELECT contract, log_epoch, size, peaks, seals
      FROM contract
     WHERE account = %(account)s AND contract = ANY(%(contracts)s::text[])
"""

ALL_LOGS = """
    SELECT contract, log_epoch, size, peaks, seals
      FROM contract
     WHERE account = %(account)s
     ORDER BY contract <> account, contract
"""

FOREIGN = """
    SELECT DISTINCT contract
      FROM contract
     WHERE contract = ANY(%(contracts)s::text[]) AND account <> %(account)s
"""

TERMS = """
    SELECT contract, header, received_at_ms
      FROM version
     WHERE account = %(account)s AND contract = ANY(%(contracts)s::text[]) AND type = 'terms'
     ORDER BY contract, log_epoch, log_index
"""

SEATS = """
    SELECT contract, header, body, received_at_ms
      FROM version
     WHERE account = %(account)s
       AND contract = ANY(%(contracts)s::text[])
       AND type IN ('grant', 'joining')
     ORDER BY contract, log_epoch, log_index
"""

ACTS = """
    SELECT contract, header, received_at_ms
      FROM version
     WHERE account = %(account)s
       AND contract = ANY(%(contracts)s::text[])
       AND type IN ('request', 'acceptance', 'dispute', 'redaction', 'bonus', 'payment')
     ORDER BY contract, log_epoch, log_index
"""

MEMBERSHIPS = """
    SELECT contract, header, received_at_ms
      FROM version
     WHERE account = %(account)s AND contract = %(account)s AND type = 'membership'
     ORDER BY log_epoch, log_index
"""

MANAGED = """
    SELECT DISTINCT contract
      FROM version
     WHERE account = %(account)s AND type = 'grant' AND header LIKE '%%"agency":"%%'
"""

BESIDE = "SELECT log_epoch, sealed_until_ms FROM account WHERE account = %(account)s"

SHARED_SLOTS = """
    SELECT DISTINCT own.slot
      FROM version AS own
     CROSS JOIN LATERAL (SELECT 1
                           FROM contract AS other
                          CROSS JOIN LATERAL (SELECT 1
                                                FROM version AS rival
                                               WHERE rival.account = %(account)s
                                                 AND rival.contract = other.contract
                                                 AND rival.slot = own.slot
                                               LIMIT 1) AS there
                          WHERE other.account = %(account)s AND other.contract <> %(contract)s
                          LIMIT 1) AS shared
     WHERE own.account = %(account)s AND own.contract = %(contract)s
       AND own.slot >= %(first)s
       AND own.slot < %(end)s
"""

OPEN_ACCOUNT = """
    INSERT INTO account (account, root, list_index, received_at_ms)
    VALUES (%(account)s, %(root)s, NULL, %(at_ms)s)
        ON CONFLICT (account) DO NOTHING
"""

ADMIT = """
    INSERT INTO replica (account, replica, token_hash, contract)
    VALUES (%(account)s, %(replica)s, %(token_hash)s, %(contract)s)
        ON CONFLICT (account, replica) DO NOTHING
"""

ADMITTED = "SELECT token_hash FROM replica WHERE account = %(account)s AND replica = %(replica)s"

KEEP_PUSH = """
    INSERT INTO push (account, hash, replica, hashes, signature)
    VALUES (%(account)s, %(hash)s, %(replica)s, %(hashes)b, %(signature)b)
        ON CONFLICT (account, hash) DO NOTHING
"""

APPEND = """
    INSERT INTO version (account, contract, log_epoch, log_index, received_at_ms, replica, n, type, slot,
                         push, leaf, header, body_hash, body, wrap)
    SELECT %(account)s, contract, log_epoch, log_index, received_at_ms, replica, n, type, slot,
           %(push)b, leaf, header, body_hash, body, wrap
      FROM unnest(%(contract)b::text[], %(log_epoch)s::bigint[], %(log_index)s::bigint[],
                  %(received_at_ms)s::bigint[], %(replica)b::text[], %(n)s::bigint[], %(type)b::text[],
                  %(slot)s::bigint[], %(leaf)b::bytea[], %(header)b::text[], %(body_hash)b::bytea[],
                  %(body)b::bytea[], %(wrap)b::bytea[])
        AS new (contract, log_epoch, log_index, received_at_ms, replica, n, type, slot, leaf, header,
                body_hash, body, wrap)
"""

APPEND_COLUMNS = (
    "account",
    "contract",
    "log_epoch",
    "log_index",
    "received_at_ms",
    "replica",
    "n",
    "type",
    "slot",
    "push",
    "leaf",
    "header",
    "body_hash",
    "body",
    "wrap",
)
APPEND_NUMBERS = ("log_epoch", "log_index", "received_at_ms", "n", "slot")

GROW = """
    INSERT INTO contract (account, contract, log_epoch, size, peaks)
    VALUES (%(account)s, %(contract)s, %(log_epoch)s, %(size)s, %(peaks)b)
        ON CONFLICT (account, contract) DO UPDATE
       SET log_epoch = excluded.log_epoch, size = excluded.size, peaks = excluded.peaks
"""

NOTE_RECEIVED = "UPDATE account SET received_at_ms = %(at_ms)s WHERE account = %(account)s"

NOTE_LIST = """
    UPDATE account
       SET list_epoch = %(list_epoch)s, list_index = %(list_index)s
     WHERE account = %(account)s
"""

LEAVES = """
    SELECT leaf
      FROM version
     WHERE account = %(account)s AND contract = %(contract)s
     ORDER BY log_epoch, log_index
     LIMIT %(size)s
"""

KEEP_OPENING = """
    INSERT INTO opening (account, log_epoch, text, signature)
    VALUES (%(account)s, %(log_epoch)s, %(text)s, %(signature)b)
"""

ENTER_EPOCH = "UPDATE account SET log_epoch = %(log_epoch)s WHERE account = %(account)s"

LOGS_ENTER_EPOCH = "UPDATE contract SET log_epoch = %(log_epoch)s WHERE account = %(account)s"

EPOCHS = "SELECT log_epoch FROM opening WHERE account = %(account)s ORDER BY log_epoch"

LOG_EPOCH = "SELECT log_epoch FROM account WHERE account = %(account)s"

LAST_OPENED = "SELECT max(log_epoch) FROM account"

OPENINGS = """
    SELECT text, signature
      FROM opening
     WHERE account = %(account)s AND log_epoch > %(after_epoch)s
     ORDER BY log_epoch
"""

ACCOUNTS = "SELECT account FROM account WHERE account > %(after)s ORDER BY account LIMIT %(limit)s"

NOTE_REVOKED = """
    UPDATE replica
       SET revoked = replica = ANY(%(revoked)s::text[])
     WHERE account = %(account)s AND contract IS NULL
"""

END_SEATS = """
    UPDATE replica
       SET revoked = true
     WHERE account = %(account)s AND contract IS NOT NULL AND replica = ANY(%(replicas)s::text[])
"""

EXPECT_PICTURE = """
    INSERT INTO picture (account, name, replica, n, size, whole, counted)
    SELECT %(account)s, new.name, new.replica, new.n,
           coalesce(old.size, new.size), coalesce(old.whole, false), coalesce(old.counted, false)
      FROM unnest(%(names)s::text[], %(replicas)s::text[], %(ns)s::bigint[], %(sizes)s::bigint[])
           AS new (name, replica, n, size)
     CROSS JOIN LATERAL (SELECT max(picture.size) AS size, bool_or(picture.whole) AS whole,
                                bool_or(picture.counted) AS counted
                           FROM picture
                          WHERE picture.account = %(account)s AND picture.name = new.name) AS old
        ON CONFLICT (account, name, replica, n) DO NOTHING
"""

REFUSE = """
    INSERT INTO refusal (account, replica, n, header_hash, body_hash, reason, because, refused_at_ms)
    VALUES (%(account)s, %(replica)s, %(n)s, %(header_hash)s, %(body_hash)s, %(reason)s, %(because)s,
            %(refused_at_ms)s)
"""

DESTROY = """
    UPDATE version
       SET body = NULL, wrap = NULL
      FROM unnest(%(replicas)s::text[], %(ns)s::bigint[]) AS named (replica, n)
     WHERE version.account = %(account)s AND version.replica = named.replica AND version.n = named.n
"""

FORGET_PICTURES = """
    DELETE FROM picture
     USING unnest(%(replicas)s::text[], %(ns)s::bigint[]) AS named (replica, n)
     WHERE picture.account = %(account)s AND picture.replica = named.replica AND picture.n = named.n
 RETURNING name, size, counted
"""

DOOM = """
    INSERT INTO doomed (account, name)
    SELECT %(account)s, %(name)s
     WHERE NOT EXISTS (SELECT 1 FROM picture WHERE account = %(account)s AND name = %(name)s)
        ON CONFLICT (account, name) DO NOTHING
"""

FREE_BYTES = """
    UPDATE account
       SET picture_bytes = picture_bytes - %(size)s
     WHERE account = %(account)s
       AND NOT EXISTS (SELECT 1 FROM picture WHERE account = %(account)s AND name = %(name)s)
"""

CREDENTIAL = """
    SELECT token_hash, revoked, contract
      FROM replica
     WHERE account = %(account)s AND replica = %(replica)s
"""

WRITTEN_UP_TO = """
    SELECT coalesce(max(n), 0)
      FROM version
     WHERE account = %(account)s AND replica = %(replica)s
"""

HIGHEST_N = """
    SELECT greatest(0,
                    (SELECT n
                       FROM version
                      WHERE account = %(account)s AND replica = %(replica)s
                      ORDER BY n DESC
                      LIMIT 1),
                    (SELECT n
                       FROM refusal
                      WHERE account = %(account)s AND replica = %(replica)s
                      ORDER BY n DESC
                      LIMIT 1))
"""

FEED = """
    SELECT log_index, received_at_ms, push, header, body_hash, body, wrap, leaf
      FROM version
     WHERE account = %(account)s
       AND contract = %(contract)s
       AND log_epoch = %(log_epoch)s
       AND log_index >= %(first)s
       AND log_index < %(end)s
     ORDER BY log_index
"""

PUSHES = """
    SELECT p.hash, p.replica, p.hashes, p.signature
      FROM unnest(%(names)s::bytea[]) AS asked (hash)
     CROSS JOIN LATERAL (SELECT *
                           FROM push
                          WHERE push.account = %(account)s AND push.hash = asked.hash
                         OFFSET 0) AS p
"""

PICTURES = """
    SELECT name, max(size), bool_or(whole), bool_or(counted)
      FROM picture
     WHERE account = %(account)s AND name = ANY (%(names)s::text[])
     GROUP BY name
"""

PICTURE_OF = """
    SELECT EXISTS (SELECT 1
                     FROM picture AS p
                     JOIN version AS v
                       ON v.account = p.account
                      AND v.replica = p.replica
                      AND v.n = p.n
                    WHERE p.account = %(account)s AND p.name = %(name)s AND v.contract = %(contract)s)
"""

COUNT_PICTURE = """
    UPDATE picture
       SET counted = true
     WHERE account = %(account)s
       AND name = %(name)s
       AND NOT counted
       AND (%(quota_bytes)s::bigint IS NULL
            OR size <= %(quota_bytes)s::bigint
                       - (SELECT picture_bytes FROM account WHERE account = %(account)s))
 RETURNING size
"""

IS_COUNTED = """
    SELECT coalesce(bool_or(counted), true)
      FROM picture
     WHERE account = %(account)s AND name = %(name)s
"""

PICTURE_ARRIVED = "UPDATE picture SET whole = true WHERE account = %(account)s AND name = %(name)s"

PICTURE_EXISTS = """
    SELECT EXISTS (SELECT 1 FROM picture WHERE account = %(account)s AND name = %(name)s)
"""

PICTURE_BYTES = "SELECT picture_bytes FROM account WHERE account = %(account)s"

USE_BYTES = "UPDATE account SET picture_bytes = picture_bytes + %(size)s WHERE account = %(account)s"

DOOMED_OF = "SELECT account, name FROM doomed WHERE account = %(account)s LIMIT %(limit)s"

DOOMED = "SELECT account, name FROM doomed LIMIT %(limit)s"

PICTURES_REMOVED = "DELETE FROM doomed WHERE account = %(account)s AND name = ANY(%(names)s::text[])"

SWEEP = "VACUUM version"

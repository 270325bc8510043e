"""The embedded database's statements (R45, R69); its tables stand in `storage_sqlite_schema`."""

from diary.many_rows import for_many

LAST_RECEIVED = """
    SELECT received_at_ms, log_epoch, sealed_until_ms, ledger_due_ms, healing_from
      FROM account
     WHERE account = :account
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
     WHERE a.account = :account
"""

ACCEPTED = """
    SELECT n, header, body_hash, contract, log_epoch, log_index, received_at_ms, leaf
      FROM version
     WHERE account = :account AND replica = :replica AND n IN (SELECT value FROM json_each(:ns))
"""

REFUSED = """
    SELECT n, header_hash, body_hash, reason, because, refused_at_ms
      FROM refusal
     WHERE account = :account AND replica = :replica AND n IN (SELECT value FROM json_each(:ns))
"""

STANDING = """
    SELECT v.contract, v.slot, v.header, v.received_at_ms
      FROM json_each(:places) AS place
     CROSS JOIN version AS v
        ON v.account = :account AND v.contract = place.value ->> 0 AND v.slot = place.value ->> 1
     ORDER BY v.rowid
"""

LOGS = """
    SELECT contract, log_epoch, size, peaks, seals
      FROM contract
     WHERE account = :account AND contract IN (SELECT value FROM json_each(:contracts))
"""

ALL_LOGS = """
    SELECT contract, log_epoch, size, peaks, seals
      FROM contract
     WHERE account = :account
     ORDER BY contract <> account, contract
"""

FOREIGN = """
    SELECT DISTINCT contract
      FROM contract
     WHERE contract IN (SELECT value FROM json_each(:contracts)) AND account <> :account
"""

TERMS = """
    SELECT contract, header, received_at_ms
      FROM version
     WHERE account = :account
       AND contract IN (SELECT value FROM json_each(:contracts))
       AND type = 'terms'
     ORDER BY contract, log_index
"""

SEATS = """
    SELECT contract, header, body, received_at_ms
      FROM version
     WHERE account = :account
       AND contract IN (SELECT value FROM json_each(:contracts))
       AND type IN ('grant', 'joining')
     ORDER BY contract, log_index
"""

ACTS = """
    SELECT contract, header, received_at_ms
      FROM version
     WHERE account = :account
       AND contract IN (SELECT value FROM json_each(:contracts))
       AND type IN ('request', 'acceptance', 'dispute', 'redaction', 'bonus', 'payment')
     ORDER BY contract, log_index
"""

MEMBERSHIPS = """
    SELECT contract, header, received_at_ms
      FROM version
     WHERE account = :account AND contract = :account AND type = 'membership'
     ORDER BY log_index
"""

MANAGED = """
    SELECT DISTINCT contract
      FROM version
     WHERE account = :account AND type = 'grant' AND header LIKE '%"agency":"%'
"""

BESIDE = "SELECT log_epoch, sealed_until_ms FROM account WHERE account = :account"

SHARED_SLOTS = """
    SELECT DISTINCT own.slot
      FROM version AS own
     WHERE own.account = :account
       AND own.contract = :contract
       AND own.slot >= :first
       AND own.slot < :end
       AND EXISTS (SELECT 1
                     FROM contract AS other
                    CROSS JOIN version AS rival
                       ON rival.account = other.account
                      AND rival.contract = other.contract
                      AND rival.slot = own.slot
                    WHERE other.account = :account AND other.contract <> :contract)
"""

OPEN_ACCOUNT = """
    INSERT INTO account (account, root, list_index, received_at_ms)
    VALUES (:account, :root, NULL, :at_ms)
        ON CONFLICT (account) DO NOTHING
"""

ADMIT = """
    INSERT INTO replica (account, replica, token_hash, contract)
    VALUES (:account, :replica, :token_hash, :contract)
        ON CONFLICT (account, replica) DO NOTHING
"""

ADMITTED = "SELECT token_hash FROM replica WHERE account = :account AND replica = :replica"

KEEP_PUSH = """
    INSERT INTO push (account, hash, replica, hashes, signature)
    VALUES (:account, :hash, :replica, :hashes, :signature)
        ON CONFLICT (account, hash) DO NOTHING
"""

APPEND = """
    INSERT INTO version (account, contract, log_epoch, log_index, received_at_ms, replica, n, type, slot,
                         push, leaf, header, body_hash, body, wrap)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

APPEND_MANY = for_many(APPEND)

GROW = """
    INSERT INTO contract (account, contract, log_epoch, size, peaks)
    VALUES (:account, :contract, :log_epoch, :size, :peaks)
        ON CONFLICT (account, contract) DO UPDATE
       SET log_epoch = excluded.log_epoch, size = excluded.size, peaks = excluded.peaks
"""

NOTE_SEALED = "UPDATE account SET sealed_until_ms = :until_ms WHERE account = :account"

KEEP_SEAL = """
    INSERT INTO seal (account, contract, number, week, text, signature)
    VALUES (:account, :contract, :number, :week, :text, :signature)
"""

COUNT_SEAL = """
    UPDATE contract
       SET seals = :number
     WHERE account = :account AND contract = :contract
"""

NEWEST_SEALS = """
    SELECT contract, text, signature
      FROM seal
     WHERE account = :account AND week = :week
     ORDER BY contract, number
"""

SEALS = """
    SELECT text, signature
      FROM seal
     WHERE account = :account AND contract = :contract AND number > :after
     ORDER BY number
     LIMIT :seals_max
"""

UNSEALED = """
    SELECT account
      FROM account
     WHERE sealed_until_ms < :lock_ms AND healing_from IS NULL
     LIMIT :limit
"""

NOTE_RECEIVED = "UPDATE account SET received_at_ms = :at_ms WHERE account = :account"

NOTE_LIST = """
    UPDATE account
       SET list_epoch = :list_epoch, list_index = :list_index
     WHERE account = :account
"""

LEAVES = """
    SELECT leaf
      FROM version
     WHERE account = :account AND contract = :contract
     ORDER BY log_epoch, log_index
     LIMIT :size
"""

KEEP_OPENING = """
    INSERT INTO opening (account, log_epoch, text, signature)
    VALUES (:account, :log_epoch, :text, :signature)
"""

ENTER_EPOCH = "UPDATE account SET log_epoch = :log_epoch WHERE account = :account"

LOGS_ENTER_EPOCH = "UPDATE contract SET log_epoch = :log_epoch WHERE account = :account"

EPOCHS = "SELECT log_epoch FROM opening WHERE account = :account ORDER BY log_epoch"

LOG_EPOCH = "SELECT log_epoch FROM account WHERE account = :account"

LAST_OPENED = "SELECT max(log_epoch) FROM account"

OPENINGS = """
    SELECT text, signature
      FROM opening
     WHERE account = :account AND log_epoch > :after_epoch
     ORDER BY log_epoch
"""

ACCOUNTS = "SELECT account FROM account WHERE account > :after ORDER BY account LIMIT :limit"

NOTE_REVOKED = """
    UPDATE replica
       SET revoked = replica IN (SELECT value FROM json_each(:revoked))
     WHERE account = :account AND contract IS NULL
"""

END_SEATS = """
    UPDATE replica
       SET revoked = 1
     WHERE account = :account
       AND contract IS NOT NULL
       AND replica IN (SELECT value FROM json_each(:replicas))
"""

EXPECT_PICTURE = """
    INSERT INTO picture (account, name, replica, n, size, whole, counted)
    VALUES (?1, ?2, ?3, ?4,
            coalesce((SELECT max(size) FROM picture WHERE account = ?1 AND name = ?2), ?5),
            EXISTS (SELECT 1 FROM picture WHERE account = ?1 AND name = ?2 AND whole),
            EXISTS (SELECT 1 FROM picture WHERE account = ?1 AND name = ?2 AND counted))
        ON CONFLICT (account, name, replica, n) DO NOTHING
"""

REFUSE = """
    INSERT INTO refusal (account, replica, n, header_hash, body_hash, reason, because, refused_at_ms)
    VALUES (:account, :replica, :n, :header_hash, :body_hash, :reason, :because, :refused_at_ms)
"""

DESTROY = """
    UPDATE version
       SET body = NULL, wrap = NULL
     WHERE account = :account AND replica = :replica AND n IN (SELECT value FROM json_each(:ns))
"""

FORGET_PICTURES = """
    DELETE FROM picture INDEXED BY picture_version
     WHERE account = :account AND replica = :replica AND n IN (SELECT value FROM json_each(:ns))
 RETURNING name, size, counted
"""

DOOM = """
    INSERT INTO doomed (account, name)
    SELECT :account, :name
     WHERE NOT EXISTS (SELECT 1 FROM picture WHERE account = :account AND name = :name)
        ON CONFLICT (account, name) DO NOTHING
"""

CREDENTIAL = """
    SELECT token_hash, revoked, contract
      FROM replica
     WHERE account = :account AND replica = :replica
"""

WRITTEN_UP_TO = """
    SELECT coalesce(max(n), 0)
      FROM version
     WHERE account = :account AND replica = :replica
"""

HIGHEST_N = """
    SELECT max(coalesce((SELECT max(n) FROM version WHERE account = :account AND replica = :replica), 0),
               coalesce((SELECT max(n) FROM refusal WHERE account = :account AND replica = :replica), 0))
"""

FEED = """
    SELECT log_index, received_at_ms, push, header, body_hash, body, wrap, leaf
      FROM version
     WHERE account = :account AND contract = :contract AND log_epoch = :log_epoch AND log_index >= :first
     ORDER BY log_index
     LIMIT :rows_max
"""

PUSH = "SELECT replica, hashes, signature FROM push WHERE account = :account AND hash = :hash"

PICTURE = """
    SELECT max(size), max(whole), max(counted)
      FROM picture
     WHERE account = :account AND name = :name
"""

PICTURE_OF = """
    SELECT EXISTS (SELECT 1
                     FROM picture AS p
                     JOIN version AS v
                       ON v.account = p.account
                      AND v.replica = p.replica
                      AND v.n = p.n
                    WHERE p.account = :account AND p.name = :name AND v.contract = :contract)
"""

COUNT_PICTURE = """
    UPDATE picture
       SET counted = 1
     WHERE account = :account
       AND name = :name
       AND NOT counted
       AND (:quota_bytes IS NULL
            OR size + (SELECT picture_bytes FROM account WHERE account = :account) <= :quota_bytes)
 RETURNING size
"""

IS_COUNTED = "SELECT coalesce(max(counted), 1) FROM picture WHERE account = :account AND name = :name"

PICTURE_ARRIVED = "UPDATE picture SET whole = 1 WHERE account = :account AND name = :name"

PICTURE_EXISTS = "SELECT EXISTS (SELECT 1 FROM picture WHERE account = :account AND name = :name)"

PICTURE_BYTES = "SELECT picture_bytes FROM account WHERE account = :account"

USE_BYTES = "UPDATE account SET picture_bytes = picture_bytes + :size WHERE account = :account"

FREE_BYTES = """
    UPDATE account
       SET picture_bytes = picture_bytes - :size
     WHERE account = :account
       AND NOT EXISTS (SELECT 1 FROM picture WHERE account = :account AND name = :name)
"""

DOOMED_OF = "SELECT account, name FROM doomed WHERE account = :account LIMIT :limit"

DOOMED = "SELECT account, name FROM doomed LIMIT :limit"

PICTURE_REMOVED = "DELETE FROM doomed WHERE account = ? AND name = ?"

SEGMENTS = """
    SELECT c.contract, v.header, v.received_at_ms, v.leaf
      FROM contract AS c
     CROSS JOIN version AS v
        ON v.account = c.account AND v.contract = c.contract AND v.slot >= :first AND v.slot < :end
     WHERE c.account = :account
     ORDER BY v.rowid
"""

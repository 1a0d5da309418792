#include "acme/vault/vault.hpp"

#include "acme/crypto/key.hpp"
#include "acme/vault/statements.hpp"

#include <algorithm>

namespace vault {
namespace {

base::Result<void> insert_certificate(Transaction& transaction, CertificateRow const& row,
                                      crypto::Certificate const& certificate, std::string const& chain_pem,
                                      database::Blob const& sealed, Time now) {
  if (row.uploaded) {  // one that comes again is the newest again
    auto const again =
        execute(transaction,
                "DELETE FROM certificate WHERE subject_id = ?1 AND fingerprint = ?2 AND source = 'upload' "
                "AND sequence < (SELECT max(sequence) FROM certificate WHERE subject_id = ?1)",
                {row.subject_id, certificate.fingerprint});
    if (!again) {
      return again;
    }
  }
  auto const inserted = execute(
      transaction,
      "INSERT INTO certificate (subject_id, names, fingerprint, not_before_ms, not_after_ms, chain_pem, sealed_key, "
      "directory_url, ari_id, source, fallback) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (subject_id, "
      "fingerprint) DO UPDATE SET fallback = excluded.fallback",
      {row.subject_id, joined(certificate.names), certificate.fingerprint, crypto::to_ms(certificate.not_before),
       crypto::to_ms(certificate.not_after), chain_pem, sealed, row.directory_url, certificate.ari_id,
       std::string(row.uploaded ? "upload" : "acme"), std::int64_t{row.fallback ? 1 : 0}});
  if (!inserted) {
    return inserted;
  }
  if (row.uploaded) {  // the one before stays, since edges may serve it for a moment
    auto const earlier =
        execute(transaction,
                "DELETE FROM certificate WHERE subject_id = ?1 AND source = 'upload' AND sequence NOT IN "
                "(SELECT sequence FROM certificate WHERE subject_id = ?1 AND source = 'upload' "
                "ORDER BY sequence DESC LIMIT 2)",
                {row.subject_id});
    if (!earlier) {
      return earlier;
    }
  }
  auto const trimmed = execute(transaction,
                               "DELETE FROM certificate WHERE subject_id = ?1 AND not_after_ms <= ?2 AND sequence < "
                               "(SELECT max(sequence) FROM certificate WHERE subject_id = ?1)",
                               {row.subject_id, crypto::to_ms(now)});
  if (!trimmed) {
    return trimmed;
  }
  // Whatever a CA began for it is needed no longer; the one that issued knows.
  if (auto const dropped = drop_orders(transaction, row.subject_id, row.directory_url); !dropped) {
    return dropped;
  }
  auto const over = execute(transaction, "DELETE FROM acme_order WHERE subject_id = ?", {row.subject_id});
  if (!over) {
    return over;
  }
  return execute(transaction, "DELETE FROM acme_attempt WHERE subject_id = ?", {row.subject_id});
}

}  // namespace

// Reads on the store thread, where the keys are.
net::Task<base::Result<std::optional<Account>>> Vault::find_account(std::string directory_url) {
  Work<std::optional<Account>> const work =
      [this, directory_url](Database& database) -> base::Result<std::optional<Account>> {
    auto const rows =
        database.query("SELECT account_url, sealed_key, sealed_pending_key FROM acme_account WHERE directory_url = ?",
                       {directory_url});
    if (!rows) {
      return rows.error();
    }
    if (rows->empty()) {
      return std::optional<Account>();
    }
    Row const& row = rows->front();
    auto pem = keys_.unseal(query_of(database), platform, blob(row[1]), account_seal(directory_url));
    if (!pem) {
      return pem.error();
    }
    Account account{std::move(*pem), text(row[0]), {}};
    if (auto const& sealed = blob(row[2]); !sealed.empty()) {
      auto pending = keys_.unseal(query_of(database), platform, sealed, pending_seal(directory_url));
      if (!pending) {
        return pending.error();
      }
      account.pending_key_pem = std::move(*pending);
    }
    return std::optional(std::move(account));
  };
  co_return co_await thread_.run<std::optional<Account>>(work);
}

net::Task<base::Result<Account>> Vault::account(std::string directory_url) {
  auto found = co_await find_account(directory_url);
  if (!found) {
    co_return found.error();
  }
  if (*found) {
    co_return std::move(**found);
  }
  auto const key = crypto::Key::generate();
  if (!key) {
    co_return key.error();
  }
  Body const body = [this, directory_url, pem = key->pem()](Transaction& transaction) -> base::Result<void> {
    auto const sealed = keys_.seal(transaction, platform, pem, account_seal(directory_url), now_ms());
    if (!sealed) {
      return sealed.error();
    }
    return execute(transaction,
                   "INSERT OR IGNORE INTO acme_account (directory_url, account_url, sealed_key) VALUES (?, '', ?)",
                   {directory_url, *sealed});
  };
  Work<std::int64_t> const insert = fenced(body);
  auto const written = co_await thread_.run<std::int64_t>(insert);
  if (!written) {
    co_return written.error();
  }
  co_return co_await account(std::move(directory_url));  // another call may have been faster: its key counts
}

net::Task<base::Result<void>> Vault::set_account_url(std::string directory_url, std::string account_url) {
  Body const body = [=](Transaction& transaction) {
    return execute(transaction, "UPDATE acme_account SET account_url = ? WHERE directory_url = ?",
                   {account_url, directory_url});
  };
  Work<std::int64_t> const work = fenced(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

net::Task<base::Result<void>> Vault::begin_key_change(std::string directory_url, std::string key_pem) {
  Body const body = [this, directory_url, key_pem](Transaction& transaction) -> base::Result<void> {
    auto const sealed = keys_.seal(transaction, platform, key_pem, pending_seal(directory_url), now_ms());
    if (!sealed) {
      return sealed.error();
    }
    return execute(transaction, "UPDATE acme_account SET sealed_pending_key = ? WHERE directory_url = ?",
                   {*sealed, directory_url});
  };
  Work<std::int64_t> const work = fenced(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

net::Task<base::Result<void>> Vault::end_key_change(std::string directory_url, bool taken) {
  auto const present = co_await account(directory_url);
  if (!present) {
    co_return present.error();
  }
  std::string const& kept = taken && !present->pending_key_pem.empty() ? present->pending_key_pem : present->key_pem;
  Body const body = [this, directory_url, kept](Transaction& transaction) -> base::Result<void> {
    auto const sealed = keys_.seal(transaction, platform, kept, account_seal(directory_url), now_ms());
    if (!sealed) {
      return sealed.error();
    }
    return execute(transaction,
                   "UPDATE acme_account SET sealed_key = ?, sealed_pending_key = NULL WHERE directory_url = ?",
                   {*sealed, directory_url});
  };
  Work<std::int64_t> const work = fenced(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

net::Task<base::Result<std::vector<Attempt>>> Vault::attempts() {
  Work<Rows> const work =
      reading("SELECT subject_id, directory_url, failures, not_before_ms, detail FROM acme_attempt");
  auto const rows = co_await thread_.run<Rows>(work);
  if (!rows) {
    co_return rows.error();
  }
  std::vector<Attempt> attempts;
  for (Row const& row : *rows) {
    attempts.push_back({integer(row[0]), text(row[1]), static_cast<unsigned>(integer(row[2])),
                        crypto::from_ms(integer(row[3])), text(row[4])});
  }
  co_return attempts;
}

net::Task<base::Result<void>> Vault::save_attempt(Attempt attempt) {
  Body const body = [attempt](Transaction& transaction) {
    return execute(transaction,
                   "INSERT OR REPLACE INTO acme_attempt (subject_id, directory_url, failures, not_before_ms, detail) "
                   "VALUES (?, ?, ?, ?, ?)",
                   {attempt.subject_id, attempt.directory_url, std::int64_t{attempt.failures},
                    crypto::to_ms(attempt.not_before), attempt.detail});
  };
  Work<std::int64_t> const work = fenced(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

net::Task<base::Result<std::int64_t>> Vault::add_certificate(CertificateRow row, crypto::Certificate certificate,
                                                             std::string chain_pem, std::string key_pem, Time now) {
  Body const body = [=, this](Transaction& transaction) -> base::Result<void> {
    auto const tenant = tenant_of(transaction, row.subject_id);
    if (!tenant) {
      return tenant.error();
    }
    auto const sealed = keys_.seal(transaction, *tenant, key_pem, certificate_seal(*tenant, certificate.fingerprint),
                                   crypto::to_ms(now));
    if (!sealed) {
      return sealed.error();
    }
    return insert_certificate(transaction, row, certificate, chain_pem, *sealed, now);
  };
  Work<std::int64_t> const insert = fenced(body);
  Work<std::int64_t> const work = [insert, row, certificate](Database& database) -> base::Result<std::int64_t> {
    auto const written = insert(database);
    if (!written) {
      return written.error();
    }
    auto const rows = database.query("SELECT sequence FROM certificate WHERE subject_id = ? AND fingerprint = ?",
                                     {row.subject_id, certificate.fingerprint});
    if (!rows) {
      return rows.error();
    }
    if (rows->empty()) {
      return base::fail(errc::not_found, certificate.fingerprint);
    }
    return integer(rows->front()[0]);
  };
  co_return co_await thread_.run<std::int64_t>(work);
}

net::Task<base::Result<std::vector<CertificateRow>>> Vault::certificates() {
  std::string const sql =
      "SELECT " + std::string(certificate_columns) + std::string(certificate_rows) + "ORDER BY sequence";
  Work<Rows> const work = reading(sql);
  auto const rows = co_await thread_.run<Rows>(work);
  if (!rows) {
    co_return rows.error();
  }
  co_return certificates_of(*rows);
}

net::Task<base::Result<std::vector<CertificateRow>>> Vault::certificates(std::int64_t subject_id) {
  std::string const sql = "SELECT " + std::string(certificate_columns) + std::string(certificate_rows) +
                          "WHERE subject_id = ? ORDER BY sequence";
  Work<Rows> const work = reading(sql, {subject_id});
  auto const rows = co_await thread_.run<Rows>(work);
  if (!rows) {
    co_return rows.error();
  }
  co_return certificates_of(*rows);
}

net::Task<base::Result<Bundle>> Vault::unsealed_bundle(std::int64_t subject_id, std::int64_t sequence) {
  std::string const sql = "SELECT " + std::string(certificate_columns) + ", chain_pem, sealed_key" +
                          std::string(certificate_rows) +
                          "WHERE subject_id = ?1 AND (?2 = 0 OR sequence = ?2) ORDER BY sequence DESC LIMIT 1";
  Work<Bundle> const work = [this, sql, subject_id, sequence](Database& database) -> base::Result<Bundle> {
    auto const rows = database.query(sql, {subject_id, sequence});
    if (!rows) {
      return rows.error();
    }
    if (rows->empty()) {
      return base::fail(errc::not_found, "subject " + std::to_string(subject_id));
    }
    Row const& row = rows->front();
    Bundle bundle{certificate_of(row), text(row[14]), {}};
    auto key = keys_.unseal(query_of(database), bundle.row.tenant_id, blob(row[15]),
                            certificate_seal(bundle.row.tenant_id, bundle.row.fingerprint));
    if (!key) {
      return key.error();
    }
    bundle.key_pem = std::move(*key);
    return bundle;
  };
  co_return co_await thread_.run<Bundle>(work);
}

net::Task<base::Result<std::vector<SuggestionRow>>> Vault::suggestions() {
  Work<Rows> const work =
      reading("SELECT sequence, start_ms, end_ms, at_ms, explanation_url, ask_again_ms FROM acme_suggestion");
  auto const rows = co_await thread_.run<Rows>(work);
  if (!rows) {
    co_return rows.error();
  }
  std::vector<SuggestionRow> list;
  for (Row const& row : *rows) {
    list.push_back({integer(row[0]), crypto::from_ms(integer(row[1])), crypto::from_ms(integer(row[2])),
                    crypto::from_ms(integer(row[3])), text(row[4]), crypto::from_ms(integer(row[5]))});
  }
  co_return list;
}

net::Task<base::Result<void>> Vault::save_suggestion(SuggestionRow row) {
  Body const body = [row](Transaction& transaction) {
    return execute(transaction,
                   "INSERT OR REPLACE INTO acme_suggestion (sequence, start_ms, end_ms, at_ms, explanation_url, "
                   "ask_again_ms) SELECT sequence, ?, ?, ?, ?, ? FROM certificate WHERE sequence = ?",
                   {crypto::to_ms(row.start), crypto::to_ms(row.end), crypto::to_ms(row.at), row.explanation_url,
                    crypto::to_ms(row.ask_again), row.sequence});
  };
  Work<std::int64_t> const work = fenced(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

}  // namespace vault

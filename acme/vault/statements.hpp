// How the vault's files write their SQL: work for the store thread, and rows as values. Private to this module.
//
// Threads: pure functions; what they return runs on the store thread.
#pragma once

#include "acme/crypto/time.hpp"
#include "acme/keyring/keyring.hpp"
#include "acme/vault/errc.hpp"
#include "acme/vault/texts/texts.hpp"
#include "acme/vault/vault.hpp"
#include "base/database/database.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vault {

using database::blob;
using database::Database;
using database::integer;
using database::Row;
using database::Rows;
using database::text;
using database::Transaction;
using database::Value;

template <class T>
using Work = std::function<base::Result<T>(Database&)>;
using Body = std::function<base::Result<void>(Transaction&)>;

inline database::Blob blob_of(std::string const& octets) {
  return {octets.begin(), octets.end()};
}

inline base::Result<void> execute(Transaction& transaction, std::string_view sql,
                                  std::vector<Value> const& parameters) {
  auto const changed = transaction.execute(sql, parameters);
  if (!changed) {
    return changed.error();
  }
  return {};
}

inline Work<std::int64_t> writing(Body body) {
  return [body = std::move(body)](Database& database) { return database.write(body); };
}

inline base::Result<void> without_value(base::Result<std::int64_t> const& result) {
  if (!result) {
    return result.error();
  }
  return {};
}

inline Work<Rows> reading(std::string sql, std::vector<Value> parameters = {}) {
  return [sql = std::move(sql), parameters = std::move(parameters)](Database& database) {
    return database.query(sql, parameters);
  };
}

inline std::int64_t now_ms() {
  return crypto::to_ms(crypto::wall_now());
}

// How keys read their rows, in a transaction or outside one.
template <class Source>
keyring::KeyRing::Query query_of(Source& source) {
  return
      [&source](std::string_view sql, std::vector<Value> const& parameters) { return source.query(sql, parameters); };
}

inline base::Result<std::int64_t> tenant_of(Transaction& transaction, std::int64_t subject_id) {
  auto const rows = transaction.query("SELECT tenant_id FROM acme_subject WHERE id = ?", {subject_id});
  if (!rows) {
    return rows.error();
  }
  if (rows->empty()) {
    return base::fail(errc::not_found, "subject " + std::to_string(subject_id));
  }
  return integer(rows->front()[0]);
}

// What its orders became at CAs, those at `but` excepted, is dropped: they are still to be told. The rows stay.
inline base::Result<void> drop_orders(Transaction& transaction, std::int64_t subject_id, std::string const& but) {
  return execute(transaction,
                 "INSERT OR IGNORE INTO acme_dropped_order (directory_url, order_url, since_ms) SELECT directory_url, "
                 "order_url, ? FROM acme_order WHERE subject_id = ? AND directory_url <> ? AND order_url <> ''",
                 {now_ms(), subject_id, but});
}

inline std::vector<std::int64_t> first_column(Rows const& rows) {
  std::vector<std::int64_t> numbers;
  std::ranges::transform(rows, std::back_inserter(numbers), [](Row const& row) { return integer(row[0]); });
  return numbers;
}

// Certificates with their subjects; the first columns make a CertificateRow.
constexpr std::string_view certificate_columns =
    "sequence, subject_id, tenant_id, name, names, fingerprint, not_before_ms, not_after_ms, directory_url, ari_id, "
    "revoked_reason, revoked_at_ms, source, fallback";
constexpr std::string_view certificate_rows = " FROM certificate JOIN acme_subject ON acme_subject.id = subject_id ";

inline CertificateRow certificate_of(Row const& row) {
  CertificateRow out{integer(row[0]),
                     integer(row[1]),
                     integer(row[2]),
                     text(row[3]),
                     split(text(row[4])),
                     text(row[5]),
                     crypto::from_ms(integer(row[6])),
                     crypto::from_ms(integer(row[7])),
                     text(row[8]),
                     text(row[9]),
                     std::holds_alternative<std::int64_t>(row[10]) ? std::optional(integer(row[10])) : std::nullopt,
                     crypto::from_ms(integer(row[11]))};
  out.uploaded = text(row[12]) == "upload";
  out.fallback = integer(row[13]) != 0;
  return out;
}

inline std::vector<CertificateRow> certificates_of(Rows const& rows) {
  std::vector<CertificateRow> certificates;
  std::ranges::transform(rows, std::back_inserter(certificates), certificate_of);
  return certificates;
}

}  // namespace vault

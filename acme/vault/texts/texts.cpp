#include "acme/vault/texts/texts.hpp"

namespace vault {
namespace {

using database::blob;
using database::integer;
using database::Row;
using database::text;
using database::Transaction;

// Of the rows of one table.
std::string clause(WantedTexts const& wanted, std::string const& column) {
  return (wanted.owner ? std::string("1") : "substr(" + column + ", 1, 1) = x'01'") + " LIMIT " +
         std::to_string(wanted.most);
}

std::string of_tenant(WantedTexts const& wanted) {
  return wanted.owner ? "tenant_id = " + std::to_string(*wanted.owner) + " AND " : std::string();
}

base::Result<void> add_accounts(Transaction& transaction, WantedTexts const& wanted, std::string const& column,
                                std::string (*seal)(std::string const&), std::vector<SealedText>& out) {
  if (wanted.owner && *wanted.owner != platform) {
    return {};
  }
  auto const rows = transaction.query("SELECT directory_url, " + column + " FROM acme_account WHERE " + column +
                                      " IS NOT NULL AND " + clause(wanted, column));
  if (!rows) {
    return rows.error();
  }
  for (Row const& row : *rows) {
    std::string const& url = text(row[0]);
    out.push_back({platform,
                   "UPDATE acme_account SET " + column + " = ?1 WHERE directory_url = ?2",
                   {url},
                   seal(url),
                   {},
                   blob(row[1])});
  }
  return {};
}

base::Result<void> add_orders(Transaction& transaction, WantedTexts const& wanted, std::vector<SealedText>& out) {
  auto const rows = transaction.query(
      "SELECT subject_id, tenant_id, sealed_key, directory_url FROM acme_order JOIN acme_subject ON acme_subject.id = "
      "subject_id "
      "WHERE " +
      of_tenant(wanted) + clause(wanted, "sealed_key"));
  if (!rows) {
    return rows.error();
  }
  for (Row const& row : *rows) {
    std::int64_t const subject_id = integer(row[0]);
    out.push_back({integer(row[1]),
                   "UPDATE acme_order SET sealed_key = ?1 WHERE subject_id = ?2 AND directory_url = ?3",
                   {subject_id, text(row[3])},
                   order_seal(subject_id, text(row[3])),
                   {former_order_seal(subject_id), "acme_order/" + std::to_string(integer(row[1]))},
                   blob(row[2])});
  }
  return {};
}

base::Result<void> add_certificates(Transaction& transaction, WantedTexts const& wanted, std::vector<SealedText>& out) {
  auto const rows = transaction.query(
      "SELECT sequence, tenant_id, fingerprint, sealed_key FROM certificate JOIN acme_subject ON acme_subject.id = "
      "subject_id WHERE " +
      of_tenant(wanted) + clause(wanted, "sealed_key"));
  if (!rows) {
    return rows.error();
  }
  for (Row const& row : *rows) {
    out.push_back({integer(row[1]),
                   "UPDATE certificate SET sealed_key = ?1 WHERE sequence = ?2",
                   {integer(row[0])},
                   certificate_seal(integer(row[1]), text(row[2])),
                   {},
                   blob(row[3])});
  }
  return {};
}

}  // namespace

std::string account_seal(std::string const& directory_url) {
  return "acme_account/" + directory_url;
}

std::string pending_seal(std::string const& directory_url) {
  return "acme_account/pending/" + directory_url;
}

std::string former_order_seal(std::int64_t subject_id) {
  return "acme_order/subject/" + std::to_string(subject_id);
}

std::string order_seal(std::int64_t subject_id, std::string const& directory_url) {
  return former_order_seal(subject_id) + "/" + directory_url;
}

std::string certificate_seal(std::int64_t tenant_id, std::string const& fingerprint) {
  return "certificate/" + std::to_string(tenant_id) + "/" + fingerprint;
}

base::Result<std::vector<SealedText>> sealed_texts(Transaction& transaction, WantedTexts const& wanted) {
  std::vector<SealedText> out;
  for (auto const& step : {add_accounts(transaction, wanted, "sealed_key", account_seal, out),
                           add_accounts(transaction, wanted, "sealed_pending_key", pending_seal, out),
                           add_orders(transaction, wanted, out), add_certificates(transaction, wanted, out)}) {
    if (!step) {
      return step.error();
    }
  }
  return out;
}

base::Result<std::int64_t> left_with_the_master(database::Database& database) {
  auto const rows = database.query(
      "SELECT (SELECT count(*) FROM acme_account WHERE substr(sealed_key, 1, 1) = x'01' OR "
      "substr(sealed_pending_key, 1, 1) = x'01') + (SELECT count(*) FROM acme_order WHERE substr(sealed_key, 1, 1) = "
      "x'01') + (SELECT count(*) FROM certificate WHERE substr(sealed_key, 1, 1) = x'01')");
  if (!rows) {
    return rows.error();
  }
  return integer((*rows)[0][0]);
}

}  // namespace vault

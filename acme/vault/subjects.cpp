// Subjects: what certificates belong to.
#include "acme/vault/statements.hpp"

#include "acme/vault/vault.hpp"

namespace vault {
namespace {

// What was kept without a name becomes the tenant's own name's, unless that one has a row already.
base::Result<void> ensure(Transaction& transaction, SubjectRow& subject, bool own) {
  if (own) {
    auto const named =
        execute(transaction, "UPDATE OR IGNORE acme_subject SET name = ? WHERE tenant_id = ? AND name = ''",
                {subject.name, subject.tenant_id});
    if (!named) {
      return named;
    }
  }
  auto const made = execute(
      transaction, "INSERT INTO acme_subject (tenant_id, name, since_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      {subject.tenant_id, subject.name, now_ms()});
  if (!made) {
    return made;
  }
  auto const rows = transaction.query("SELECT id, since_ms FROM acme_subject WHERE tenant_id = ? AND name = ?",
                                      {subject.tenant_id, subject.name});
  if (!rows) {
    return rows.error();
  }
  subject.id = integer(rows->at(0)[0]);
  subject.since = crypto::from_ms(integer(rows->at(0)[1]));
  return {};
}

}  // namespace

net::Task<base::Result<std::vector<SubjectRow>>> Vault::subjects() {
  Work<Rows> const work = reading("SELECT id, tenant_id, name, since_ms FROM acme_subject ORDER BY id");
  auto const rows = co_await thread_.run<Rows>(work);
  if (!rows) {
    co_return rows.error();
  }
  std::vector<SubjectRow> list;
  for (Row const& row : *rows) {
    list.push_back({integer(row[0]), integer(row[1]), text(row[2]), crypto::from_ms(integer(row[3]))});
  }
  co_return list;
}

net::Task<base::Result<std::vector<SubjectRow>>> Vault::ensure_subjects(std::vector<SubjectRow> wanted,
                                                                        std::vector<bool> own) {
  if (wanted.empty()) {
    co_return wanted;
  }
  auto const rows = std::make_shared<std::vector<SubjectRow>>(std::move(wanted));
  Body const body = [rows, own](Transaction& transaction) -> base::Result<void> {
    for (std::size_t i = 0; i < rows->size(); ++i) {
      if (auto const there = ensure(transaction, (*rows)[i], own[i]); !there) {
        return there;
      }
    }
    return {};
  };
  Work<std::int64_t> const work = fenced(body);
  auto const written = co_await thread_.run<std::int64_t>(work);
  if (!written) {
    co_return written.error();
  }
  co_return std::move(*rows);
}

net::Task<base::Result<void>> Vault::forget_subject(std::int64_t subject_id) {
  Body const body = [subject_id](Transaction& transaction) -> base::Result<void> {
    auto const rows = transaction.query("SELECT tenant_id FROM acme_subject WHERE id = ?", {subject_id});
    if (!rows || rows->empty()) {
      return rows ? base::Result<void>() : base::Result<void>(rows.error());
    }
    std::int64_t const tenant_id = integer(rows->front()[0]);
    if (auto const dropped = drop_orders(transaction, subject_id, {}); !dropped) {
      return dropped;
    }
    if (auto const gone = execute(transaction, "DELETE FROM acme_subject WHERE id = ?", {subject_id}); !gone) {
      return gone;
    }
    auto const others = transaction.query("SELECT 1 FROM acme_subject WHERE tenant_id = ? LIMIT 1", {tenant_id});
    if (!others || !others->empty()) {
      return others ? base::Result<void>() : base::Result<void>(others.error());
    }
    return keyring::KeyRing::forget(transaction, tenant_id);
  };
  Work<std::int64_t> const work = fenced(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

net::Task<base::Result<std::int64_t>> Vault::remove_uploads(std::int64_t subject_id) {
  auto const count = std::make_shared<std::int64_t>(0);
  Body const body = [subject_id, count](Transaction& transaction) -> base::Result<void> {
    auto const removed =
        transaction.execute("DELETE FROM certificate WHERE subject_id = ? AND source = 'upload'", {subject_id});
    if (!removed) {
      return removed.error();
    }
    *count = *removed;
    // What edges acknowledged of them would stand before what they serve now.
    return execute(transaction,
                   "DELETE FROM edge_acknowledgment WHERE subject_id = ?1 AND sequence NOT IN (SELECT sequence FROM "
                   "certificate WHERE subject_id = ?1)",
                   {subject_id});
  };
  Work<std::int64_t> const work = fenced(body);
  auto const written = co_await thread_.run<std::int64_t>(work);
  if (!written) {
    co_return written.error();
  }
  co_return *count;
}

}  // namespace vault

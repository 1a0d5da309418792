// The keys that seal: opening them, and sealing anew what former ones sealed.
#include "acme/vault/statements.hpp"

#include "acme/vault/vault.hpp"

namespace vault {
namespace {

// One text in one place. `former_rows` are what older programs sealed it for.
struct Place {
  std::int64_t owner;
  std::string update;  // ?1 is the new text
  std::vector<Value> key;
  std::string row;
  std::vector<std::string> former_rows{};
};

base::Result<void> seal_anew(keyring::KeyRing& keys, Transaction& transaction, Place const& place,
                             database::Blob const& sealed) {
  auto plain = keys.unseal(query_of(transaction), place.owner, sealed, place.row);
  for (std::size_t i = 0; !plain && i < place.former_rows.size(); ++i) {
    if (auto former = keys.unseal(query_of(transaction), place.owner, sealed, place.former_rows[i])) {
      plain = std::move(former);
    }
  }
  if (!plain) {
    return plain.error();
  }
  auto const again = keys.seal(transaction, place.owner, *plain, place.row, now_ms());
  if (!again) {
    return again.error();
  }
  std::vector<Value> parameters{*again};
  parameters.insert(parameters.end(), place.key.begin(), place.key.end());
  return execute(transaction, place.update, parameters);
}

struct Sealed {
  Place place;
  database::Blob text;
};

// Which texts: of one owner, or with `owner` unset up to `most` of those that a master key sealed itself.
struct Wanted {
  std::optional<std::int64_t> owner;
  std::int64_t most;  // below 0: all

  [[nodiscard]] std::string clause(std::string const& column) const {
    return (owner ? std::string("1") : "substr(" + column + ", 1, 1) = x'01'") + " LIMIT " + std::to_string(most);
  }
  [[nodiscard]] std::string of_tenant() const {
    return owner ? "tenant_id = " + std::to_string(*owner) + " AND " : std::string();
  }
};

base::Result<void> add_accounts(Transaction& transaction, Wanted const& wanted, std::string const& column,
                                std::string (*seal)(std::string const&), std::vector<Sealed>& out) {
  if (wanted.owner && *wanted.owner != platform) {
    return {};
  }
  auto const rows = transaction.query("SELECT directory_url, " + column + " FROM acme_account WHERE " + column +
                                      " IS NOT NULL AND " + wanted.clause(column));
  if (!rows) {
    return rows.error();
  }
  for (Row const& row : *rows) {
    std::string const& url = text(row[0]);
    out.push_back({{platform, "UPDATE acme_account SET " + column + " = ?1 WHERE directory_url = ?2", {url}, seal(url)},
                   blob(row[1])});
  }
  return {};
}

base::Result<void> add_orders(Transaction& transaction, Wanted const& wanted, std::vector<Sealed>& out) {
  auto const rows = transaction.query(
      "SELECT subject_id, tenant_id, sealed_key, directory_url FROM acme_order JOIN acme_subject ON acme_subject.id = "
      "subject_id "
      "WHERE " +
      wanted.of_tenant() + wanted.clause("sealed_key"));
  if (!rows) {
    return rows.error();
  }
  for (Row const& row : *rows) {
    std::int64_t const subject_id = integer(row[0]);
    out.push_back({{integer(row[1]),
                    "UPDATE acme_order SET sealed_key = ?1 WHERE subject_id = ?2 AND directory_url = ?3",
                    {subject_id, text(row[3])},
                    order_seal(subject_id, text(row[3])),
                    {former_order_seal(subject_id), "acme_order/" + std::to_string(integer(row[1]))}},
                   blob(row[2])});
  }
  return {};
}

base::Result<void> add_certificates(Transaction& transaction, Wanted const& wanted, std::vector<Sealed>& out) {
  auto const rows = transaction.query(
      "SELECT sequence, tenant_id, fingerprint, sealed_key FROM certificate JOIN acme_subject ON acme_subject.id = "
      "subject_id WHERE " +
      wanted.of_tenant() + wanted.clause("sealed_key"));
  if (!rows) {
    return rows.error();
  }
  for (Row const& row : *rows) {
    out.push_back({{integer(row[1]),
                    "UPDATE certificate SET sealed_key = ?1 WHERE sequence = ?2",
                    {integer(row[0])},
                    certificate_seal(integer(row[1]), text(row[2]))},
                   blob(row[3])});
  }
  return {};
}

base::Result<std::vector<Sealed>> sealed_texts(Transaction& transaction, Wanted const& wanted) {
  std::vector<Sealed> out;
  for (auto const& step : {add_accounts(transaction, wanted, "sealed_key", account_seal, out),
                           add_accounts(transaction, wanted, "sealed_pending_key", pending_seal, out),
                           add_orders(transaction, wanted, out), add_certificates(transaction, wanted, out)}) {
    if (!step) {
      return step.error();
    }
  }
  return out;
}

// How many were sealed anew. One that does not open ends it, or with `tolerant` stays as it is.
base::Result<std::size_t> seal_all_anew(keyring::KeyRing& keys, Transaction& transaction, Wanted const& wanted,
                                        bool tolerant) {
  auto const texts = sealed_texts(transaction, wanted);
  if (!texts) {
    return texts.error();
  }
  std::size_t count = 0;
  for (Sealed const& one : *texts) {
    auto const done = seal_anew(keys, transaction, one.place, one.text);
    if (!done && !(tolerant && done.error().code == keyring::errc::sealed)) {
      return done.error();
    }
    count += done ? 1U : 0U;
  }
  return count;
}

// Texts that are still sealed by a master key itself: the damaged ones, once everything else was sealed anew.
base::Result<std::int64_t> left_with_the_master(Database& database) {
  auto const rows = database.query(
      "SELECT (SELECT count(*) FROM acme_account WHERE substr(sealed_key, 1, 1) = x'01' OR "
      "substr(sealed_pending_key, 1, 1) = x'01') + (SELECT count(*) FROM acme_order WHERE substr(sealed_key, 1, 1) = "
      "x'01') + (SELECT count(*) FROM certificate WHERE substr(sealed_key, 1, 1) = x'01')");
  if (!rows) {
    return rows.error();
  }
  return integer((*rows)[0][0]);
}

// In steps of a bounded size: a store of 100,000 tenants is opened by one transaction a thousand texts. A damaged text
// is its tenant's trouble, said when it is needed, and no reason to serve nobody.
base::Result<void> seal_what_the_master_sealed(keyring::KeyRing& keys, Database& database) {
  constexpr std::int64_t at_once = 1000;
  for (std::size_t done = 1; done > 0;) {
    auto const written = database.write([&](Transaction& transaction) -> base::Result<void> {
      auto const sealed = seal_all_anew(keys, transaction, {std::nullopt, at_once}, true);
      if (!sealed) {
        return sealed.error();
      }
      done = *sealed;
      return {};
    });
    if (!written) {
      return written.error();
    }
  }
  return {};
}

// Only an older program sealed by the master key, so that none is left holds for ever. While a text does not open it is
// tried at each start: perhaps with a former master key.
base::Result<void> leave_the_master_key(keyring::KeyRing& keys, Database& database) {
  std::string const what = "nothing is sealed by the master key";
  auto const settled = database.query("SELECT 1 FROM acme_settled WHERE what = ?", {what});
  if (!settled || !settled->empty()) {
    return settled ? base::Result<void>() : base::Result<void>(settled.error());
  }
  if (auto const sealed = seal_what_the_master_sealed(keys, database); !sealed) {
    return sealed;
  }
  auto const left = left_with_the_master(database);
  if (!left || *left > 0) {
    return left ? base::Result<void>() : base::Result<void>(left.error());
  }
  return without_value(database.write([&what](Transaction& transaction) {
    return execute(transaction, "INSERT INTO acme_settled (what) VALUES (?)", {what});
  }));
}

// A new master key would close them for ever.
base::Result<void> none_is_left(Database& database) {
  auto const left = left_with_the_master(database);
  if (!left) {
    return left.error();
  }
  if (*left > 0) {
    return base::fail(keyring::errc::sealed, std::to_string(*left) +
                                                 " damaged keys are still sealed by the master key; " +
                                                 "order their certificates anew first (navigator cert list)");
  }
  return {};
}

}  // namespace

net::Task<base::Result<void>> Vault::open(keyring::MasterFiles files) {
  Work<std::int64_t> const work = [this, files](Database& database) -> base::Result<std::int64_t> {
    auto const sealed = database.query(
        "SELECT EXISTS (SELECT 1 FROM acme_account) OR EXISTS (SELECT 1 FROM acme_order) OR "
        "EXISTS (SELECT 1 FROM certificate) OR EXISTS (SELECT 1 FROM acme_data_key)");
    if (!sealed) {
      return sealed.error();
    }
    if (auto const opened = keys_.open(database, files, integer((*sealed)[0][0]) == 0); !opened) {
      return opened.error();
    }
    if (auto const left = leave_the_master_key(keys_, database); !left) {
      return left.error();
    }
    return 0;
  };
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

net::Task<base::Result<std::int64_t>> Vault::renew_data_key(std::int64_t owner) {
  auto const count = std::make_shared<std::int64_t>(0);
  Body const body = [this, owner, count](Transaction& transaction) -> base::Result<void> {
    if (auto const made = keys_.renew(transaction, owner, now_ms()); !made) {
      return made;
    }
    constexpr std::int64_t all = -1;
    auto const sealed = seal_all_anew(keys_, transaction, {owner, all}, false);
    if (!sealed) {
      return sealed.error();
    }
    *count = static_cast<std::int64_t>(*sealed);
    return keyring::KeyRing::drop_former(transaction, owner);
  };
  Work<std::int64_t> const work = writing(body);
  auto const written = co_await thread_.run<std::int64_t>(work);
  if (!written) {
    co_return written.error();
  }
  co_return *count;
}

net::Task<base::Result<void>> Vault::rotate_master_key() {
  Work<std::int64_t> const work = [this](Database& database) -> base::Result<std::int64_t> {
    if (auto const left = none_is_left(database); !left) {
      return left.error();
    }
    auto const rotated = keys_.rotate_master(database);
    return rotated ? base::Result<std::int64_t>(0) : base::Result<std::int64_t>(rotated.error());
  };
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

net::Task<base::Result<keyring::KeyRingState>> Vault::key_state() {
  Work<keyring::KeyRingState> const work = [this](Database& database) { return keys_.state(database); };
  co_return co_await thread_.run<keyring::KeyRingState>(work);
}

}  // namespace vault

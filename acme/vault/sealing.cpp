// The keys that seal: opening them, and sealing anew what former ones sealed.
#include "acme/vault/statements.hpp"

#include "acme/vault/vault.hpp"

namespace vault {
namespace {

base::Result<void> seal_anew(keyring::KeyRing& keys, Transaction& transaction, SealedText const& one) {
  auto plain = keys.unseal(query_of(transaction), one.owner, one.text, one.row);
  for (std::size_t i = 0; !plain && i < one.former_rows.size(); ++i) {
    if (auto former = keys.unseal(query_of(transaction), one.owner, one.text, one.former_rows[i])) {
      plain = std::move(former);
    }
  }
  if (!plain) {
    return plain.error();
  }
  auto const again = keys.seal(transaction, one.owner, *plain, one.row, now_ms());
  if (!again) {
    return again.error();
  }
  std::vector<Value> parameters{*again};
  parameters.insert(parameters.end(), one.key.begin(), one.key.end());
  return execute(transaction, one.update, parameters);
}

// How many were sealed anew. One that does not open ends it, or with `tolerant` stays as it is.
base::Result<std::size_t> seal_all_anew(keyring::KeyRing& keys, Transaction& transaction, WantedTexts const& wanted,
                                        bool tolerant) {
  auto const texts = sealed_texts(transaction, wanted);
  if (!texts) {
    return texts.error();
  }
  std::size_t count = 0;
  for (SealedText const& one : *texts) {
    auto const done = seal_anew(keys, transaction, one);
    if (!done && !(tolerant && done.error().code == keyring::errc::sealed)) {
      return done.error();
    }
    count += done ? 1U : 0U;
  }
  return count;
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
  constexpr std::int64_t at_once = 1000;  // so that no write waits for a look at a hundred thousand keys
  Work<keyring::KeyRingState> const work = [this](Database& database) { return keys_.state(database); };
  auto state = co_await thread_.run<keyring::KeyRingState>(work);
  for (bool more = state.has_value(); more;) {
    Work<keyring::KeyRingState> const step = [this, seen = *state](Database& database) {
      return keys_.check(database, seen, at_once);
    };
    auto next = co_await thread_.run<keyring::KeyRingState>(step);
    more = next && next->checked_to != state->checked_to;
    state = std::move(next);
  }
  co_return state;
}

}  // namespace vault

// Who issues, what happened, and what the CAs' limits hold: the rows of the scheduler.
#include "acme/vault/statements.hpp"

#include "acme/vault/vault.hpp"

namespace vault {
namespace {

constexpr std::int64_t events_kept = 20;

base::Result<Lease> read_lease(Transaction& transaction) {
  auto const rows = transaction.query("SELECT holder, fence, until_ms FROM acme_lease WHERE id = 1");
  if (!rows) {
    return rows.error();
  }
  if (rows->empty()) {
    return Lease{};
  }
  Row const& row = rows->front();
  return Lease{text(row[0]), integer(row[1]), crypto::from_ms(integer(row[2]))};
}

// A holder that lost its fence is a stranger: it waits like everybody else. One that comes anew under the same name is
// the same place after a restart, whose former process the higher fence shuts out.
bool may_take(Lease const& lease, std::string const& holder, std::optional<std::int64_t> fence, Time now) {
  if (fence == lease.fence && lease.holder == holder) {
    return true;
  }
  return lease.until <= now || (!fence && lease.holder == holder);
}

}  // namespace

std::function<base::Result<std::int64_t>(database::Database&)> Vault::fenced(Body body) const {
  Body const checked = [fence = fence_, body = std::move(body)](Transaction& transaction) -> base::Result<void> {
    if (fence) {
      auto const lease = read_lease(transaction);
      if (!lease) {
        return lease.error();
      }
      if (lease->fence != *fence) {
        return base::fail(errc::fenced, "'" + lease->holder + "' issues certificates now");
      }
    }
    return body(transaction);
  };
  return writing(checked);
}

net::Task<base::Result<Lease>> Vault::hold_lease(std::string holder, std::chrono::milliseconds duration, Time now) {
  auto const taken = std::make_shared<Lease>();
  Body const body = [=, fence = fence_](Transaction& transaction) -> base::Result<void> {
    auto const lease = read_lease(transaction);
    if (!lease) {
      return lease.error();
    }
    *taken = *lease;
    if (!may_take(*lease, holder, fence, now)) {
      return {};
    }
    bool const keeps = fence == lease->fence && lease->holder == holder;
    *taken = Lease{holder, keeps ? lease->fence : lease->fence + 1, now + duration, true};
    return execute(transaction, "INSERT OR REPLACE INTO acme_lease (id, holder, fence, until_ms) VALUES (1, ?, ?, ?)",
                   {holder, taken->fence, crypto::to_ms(taken->until)});
  };
  Work<std::int64_t> const work = writing(body);
  auto const written = co_await thread_.run<std::int64_t>(work);
  if (!written) {
    co_return written.error();
  }
  if (taken->mine) {
    holder_ = holder;
    fence_ = taken->fence;
  }
  co_return *taken;
}

net::Task<base::Result<void>> Vault::release_lease() {
  Body const body = [](Transaction& transaction) {
    return execute(transaction, "UPDATE acme_lease SET until_ms = 0 WHERE id = 1", {});
  };
  if (!fence_) {
    co_return base::Result<void>();
  }
  Work<std::int64_t> const work = fenced(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

net::Task<base::Result<void>> Vault::add_event(Event event) {
  Body const body = [event](Transaction& transaction) -> base::Result<void> {
    auto const added =
        execute(transaction,
                "INSERT INTO acme_event (subject_id, at_ms, directory_url, outcome, detail) VALUES (?, ?, ?, ?, ?)",
                {event.subject_id, crypto::to_ms(event.at), event.directory_url, event.outcome, event.detail});
    if (!added) {
      return added;
    }
    return execute(transaction,
                   "DELETE FROM acme_event WHERE subject_id = ?1 AND id <= (SELECT id FROM acme_event WHERE subject_id "
                   "= ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                   {event.subject_id, events_kept});
  };
  Work<std::int64_t> const work = fenced(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

net::Task<base::Result<std::vector<Event>>> Vault::events(std::int64_t subject_id) {
  Work<Rows> const work = reading(
      "SELECT subject_id, at_ms, directory_url, outcome, detail FROM acme_event WHERE subject_id = ? ORDER BY id DESC",
      {subject_id});
  auto const rows = co_await thread_.run<Rows>(work);
  if (!rows) {
    co_return rows.error();
  }
  std::vector<Event> list;
  for (Row const& row : *rows) {
    list.push_back({integer(row[0]), crypto::from_ms(integer(row[1])), text(row[2]), text(row[3]), text(row[4])});
  }
  co_return list;
}

// A bucket that is full again says nothing any more: its row goes.
net::Task<base::Result<void>> Vault::save_buckets(std::vector<Bucket> buckets, Time now) {
  Body const body = [buckets, now](Transaction& transaction) -> base::Result<void> {
    auto const swept = execute(transaction, "DELETE FROM acme_bucket WHERE full_at_ms <= ?", {crypto::to_ms(now)});
    if (!swept) {
      return swept;
    }
    for (Bucket const& bucket : buckets) {
      auto const saved = execute(transaction,
                                 "INSERT OR REPLACE INTO acme_bucket (directory_url, scope, key, full_at_ms) VALUES "
                                 "(?, ?, ?, ?)",
                                 {bucket.directory_url, bucket.scope, bucket.key, crypto::to_ms(bucket.full_at)});
      if (!saved) {
        return saved;
      }
    }
    return {};
  };
  Work<std::int64_t> const work = fenced(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

net::Task<base::Result<std::vector<Bucket>>> Vault::buckets() {
  Work<Rows> const work =
      reading("SELECT directory_url, scope, key, full_at_ms FROM acme_bucket ORDER BY directory_url, scope, key");
  auto const rows = co_await thread_.run<Rows>(work);
  if (!rows) {
    co_return rows.error();
  }
  std::vector<Bucket> list;
  for (Row const& row : *rows) {
    list.push_back({text(row[0]), text(row[1]), text(row[2]), crypto::from_ms(integer(row[3]))});
  }
  co_return list;
}

net::Task<base::Result<void>> Vault::mark_revoked(std::int64_t sequence, std::int64_t reason, std::optional<Time> at) {
  Value const told = at ? Value(crypto::to_ms(*at)) : Value();
  Body const body = [=](Transaction& transaction) -> base::Result<void> {
    auto const changed = transaction.execute(
        "UPDATE certificate SET revoked_reason = ?, revoked_at_ms = ? WHERE sequence = ?", {reason, told, sequence});
    if (!changed) {
      return changed.error();
    }
    return *changed == 1 ? base::Result<void>() : base::fail(errc::not_found, "sequence " + std::to_string(sequence));
  };
  Work<std::int64_t> const work = fenced(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

net::Task<base::Result<std::string>> Vault::chain(std::int64_t sequence) {
  Work<Rows> const work = reading("SELECT chain_pem FROM certificate WHERE sequence = ?", {sequence});
  auto const rows = co_await thread_.run<Rows>(work);
  if (!rows) {
    co_return rows.error();
  }
  if (rows->empty()) {
    co_return base::fail(errc::not_found, "sequence " + std::to_string(sequence));
  }
  co_return text(rows->front()[0]);
}

}  // namespace vault

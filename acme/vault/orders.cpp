// Orders under way: what is known of each before its CA is asked, and where it is then.
#include "acme/vault/statements.hpp"

#include "acme/vault/vault.hpp"

#include <algorithm>

namespace vault {

net::Task<base::Result<void>> Vault::save_order(OrderRow order) {
  Body const body = [this, order](Transaction& transaction) -> base::Result<void> {
    auto const tenant = tenant_of(transaction, order.subject_id);
    if (!tenant) {
      return tenant.error();
    }
    auto const sealed =
        keys_.seal(transaction, *tenant, order.key_pem, order_seal(order.subject_id, order.directory_url), now_ms());
    if (!sealed) {
      return sealed.error();
    }
    auto const replaced =
        execute(transaction,
                "INSERT OR IGNORE INTO acme_dropped_order (directory_url, order_url, since_ms) SELECT directory_url, "
                "order_url, "
                "? FROM acme_order WHERE subject_id = ? AND directory_url = ? AND order_url NOT IN ('', ?)",
                {now_ms(), order.subject_id, order.directory_url, order.order_url});
    if (!replaced) {
      return replaced;
    }
    return execute(
        transaction,
        "INSERT OR REPLACE INTO acme_order (subject_id, names, directory_url, order_url, csr, sealed_key) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        {order.subject_id, joined(order.names), order.directory_url, order.order_url, blob_of(order.csr), *sealed});
  };
  Work<std::int64_t> const work = fenced(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

net::Task<base::Result<std::optional<OrderRow>>> Vault::find_order(std::int64_t subject_id, std::string directory_url) {
  using Found = std::optional<OrderRow>;
  Work<Found> const work = [this, subject_id, directory_url](Database& database) -> base::Result<Found> {
    auto const rows = database.query(
        "SELECT names, order_url, csr, sealed_key, tenant_id FROM acme_order JOIN acme_subject ON "
        "acme_subject.id = subject_id WHERE subject_id = ? AND directory_url = ?",
        {subject_id, directory_url});
    if (!rows) {
      return rows.error();
    }
    if (rows->empty()) {
      return Found();
    }
    Row const& row = rows->front();
    auto const unseal = [&](std::string const& seal) {
      return keys_.unseal(query_of(database), integer(row[4]), blob(row[3]), seal);
    };
    auto pem = unseal(order_seal(subject_id, directory_url));
    if (!pem) {
      if (auto former = unseal(former_order_seal(subject_id))) {
        pem = std::move(former);
      }
    }
    if (!pem) {
      return pem.error();
    }
    database::Blob const& csr = blob(row[2]);
    return Found(OrderRow{
        subject_id, split(text(row[0])), directory_url, text(row[1]), {csr.begin(), csr.end()}, std::move(*pem), true});
  };
  co_return co_await thread_.run<Found>(work);
}

net::Task<base::Result<void>> Vault::set_order_url(std::int64_t subject_id, std::string directory_url,
                                                   std::string order_url) {
  Body const body = [=](Transaction& transaction) {
    // A CA may answer with an order that is there already: it is gone on with after all.
    auto const kept = execute(transaction, "DELETE FROM acme_dropped_order WHERE directory_url = ? AND order_url = ?",
                              {directory_url, order_url});
    if (!kept) {
      return kept;
    }
    return execute(transaction, "UPDATE acme_order SET order_url = ? WHERE subject_id = ? AND directory_url = ?",
                   {order_url, subject_id, directory_url});
  };
  Work<std::int64_t> const work = fenced(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

net::Task<base::Result<void>> Vault::delete_order(std::int64_t subject_id, std::string directory_url) {
  Body const body = [=](Transaction& transaction) {
    return execute(transaction, "DELETE FROM acme_order WHERE subject_id = ? AND directory_url = ?",
                   {subject_id, directory_url});
  };
  Work<std::int64_t> const work = fenced(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

net::Task<base::Result<std::set<std::pair<std::int64_t, std::string>>>> Vault::ordering() {
  Work<Rows> const work = reading("SELECT subject_id, directory_url FROM acme_order");
  auto const rows = co_await thread_.run<Rows>(work);
  if (!rows) {
    co_return rows.error();
  }
  std::set<std::pair<std::int64_t, std::string>> orders;
  std::ranges::for_each(*rows, [&orders](Row const& row) { orders.emplace(integer(row[0]), text(row[1])); });
  co_return orders;
}

net::Task<base::Result<std::vector<DroppedOrder>>> Vault::dropped_orders() {
  Work<Rows> const work = reading("SELECT directory_url, order_url, since_ms FROM acme_dropped_order");
  auto const rows = co_await thread_.run<Rows>(work);
  if (!rows) {
    co_return rows.error();
  }
  std::vector<DroppedOrder> list;
  for (Row const& row : *rows) {
    list.push_back({text(row[0]), text(row[1]), crypto::from_ms(integer(row[2]))});
  }
  co_return list;
}

net::Task<base::Result<bool>> Vault::is_dropped(DroppedOrder order) {
  Work<Rows> const work = reading(
      "SELECT 1 FROM acme_dropped_order WHERE directory_url = ? AND order_url = ? AND NOT EXISTS (SELECT 1 FROM "
      "acme_order WHERE acme_order.directory_url = acme_dropped_order.directory_url AND acme_order.order_url = "
      "acme_dropped_order.order_url)",
      {order.directory_url, order.order_url});
  auto const rows = co_await thread_.run<Rows>(work);
  if (!rows) {
    co_return rows.error();
  }
  co_return !rows->empty();
}

net::Task<base::Result<void>> Vault::forget_dropped(DroppedOrder order) {
  Body const body = [order](Transaction& transaction) {
    return execute(transaction, "DELETE FROM acme_dropped_order WHERE directory_url = ? AND order_url = ?",
                   {order.directory_url, order.order_url});
  };
  Work<std::int64_t> const work = fenced(body);
  co_return without_value(co_await thread_.run<std::int64_t>(work));
}

}  // namespace vault

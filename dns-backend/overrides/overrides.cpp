#include "dns-backend/overrides/overrides.hpp"

#include "base/result/category.hpp"

namespace overrides {
namespace {

using database::Database;
using database::Revision;
using database::Transaction;
using monitor::Forced;

constexpr std::string_view version_1 = R"sql(
  CREATE TABLE endpoint_override (
    endpoint TEXT PRIMARY KEY NOT NULL,
    forced TEXT NOT NULL,                -- up, down, draining
    until_ms INTEGER NOT NULL,           -- Unix time; 0: until it is taken back
    reason TEXT NOT NULL) WITHOUT ROWID;
)sql";

base::Result<void> check(std::string const& endpoint, monitor::Override const& order, std::int64_t now_ms) {
  if (endpoint.empty() || endpoint.size() > Overrides::endpoint_octets_max) {
    return base::fail(errc::refused, "an endpoint has a name of at most 512 octets");
  }
  if (order.to == Forced::none) {
    return base::fail(errc::refused, "an order is up, down or draining");
  }
  if (order.until_ms != 0 && order.until_ms <= now_ms) {
    return base::fail(errc::refused, "the order would have ended already");
  }
  if (order.reason.size() > Overrides::reason_octets_max) {
    return base::fail(errc::refused, "a reason has at most 256 octets");
  }
  return {};
}

base::Result<void> write_order(Transaction& transaction, std::string const& endpoint, monitor::Override const& order,
                               std::int64_t now_ms) {
  auto const ended =
      transaction.execute("DELETE FROM endpoint_override WHERE until_ms > 0 AND until_ms <= ?", {now_ms});
  if (!ended) {
    return ended.error();
  }
  auto const written = transaction.execute(
      "INSERT INTO endpoint_override (endpoint, forced, until_ms, reason) VALUES (?, ?, ?, ?) ON CONFLICT (endpoint) "
      "DO "
      "UPDATE SET forced = excluded.forced, until_ms = excluded.until_ms, reason = excluded.reason",
      {endpoint, std::string(monitor::name(order.to)), order.until_ms, order.reason});
  if (!written) {
    return written.error();
  }
  return {};
}

base::Result<Orders> read_orders(Database& database, std::int64_t now_ms) {
  auto const rows = database.query(
      "SELECT endpoint, forced, until_ms, reason FROM endpoint_override WHERE until_ms = 0 OR until_ms > ?", {now_ms});
  if (!rows) {
    return rows.error();
  }
  Orders out;
  for (database::Row const& row : *rows) {
    auto const forced = parse_forced(std::get<std::string>(row[1]));
    if (forced) {  // else a newer program's
      out[std::get<std::string>(row[0])] = {*forced, std::get<std::int64_t>(row[2]), std::get<std::string>(row[3])};
    }
  }
  return out;
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("overrides", [](int value) {
    return static_cast<errc>(value) == errc::not_found ? "there is no such order" : "the order makes no sense";
  });
  return {static_cast<int>(code), category};
}

database::Schema schema() {
  return {"overrides", {{1, version_1}}, {{"endpoint_override", {"endpoint"}}}};
}

std::optional<Forced> parse_forced(std::string const& text) {
  for (Forced const forced : {Forced::up, Forced::down, Forced::draining}) {
    if (text == monitor::name(forced)) {
      return forced;
    }
  }
  return std::nullopt;
}

net::Task<base::Result<Orders>> Overrides::orders(std::int64_t now_ms) {
  std::function<base::Result<Orders>(Database&)> const work = [now_ms](Database& database) {
    return read_orders(database, now_ms);
  };
  co_return co_await thread_.run<Orders>(work);
}

net::Task<base::Result<Revision>> Overrides::set(std::string endpoint, monitor::Override order, std::int64_t now_ms) {
  if (auto const checked = check(endpoint, order, now_ms); !checked) {
    co_return checked.error();
  }
  std::function<base::Result<Revision>(Database&)> const work = [endpoint, order, now_ms](Database& database) {
    return database.write([&](Transaction& transaction) { return write_order(transaction, endpoint, order, now_ms); });
  };
  co_return co_await thread_.run<Revision>(work);
}

net::Task<base::Result<Revision>> Overrides::clear(std::string endpoint, std::int64_t now_ms) {
  std::function<base::Result<Revision>(Database&)> const work = [endpoint, now_ms](Database& database) {
    return database.write([&](Transaction& transaction) -> base::Result<void> {
      auto const gone = transaction.execute(
          "DELETE FROM endpoint_override WHERE endpoint = ? AND (until_ms = 0 OR until_ms > ?)", {endpoint, now_ms});
      if (!gone) {
        return gone.error();
      }
      if (*gone == 0) {
        return base::fail(errc::not_found, "nothing was ordered of '" + endpoint + "'");
      }
      return {};
    });
  };
  co_return co_await thread_.run<Revision>(work);
}

}  // namespace overrides

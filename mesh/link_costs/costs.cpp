#include "mesh/link_costs/costs.hpp"

#include <boost/json.hpp>

namespace link_costs {

namespace json = boost::json;

namespace {

// Rows of links that do not follow measurements (any more) mean nothing. One that leaves the topology keeps its row as
// long as its numbers, 30 days: should it come back, it costs what it cost.
constexpr std::string_view table = R"(
  CREATE TABLE link_cost (link TEXT PRIMARY KEY, cost INTEGER NOT NULL);
)";

}  // namespace

database::Schema schema() {
  return {"link_costs", {{1, table}}, {{"link_cost", {"link"}}}};
}

void CostBook::follow(MeasuredLinks const& links) {
  for (auto const& name : costs_.links()) {
    if (!links.contains(name)) {
      costs_.remove(name);
    }
  }
  for (auto const& [name, link] : links) {
    costs_.add(name, link.a, link.b, link.cost);
  }
}

void CostBook::report(std::string const& node, json::object const& body, cost::Time now) {
  if (auto const* full = body.if_contains("neighbors_full"); full != nullptr && full->is_int64()) {
    auto const [at, is_new] = full_.emplace(node, full->get_int64());
    if (!is_new && at->second != full->get_int64()) {
      costs_.adjacency_changed(node, now);
      at->second = full->get_int64();
    }
  }
  auto const* const times = body.if_contains("rtt_us");
  if (times == nullptr || !times->is_object()) {
    return;
  }
  for (auto const& [link, time] : times->get_object()) {
    if (time.is_int64()) {
      costs_.observe(link, node, cost::RoundTrip(time.get_int64()), now);
    }
  }
}

void CostBook::forget(std::vector<cost::Change> const& changes) {
  for (auto const& change : changes) {
    costs_.remove(change.link);
  }
}

base::Result<std::map<std::string, std::uint32_t>> read_costs(database::Database& database) {
  auto const rows = database.query("SELECT link, cost FROM link_cost");
  if (!rows) {
    return rows.error();
  }
  std::map<std::string, std::uint32_t> out;
  for (auto const& row : *rows) {
    out.emplace(database::text(row[0]), static_cast<std::uint32_t>(database::integer(row[1])));
  }
  return out;
}

base::Result<void> keep_costs(database::Transaction& transaction, std::set<std::string> const& remembered) {
  auto const rows = transaction.query("SELECT link FROM link_cost");
  if (!rows) {
    return rows.error();
  }
  for (auto const& row : *rows) {
    if (auto const link = database::text(row[0]); !remembered.contains(link)) {
      if (auto const deleted = transaction.execute("DELETE FROM link_cost WHERE link = ?", {link}); !deleted) {
        return deleted.error();
      }
    }
  }
  return {};
}

base::Result<database::Revision> write_costs(database::Database& database, std::vector<cost::Change> const& changes) {
  auto const body = [&](database::Transaction& transaction) -> base::Result<void> {
    for (auto const& change : changes) {
      auto const written = transaction.execute(
          "INSERT INTO link_cost (link, cost) VALUES (?, ?) ON CONFLICT (link) DO UPDATE SET cost = "
          "excluded.cost",
          {change.link, static_cast<std::int64_t>(change.cost)});
      if (!written) {
        return written.error();
      }
    }
    return {};
  };
  return database.write(body);
}

}  // namespace link_costs

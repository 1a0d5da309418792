#include "dns-backend/migrate/sql_source.hpp"

#include <charconv>

namespace migrate {
namespace {

std::int64_t number(std::optional<std::string> const& text) {
  std::int64_t value = 0;
  if (text) {
    std::from_chars(text->data(), text->data() + text->size(), value);
  }
  return value;
}

// SQLite says 1, PostgreSQL says t.
bool truth(std::optional<std::string> const& text, bool fallback) {
  return text && !text->empty() ? (*text)[0] == '1' || (*text)[0] == 't' : fallback;
}

// TSIG keys are kept by lower-case name with its final dot.
std::string absolute(std::string const& name) {
  auto const parsed = dns::Name::parse(name);
  return parsed ? parsed->text() : name;
}

class SqlSource final : public Source {
 public:
  explicit SqlSource(std::unique_ptr<SqlConnection> connection) : connection_(std::move(connection)) {}

  base::Result<std::vector<std::string>> zones() override {
    auto const rows = connection_->query("SELECT name FROM domains ORDER BY name", std::nullopt);
    if (!rows) {
      return rows.error();
    }
    std::vector<std::string> names;
    for (SqlRow const& row : *rows) {
      names.push_back(row[0].value_or(""));
    }
    return names;
  }

  base::Result<Zone> zone(std::string const& name) override {
    auto const domains = connection_->query("SELECT id, type, master, account FROM domains WHERE name = ?", name);
    if (!domains) {
      return domains.error();
    }
    if (domains->empty()) {
      return base::fail(errc::bad_source, "the database has no zone '" + name + "'");
    }
    SqlRow const& domain = domains->front();
    std::string const id = domain[0].value_or("");
    auto const records =
        connection_->query("SELECT name, type, content, ttl, prio, disabled FROM records WHERE domain_id = ?", id);
    if (!records) {
      return records.error();
    }
    std::vector<RecordRow> rows;
    rows.reserve(records->size());
    for (SqlRow const& row : *records) {
      rows.push_back({row[0], row[1], row[2], number(row[3]), number(row[4]), truth(row[5], false)});
    }
    Zone zone = assemble({name, domain[1].value_or(""), domain[2].value_or(""), domain[3].value_or("")}, rows);
    if (auto const done = read_extras(id, zone); !done) {
      return done.error();
    }
    return zone;
  }

  base::Result<std::vector<store::TsigKey>> tsig_keys() override {
    auto const rows = connection_->query("SELECT name, algorithm, secret FROM tsigkeys ORDER BY name", std::nullopt);
    if (!rows) {
      return rows.error();
    }
    std::vector<store::TsigKey> keys;
    for (SqlRow const& row : *rows) {
      keys.push_back({absolute(row[0].value_or("")), row[1].value_or(""), row[2].value_or("")});
    }
    return keys;
  }

  base::Result<std::vector<store::Autoprimary>> autoprimaries() override {
    auto const rows = connection_->query("SELECT ip, nameserver, account FROM supermasters", std::nullopt);
    if (!rows) {
      return rows.error();
    }
    std::vector<store::Autoprimary> out;
    for (SqlRow const& row : *rows) {
      out.push_back({row[0].value_or(""), row[1].value_or(""), row[2].value_or("")});
    }
    return out;
  }

 private:
  base::Result<void> read_extras(std::string const& id, Zone& zone) {
    auto const metadata =
        connection_->query("SELECT kind, content FROM domainmetadata WHERE domain_id = ? ORDER BY id", id);
    if (!metadata) {
      return metadata.error();
    }
    for (SqlRow const& row : *metadata) {
      zone.metadata[row[0].value_or("")].push_back(row[1].value_or(""));
    }
    auto const keys = connection_->query(
        "SELECT id, flags, active, published, content FROM cryptokeys WHERE domain_id = ? ORDER BY id", id);
    if (!keys) {
      return keys.error();
    }
    for (SqlRow const& row : *keys) {
      store::Key key;
      key.id = number(row[0]);
      key.flags = static_cast<std::uint32_t>(number(row[1]));
      key.active = truth(row[2], true);
      key.published = truth(row[3], true);
      key.content = row[4].value_or("");
      zone.keys.push_back(std::move(key));
    }
    return {};
  }

  std::unique_ptr<SqlConnection> connection_;
};

}  // namespace

std::unique_ptr<Source> make_sql_source(std::unique_ptr<SqlConnection> connection) {
  return std::make_unique<SqlSource>(std::move(connection));
}

}  // namespace migrate

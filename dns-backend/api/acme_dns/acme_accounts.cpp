#include "dns-backend/api/acme_dns/acme_accounts.hpp"

#include "dns-backend/tenants/fit.hpp"
#include "dns-backend/tokens/secret.hpp"
#include "dns-backend/writes/challenges.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <algorithm>

namespace api {

namespace ip = boost::asio::ip;
using database::integer;
using database::text;

namespace {

base::Result<void> make_body(store::Write const& write, AcmeAccount const& account, std::string const& password_hash,
                             tenants::Policy const& policy, std::int64_t& wait_ms) {
  auto const tenant = write.model.tenants().find(account.tenant_id);
  if (tenant == write.model.tenants().end()) {
    return base::fail(store::errc::not_found, "there is no such tenant");
  }
  if (tenant->second.state != "active") {
    return store::refused("the tenant is suspended: nothing of it can be changed");
  }
  auto const count =
      write.transaction.query("SELECT count(*) FROM challenge_account WHERE tenant_id = ?", {account.tenant_id});
  if (!count) {
    return count.error();
  }
  tenants::Plan const* const plan = tenants::find_plan(policy, tenant->second.plan);
  if (plan != nullptr && integer(count->front()[0]) >= plan->domains) {
    return store::over_quota("the plan '" + tenant->second.plan + "' has " + std::to_string(plan->domains) +
                             " registrations at most");
  }
  auto const taken = tenants::take_slug(write, policy, account.tenant_id, account.slug, account.created_at_ms, wait_ms);
  if (!taken) {
    return taken;
  }
  auto const made = write.run(
      "INSERT INTO challenge_account (username, password_hash, tenant_id, slug, allow_from, created_at_ms) VALUES (?, "
      "?, ?, "
      "?, ?, ?)",
      {account.username, password_hash, account.tenant_id, account.slug, store::to_json(account.allow_from),
       account.created_at_ms});
  return made ? tenants::touch(write, account.tenant_id) : made;
}

// The values go, and whoever has the password sets no more. The name stays among those that were given out.
base::Result<void> remove_body(store::Write const& write, std::string const& label, std::string const& slug,
                               tenants::Circumstances const& when) {
  auto const tenant = tenants::expect(write, label, when);
  if (!tenant) {
    return tenant.error();
  }
  auto const done =
      write.run_on_row("DELETE FROM challenge_account WHERE slug = ? AND tenant_id = ?", {slug, tenant->id},
                       base::fail(store::errc::not_found, "there is no registration '" + slug + "'"));
  if (!done) {
    return done;
  }
  auto const values = write.run("DELETE FROM challenge_account_value WHERE slug = ?", {slug});
  if (!values) {
    return values;
  }
  if (auto const unserved = store::remove_challenges(write, "acme-dns/" + slug); !unserved) {
    return unserved;
  }
  return tenants::touch(write, tenant->id);
}

base::Result<void> value_body(store::Write const& write, AcmeAccount const& account, std::string const& value,
                              std::string const& challenge_zone, std::int64_t now_ms) {
  // Meanwhile the tenant may have left or been suspended, and the account with it.
  auto const tenant = write.model.tenants().find(account.tenant_id);
  auto const still =
      write.transaction.query("SELECT 1 FROM challenge_account WHERE username = ? AND slug = ? AND tenant_id = ?",
                              {account.username, account.slug, account.tenant_id});
  if (!still) {
    return still.error();
  }
  if (still->empty() || tenant == write.model.tenants().end() || tenant->second.state != "active") {
    return base::fail(store::errc::not_found, "there is no such account");
  }
  auto const zone = dns::Name::parse(challenge_zone);
  auto const name = zone ? zone->child(account.slug) : zone;
  if (!name) {
    return name.error();
  }
  auto const put = write.run(
      "INSERT INTO challenge_account_value (slug, value, at_ms) VALUES (?, ?, ?) ON CONFLICT (slug, value) DO UPDATE "
      "SET at_ms = "
      "excluded.at_ms",
      {account.slug, value, now_ms});
  if (!put) {
    return put;
  }
  auto const values = write.transaction.query(
      "SELECT value FROM challenge_account_value WHERE slug = ? ORDER BY at_ms DESC, value", {account.slug});
  if (!values) {
    return values.error();
  }
  std::string const owner = "acme-dns/" + account.slug;
  for (std::size_t i = acme_values_max; i < values->size(); ++i) {
    database::Value const& old = (*values)[i][0];
    auto const gone =
        write.run("DELETE FROM challenge_account_value WHERE slug = ? AND value = ?", {account.slug, old});
    auto const unserved = write.run("DELETE FROM challenge WHERE owner = ? AND value = ?", {owner, old});
    if (!gone || !unserved) {
      return gone ? unserved : gone;
    }
  }
  return store::add_challenges(write, {{*name, value}}, owner);
}

std::optional<ip::address> peer_address(std::string const& peer) {
  std::string host = peer.substr(0, peer.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  boost::system::error_code bad;
  ip::address address = ip::make_address(host, bad);
  if (bad) {
    return std::nullopt;
  }
  bool const mapped = address.is_v6() && address.to_v6().is_v4_mapped();
  return mapped ? ip::address(ip::make_address_v4(ip::v4_mapped, address.to_v6())) : address;
}

// The network's first address and its length; nullopt: it is none.
std::optional<std::pair<ip::address, unsigned>> read_network(std::string const& given) {
  boost::system::error_code bad;
  std::size_t const slash = given.find('/');
  ip::address const address = ip::make_address(given.substr(0, slash), bad);
  if (bad) {
    return std::nullopt;
  }
  if (slash == std::string::npos) {
    return std::pair(address, address.is_v4() ? 32U : 128U);
  }
  if (address.is_v4()) {
    auto const network = ip::make_network_v4(given, bad);
    return bad ? std::nullopt
               : std::optional(
                     std::pair(ip::address(network.network()), static_cast<unsigned>(network.prefix_length())));
  }
  auto const network = ip::make_network_v6(given, bad);
  return bad ? std::nullopt
             : std::optional(std::pair(ip::address(network.network()), static_cast<unsigned>(network.prefix_length())));
}

template <class Octets>
bool same_bits(Octets const& a, Octets const& b, unsigned bits) {
  for (std::size_t i = 0; i < a.size() && bits > 0; ++i) {
    unsigned const here = std::min(bits, 8U);
    unsigned const mask = 0xffU << (8U - here) & 0xffU;
    if ((a[i] & mask) != (b[i] & mask)) {
      return false;
    }
    bits -= here;
  }
  return true;
}

}  // namespace

net::Task<base::Result<NewAcmeAccount>> make_acme_account(store::Store& store, AcmeAccount account,
                                                          tenants::Policy policy,
                                                          std::shared_ptr<std::int64_t> wait_ms) {
  NewAcmeAccount made{std::move(account), tokens::random_text(30)};
  made.account.username = tokens::random_uuid();
  made.account.slug = tokens::random_text(20);
  store::Body body = [account = made.account, hash = tokens::digest(made.password), policy = std::move(policy),
                      wait_ms](store::Write const& write) { return make_body(write, account, hash, policy, *wait_ms); };
  auto const written = co_await store.write(std::move(body));
  if (!written) {
    co_return written.error();
  }
  co_return made;
}

net::Task<base::Result<std::optional<AcmeAccount>>> find_acme_account(store::Store& store, std::string username,
                                                                      std::string password) {
  using Found = std::optional<AcmeAccount>;
  std::function<base::Result<Found>(store::Model const&, database::Database&)> const look =
      [username, hash = tokens::digest(password)](store::Model const& model,
                                                  database::Database& database) -> base::Result<Found> {
    auto const rows = database.query(
        "SELECT password_hash, tenant_id, slug, allow_from, created_at_ms FROM challenge_account WHERE username = ?",
        {username});
    if (!rows) {
      return rows.error();
    }
    if (rows->empty() || !tokens::same(text(rows->front()[0]), hash)) {
      return Found();
    }
    database::Row const& row = rows->front();
    auto const tenant = model.tenants().find(integer(row[1]));
    auto const networks = store::from_json(text(row[3]));
    if (tenant == model.tenants().end() || tenant->second.state != "active" || !networks) {
      return Found();
    }
    return Found(AcmeAccount{username, integer(row[1]), text(row[2]), *networks, integer(row[4])});
  };
  co_return co_await store.read<Found>(look);
}

net::Task<base::Result<store::Revision>> set_acme_value(store::Store& store, AcmeAccount account, std::string value,
                                                        std::string challenge_zone, std::int64_t now_ms) {
  store::Body body = [account = std::move(account), value = std::move(value), zone = std::move(challenge_zone),
                      now_ms](store::Write const& write) { return value_body(write, account, value, zone, now_ms); };
  co_return co_await store.write(std::move(body));
}

net::Task<base::Result<std::vector<AcmeRegistration>>> acme_registrations(store::Store& store, std::int64_t tenant_id) {
  using Found = std::vector<AcmeRegistration>;
  std::function<base::Result<Found>(database::Database&)> const look =
      [tenant_id](database::Database& database) -> base::Result<Found> {
    auto const rows = database.query(
        "SELECT username, slug, allow_from, created_at_ms, (SELECT count(*) FROM challenge_account_value AS v WHERE "
        "v.slug = a.slug), (SELECT max(at_ms) FROM challenge_account_value AS v WHERE v.slug = a.slug) FROM "
        "challenge_account AS a WHERE tenant_id = ? ORDER BY slug",
        {tenant_id});
    if (!rows) {
      return rows.error();
    }
    Found found;
    for (database::Row const& row : *rows) {
      auto const networks = store::from_json(text(row[2]));
      found.push_back(
          {{text(row[0]), tenant_id, text(row[1]), networks.value_or(std::vector<std::string>()), integer(row[3])},
           integer(row[4]),
           integer(row[5])});
    }
    return found;
  };
  co_return co_await store.thread().run<Found>(look);
}

net::Task<base::Result<store::Revision>> remove_acme_account(store::Store& store, std::string label, std::string slug,
                                                             tenants::Circumstances when) {
  store::Body body = [label = std::move(label), slug = std::move(slug), when](store::Write const& write) {
    return remove_body(write, label, slug, when);
  };
  co_return co_await store.write(std::move(body));
}

bool is_network(std::string const& text) {
  return read_network(text).has_value();
}

bool allows_from(std::vector<std::string> const& networks, std::string const& peer) {
  if (networks.empty()) {
    return true;
  }
  auto const address = peer_address(peer);
  return address && std::ranges::any_of(networks, [&address](std::string const& one) {
           auto const network = read_network(one);
           if (!network || network->first.is_v4() != address->is_v4()) {
             return false;
           }
           return address->is_v4()
                      ? same_bits(network->first.to_v4().to_bytes(), address->to_v4().to_bytes(), network->second)
                      : same_bits(network->first.to_v6().to_bytes(), address->to_v6().to_bytes(), network->second);
         });
}

}  // namespace api

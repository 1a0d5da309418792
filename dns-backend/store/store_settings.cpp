// What of a zone is not content, and the keys: what a write checks and which rows it makes.
#include "dns-backend/store/state.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>

namespace store {
namespace {

constexpr std::size_t masters_max = 64;
constexpr std::size_t account_octets_max = 255;

// The address as everybody writes it; empty when it is none.
std::string canonical_address(std::string_view text) {
  boost::system::error_code error;
  auto const address = boost::asio::ip::make_address(text, error);
  return error ? std::string() : address.to_string();
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

// "ip", "ip:port", "[ip6]" or "[ip6]:port"; empty when it is none of them.
std::string canonical_master(std::string const& text) {
  if (std::string const plain = canonical_address(text); !plain.empty()) {
    return plain;
  }
  bool const bracketed = text.starts_with('[');
  std::size_t const end = bracketed ? text.find(']') : text.find(':');
  if (end == std::string::npos) {
    return {};
  }
  std::string const address =
      canonical_address(std::string_view(text).substr(bracketed ? 1 : 0, end - (bracketed ? 1 : 0)));
  std::string_view rest = std::string_view(text).substr(bracketed ? end + 1 : end);
  if (address.empty() || bracketed != (address.find(':') != std::string::npos)) {
    return {};
  }
  if (rest.empty()) {
    return address;
  }
  bool const port = rest.starts_with(':') && is_port(rest.substr(1));
  return port ? (bracketed ? "[" + address + "]" : address) + std::string(rest) : std::string();
}

base::Result<void> metadata_body(Write const& write, dns::Name const& apex, std::string const& kind,
                                 std::vector<std::string> const& values) {
  auto const zone = write.zone(apex);
  if (!zone) {
    return zone.error();
  }
  if (kind.empty()) {
    return refused("metadata need a kind");
  }
  if (values.empty()) {
    return write.run("DELETE FROM metadata WHERE zone_id = ? AND kind = ?", {zone->id, kind});
  }
  return write.run(
      "INSERT INTO metadata (zone_id, kind, contents) VALUES (?, ?, ?) "
      "ON CONFLICT (zone_id, kind) DO UPDATE SET contents = excluded.contents",
      {zone->id, kind, to_json(values)});
}

base::Failure no_key(std::int64_t id, dns::Name const& apex) {
  return base::fail(errc::not_found, "the zone " + apex.text() + " has no key " + std::to_string(id));
}

base::Failure no_zone(std::int64_t id) {
  return base::fail(errc::not_found, "there is no zone with id " + std::to_string(id));
}

base::Result<void> settings_body(Write const& write, dns::Name const& apex, ZoneSettings const& settings) {
  auto const checked = check_settings(settings);
  if (!checked) {
    return checked.error();
  }
  return write.run_on_row("UPDATE zone SET kind = ?, masters = ?, account = ? WHERE apex = ?",
                          {checked->kind, to_json(checked->masters), checked->account, apex.text()},
                          base::fail(errc::not_found, "there is no zone " + apex.text()));
}

base::Result<void> autoprimary_body(Write const& write, Autoprimary const& autoprimary) {
  std::string const ip = canonical_address(autoprimary.ip);
  auto const server = dns::Name::parse(autoprimary.nameserver);
  if (ip.empty() || !server) {
    return refused("an autoprimary needs an address and the name of a name server, not '" + autoprimary.ip + "' and '" +
                   autoprimary.nameserver + "'");
  }
  if (autoprimary.account.size() > account_octets_max) {
    return refused("an account of more than " + std::to_string(account_octets_max) + " octets");
  }
  return write.run(
      "INSERT INTO autoprimary (ip, nameserver, account) VALUES (?, ?, ?) "
      "ON CONFLICT (ip, nameserver) DO UPDATE SET account = excluded.account",
      {ip, server->text(), autoprimary.account});
}

}  // namespace

base::Result<ZoneSettings> check_settings(ZoneSettings settings) {
  std::string wrong;
  auto const complain = [&wrong](std::string const& why) { wrong += (wrong.empty() ? "" : "; ") + why; };
  if (settings.kind != "native" && settings.kind != "master" && settings.kind != "slave") {
    complain("'" + settings.kind + "' is no kind of zone: native, master or slave");
  }
  if (settings.masters.size() > masters_max) {
    complain("more than " + std::to_string(masters_max) + " masters");
  }
  for (std::string& master : settings.masters) {
    std::string const canonical = canonical_master(master);
    if (canonical.empty()) {
      complain("'" + master + "' is no address of a master (ip, ip:port or [ip6]:port)");
    }
    master = canonical;
  }
  if (settings.account.size() > account_octets_max) {
    complain("an account of more than " + std::to_string(account_octets_max) + " octets");
  }
  return wrong.empty() ? base::Result<ZoneSettings>(std::move(settings)) : refused(std::move(wrong));
}

net::Task<base::Result<Revision>> Store::set_metadata(dns::Name apex, std::string kind,
                                                      std::vector<std::string> values) {
  Body body = [apex, kind, values](Write const& write) { return metadata_body(write, apex, kind, values); };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<std::int64_t>> Store::add_key(dns::Name apex, Key key) {
  auto const id = std::make_shared<std::int64_t>(0);
  Body body = [apex, key, id](Write const& write) -> base::Result<void> {
    auto const zone = write.zone(apex);
    if (!zone) {
      return zone.error();
    }
    // An import keeps the ids that operators know, where they are free.
    bool free = key.id > 0;
    if (free) {
      auto const taken = write.transaction.query("SELECT id FROM dnskey WHERE id = ?", {key.id});
      if (!taken) {
        return taken.error();
      }
      free = taken->empty();
    }
    auto done =
        write.run("INSERT INTO dnskey (id, zone_id, flags, active, published, content) VALUES (?, ?, ?, ?, ?, ?)",
                  {free ? database::Value(key.id) : database::Value(), zone->id, std::int64_t{key.flags},
                   std::int64_t{key.active}, std::int64_t{key.published}, key.content});
    *id = write.transaction.last_insert_id();
    return done;
  };
  auto const written = co_await state_->write(std::move(body));
  if (!written) {
    co_return written.error();
  }
  co_return *id;
}

net::Task<base::Result<Revision>> Store::set_key_state(dns::Name apex, std::int64_t id, std::optional<bool> active,
                                                       std::optional<bool> published) {
  Body body = [apex, id, active, published](Write const& write) -> base::Result<void> {
    auto const zone = write.zone(apex);
    if (!zone) {
      return zone.error();
    }
    auto const value = [](std::optional<bool> wanted) {
      return wanted ? database::Value(std::int64_t{*wanted}) : database::Value();
    };
    return write.run_on_row(
        "UPDATE dnskey SET active = coalesce(?, active), published = coalesce(?, published) "
        "WHERE id = ? AND zone_id = ?",
        {value(active), value(published), id, zone->id}, no_key(id, apex));
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::remove_key(dns::Name apex, std::int64_t id) {
  Body body = [apex, id](Write const& write) -> base::Result<void> {
    auto const zone = write.zone(apex);
    if (!zone) {
      return zone.error();
    }
    return write.run_on_row("DELETE FROM dnskey WHERE id = ? AND zone_id = ?", {id, zone->id}, no_key(id, apex));
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::set_notified_serial(std::int64_t zone_id, std::uint32_t serial) {
  Body body = [zone_id, serial](Write const& write) {
    return write.run_on_row("UPDATE zone SET notified_serial = ? WHERE id = ?", {std::int64_t{serial}, zone_id},
                            no_zone(zone_id));
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::set_checked(std::int64_t zone_id, std::int64_t at_s) {
  Body body = [zone_id, at_s](Write const& write) {
    return write.run_on_row("UPDATE zone SET last_check_s = ? WHERE id = ?", {at_s, zone_id}, no_zone(zone_id));
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::set_zone_settings(dns::Name apex, ZoneSettings settings) {
  Body body = [apex, settings](Write const& write) { return settings_body(write, apex, settings); };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::set_autoprimary(Autoprimary autoprimary) {
  Body body = [autoprimary](Write const& write) { return autoprimary_body(write, autoprimary); };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::remove_autoprimary(std::string ip, std::string nameserver) {
  Body body = [ip, nameserver](Write const& write) {
    auto const server = dns::Name::parse(nameserver);
    return write.run_on_row("DELETE FROM autoprimary WHERE ip = ? AND nameserver = ?",
                            {canonical_address(ip), server ? server->text() : nameserver},
                            base::fail(errc::not_found, "there is no autoprimary " + ip + " " + nameserver));
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::set_kind(dns::Name apex, std::string kind) {
  Body body = [apex, kind](Write const& write) -> base::Result<void> {
    if (kind != "native" && kind != "master" && kind != "slave") {
      return refused("'" + kind + "' is no kind of zone: native, master or slave");
    }
    return write.run_on_row("UPDATE zone SET kind = ? WHERE apex = ?", {kind, apex.text()},
                            base::fail(errc::not_found, "there is no zone " + apex.text()));
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::set_tsig_key(TsigKey key) {
  Body body = [key](Write const& write) -> base::Result<void> {
    if (!dns::Name::parse(key.name) || key.content.empty()) {
      return refused("a TSIG key needs a domain name and content");
    }
    return write.run(
        "INSERT INTO tsig (name, algorithm, content) VALUES (?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET algorithm = excluded.algorithm, content = excluded.content",
        {key.name, key.algorithm, key.content});
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::delete_tsig_key(std::string name) {
  Body body = [name](Write const& write) {
    return write.run_on_row("DELETE FROM tsig WHERE name = ?", {name},
                            base::fail(errc::not_found, "there is no TSIG key '" + name + "'"));
  };
  co_return co_await state_->write(std::move(body));
}

}  // namespace store

// A zone by transfer, and the choice of a source by the form of its address.
#include "dns-backend/migrate/source.hpp"

#include "dns-backend/name_server/name_server.hpp"

#include <charconv>

namespace migrate {

namespace {

class AxfrSource final : public Source {
 public:
  AxfrSource(name_server::NameServer server, std::string zone, name_server::Transfer how)
      : server_(std::move(server)), zone_(std::move(zone)), how_(std::move(how)) {}

  base::Result<std::vector<std::string>> zones() override { return std::vector<std::string>{zone_}; }
  base::Result<Zone> zone(std::string const& name) override {
    Zone zone;
    zone.name = name;
    auto const apex = dns::Name::parse(name);
    if (!apex) {
      return apex.error();
    }
    zone.apex = *apex;
    name_server::Transfer how = how_;
    how.dropped = [&zone] {
      zone.refused.push_back({zone.name, "DNSKEY", "signatures and keys",
                              "the zone is signed there, a transfer carries no private keys, and without them it would "
                              "be bogus while its parent has a DS; import it from PowerDNS's database, or take its DS "
                              "away first"});
    };
    auto rrsets = server_.transfer(*apex, how);
    if (!rrsets) {
      return rrsets.error();
    }
    zone.rrsets = std::move(*rrsets);
    for (dns::Conflict const& conflict : dns::check_zone(*apex, zone.rrsets)) {
      std::string const type = conflict.type.value == 0 ? "" : dns::to_text(conflict.type);
      zone.refused.push_back({conflict.owner.text(), type, "", conflict.message});
    }
    return zone;
  }
  base::Result<std::vector<store::TsigKey>> tsig_keys() override { return std::vector<store::TsigKey>(); }
  base::Result<std::vector<store::Autoprimary>> autoprimaries() override { return std::vector<store::Autoprimary>(); }

 private:
  name_server::NameServer server_;
  std::string zone_;
  name_server::Transfer how_;
};

}  // namespace

base::Result<std::unique_ptr<Source>> open_axfr(std::string const& url, std::optional<store::TsigKey> key,
                                                std::function<void(std::size_t)> progress) {
  constexpr std::string_view scheme = "axfr://";
  auto const bad = base::fail(errc::bad_source, "'" + url + "' is not of the form axfr://192.0.2.1:53/example.org");
  std::size_t const slash = url.find('/', scheme.size());
  if (!url.starts_with(scheme) || slash == std::string::npos || slash + 1 == url.size()) {
    return bad;
  }
  std::string host = url.substr(scheme.size(), slash - scheme.size());
  std::uint16_t port = 53;
  std::size_t const colon = host.rfind(':');
  bool const bracketed = host.starts_with('[');
  if (colon != std::string::npos && (!bracketed || colon > host.find(']'))) {
    auto const [end, error] = std::from_chars(host.data() + colon + 1, host.data() + host.size(), port);
    if (error != std::errc() || end != host.data() + host.size() || port == 0) {
      return bad;
    }
    host.resize(colon);
  }
  if (bracketed) {
    host = host.substr(1, host.find(']') - 1);
  }
  name_server::Transfer how;
  how.key = std::move(key);
  how.progress = std::move(progress);
  return std::unique_ptr<Source>(
      std::make_unique<AxfrSource>(name_server::NameServer(host, port), url.substr(slash + 1), std::move(how)));
}

base::Result<std::unique_ptr<Source>> open_source(std::string const& source, std::optional<store::TsigKey> key,
                                                  std::function<void(std::size_t)> progress) {
  if (source.starts_with("axfr://")) {
    return open_axfr(source, std::move(key), std::move(progress));
  }
  bool const conninfo = source.find("dbname=") != std::string::npos || source.find("host=") != std::string::npos;
  if (source.starts_with("postgresql://") || source.starts_with("postgres://") || conninfo) {
    return open_postgres(source);
  }
  std::string const scheme = "sqlite://";
  return open_sqlite(source.starts_with(scheme) ? source.substr(scheme.size()) : source);
}

}  // namespace migrate

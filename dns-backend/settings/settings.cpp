#include "dns-backend/settings/settings.hpp"

#include "base/config/reader.hpp"
#include "dns-backend/connector/door.hpp"
#include "dns-backend/settings/tenants.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>

namespace navigator {

namespace {

using std::chrono::milliseconds;

TlsFiles read_tls(config::Reader reader) {
  TlsFiles files;
  files.certificate = reader.text("certificate");
  files.key = reader.text("key");
  files.ca = reader.text("ca");
  return files;
}

void check_url(config::Reader& reader, std::string_view key, std::string const& url, std::string const& scheme) {
  if (!url.empty() && !url.starts_with(scheme)) {
    reader.fail(key, "'" + url + "' does not begin with " + scheme);
  }
}

void read_api(config::Reader& root, Settings& settings) {
  auto api = root.section("api");
  settings.api_unix = api.text("unix");
  settings.api_listen = api.text("listen", "");
  settings.api_admins = api.texts("admins");
  if (auto tls = api.optional_section("tls")) {
    settings.api_tls = read_tls(*tls);
    std::string const& ca = settings.api_tls->ca;
    settings.api_tls->crl = tls->text("crl", ca.substr(0, ca.rfind('/') + 1) + "ca.crl");
  }
  settings.api_key_file = api.text("key_file", "");
  bool const local = settings.api_listen.starts_with("127.0.0.1:") || settings.api_listen.starts_with("[::1]:");
  if (!settings.api_listen.empty() && !settings.api_tls && !(local && !settings.api_key_file.empty())) {
    api.fail("listen", "a TCP listener needs api.tls", "without TLS only 127.0.0.1 and [::1], and with api.key_file");
  }
}

void read_sites(config::Reader& root, Settings& settings) {
  for (auto& section : root.sections("sites")) {
    SiteSettings site;
    site.name = section.text("name");
    site.node = section.text("node");
    site.address = section.text("address");
    site.port = section.port("port", 53);
    boost::system::error_code bad;
    boost::asio::ip::make_address(site.address, bad);
    if (bad && !site.address.empty()) {
      section.fail("address", "'" + site.address + "' is not an IP address");
    }
    site.loopback = section.text("loopback", "");
    boost::asio::ip::make_address(site.loopback, bad);
    if (bad && !site.loopback.empty()) {
      section.fail("loopback", "'" + site.loopback + "' is not an IP address");
    }
    site.url = section.text("url", "");
    if (!site.url.empty()) {
      check_url(section, "url", site.url, "https://");
      if (!settings.api_tls && !settings.replica) {
        section.fail("url", "verdicts are exchanged over mutual TLS, and there is no certificate", "set api.tls");
      }
    }
    settings.sites.push_back(std::move(site));
  }
}

// After the sites.
void read_mesh(config::Reader& root, Settings& settings) {
  auto mesh = root.optional_section("mesh");
  if (!mesh) {
    return;
  }
  settings.mesh_bird = mesh->text("bird");
  bool const any = std::any_of(settings.sites.begin(), settings.sites.end(),
                               [](SiteSettings const& site) { return !site.loopback.empty(); });
  if (!any) {
    mesh->fail("bird", "no site has a loopback to which BIRD could know a route", "set sites[].loopback");
  }
}

// "192.0.2.1:53" or "[2001:db8::1]:53"; nullopt: neither.
std::optional<Witness> parse_witness(std::string const& text) {
  std::size_t const colon = text.rfind(':');
  if (colon == std::string::npos) {
    return std::nullopt;
  }
  Witness witness{text.substr(0, colon), 0};
  if (witness.address.starts_with('[') && witness.address.ends_with(']')) {
    witness.address = witness.address.substr(1, witness.address.size() - 2);
  }
  char const* const last = text.data() + text.size();
  auto const [end, error] = std::from_chars(text.data() + colon + 1, last, witness.port);
  boost::system::error_code bad;
  boost::asio::ip::make_address(witness.address, bad);
  bool const good = !bad && error == std::errc() && end == last && witness.port != 0;
  return good ? std::optional<Witness>(witness) : std::nullopt;
}

void read_health(config::Reader& root, Settings& settings) {
  auto health = root.section("health");
  for (std::string const& text : health.texts("witnesses")) {
    auto const witness = parse_witness(text);
    if (!witness) {
      health.fail("witnesses", "'" + text + "' is not address:port", "for instance 192.0.2.1:53");
      continue;
    }
    settings.witnesses.push_back(*witness);
  }
  settings.transitions_days = health.integer<unsigned>("transitions_days", {1, 3650}, settings.transitions_days);
  for (auto& section : health.sections("webhooks")) {
    WebhookTarget target{section.text("url"), section.text("secret_file", "")};
    if (!target.url.empty() && !target.url.starts_with("http://") && !target.url.starts_with("https://")) {
      section.fail("url", "'" + target.url + "' does not begin with http:// or https://");
    }
    settings.webhooks.push_back(std::move(target));
  }
  auto geo = root.section("geo");
  settings.geo_cidr_map = geo.text("cidr_map", "");
  settings.geo_mmdb = geo.text("mmdb", "");
}

std::optional<CaLimit> read_limit(config::Reader& limits, char const* what) {
  auto section = limits.optional_section(what);
  if (!section) {
    return std::nullopt;
  }
  constexpr milliseconds longest{std::chrono::hours(24 * 90)};
  CaLimit limit;
  limit.count = section->integer<std::uint32_t>("count", {0, 1000000});
  limit.per = section->duration("per", {milliseconds(1000), longest});
  return limit;
}

void read_challenge(config::Reader& section, CaSettings& ca) {
  constexpr milliseconds longest{std::chrono::hours(24 * 3650)};
  ca.challenge = section.text("challenge", ca.challenge);
  if (ca.challenge != "dns-01" && ca.challenge != "dns-account-01" && ca.challenge != "dns-persist-01") {
    section.fail("challenge", "'" + ca.challenge + "' is no challenge that is answered here",
                 "dns-01, dns-account-01 or dns-persist-01");
  }
  ca.persist_for = section.duration("persist_for", {milliseconds(0), longest}, ca.persist_for);
  if (ca.persist_for != milliseconds(0) && ca.challenge != "dns-persist-01") {
    section.fail("persist_for", "only a dns-persist-01 record stays", "set challenge: dns-persist-01, or leave it out");
  } else if (ca.persist_for != milliseconds(0) && ca.persist_for < std::chrono::hours(24)) {
    section.fail("persist_for", "is shorter than a day", "the record is renewed every half of it; 0 for no end");
  }
}

CaSettings read_authority(config::Reader& section) {
  CaSettings ca;
  ca.directory = section.text("directory");
  check_url(section, "directory", ca.directory, "https://");
  ca.ca_bundle = section.text("ca_bundle", "");
  ca.contact = section.text("contact", "");
  check_url(section, "contact", ca.contact, "mailto:");
  ca.profile = section.text("profile", "");
  ca.preferred_issuer = section.text("preferred_issuer", "");
  ca.key_type = section.choice<std::string>(
      "key_type", {{"p256", "p256"}, {"p384", "p384"}, {"rsa2048", "rsa2048"}, {"rsa4096", "rsa4096"}}, "p256");
  if (auto eab = section.optional_section("eab")) {
    ca.eab_kid = eab->text("kid");
    ca.eab_hmac = eab->text("hmac");
  }
  read_challenge(section, ca);
  if (auto limits = section.optional_section("limits")) {
    ca.limits.new_orders = read_limit(*limits, "new_orders");
    ca.limits.registered_domain = read_limit(*limits, "registered_domain");
    ca.limits.exact_set = read_limit(*limits, "exact_set");
    ca.limits.failures = read_limit(*limits, "failures");
  }
  return ca;
}

void read_acme(config::Reader& root, Settings& settings) {
  auto section = root.optional_section("acme");
  if (!section) {
    return;
  }
  AcmeSettings acme;
  acme.authorities.push_back(read_authority(*section));
  for (auto& fallback : section->sections("fallbacks")) {
    CaSettings ca = read_authority(fallback);
    // Accounts, orders and certificates are kept under the directory's URL.
    if (std::ranges::find(acme.authorities, ca.directory, &CaSettings::directory) != acme.authorities.end()) {
      fallback.fail("directory", "'" + ca.directory + "' is named twice",
                    "each authority once, in the order of preference");
    }
    acme.authorities.push_back(std::move(ca));
  }
  if (auto staging = section->optional_section("staging")) {
    acme.staging = read_authority(*staging);
  }
  acme.public_suffixes = section->texts("public_suffixes");
  acme.master_key = section->text("master_key");
  acme.former_master_keys = section->texts("former_master_keys");
  acme.gate_timeout = section->duration("gate_timeout", {milliseconds(1000), milliseconds(600000)}, acme.gate_timeout);
  acme.first_retry = section->duration("first_retry", {milliseconds(1000), milliseconds(3600000)}, acme.first_retry);
  acme.first_certificate_within =
      section->duration("first_certificate_within", {milliseconds(1000), milliseconds(30LL * 24 * 3600 * 1000)},
                        acme.first_certificate_within);
  acme.publish_caa = section->choice<bool>("caa", {{"check", false}, {"publish", true}}, false);
  if (settings.replica) {
    section->fail("", "a replica issues no certificates", "move acme to the primary");
  }
  settings.acme = std::move(acme);
}

// "0660" as chmod(1) has it. The protocol has no authentication, so that everybody on the machine is too many.
void read_mode(config::Reader& remote, Settings& settings) {
  std::string const text = remote.text("unix_mode", "0660");
  unsigned mode = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  bool const whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || mode > 0777 || (mode & 0600U) != 0600U) {
    remote.fail("unix_mode", "'" + text + "' is no mode of a socket", "for instance \"0660\"");
  } else if ((mode & 0007U) != 0) {
    remote.fail("unix_mode", "'" + text + "' lets every user of this machine change zones",
                "name the group of PowerDNS with unix_group");
  }
  settings.remote_unix_mode = mode;
}

void read_remote(config::Reader& root, Settings& settings) {
  auto remote = root.section("remote");
  settings.remote_unix = remote.text("unix", "");
  settings.remote_unix_group = remote.text("unix_group", "");
  read_mode(remote, settings);
  settings.remote_http = remote.text("http", "");
  if (!settings.remote_http.empty()) {
    if (auto const endpoint = connector::parse_http_address(settings.remote_http); !endpoint) {
      remote.fail("http", endpoint.error().detail, "PowerDNS elsewhere needs a Navigator of its own: a replica");
    }
  }
  constexpr std::size_t path_max = 107;  // of a unix socket
  std::string beside = settings.remote_unix + ".handover";
  if (settings.remote_unix.empty() || beside.size() > path_max) {
    beside.clear();
  }
  settings.handover = remote.text("handover", beside);
  settings.remote_threads = remote.integer<unsigned>("threads", {1, 64}, 2);
}

void read_powerdns(config::Reader& root, Settings& settings) {
  auto powerdns = root.section("powerdns");
  settings.powerdns_control = powerdns.texts("control");
  settings.powerdns_address = powerdns.text("address", settings.powerdns_address);
  settings.powerdns_port = powerdns.port("port", settings.powerdns_port);
  boost::system::error_code bad;
  boost::asio::ip::make_address(settings.powerdns_address, bad);
  if (bad) {
    powerdns.fail("address", "'" + settings.powerdns_address + "' is not an IP address");
  }
  for (auto& section : powerdns.sections("api")) {
    PowerDnsApi api;
    api.url = section.text("url");
    api.key = section.text("key", "");
    api.key_file = section.text("key_file", "");
    if (!api.url.empty() && !api.url.starts_with("http://") && !api.url.starts_with("https://")) {
      section.fail("url", "'" + api.url + "' does not begin with http:// or https://");
    }
    while (api.url.ends_with('/')) {
      api.url.pop_back();
    }
    if (api.key.empty() == api.key_file.empty()) {
      section.fail("key", "either key or key_file is needed");
    }
    settings.powerdns_api.push_back(std::move(api));
  }
}

Settings read(config::Reader& root) {
  Settings settings;
  settings.node = root.text("node", "");
  settings.log_level = root.choice<std::string>(
      "log_level", {{"debug", "debug"}, {"info", "info"}, {"warning", "warning"}, {"error", "error"}}, "info");
  auto store = root.section("store");
  settings.store_url = store.text("url");
  check_url(store, "url", settings.store_url, "sqlite://");
  settings.store_create = store.boolean("create", true);
  read_remote(root, settings);
  read_api(root, settings);
  read_powerdns(root, settings);
  settings.topology = root.text("topology", "");
  if (auto replica = root.optional_section("replica")) {
    ReplicaSettings value;
    value.primary = replica->text("primary");
    value.node = replica->text("node");
    check_url(*replica, "primary", value.primary, "https://");
    value.tls = read_tls(replica->section("tls"));
    settings.replica = std::move(value);
  }
  read_sites(root, settings);
  read_mesh(root, settings);
  read_health(root, settings);
  read_acme(root, settings);
  read_tenants(root, settings);
  return settings;
}

boost::system::result<Settings, base::Problems> from_document(config::Document const& document) {
  base::Problems problems;
  config::Reader root(document, problems);
  Settings settings = read(root);
  root.finish();
  if (!problems.empty()) {
    return problems;
  }
  return settings;
}

}  // namespace

boost::system::result<Settings, base::Problems> parse_settings(std::string_view text, std::string const& source_name) {
  auto document = config::Document::parse(text, source_name);
  if (!document) {
    return document.error();
  }
  return from_document(*document);
}

boost::system::result<Settings, base::Problems> load_settings(std::string const& path) {
  auto document = config::Document::load(path);
  if (!document) {
    return document.error();
  }
  return from_document(*document);
}

}  // namespace navigator

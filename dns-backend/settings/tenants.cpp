#include "dns-backend/settings/tenants.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <algorithm>
#include <chrono>

namespace navigator {

using std::chrono::milliseconds;

namespace {

PlanSettings read_plan(config::Reader& section) {
  PlanSettings plan;
  plan.name = section.text("name");
  plan.backups = section.integer<std::uint32_t>("backups", {0, 100}, plan.backups);
  plan.records = section.integer<std::uint32_t>("records", {0, 100000}, plan.records);
  plan.domains = section.integer<std::uint32_t>("domains", {0, 10000}, plan.domains);
  plan.tokens = section.integer<std::uint32_t>("tokens", {0, 1000}, plan.tokens);
  plan.clusters = section.texts("clusters");
  plan.pools = section.integer<std::uint32_t>("pools", {0, 100}, plan.pools);
  plan.origins = section.integer<std::uint32_t>("origins", {0, 100}, plan.origins);
  return plan;
}

bool is_prefix(std::string const& text) {
  boost::system::error_code bad;
  if (text.find('/') == std::string::npos) {
    boost::asio::ip::make_address(text, bad);
  } else if (text.find(':') == std::string::npos) {
    boost::asio::ip::make_network_v4(text, bad);
  } else {
    boost::asio::ip::make_network_v6(text, bad);
  }
  return !bad;
}

std::vector<std::string> read_prefixes(config::Reader& section, char const* key) {
  std::vector<std::string> prefixes = section.texts(key);
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    if (!is_prefix(prefixes[i])) {
      section.fail_item(key, i, "'" + prefixes[i] + "' is no address or prefix", "for instance 10.200.0.0/16");
    }
  }
  return prefixes;
}

// "10.200.0.1" of "https://10.200.0.1:18010/" and of "10.200.0.1:53"; "::1" of "[::1]:53".
std::string host_of(std::string const& text) {
  std::size_t const scheme = text.find("://");
  std::string host = scheme == std::string::npos ? text : text.substr(scheme + 3);
  host.resize(std::min(host.size(), host.find('/')));
  if (host.starts_with('[')) {
    return host.substr(1, host.find(']') - 1);
  }
  host.resize(std::min(host.size(), host.rfind(':')));
  return host;
}

// After the API, the sites and the witnesses, whose own addresses no tenant may have probed.
void read_origins(config::Reader& tenants, Settings& settings) {
  if (auto section = tenants.optional_section("origins")) {
    settings.tenants.origins_allowed = read_prefixes(*section, "allow");
    settings.tenants.origins_refused = read_prefixes(*section, "refuse");
  }
  std::vector<std::string> own{host_of(settings.api_listen)};
  for (SiteSettings const& site : settings.sites) {
    own.insert(own.end(), {site.address, site.loopback, host_of(site.url)});
  }
  for (Witness const& witness : settings.witnesses) {
    own.push_back(witness.address);
  }
  std::vector<std::string>& refused = settings.tenants.origins_refused;
  for (std::string const& text : own) {
    boost::system::error_code bad;
    auto const address = boost::asio::ip::make_address(text, bad);
    if (!bad && !address.is_unspecified() && std::ranges::find(refused, text) == refused.end()) {
      refused.push_back(text);
    }
  }
}

// Of the plan that newcomers get, when it is there.
void check_newcomer(config::Reader& section, SignUpSettings const& sign_up, std::vector<PlanSettings> const& plans) {
  auto const plan = std::ranges::find(plans, sign_up.plan, &PlanSettings::name);
  if (plans.empty() || sign_up.plan.empty()) {
    return;
  }
  if (plan == plans.end()) {
    section.fail("plan", "there is no plan '" + sign_up.plan + "'", "one of tenants.plans");
    return;
  }
  if (plan->tokens == 0) {
    section.fail("plan", "the plan '" + sign_up.plan + "' has no tokens", "a newcomer gets one");
  }
  if (sign_up.clusters.size() > plan->backups + std::size_t{1}) {
    section.fail("clusters",
                 "the plan '" + sign_up.plan + "' has " + std::to_string(plan->backups) + " backup clusters at most");
  }
  for (std::size_t i = 0; i < sign_up.clusters.size(); ++i) {
    std::string const& cluster = sign_up.clusters[i];
    if (!plan->clusters.empty() && std::ranges::find(plan->clusters, cluster) == plan->clusters.end()) {
      section.fail_item("clusters", i, "the plan '" + sign_up.plan + "' does not have the cluster '" + cluster + "'");
    }
  }
}

// After the plans and the topology.
void read_sign_up(config::Reader& tenants, Settings& settings) {
  using Mode = SignUpSettings::Mode;
  auto section = tenants.optional_section("sign_up");
  if (!section) {
    return;
  }
  SignUpSettings& sign_up = settings.tenants.sign_up;
  sign_up.mode = section->choice<Mode>(
      "mode", {{"off", Mode::off}, {"invitation", Mode::invitation}, {"open", Mode::open}}, Mode::off);
  bool const off = sign_up.mode == Mode::off;
  sign_up.plan = off ? section->text("plan", "") : section->text("plan");
  sign_up.clusters = section->texts("clusters");
  sign_up.zone = section->text("zone", "");
  sign_up.per_day = section->integer<std::uint32_t>("per_day", {0, 1000000}, sign_up.per_day);
  sign_up.per_hour = section->integer<std::uint32_t>("per_hour", {1, 1000000}, sign_up.per_hour);
  sign_up.burst = section->integer<std::uint32_t>("burst", {1, 1000000}, sign_up.burst);
  sign_up.token_expires =
      section->duration("token_expires", {milliseconds(0), milliseconds(3660LL * 86400000)}, sign_up.token_expires);
  for (std::size_t i = 0; i < sign_up.clusters.size(); ++i) {
    auto const here = sign_up.clusters.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(sign_up.clusters.begin(), here, *here) != here) {
      section->fail_item("clusters", i, "'" + *here + "' is named twice", "each cluster once");
    }
  }
  if (off || settings.replica) {  // a replica passes sign-ups on
    return;
  }
  if (!settings.tenants.self_service) {
    section->fail("mode", "newcomers come over api.listen with tokens", "tenants.self_service: true");
  }
  if (sign_up.clusters.empty()) {
    section->fail("clusters", "a newcomer needs a cluster", "a list: the first is the primary, the others are backups");
  }
  if (sign_up.zone.empty() && settings.topology.empty()) {
    section->fail("zone", "a newcomer needs a zone to live in", "or a topology, whose domain it is then");
  }
  check_newcomer(*section, sign_up, settings.tenants.plans);
}

}  // namespace

void read_tenants(config::Reader& root, Settings& settings) {
  auto section = root.optional_section("tenants");
  if (!section) {
    return;
  }
  TenantSettings& tenants = settings.tenants;
  tenants.self_service = section->boolean("self_service", false);
  if (tenants.self_service && (settings.api_listen.empty() || !settings.api_tls)) {
    section->fail("self_service", "tokens need api.listen with api.tls", "a token that is overheard is a stolen one");
  }
  tenants.overlap = section->duration("overlap", {milliseconds(0), milliseconds(90LL * 86400000)}, tenants.overlap);
  tenants.cluster_zone = section->text("cluster_zone", "");
  tenants.global_name = section->text("global_name", "");
  tenants.challenge_zone = section->text("challenge_zone", "");
  tenants.resolver = section->text("resolver", "");
  tenants.resolver_port = section->port("resolver_port", tenants.resolver_port);
  boost::system::error_code bad;
  boost::asio::ip::make_address(tenants.resolver, bad);
  if (bad && !tenants.resolver.empty()) {
    section->fail("resolver", "'" + tenants.resolver + "' is not an IP address", "the port is resolver_port");
  }
  tenants.requests_per_second =
      section->integer<std::uint32_t>("requests_per_second", {1, 100000}, tenants.requests_per_second);
  tenants.burst = section->integer<std::uint32_t>("burst", {1, 1000000}, tenants.burst);
  tenants.changes_per_day = section->integer<std::uint32_t>("changes_per_day", {1, 100000000}, tenants.changes_per_day);
  tenants.claims_per_day = section->integer<std::uint32_t>("claims_per_day", {0, 100000}, tenants.claims_per_day);
  for (auto& one : section->sections("plans")) {
    PlanSettings plan = read_plan(one);
    if (std::ranges::find(tenants.plans, plan.name, &PlanSettings::name) != tenants.plans.end()) {
      one.fail("name", "'" + plan.name + "' is named twice", "each plan once");
    }
    tenants.plans.push_back(std::move(plan));
  }
  read_sign_up(*section, settings);
  read_origins(*section, settings);
}

}  // namespace navigator

#include "topology/draft.hpp"

#include "base/probe/http/expected.hpp"
#include "topology/values/values.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace topology {
namespace {

using config::Range;
using config::Reader;
using std::chrono::milliseconds;

constexpr char const* an_address = "a unicast address";
constexpr char const* a_domain = "a domain name";
constexpr Range<milliseconds> probe_range{milliseconds(50), std::chrono::hours(1)};
constexpr Range<std::uint32_t> cost_range{1, 65535};
// Above 9000 no underlay is known to us.
constexpr Range<std::uint32_t> mtu_range{68, 9000};
constexpr std::uint32_t least_mtu = 1280;  // RFC 8200, 5
constexpr Range<std::uint32_t> asn_range{1, 4294967294U};
constexpr Range<std::uint32_t> count_range{1, 100};

std::vector<std::pair<std::string, MonitorType>> monitor_types() {
  return {
      {"tcp", MonitorType::tcp}, {"http", MonitorType::http}, {"https", MonitorType::https}, {"dns", MonitorType::dns}};
}

std::uint16_t usual_port(MonitorType type) {
  switch (type) {
    case MonitorType::http:
      return 80;
    case MonitorType::dns:
      return 53;
    case MonitorType::tcp:
    case MonitorType::https:
      break;
  }
  return 443;
}

std::uint32_t read_ms(Reader& reader, std::string_view key, std::uint32_t fallback) {
  return static_cast<std::uint32_t>(reader.duration(key, probe_range, milliseconds(fallback)).count());
}

std::uint32_t read_mtu(Reader& reader, std::uint32_t fallback) {
  auto const mtu = reader.integer("mtu", mtu_range, fallback);
  if (mtu < least_mtu) {
    reader.fail("mtu", "with an MTU of " + std::to_string(mtu) + " the link cannot carry IPv6",
                "1280 at least; 1420 fits an underlay of 1500");
  }
  return mtu;
}

// A probe that may last longer than the pause between two would overlap the next one.
void require_shorter(Reader& reader, std::uint32_t timeout_ms, std::uint32_t interval_ms) {
  if (timeout_ms >= interval_ms) {
    reader.fail("timeout_ms", "the timeout, " + std::to_string(timeout_ms) + " ms, is not shorter than the interval, " +
                                  std::to_string(interval_ms) + " ms");
  }
}

// fd and 40 bits of a hash of the two names: as unlikely to meet another deployment's as a random choice (RFC 4193,
// 3.2.1), and the same each time the file is read.
Network6 usual_prefix6(std::string const& name, std::string const& domain) {
  std::uint64_t hash = 14695981039346656037U;
  for (char const c : name + "/" + domain) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  }
  boost::asio::ip::address_v6::bytes_type bytes{};
  bytes[0] = 0xfd;
  for (std::size_t i = 1; i <= 5; ++i) {
    bytes[i] = static_cast<unsigned char>((hash >> (8 * (i + 2))) & 0xffU);
  }
  return {boost::asio::ip::address_v6(bytes), 48};
}

std::vector<Upstream> read_upstreams(Reader& node, std::vector<Reader>& readers) {
  std::vector<Upstream> out;
  for (auto& reader : node.sections("upstreams")) {
    Upstream upstream;
    upstream.neighbor_asn = reader.integer("neighbor_asn", asn_range);
    upstream.local_asn = reader.integer("local_asn", asn_range);
    if (reader.text("neighbor").empty()) {
      continue;
    }
    if (auto const neighbor = reader.parsed("neighbor", parse_address, an_address)) {
      upstream.neighbor = *neighbor;
      out.push_back(upstream);
      readers.push_back(reader);
    }
  }
  return out;
}

void read_shape(Reader& reader, Topology& topology) {
  auto& mesh = topology.mesh;
  mesh.shape = reader.choice<Shape>("shape",
                                    {{"links", Shape::links},
                                     {"full", Shape::full},
                                     {"hub", Shape::hub},
                                     {"tiers", Shape::tiers},
                                     {"cycles", Shape::cycles}},
                                    mesh.shape);
  for (auto const* key : {"cycles", "seed", "tour"}) {
    if (mesh.shape != Shape::cycles && reader.has(key)) {
      reader.fail(key, "means something only with shape: cycles");
    }
  }
  if (mesh.shape != Shape::tiers && reader.has("areas_above")) {
    reader.fail("areas_above", "means something only with shape: tiers");
  }
  mesh.cycles = reader.integer<std::uint32_t>("cycles", {2, 3}, mesh.cycles);
  mesh.seed = reader.text("seed", topology.name);
  mesh.tour = reader.texts("tour");
  mesh.areas_above = reader.integer<std::uint32_t>("areas_above", {0, 1'000'000}, mesh.areas_above);
  mesh.repair_links = reader.choice<bool>("repair_links", {{"off", false}, {"auto", true}}, mesh.repair_links);
  mesh.links_per_node = reader.integer<std::uint32_t>("links_per_node", {1, 5000}, mesh.links_per_node);
}

// Two numbers in the order of the ends, which need not be the order in which a link keeps them.
void read_ports(Reader& reader, bool turned, Link& link) {
  auto const texts = reader.texts("ports");
  if (!reader.has("ports")) {
    return;
  }
  if (texts.size() != 2) {
    reader.fail("ports", "a link listens at two ports, one at each end", "ports: [51820, 51821], in the order of ends");
    return;
  }
  std::uint16_t ports[2] = {0, 0};
  for (std::size_t i = 0; i < 2; ++i) {
    auto const* const begin = texts[i].data();
    auto const* const end = begin + texts[i].size();
    auto const [stopped, error] = std::from_chars(begin, end, ports[i]);
    if (error != std::errc() || stopped != end || ports[i] == 0) {
      reader.fail_item("ports", i, config::quoted(texts[i]) + " is not a port", "1 to 65535");
    }
  }
  link.port_a = ports[turned ? 1 : 0];
  link.port_b = ports[turned ? 0 : 1];
}

Monitor read_monitor(Reader reader, std::string const& domain) {
  Monitor monitor;
  monitor.type = reader.choice("type", monitor_types(), monitor.type);
  monitor.port = reader.port("port", usual_port(monitor.type));
  bool const is_http = monitor.type == MonitorType::http || monitor.type == MonitorType::https;
  for (auto const* key : {"method", "path", "host", "expected_codes", "expected_body"}) {
    if (!is_http && reader.has(key)) {
      reader.fail(key, "means something only for http and https");
    }
  }
  monitor.method = reader.choice<std::string>("method", {{"GET", "GET"}, {"HEAD", "HEAD"}}, monitor.method);
  monitor.path = reader.text("path", monitor.path);
  if (monitor.path.empty() || monitor.path.front() != '/' ||
      std::any_of(monitor.path.begin(), monitor.path.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    reader.fail("path", config::quoted(monitor.path) + " is not a path", "it begins with / and has no blanks");
  }
  monitor.host = reader.text("host", monitor.host);
  if (!monitor.host.empty() && !parse_domain(monitor.host)) {
    reader.fail("host", config::quoted(monitor.host) + " is not a host name");
  }
  monitor.expected_codes = reader.text("expected_codes", monitor.expected_codes);
  if (!probe::valid_codes(monitor.expected_codes)) {
    reader.fail("expected_codes", config::quoted(monitor.expected_codes) + " is no list of status codes",
                "for instance 2xx or 200,301-399");
  }
  monitor.expected_body = reader.text("expected_body", monitor.expected_body);
  if (monitor.type != MonitorType::dns && reader.has("qname")) {
    reader.fail("qname", "means something only for dns");
  }
  monitor.qname = reader.parsed("qname", parse_domain, a_domain).value_or(domain);
  monitor.interval_ms = read_ms(reader, "interval_ms", monitor.interval_ms);
  monitor.timeout_ms = read_ms(reader, "timeout_ms", monitor.timeout_ms);
  require_shorter(reader, monitor.timeout_ms, monitor.interval_ms);
  monitor.consecutive_up = reader.integer("consecutive_up", count_range, monitor.consecutive_up);
  monitor.consecutive_down = reader.integer("consecutive_down", count_range, monitor.consecutive_down);
  return monitor;
}

void read_check(Reader reader, std::string const& domain, Service& service) {
  service.check = reader.choice("type", monitor_types(), service.check);
  service.port = reader.port("port", usual_port(service.check));
  if (service.check != MonitorType::dns && reader.has("name")) {
    reader.fail("name", "means something only for dns");
  }
  service.check_name = reader.parsed("name", parse_domain, a_domain).value_or(domain);
  service.interval_ms = read_ms(reader, "interval_ms", service.interval_ms);
  service.timeout_ms = read_ms(reader, "timeout_ms", service.timeout_ms);
  require_shorter(reader, service.timeout_ms, service.interval_ms);
  service.rise = reader.integer("rise", count_range, service.rise);
  service.fall = reader.integer("fall", count_range, service.fall);
}

}  // namespace

void read_top_level(Draft& draft) {
  auto& root = draft.root;
  auto& topology = draft.topology;
  topology.name = root.text("name");
  if (!root.text("domain").empty()) {
    topology.domain = root.parsed("domain", parse_domain, a_domain).value_or("");
  }
  topology.internal_domain = root.parsed("internal_domain", parse_domain, a_domain).value_or("internal.");
  if (topology.domain == topology.internal_domain) {
    root.fail("internal_domain", "is the same as the domain", "it must not be visible outside");
  }
}

void read_mesh(Draft& draft) {
  auto& reader = draft.mesh;
  auto& mesh = draft.topology.mesh;
  mesh.prefix4 = reader.parsed("prefix4", parse_network4, "an IPv4 network")
                     .value_or(Network4(boost::asio::ip::address_v4(0x0ac80000U), 16));
  if (mesh.prefix4.prefix_length() < 8 || mesh.prefix4.prefix_length() > 30) {
    reader.fail("prefix4", "a mesh needs a prefix of /8 to /30");
  }
  mesh.prefix6 = reader.parsed("prefix6", parse_network6, "an IPv6 network")
                     .value_or(usual_prefix6(draft.topology.name, draft.topology.domain));
  if (mesh.prefix6.prefix_length() < 16 || mesh.prefix6.prefix_length() > 120) {
    reader.fail("prefix6", "a mesh needs a prefix of /16 to /120");
  }
  read_shape(reader, draft.topology);
  mesh.port_base = reader.integer<std::uint16_t>("port_base", {1024, 65000}, mesh.port_base);
  mesh.mtu = read_mtu(reader, mesh.mtu);
  mesh.cost = reader.integer("cost", cost_range, mesh.cost);
  mesh.cost_within_site = reader.integer("cost_within_site", cost_range, mesh.cost_within_site);
  mesh.costs = reader.choice<Costing>("costs", {{"fixed", Costing::fixed}, {"latency", Costing::latency}}, mesh.costs);
  auto ospf = reader.section("ospf");
  mesh.ospf.hello_s = ospf.integer<std::uint32_t>("hello_s", {1, 3600}, mesh.ospf.hello_s);
  mesh.ospf.dead_s = ospf.integer<std::uint32_t>("dead_s", {2, 14400}, mesh.ospf.dead_s);
  if (mesh.ospf.dead_s <= mesh.ospf.hello_s) {
    ospf.fail("dead_s", "is not longer than hello_s", "four times hello_s is usual");
  }
  auto bfd = reader.section("bfd");
  mesh.bfd.interval_ms = bfd.integer<std::uint32_t>("interval_ms", {10, 60'000}, mesh.bfd.interval_ms);
  mesh.bfd.multiplier = bfd.integer<std::uint32_t>("multiplier", {2, 50}, mesh.bfd.multiplier);
}

void read_sites(Draft& draft) {
  draft.sites = draft.root.sections("sites");
  for (auto& reader : draft.sites) {
    Site site;
    site.name = reader.text("name");
    site.provider = reader.text("provider", "");
    if (auto location = reader.optional_section("location")) {
      site.latitude = location->optional_number("latitude", {-90, 90});
      site.longitude = location->optional_number("longitude", {-180, 180});
      if (location->has("latitude") != location->has("longitude")) {
        location->fail("", "a location needs both latitude and longitude");
      }
    }
    draft.topology.sites.push_back(std::move(site));
  }
}

void read_nodes(Draft& draft) {
  draft.nodes = draft.root.sections("nodes");
  if (draft.nodes.empty()) {
    draft.root.fail("nodes", "there is no node", "begin with one: nodes: [{name: one, site: here, role: central}]");
  }
  for (auto& reader : draft.nodes) {
    Node node;
    node.name = reader.text("name");
    node.site = reader.text("site");
    node.role = reader.choice<Role>(
        "role", {{"central", Role::central}, {"regional", Role::regional}, {"edge", Role::edge}}, node.role);
    node.area = reader.parsed("area", parse_area, "an OSPF area").value_or(Area{}.id);
    node.id = reader.integer<std::uint32_t>("id", {0, 0xfffffffeU}, 0);
    node.risks = reader.texts("risks");
    node.underlay = reader.parsed_list("underlay", parse_address, an_address);
    node.public_addresses =
        reader.has("public") ? reader.parsed_list("public", parse_address, an_address) : node.underlay;
    draft.upstreams.emplace_back();
    node.upstreams = read_upstreams(reader, draft.upstreams.back());
    draft.topology.nodes.push_back(std::move(node));
  }
}

void read_links(Draft& draft) {
  auto const& topology = draft.topology;
  for (auto& reader : draft.root.sections("links")) {
    auto ends = reader.texts("ends");
    if (ends.size() != 2 || ends[0].empty() || ends[1].empty()) {
      reader.fail("ends", "a link has two ends", "ends: [one, other]");
      ends.resize(2);
    }
    bool const turned = ends[1] < ends[0];
    std::sort(ends.begin(), ends.end());
    auto const* const a = topology.node(ends[0]);
    auto const* const b = topology.node(ends[1]);
    bool const within_site = a != nullptr && b != nullptr && a->site == b->site;
    Link link{ends[0], ends[1]};
    link.cost = reader.integer("cost", cost_range, within_site ? topology.mesh.cost_within_site : topology.mesh.cost);
    link.cost_by_hand = reader.has("cost");
    link.mtu = read_mtu(reader, topology.mesh.mtu);
    link.risks = reader.texts("risks");
    read_ports(reader, turned, link);
    draft.topology.links.push_back(std::move(link));
    draft.links.push_back(reader);
  }
}

void read_segments(Draft& draft) {
  draft.segments = draft.root.sections("segments");
  for (auto& reader : draft.segments) {
    Segment segment;
    segment.name = reader.text("name");
    segment.tenant = reader.text("tenant");
    segment.prefix4 = reader.parsed("prefix4", parse_network4, "an IPv4 network");
    segment.prefix6 = reader.parsed("prefix6", parse_network6, "an IPv6 network");
    segment.nodes = reader.texts("nodes");
    segment.gateways = reader.texts("gateways");
    draft.topology.segments.push_back(std::move(segment));
  }
}

void read_services(Draft& draft) {
  draft.services = draft.root.sections("services");
  for (auto& reader : draft.services) {
    Service service;
    service.name = reader.text("name");
    service.addresses = reader.parsed_list("addresses", parse_address, an_address);
    service.nodes = reader.texts("nodes");
    read_check(reader.section("check"), draft.topology.domain, service);
    draft.topology.services.push_back(std::move(service));
  }
}

void read_clusters(Draft& draft) {
  draft.clusters = draft.root.sections("clusters");
  for (auto& reader : draft.clusters) {
    Cluster cluster;
    cluster.name = reader.text("name");
    cluster.site = reader.text("site");
    cluster.nodes = reader.texts("nodes");
    cluster.minimum_origins = reader.integer("minimum_origins", {1, 1000}, cluster.minimum_origins);
    cluster.monitor = read_monitor(reader.section("monitor"), draft.topology.domain);
    draft.topology.clusters.push_back(std::move(cluster));
  }
}

void read_daemons(Draft& draft) {
  draft.navigator = draft.root.optional_section("navigator");
  if (draft.navigator) {
    Navigator navigator;
    navigator.primary = draft.navigator->text("primary");
    navigator.replicas = draft.navigator->texts("replicas");
    navigator.port = draft.navigator->port("port", navigator.port);
    draft.topology.navigator = std::move(navigator);
  }
  draft.controller = draft.root.optional_section("controller");
  if (draft.controller) {
    Controller controller;
    controller.node = draft.controller->text("node");
    controller.port = draft.controller->port("port", controller.port);
    draft.topology.controller = std::move(controller);
  }
}

}  // namespace topology

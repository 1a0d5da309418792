#include "mesh/doctor/facts.hpp"

#include "mesh/plan/slots.hpp"

#include <boost/json.hpp>
#include <set>

namespace doctor {
namespace {

namespace json = boost::json;

std::string text(json::object const& object, std::string_view key) {
  auto const* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}
std::int64_t number(json::object const& object, std::string_view key) {
  auto const* const value = object.if_contains(key);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}
bool truth(json::object const& object, std::string_view key) {
  auto const* const value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}
json::array const& list(json::object const& object, std::string_view key) {
  static json::array const none;
  auto const* const value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->get_array() : none;
}

std::vector<std::string> texts(json::object const& object, std::string_view key) {
  std::vector<std::string> out;
  for (auto const& one : list(object, key)) {
    if (one.is_string()) {
      out.emplace_back(one.get_string());
    }
  }
  return out;
}

void add_services(Facts& facts, json::object const& status) {
  for (auto const& one : list(status, "anycast")) {
    if (!one.is_object() || truth(one.get_object(), "announced")) {
      continue;
    }
    auto const& service = one.get_object();
    std::string const failure = text(service, "failure");
    facts.silent_services[text(service, "service") + " " + text(service, "address")] =
        failure.empty() ? text(service, "reason") : failure;
  }
}

// By one pass over the links: Topology::area_of looks each end up among all nodes.
auto only_borders(topology::Topology const& topology, std::vector<std::string> const& areas) {
  std::string const backbone = topology::Area{}.id;
  std::map<std::string_view, std::string> home;
  for (auto const& node : topology.nodes) {
    home[node.name] = node.area.empty() ? backbone : node.area;
  }
  std::map<std::string, std::set<std::string>> in_area;  // who has a link in it
  for (auto const& link : topology.links) {
    auto const& follows = home[link.a] == backbone ? home[link.b] : home[link.a];
    in_area[link.area.empty() ? follows : link.area].insert({link.a, link.b});
  }
  std::map<std::string, std::string> out;
  for (auto const& area : areas) {
    std::set<std::string> borders = in_area[area];
    std::erase_if(borders, [&](std::string const& node) { return !in_area[backbone].contains(node); });
    if (area != backbone && borders.size() == 1) {
      out[area] = *borders.begin();
    }
  }
  return out;
}

}  // namespace

bool add_agent_status(Facts& facts, std::string_view status_text) {
  boost::system::error_code error;
  json::value const value = json::parse(status_text, error);
  if (error || !value.is_object() || value.get_object().if_contains("controller") == nullptr) {
    return false;
  }
  auto const& status = value.get_object();
  facts.agent_running = true;
  facts.agent_revision = number(status, "revision");
  if (auto const* const found = status.if_contains("controller"); found->is_object()) {
    auto const& controller = found->get_object();
    facts.controller.url = text(controller, "url");
    facts.controller.connected = truth(controller, "connected");
    facts.controller.last_answer_s = number(controller, "last_answer_s");
    facts.controller.failure = text(controller, "failure");
    auto const* const behind = controller.if_contains("behind_revision");
    facts.controller.behind = behind != nullptr && behind->is_number();  // 0 is one: of an empty store
    facts.controller.certificate_until_s = number(controller, "certificate_until_s");
    facts.controller.issuer_from_s = number(controller, "issuer_from_s");
    facts.controller.issuer_until_s = number(controller, "issuer_until_s");
    facts.controller.renewal_failure = text(controller, "renewal_failure");
    facts.controller.twins = texts(controller, "twins");
    if (auto const* const ahead = controller.if_contains("clock_ahead_s"); ahead != nullptr && ahead->is_int64()) {
      facts.controller.clock_ahead_s = ahead->get_int64();
    }
  }
  if (auto const* const back = status.if_contains("taken_back"); back != nullptr && back->is_object()) {
    facts.taken_back_revision = number(back->get_object(), "revision");
    facts.taken_back_missing = text(back->get_object(), "missing");
  }
  add_services(facts, status);
  if (auto const* const flapping = status.if_contains("flapping"); flapping != nullptr && flapping->is_object()) {
    for (auto const& one : flapping->get_object()) {
      facts.flapping[std::string(one.key())] = texts(flapping->get_object(), one.key());
    }
  }
  if (auto const* const links = status.if_contains("links"); links != nullptr && links->is_array()) {
    for (auto const& one : links->get_array()) {
      if (one.is_object()) {
        facts.loss_percent[text(one.get_object(), "device")] =
            static_cast<int>(number(one.get_object(), "loss_percent"));
      }
    }
  }
  facts.limits = texts(status, "limits");
  auto const failing = texts(status, "failing");
  facts.failures.insert(facts.failures.end(), failing.begin(), failing.end());
  return true;
}

base::Result<Facts> facts_of(plan::World const& world, std::string const& node) {
  auto planned = plan::plan_node(world, node);
  if (!planned) {
    return planned.error();
  }
  Facts facts;
  facts.node = node;
  facts.plan = std::make_shared<plan::NodePlan const>(std::move(*planned));
  facts.own_underlay = world.topology.node(node)->underlay;
  facts.only_border_of_area = only_borders(world.topology, facts.plan->areas);
  for (auto const& link : world.topology.links_of(node)) {
    std::string const other = link.a == node ? link.b : link.a;
    for (unsigned const slot : {0U, 1U}) {
      std::string const device = plan::device_name(link, node, slot);
      facts.peer_of_device[device] = other;
      facts.router_id_of_device[device] = topology::loopback4(world.topology, world.allocation, other).to_string();
      facts.declared_of_device[device] = world.topology.node(other)->underlay;
      facts.echo_target[device] = topology::link_local(world.allocation, link, other);
    }
  }
  return facts;
}

void Facts::take_world(Facts of) {
  plan = std::move(of.plan);
  peer_of_device = std::move(of.peer_of_device);
  router_id_of_device = std::move(of.router_id_of_device);
  only_border_of_area = std::move(of.only_border_of_area);
  echo_target = std::move(of.echo_target);
  own_underlay = std::move(of.own_underlay);
  declared_of_device = std::move(of.declared_of_device);
}

std::vector<LinkCost> link_costs(bird::OspfState const& state, std::string const& protocol,
                                 std::string const& own_router_id) {
  std::vector<LinkCost> out;
  auto const own = state.find(own_router_id);
  if (own == state.end()) {
    return out;
  }
  for (auto const& [other, there] : own->second.links) {
    LinkCost link{protocol, other, there, {}};
    if (auto const speaker = state.find(other); speaker != state.end()) {
      auto const back = speaker->second.links.find(own_router_id);
      link.other = back == speaker->second.links.end() ? std::vector<std::uint32_t>() : back->second;
    }
    out.push_back(std::move(link));
  }
  return out;
}

}  // namespace doctor

#include "mesh/doctor/facts.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace doctor {
namespace {

// router id -> router id -> costs of the links between, as the first one says.
using Costs = std::map<std::string, std::map<std::string, std::vector<std::uint32_t>>>;

// Indented once: the router that speaks; twice: what it says. Areas follow each other.
Costs read_state(bird::Lines const& state) {
  Costs out;
  std::string speaker;
  for (auto const& line : state) {
    std::istringstream words(line);
    std::string kind;
    std::string id;
    std::string metric;
    std::string value;
    words >> kind >> id >> metric >> value;
    if (kind != "router") {
      speaker = kind == "area" || kind == "network" ? std::string() : speaker;
      continue;
    }
    if (metric != "metric") {
      speaker = id;
      continue;
    }
    std::uint32_t cost = 0;
    auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), cost);
    if (!speaker.empty() && error == std::errc() && end == value.data() + value.size()) {
      out[speaker][id].push_back(cost);
    }
  }
  return out;
}

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

}  // namespace

bool add_agent_status(Facts& facts, std::string_view status_text) {
  boost::system::error_code error;
  json::value const value = json::parse(status_text, error);
  if (error || !value.is_object() || value.get_object().if_contains("controller") == nullptr) {
    return false;
  }
  auto const& status = value.get_object();
  facts.agent_running = true;
  if (auto const* const found = status.if_contains("controller"); found->is_object()) {
    auto const& controller = found->get_object();
    facts.controller.url = text(controller, "url");
    facts.controller.connected = truth(controller, "connected");
    facts.controller.last_answer_s = number(controller, "last_answer_s");
    facts.controller.failure = text(controller, "failure");
    facts.controller.certificate_until_s = number(controller, "certificate_until_s");
    if (auto const* const ahead = controller.if_contains("clock_ahead_s"); ahead != nullptr && ahead->is_int64()) {
      facts.controller.clock_ahead_s = ahead->get_int64();
    }
  }
  add_services(facts, status);
  for (auto const& one : list(status, "failing")) {
    if (one.is_string()) {
      facts.failures.emplace_back(one.get_string());
    }
  }
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
  for (auto const& link : world.topology.links_of(node)) {
    std::string const device = topology::interface_name(link, node);
    std::string const other = link.a == node ? link.b : link.a;
    facts.peer_of_device[device] = other;
    facts.router_id_of_device[device] = topology::loopback4(world.topology, world.allocation, other).to_string();
    facts.echo_target[device] = topology::link_local(world.allocation, link, other);
  }
  return facts;
}

std::vector<LinkCost> link_costs(bird::Lines const& state, std::string const& protocol,
                                 std::string const& own_router_id) {
  Costs const costs = read_state(state);
  std::vector<LinkCost> out;
  auto const own = costs.find(own_router_id);
  if (own == costs.end()) {
    return out;
  }
  for (auto const& [other, there] : own->second) {
    LinkCost link{protocol, other, there, {}};
    auto const speaker = costs.find(other);
    if (speaker != costs.end()) {
      auto const back = speaker->second.find(own_router_id);
      link.other = back == speaker->second.end() ? std::vector<std::uint32_t>() : back->second;
    }
    std::sort(link.own.begin(), link.own.end());
    std::sort(link.other.begin(), link.other.end());
    out.push_back(std::move(link));
  }
  return out;
}

}  // namespace doctor

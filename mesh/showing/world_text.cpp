#include "mesh/showing/world_text.hpp"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>

namespace showing {
namespace {

namespace json = boost::json;

json::object parse(std::string_view text) {
  boost::system::error_code error;
  auto value = json::parse(json::string_view(text.data(), text.size()), error);
  return !error && value.is_object() ? value.get_object() : json::object();
}

std::string text(json::object const& of, char const* key) {
  auto const* const value = of.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number(json::object const& of, char const* key) {
  auto const* const value = of.if_contains(key);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

json::object section(json::object const& of, char const* key) {
  auto const* const value = of.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : json::object();
}

bool holds(json::object const& of, char const* list, std::string_view word) {
  auto const* const value = of.if_contains(list);
  return value != nullptr && value->is_array() &&
         std::any_of(value->get_array().begin(), value->get_array().end(), [&](json::value const& one) {
           return one.is_string() && std::string_view(one.get_string()) == word;
         });
}

std::size_t size(json::object const& of, char const* key) {
  auto const* const value = of.if_contains(key);
  return value == nullptr ? 0 : value->is_array() ? value->get_array().size() : section(of, key).size();
}

}  // namespace

std::string world_text(std::string_view whole) {
  auto const outer = parse(whole);
  bool const is_signed = !text(outer, "signature").empty();
  auto const world = outer.contains("signed") ? parse(text(outer, "signed")) : outer;
  auto const issued_s = number(world, "issued_at_s");
  std::string out =
      fmt::format("revision    {}{}\n", number(world, "revision"), is_signed ? ", signed" : ", not signed");
  if (auto const mesh = text(world, "mesh"); !mesh.empty()) {
    out += fmt::format("mesh        {}\n", mesh);
  }
  if (issued_s != 0) {
    std::chrono::system_clock::time_point const at{std::chrono::seconds(issued_s)};
    out += fmt::format("issued      {:%Y-%m-%d %H:%M:%S} UTC\n", fmt::gmtime(at));
  }
  auto const topology = text(world, "topology");
  auto const allocation = text(world, "allocation");
  out += fmt::format("topology    {} lines, {} bytes\n", std::count(topology.begin(), topology.end(), '\n'),
                     topology.size());
  out += fmt::format("allocation  {} lines\n", std::count(allocation.begin(), allocation.end(), '\n'));
  if (auto const costs = size(world, "costs"); costs != 0) {
    out += fmt::format("costs       {} links have a measured one\n", costs);
  }
  if (auto const removed = size(world, "removed"); removed != 0) {
    out += fmt::format("removed     {} keys are members no more\n", removed);
  }
  auto const next_keys = section(world, "next_keys");
  out += fmt::format("{:<16} {:<46} {}\n", "NODE", "PUBLIC KEY", "STATE");
  for (auto const& [name, key] : section(world, "nodes")) {
    bool const changing = next_keys.contains(name) || holds(world, "rotate", name);
    out += fmt::format("{:<16} {:<46} {}{}\n", std::string_view(name),
                       key.is_string() ? std::string_view(key.get_string()) : std::string_view(),
                       holds(world, "draining", name) ? "draining" : "member", changing ? ", changes its key" : "");
  }
  return out;
}

}  // namespace showing

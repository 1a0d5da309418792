#include "mesh/showing/status_text.hpp"

#include <fmt/core.h>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace showing {
namespace {

namespace json = boost::json;

json::object parse(std::string_view text) {
  boost::system::error_code error;
  auto value = json::parse(json::string_view(text.data(), text.size()), error);
  return !error && value.is_object() ? value.get_object() : json::object();
}

std::string text(json::object const& object, char const* key) {
  auto const* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number(json::object const& object, char const* key, std::int64_t fallback = 0) {
  auto const* value = object.if_contains(key);
  if (value == nullptr) {
    return fallback;
  }
  boost::system::error_code error;
  auto const out = value->to_number<std::int64_t>(error);
  return error ? fallback : out;
}

bool yes(json::object const& object, char const* key) {
  auto const* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

json::object section(json::object const& object, char const* key) {
  auto const* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : json::object();
}

json::array list(json::object const& object, char const* key) {
  auto const* value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->get_array() : json::array();
}

template <class Take>
void each_object(json::object const& object, char const* key, Take const& take) {
  for (auto const& value : list(object, key)) {
    if (value.is_object()) {
      take(value.get_object());
    }
  }
}

std::string bytes_text(std::int64_t bytes) {
  if (bytes < 10'000) {
    return fmt::format("{} B", bytes);
  }
  if (bytes < 10'000'000) {
    return fmt::format("{} KB", bytes / 1000);
  }
  return fmt::format("{} MB", bytes / 1'000'000);
}

std::string device_text(json::object const& device) {
  std::string out = fmt::format("  {:<16} {} mtu {} port {}", text(device, "name"), yes(device, "up") ? "up  " : "down",
                                number(device, "mtu"), number(device, "listen_port"));
  each_object(device, "peers", [&](json::object const& peer) {
    auto const endpoint = text(peer, "endpoint");
    auto const age = number(peer, "handshake_age_s", -1);
    out += fmt::format("  {} handshake {} rx {} tx {}", endpoint.empty() ? "(no endpoint)" : endpoint,
                       age < 0 ? std::string("never") : fmt::format("{} s ago", age),
                       bytes_text(number(peer, "rx_bytes")), bytes_text(number(peer, "tx_bytes")));
  });
  return out + "\n";
}

std::string controller_text(json::object const& controller) {
  if (text(controller, "url").empty()) {
    return "controller  none configured\n";
  }
  auto const not_renewed = text(controller, "renewal_failure");
  auto const not_listed = text(controller, "revocations_failure");
  return fmt::format("controller  {} {}\n", text(controller, "url"),
                     yes(controller, "connected") ? std::string("answers")
                                                  : "does not answer: " + text(controller, "failure")) +
         (not_renewed.empty() ? "" : "certificate not renewed: " + not_renewed + "\n") +
         (not_listed.empty() ? "" : "the list of revoked certificates here is not the controller's: " + not_listed + "\n");
}

std::string ms_text(json::object const& link, char const* key) {
  auto const us = number(link, key, -1);
  return us < 0 ? std::string("-") : fmt::format("{:.1f} ms", static_cast<double>(us) / 1000);
}

// "Full", "Full/Init" where the families differ, "-": there is none.
std::string both_text(json::object const& link, char const* v4, char const* v6) {
  auto const first = text(link, v4);
  auto const second = text(link, v6);
  std::string const shown = first.empty() ? "-" : first;
  return first == second ? shown : shown + "/" + (second.empty() ? "-" : second);
}

std::string links_text(json::object const& status) {
  std::string out;
  each_object(status, "links", [&](json::object const& link) {
    auto const age = number(link, "handshake_age_s", -1);
    auto const loss = number(link, "loss_percent", -1);
    std::string const cost = fmt::format("{}{}", number(link, "cost"), yes(link, "cost_measured") ? "*" : "");
    out += fmt::format("  {:<16} {:<15} {:<4} {:>6} {:>9} {:>5} {:>9} {:>8} {:>8}  {:<10} {}\n", text(link, "node"),
                       text(link, "device"), yes(link, "up") ? "up" : "down", cost, ms_text(link, "rtt_us"),
                       loss < 0 ? std::string("-") : fmt::format("{} %", loss),
                       age < 0 ? std::string("never") : fmt::format("{} s", age), bytes_text(number(link, "rx_bytes")),
                       bytes_text(number(link, "tx_bytes")), both_text(link, "ospf4", "ospf6"),
                       both_text(link, "bfd4", "bfd6"));
  });
  if (out.empty()) {
    return out;
  }
  return fmt::format("  {:<16} {:<15} {:<4} {:>6} {:>9} {:>5} {:>9} {:>8} {:>8}  {:<10} {}\n", "LINK TO", "DEVICE", "",
                     "COST", "RTT", "LOSS", "HANDSHAKE", "RX", "TX", "OSPF", "BFD") +
         out;
}

std::string routing_text(json::object const& bird, std::string const& links) {
  if (!yes(bird, "running")) {
    return "bird        does not run\n" + links;
  }
  std::string out = fmt::format("bird        runs, {} neighbours full\n", number(bird, "full")) + links;
  if (!links.empty()) {
    return out;
  }
  each_object(bird, "neighbors", [&](json::object const& one) {
    out += fmt::format("  {:<16} {:<6} {:<16} {:<10} {}\n", text(one, "interface"), text(one, "protocol"),
                       text(one, "router_id"), text(one, "state"), yes(one, "bfd") ? "bfd up" : "no bfd");
  });
  return out;
}

// Worlds that are newer than the one in use.
std::string tried_text(json::object const& status) {
  std::string out;
  if (number(status, "waiting_revision", -1) >= 0) {
    out +=
        fmt::format("waiting     revision {}, until the one on trial is judged\n", number(status, "waiting_revision"));
  }
  auto const back = section(status, "taken_back");
  if (!back.empty()) {
    auto const now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    out +=
        fmt::format("taken back  revision {}, because it cost {}; tried {} time{}, again within {} s\n",
                    number(back, "revision"), text(back, "missing"), number(back, "tries"),
                    number(back, "tries") == 1 ? "" : "s", std::max<std::int64_t>(0, number(back, "next_try_s") - now));
  }
  return out;
}

}  // namespace

std::string status_text(std::string_view body) {
  auto const status = parse(body);
  std::string out = fmt::format("node        {} ({})\n", text(status, "node"), text(status, "verdict"));
  out += fmt::format("world       revision {} from {}{}{}\n", number(status, "revision"), text(status, "source"),
                     yes(status, "verified") ? "" : ", unsigned: this node never joined a controller",
                     number(status, "trial_revision", -1) >= 0 ? ", on trial" : "");
  out += tried_text(status);
  out += controller_text(section(status, "controller"));
  out += fmt::format("wireguard   {}\n", text(status, "backend"));
  each_object(status, "devices", [&](json::object const& device) { out += device_text(device); });
  for (auto const& link : list(status, "waiting")) {
    out += link.is_string() ? fmt::format("  waiting for the other end of {}\n", std::string(link.get_string())) : "";
  }
  out += routing_text(section(status, "bird"), links_text(status));
  if (auto const failure = text(section(status, "round_trips"), "failure"); !failure.empty()) {
    out += fmt::format("round trips are not measured: {}\n", failure);
  }
  each_object(status, "anycast", [&](json::object const& one) {
    out += fmt::format("anycast     {} {} {} ({})\n", text(one, "service"), text(one, "address"),
                       yes(one, "announced") ? "announced" : "not announced", text(one, "reason"));
  });
  auto const edge = section(status, "edge");
  each_object(edge, "bundles", [&](json::object const& one) {
    out +=
        fmt::format("certificate {} {}\n", text(one, "tenant"), yes(one, "acknowledged") ? "served" : "not yet served");
  });
  if (!text(edge, "last_error").empty()) {
    out += fmt::format("edge        {}\n", text(edge, "last_error"));
  }
  for (auto const& line : list(status, "failing")) {
    out += line.is_string() ? fmt::format("failing     {}\n", std::string(line.get_string())) : "";
  }
  each_object(status, "refused",
              [&](json::object const& one) { out += fmt::format("refused     {}\n", text(one, "text")); });
  for (auto const& line : list(status, "warnings")) {
    out += line.is_string() ? fmt::format("warning     {}\n", std::string(line.get_string())) : "";
  }
  return out;
}

namespace {

// "any", "ams-1", "edge nodes of segment red from 198.51.100.0/24".
std::string bound_to(json::object const& token) {
  auto const node = text(token, "node");
  auto const role = text(token, "role");
  auto const segment = text(token, "segment");
  auto const address = text(token, "address");
  std::string out = !node.empty() ? node : !role.empty() ? role + " nodes" : "any";
  out += segment.empty() ? "" : " of segment " + segment;
  return out + (address.empty() ? "" : " from " + address);
}

}  // namespace

std::string tokens_text(std::string_view body, std::int64_t now_s) {
  std::string out = fmt::format("{:<18} {:<16} {:<8} {}\n", "ID", "NODE", "USED", "STATE");
  each_object(parse(body), "tokens", [&](json::object const& one) {
    auto const left = number(one, "expires_at") - now_s;
    auto const used = number(one, "used");
    auto const uses = number(one, "uses");
    std::string const state = yes(one, "revoked") ? "revoked"
                              : left <= 0         ? "expired"
                              : used >= uses      ? "used up"
                                                  : fmt::format("valid for {} s", left);
    out += fmt::format("{:<18} {:<16} {:<8} {}\n", text(one, "id"), bound_to(one), fmt::format("{}/{}", used, uses),
                       state);
  });
  return out;
}

std::string nodes_text(std::string_view body) {
  std::string out = fmt::format("{:<16} {:<46} {}\n", "NODE", "PUBLIC KEY", "STATE");
  each_object(parse(body), "nodes", [&](json::object const& one) {
    auto const report = section(one, "report");
    std::string state = number(one, "removed_at") != 0 ? "removed"
                        : report.empty()
                            ? "joined"
                            : fmt::format("revision {}: {}", number(report, "revision"), text(report, "verdict"));
    auto const rotation = text(one, "rotation");
    state += yes(one, "draining") ? ", draining" : "";
    state += rotation.empty() || rotation == "none" ? "" : ", change of key " + rotation;
    auto const failed = text(one, "rotation_failed");
    state += failed.empty() ? "" : ", keeps its key: " + std::string(failed);
    out += fmt::format("{:<16} {:<46} {}\n", text(one, "name"), text(one, "public_key"), state);
  });
  return out;
}

std::string problem_text(std::string_view body) {
  auto const problem = parse(body);
  auto const title = text(problem, "title");
  auto const detail = text(problem, "detail");
  if (!title.empty() || !detail.empty()) {
    return title + (title.empty() || detail.empty() ? "" : ": ") + detail;
  }
  return std::string(body.substr(0, 300));
}

}  // namespace showing

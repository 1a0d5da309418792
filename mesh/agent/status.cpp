#include "mesh/agent/status.hpp"

#include "base/process/service.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace agent {
namespace {

namespace json = boost::json;

json::array texts(std::vector<std::string> const& lines) {
  json::array out;
  for (auto const& line : lines) {
    out.emplace_back(line);
  }
  return out;
}

json::array timed(std::deque<TimedText> const& lines) {
  json::array out;
  for (auto const& line : lines) {
    out.push_back(json::object{{"at_s", line.at_s}, {"text", line.text}});
  }
  return out;
}

json::object peer_object(wireguard::ObservedPeer const& one, std::int64_t now_s) {
  json::object out;
  out["public_key"] = one.peer.public_key.to_base64();
  out["endpoint"] = one.peer.endpoint ? json::value(one.peer.endpoint->text()) : json::value(nullptr);
  out["handshake_age_s"] = one.last_handshake_s == 0
                               ? json::value(nullptr)
                               : json::value(std::max<std::int64_t>(0, now_s - one.last_handshake_s));
  out["rx_bytes"] = one.rx_bytes;
  out["tx_bytes"] = one.tx_bytes;
  return out;
}

json::array device_array(Status const& status, std::int64_t now_s) {
  json::array out;
  for (auto const& device : status.last_pass.devices) {
    if (!device.wireguard) {
      continue;
    }
    json::array peers;
    for (auto const& one : device.peers) {
      peers.push_back(peer_object(one, now_s));
    }
    json::object object;
    object["name"] = device.name;
    object["up"] = device.up;
    object["mtu"] = device.mtu;
    object["listen_port"] = device.listen_port;
    object["peers"] = std::move(peers);
    out.push_back(std::move(object));
  }
  return out;
}

bool has_bfd(reconcile::Pass const& pass, bird::Neighbor const& neighbor) {
  return std::any_of(pass.bfd.begin(), pass.bfd.end(), [&](bird::BfdSession const& session) {
    return session.address == neighbor.address && session.interface == neighbor.interface && session.up();
  });
}

json::object bird_object(reconcile::Pass const& pass) {
  json::array neighbors;
  std::size_t full = 0;
  for (auto const& neighbor : pass.neighbors) {
    full += neighbor.full() ? 1U : 0U;
    json::object object;
    object["protocol"] = neighbor.protocol;
    object["interface"] = neighbor.interface;
    object["router_id"] = neighbor.router_id;
    object["address"] = neighbor.address;
    object["state"] = neighbor.state;
    object["bfd"] = has_bfd(pass, neighbor);
    neighbors.push_back(std::move(object));
  }
  json::object out;
  out["running"] = pass.bird_running;
  out["full"] = full;
  out["neighbors"] = std::move(neighbors);
  return out;
}

json::object controller_object(Status const& status) {
  json::object out;
  out["url"] = status.controller_url;
  out["connected"] = status.controller.connected;
  out["last_answer_s"] = status.controller.last_answer_s;
  out["certificate_until_s"] = status.controller.certificate_until_s;
  out["issuer_from_s"] = status.controller.issuer.from_s;
  out["issuer_until_s"] = status.controller.issuer.until_s;
  out["renewal_failure"] = status.controller.renewal_failure;
  out["revocations_failure"] = status.controller.revocations_failure;
  out["failure"] = status.controller.failure;
  out["twins"] = texts(status.controller.twins);
  auto const& behind = status.controller.behind;
  out["behind_revision"] = behind ? json::value(*behind) : json::value(nullptr);
  auto const& ahead = status.controller.clock_ahead_s;
  out["clock_ahead_s"] = ahead ? json::value(*ahead) : json::value(nullptr);
  return out;
}

json::array anycast_array(std::vector<anycast::AddressStatus> const& services) {
  json::array out;
  for (auto const& one : services) {
    json::object object;
    object["service"] = one.service;
    object["address"] = one.address;
    object["health"] = probe::name(one.health);
    object["announced"] = one.observed == anycast::Observed::enabled;
    object["observed"] = anycast::name(one.observed);
    object["reason"] = one.reason;
    object["failure"] = one.failure;
    object["changed_at_ms"] = one.changed_at_ms;
    out.push_back(std::move(object));
  }
  return out;
}

json::value taken_back(TakenBackStatus const& one) {
  if (one.revision < 0) {
    return nullptr;
  }
  return json::object{
      {"revision", one.revision}, {"missing", one.missing}, {"tries", one.tries}, {"next_try_s", one.next_try_s}};
}

json::value section(std::string const& text) {
  boost::system::error_code error;
  auto value = json::parse(text, error);
  return error ? json::value(text) : value;
}

}  // namespace

char const* name(Source source) {
  switch (source) {
    case Source::none:
      return "none";
    case Source::last_known:
      return "last-known";
    case Source::seed:
      return "seed";
    case Source::controller:
      return "controller";
  }
  return "none";
}

void remember(std::deque<TimedText>& list, std::string const& text, std::int64_t now_s) {
  if (!list.empty() && list.back().text == text) {
    list.back().at_s = now_s;
    return;
  }
  list.push_back({now_s, text});
  if (list.size() > Status::history_limit) {
    list.pop_front();
  }
}

bool may_be_kept(Status const& status) {
  return status.last_pass_s != 0 && status.last_pass.bird_took;
}

bool in_order(Status const& status) {
  return status.last_pass_s != 0 && status.last_pass.failures.empty() && status.last_pass.remaining.empty() &&
         status.last_pass.bird_running;
}

std::string verdict(Status const& status) {
  if (status.revision < 0) {
    return "no world yet: the controller has not answered, and there is neither snapshot nor seed";
  }
  if (status.last_pass_s == 0) {
    return "starting";
  }
  if (!status.last_pass.failures.empty()) {
    return status.last_pass.failures.front();
  }
  if (!status.last_pass.bird_running) {
    return "BIRD does not run";
  }
  if (!status.last_pass.remaining.empty()) {
    return "still differs: " + status.last_pass.remaining.front();
  }
  return status.taken_back.revision < 0 ? "ok"
                                        : "ok by revision " + std::to_string(status.revision) + "; revision " +
                                              std::to_string(status.taken_back.revision) +
                                              " was taken back, because it cost " + status.taken_back.missing;
}

std::string to_json(Status const& status, std::int64_t now_s) {
  json::object out;
  out["node"] = status.node;
  out["version"] = std::string(process::version());
  out["public_key"] = status.public_key;
  out["revision"] = status.revision;
  out["source"] = name(status.source);
  out["backend"] = status.backend;
  out["in_order"] = in_order(status);
  out["verdict"] = verdict(status);
  out["last_pass_s"] = status.last_pass_s;
  out["controller"] = controller_object(status);
  out["devices"] = device_array(status, now_s);
  out["waiting"] = texts(status.waiting);
  out["waiting_removals"] = texts(status.last_pass.waiting_removals);
  out["warnings"] = texts(status.warnings);
  out["bird"] = bird_object(status.last_pass);
  auto const& pass = status.last_pass;
  out["links"] = to_json(links_of(pass.devices, pass.neighbors, pass.bfd, status.round_trips), now_s);
  out["anycast"] = anycast_array(status.services);
  out["failing"] = texts(status.last_pass.failures);
  out["remaining"] = texts(status.last_pass.remaining);
  out["changes"] = timed(status.changes);
  out["failures"] = timed(status.failures);
  out["refused"] = timed(status.refused);
  out["verified"] = status.verified;
  out["trial_revision"] = status.trial_revision;
  out["waiting_revision"] = status.waiting_revision;
  out["taken_back"] = taken_back(status.taken_back);
  out["changing_key"] = status.changing_key;
  out["detours"] = json::object{{"watching", status.repair.watching},
                                {"prepared", status.repair.detours},
                                {"active", status.repair.active},
                                {"switched", status.repair.switched},
                                {"failure", status.repair.failure}};
  for (auto const& [key, text] : status.sections) {
    out[key] = section(text);
  }
  return json::serialize(out);
}

std::string report_json(Status const& status) {
  std::size_t full = 0;
  for (auto const& neighbor : status.last_pass.neighbors) {
    full += neighbor.full() ? 1U : 0U;
  }
  json::object out;
  out["version"] = std::string(process::version());
  out["revision"] = status.revision;
  out["in_order"] = in_order(status);
  out["verdict"] = verdict(status);
  out["backend"] = status.backend;
  out["devices"] = status.last_pass.devices.size();
  out["neighbors_full"] = full;
  out["anycast"] = anycast_array(status.services);
  out["rtt_us"] = report_of(status.round_trips);
  return json::serialize(out);
}

}  // namespace agent

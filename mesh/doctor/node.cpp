#include "mesh/doctor/examination.hpp"
#include "mesh/internal_ca/authority.hpp"

#include <algorithm>
#include <cstdlib>

namespace doctor {
namespace {

std::string hours(std::int64_t seconds) {
  return seconds < 7200     ? std::to_string(seconds / 60) + " min"
         : seconds < 172800 ? std::to_string(seconds / 3600) + " h"
                            : std::to_string(seconds / 86400) + " days";
}

void controller(Examination& examination) {
  Facts const& facts = examination.facts();
  ControllerFacts const& controller = facts.controller;
  if (controller.url.empty()) {
    return;
  }
  bool const long_silent = facts.now_s - controller.last_answer_s > controller_patience_s;
  if (!controller.connected && (controller.last_answer_s == 0 || long_silent || !controller.failure.empty())) {
    std::string const since = controller.last_answer_s == 0
                                  ? "has not answered yet"
                                  : "answered last " + hours(facts.now_s - controller.last_answer_s) + " ago";
    examination.error(controller.behind ? "controller-behind" : "controller-unreachable", controller.url,
                      "the controller " + controller.url + " " + since + (controller.failure.empty() ? "" : ": ") +
                          controller.failure,
                      controller.behind
                          ? "see its log (docs/mesh.md, the controller's disk)"
                          : "without it no change comes: see that it runs and its port is open (controller.url)");
  }
  if (controller.clock_ahead_s && std::abs(*controller.clock_ahead_s) > clock_tolerance_s) {
    std::int64_t const ahead = *controller.clock_ahead_s;
    examination.error("clock-skew", "",
                      "the clock here is " + std::to_string(std::abs(ahead)) + " s " +
                          (ahead > 0 ? "ahead of" : "behind") + " the controller's",
                      "run an NTP client on both machines: certificates and signed revisions are dated");
  }
}

void credential(Examination& examination) {
  Facts const& facts = examination.facts();
  std::int64_t const until = facts.controller.certificate_until_s;
  if (until == 0 || facts.controller.url.empty()) {
    return;
  }
  std::string const why = (facts.controller.renewal_failure.empty() ? "" : ": ") + facts.controller.renewal_failure;
  if (until <= facts.now_s) {
    examination.error("credential-expired", "",
                      "the node's certificate expired " + hours(facts.now_s - until) + " ago" + why,
                      "once the controller answers, the node shows it the keys that it joined with and gets the next "
                      "one by itself; if "
                      "it is refused, join again with a token made for this node: privateer token create --node " +
                          facts.node);
  } else if (until - facts.now_s < credential_warning_s) {
    examination.warning(
        "credential-expiring", "",
        "the node's certificate expires in " + hours(until - facts.now_s) + " and was not renewed" + why,
        "it renews by itself once the controller answers; see controller-unreachable or its log");
  }
}

// What issued the node's certificate, the mesh's root or a certificate under it. Every node sees it, and says so in
// good time: whoever has to bring the next one may have to fetch it from a safe.
void issuer(Examination& examination) {
  Facts const& facts = examination.facts();
  std::int64_t const until = facts.controller.issuer_until_s;
  if (until == 0 || facts.controller.url.empty()) {
    return;
  }
  std::string const fix =
      "where the controller runs, `privateer ca status` says what has to be done; for one under a "
      "root that is kept elsewhere: " +
      std::string(internal_ca::next_issuing_hint);
  if (until <= facts.now_s) {
    examination.error("issuer-expired", "",
                      "what the controller issued this node's certificate with ended " + hours(facts.now_s - until) +
                          " ago: no certificate of the mesh is believed any more",
                      fix);
  } else if (until - facts.now_s < internal_ca::alarm_before_s({facts.controller.issuer_from_s, until})) {
    examination.warning("issuer-expiring", "",
                        "what the controller issues certificates with ends in " + hours(until - facts.now_s), fix);
  }
}

void snapshots(Examination& examination) {
  Facts const& facts = examination.facts();
  for (auto const& sentence : facts.damaged_snapshots) {
    examination.warning("snapshot-damaged", "", sentence,
                        "nothing to do while an older one is intact; look at the disk of the state directory");
  }
  bool const stale = facts.snapshot_s != 0 && facts.now_s - facts.snapshot_s > snapshot_old_s;
  if (stale && !facts.controller.url.empty() && !facts.controller.connected) {
    examination.warning("snapshot-old", "",
                        "the last-known world is " + hours(facts.now_s - facts.snapshot_s) +
                            " old, and the controller cannot confirm it",
                        "bring the controller back: a node that was removed since is still a member here");
  }
  if (facts.snapshot_s == 0 && facts.kept_revision >= 0) {
    examination.warning("snapshot-missing", "",
                        "no intact world is kept on disk: after a reboot this node waits for its "
                        "controller or its seed",
                        "see that the state directory can be written");
  }
  if (facts.state_free_bytes < state_free_least_bytes) {
    examination.error("disk-full", "",
                      "the state directory has " + std::to_string(facts.state_free_bytes >> 10U) + " KiB left",
                      "free some space: worlds and credentials are renewed there");
  }
}

// A setting of a device is there with the device only, whose absence is a finding of its own.
bool belongs_to_absent_device(Examination& examination, std::string const& path) {
  auto const begin = path.find(std::string("/") + std::string(plan::interface_prefix));
  if (begin == std::string::npos) {
    return false;
  }
  auto const name = path.substr(begin + 1, path.find('/', begin + 1) - begin - 1);
  return examination.observed(name) == nullptr;
}

void settings(Examination& examination) {
  Facts const& facts = examination.facts();
  for (auto const& wanted : facts.plan->sysctls) {
    if (belongs_to_absent_device(examination, wanted.path)) {
      continue;
    }
    auto const found = facts.sysctls.find(wanted.path);
    if (found == facts.sysctls.end()) {
      if (wanted.required) {
        examination.error("sysctl", wanted.path, "the kernel has no setting " + wanted.path,
                          "load the module or use the kernel that has it");
      }
      continue;
    }
    if (found->second != wanted.value) {
      std::string dotted = wanted.path;
      std::replace(dotted.begin(), dotted.end(), '/', '.');
      examination.error(
          "sysctl", wanted.path, dotted + " is " + found->second + ", not " + wanted.value,
          "sysctl -w " + dotted + "=" + wanted.value + ", and find what set it (a file in /etc/sysctl.d?)");
    }
  }
}

void advertisements(Examination& examination) {
  for (auto const& interface : examination.facts().deaf_to_routers) {
    std::string const setting = "net.ipv6.conf." + interface + ".accept_ra";
    examination.error(
        "advertisements-ignored", interface,
        interface + " has IPv6 addresses that a router advertised, and ignores it now that the node forwards",
        "sysctl -w " + setting + "=2, and the same in a file in /etc/sysctl.d: with 1 the kernel drops the " +
            "default route when forwarding begins");
  }
}

// What the agent could not do is a finding of its own only where nothing more exact was found.
void agent(Examination& examination) {
  Facts const& facts = examination.facts();
  if (!facts.agent_running) {
    examination.error("agent-down", "",
                      "the agent does not answer" + (facts.agent_failure.empty() ? "" : ": " + facts.agent_failure),
                      "systemctl start privateer; the mesh runs on as it is, but nothing is repaired");
  }
  for (auto const& failure : facts.failures) {
    examination.error("agent-failure", "", "the agent failed at its last pass: " + failure,
                      "see its log; it tries again by itself");
  }
  for (auto const& limit : facts.limits) {
    auto const colon = std::min(limit.find(": "), limit.size());
    examination.warning("unprivileged", limit.substr(0, colon),
                        "the agent runs as a user who may not do what is set: " + limit,
                        "what needs root, and what to do instead, is in docs/mesh.md");
  }
  if (facts.taken_back_revision >= 0) {
    auto const revision = std::to_string(facts.taken_back_revision);
    examination.warning("world-taken-back", "",
                        "revision " + revision + " cost this node " + facts.taken_back_missing + " and was taken back",
                        "it is tried again by itself: see that the nodes it no longer reached take revision " +
                            revision + " too, or set another topology");
  }
}

}  // namespace

void examine_node(Examination& examination) {
  Facts const& facts = examination.facts();
  if (facts.plan == nullptr && facts.agent_revision >= 0) {
    // The agent's first world is on trial, which is told elsewhere.
  } else if (facts.plan == nullptr) {
    examination.error("no-world", "",
                      "this node has no world: neither the controller, nor a snapshot, nor a seed gave one",
                      "see that the controller answers, or put a signed world into the state directory as seed.json");
  } else {
    settings(examination);
    for (auto const& warning : facts.plan->warnings) {
      examination.warning("plan", "", warning, "change the topology: privateer plan shows the same before it is set");
    }
  }
  advertisements(examination);
  agent(examination);
  controller(examination);
  credential(examination);
  issuer(examination);
  snapshots(examination);
  if (facts.backend == "wireguard-go" && facts.kernel_has_wireguard) {
    examination.warning("userspace-wireguard", "", "wireguard-go carries the packets although the kernel has WireGuard",
                        "set wireguard.backend to auto or kernel, and restart the agent when the node is drained");
  }
}

}  // namespace doctor

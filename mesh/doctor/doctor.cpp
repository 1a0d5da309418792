#include "mesh/doctor/doctor.hpp"

#include "mesh/doctor/examination.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <tuple>

namespace doctor {

namespace json = boost::json;

char const* name(Severity severity) {
  return severity == Severity::error ? "error" : "warning";
}

std::vector<Finding> examine(Facts const& facts) {
  Examination examination(facts);
  examine_node(examination);
  examine_identity(examination);
  // A world on trial is not on disk yet.
  if (facts.agent_revision > facts.kept_revision) {
    std::string const kept = facts.kept_revision < 0
                                 ? "none has held yet"
                                 : "revision " + std::to_string(facts.kept_revision) + " is the last that held";
    examination.warning("world-on-trial", "",
                        "the agent goes by revision " + std::to_string(facts.agent_revision) + ", and " + kept,
                        "ask again in half a minute; if it stays so, `privateer status` says what fails");
  }
  // By another world than the agent's, what it made for its own would look like damage.
  if (facts.agent_revision < 0 || (facts.plan != nullptr && facts.plan->revision == facts.agent_revision)) {
    examine_devices(examination);
    examine_routing(examination);
  }
  for (auto const& sentence : facts.blind) {
    if (facts.bird_running || !sentence.starts_with(blind_bird)) {  // `bird-down` says that
      examination.warning("not-seen", sentence.substr(0, sentence.find(':')), "not seen: " + sentence,
                          "run the doctor as root, or with CAP_NET_ADMIN and CAP_NET_RAW");
    }
  }
  auto findings = examination.take();
  auto const order = [](Finding const& one) {
    return std::make_tuple(one.severity != Severity::error, std::string_view(one.code), std::string_view(one.subject));
  };
  std::sort(findings.begin(), findings.end(),
            [&](Finding const& left, Finding const& right) { return order(left) < order(right); });
  return findings;
}

std::string to_json(std::string const& node, std::vector<Finding> const& findings,
                    std::vector<std::string> const& blind) {
  json::array list;
  for (auto const& one : findings) {
    list.push_back(json::object{{"code", one.code},
                                {"severity", name(one.severity)},
                                {"subject", one.subject},
                                {"what", one.what},
                                {"fix", one.fix}});
  }
  json::object out;
  out["node"] = node;
  out["healthy"] = findings.empty();
  out["findings"] = std::move(list);
  out["blind"] = json::value_from(blind);
  return json::serialize(out);
}

std::string to_text(std::string const& node, std::vector<Finding> const& findings, bool coloured) {
  if (findings.empty()) {
    return node + ": nothing found\n";
  }
  std::string out;
  for (auto const& one : findings) {
    char const* const colour = one.severity == Severity::error ? "\x1b[31m" : "\x1b[33m";
    out += node + ": ";
    out += coloured ? colour : "";
    out += name(one.severity);
    out += coloured ? "\x1b[0m" : "";
    out += ": " + one.what + " [" + one.code + "]\n    fix: " + one.fix + "\n";
  }
  return out;
}

}  // namespace doctor

// The findings of one examination while it is made. Inside this module only.
//
// Threads: one object in one call of examine().
#pragma once

#include "mesh/doctor/doctor.hpp"

#include <set>

namespace doctor {

class Examination {
 public:
  explicit Examination(Facts const& facts) : facts_(facts) {}

  [[nodiscard]] Facts const& facts() const { return facts_; }
  void error(std::string code, std::string subject, std::string what, std::string fix) {
    findings_.push_back({std::move(code), Severity::error, std::move(subject), std::move(what), std::move(fix)});
  }
  void warning(std::string code, std::string subject, std::string what, std::string fix) {
    findings_.push_back({std::move(code), Severity::warning, std::move(subject), std::move(what), std::move(fix)});
  }
  // Something of this device explains whatever else is amiss with its link.
  void explain(std::string const& device) { explained_.insert(device); }
  [[nodiscard]] bool explained(std::string const& device) const { return explained_.count(device) != 0; }

  [[nodiscard]] wireguard::ObservedDevice const* observed(std::string const& device) const;
  [[nodiscard]] std::string peer(std::string const& device) const;  // the name of the node at its other end
  // "the link to ams-1 (wg-ams-1)".
  [[nodiscard]] std::string link(std::string const& device) const;
  [[nodiscard]] std::vector<Finding> take() { return std::move(findings_); }

 private:
  Facts const& facts_;
  std::vector<Finding> findings_;
  std::set<std::string> explained_;
};

void examine_node(Examination& examination);      // world, controller, credential, clock, snapshots, disk, settings
void examine_identity(Examination& examination);  // another machine with its keys, addresses that moved
void examine_devices(Examination& examination);   // devices, addresses, peers, sessions, MTU
void examine_routing(Examination& examination);   // BIRD, adjacencies, BFD, costs, areas, services

}  // namespace doctor

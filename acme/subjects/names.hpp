// What people and tenants call a subject: its label, present or former, and every name of its certificate.
//
// Threads: a plain object, one owner.
#pragma once

#include "dns-backend/domains/domains.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace acme {

class Names {
 public:
  void add(domains::WantedCertificate const& wanted, std::int64_t subject_id);
  // Names that another subject took over meanwhile stay its own.
  void remove(domains::WantedCertificate const& wanted, std::int64_t subject_id);
  void clear() { by_name_.clear(); }
  // With or without final dot, in either case.
  [[nodiscard]] std::optional<std::int64_t> find(std::string name) const;

 private:
  std::map<std::string, std::int64_t> by_name_;
};

}  // namespace acme

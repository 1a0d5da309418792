// The internal authority's list of revoked certificates on this machine: a file beside ca.crt, for those who let nodes
// in by their certificates (Navigator). The controller says with each answer which list there is; another one is
// fetched, verified and put in the place of the former one.
//
// Threads: one owner.
#pragma once

#include "base/result/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace agent {

class Revocations {
 public:
  // ca.crt and ca.crl in this directory.
  explicit Revocations(std::string const& state_directory);

  // Whether the list of this number ("1764489600", a header; empty: the controller has none) is not the one here.
  [[nodiscard]] bool differs(std::string_view number) const;
  // Writes it when the mesh's authority signed it, mode 0644 as ca.crt: it is no secret. Errors of internal_ca, errno.
  [[nodiscard]] base::Result<void> take(std::string const& list_pem, std::int64_t now_s) const;

 private:
  std::string root_file_;
  std::string list_file_;
};

}  // namespace agent

// The stack's internal certificate authority: an EC P-256 root in a directory of the controller, short-lived leaves for
// nodes.
//
// A leaf's SAN is the node's name and "<node>.internal"; it serves and authenticates (both extended key usages), so
// that one certificate is enough for Navigator's API, the feed and the edges. Leaves live 72 hours and are renewed at
// half of that.
//
// Threads: immutable after open; the functions may be called from any thread.
#pragma once

#include "mesh/enrolment/error.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace enrolment {

inline constexpr std::int64_t leaf_lifetime_s = 72 * 3600;
inline constexpr std::int64_t root_lifetime_s = 10LL * 365 * 24 * 3600;

class Authority {
 public:
  // Reads ca.key (0600) and ca.crt from the directory, or makes both. errc::bad_state when only one is there or they do
  // not belong together.
  static base::Result<Authority> open(std::string const& directory, std::int64_t now_s);

  // A leaf for the request's key. The request must be for `node` (csr_name); errc::bad_request otherwise.
  [[nodiscard]] base::Result<std::string> issue(std::string const& csr_pem, std::string const& node, std::int64_t now_s,
                                                std::int64_t lifetime_s = leaf_lifetime_s) const;
  [[nodiscard]] std::string const& certificate_pem() const { return certificate_pem_; }

 private:
  Authority(std::string key_pem, std::string certificate_pem)
      : key_pem_(std::move(key_pem)), certificate_pem_(std::move(certificate_pem)) {}
  std::string key_pem_;
  std::string certificate_pem_;
};

}  // namespace enrolment

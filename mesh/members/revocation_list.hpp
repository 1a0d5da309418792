// The list of revoked certificates that nodes are told of and fetch. It is another one only when who is on it or what
// issues is another: every node fetches each.
//
// Threads: a plain value, owned by one loop.
#pragma once

#include "mesh/internal_ca/revocations.hpp"
#include "mesh/members/issued.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace members {

class RevocationList {
 public:
  // Makes the list anew when it would be another one. errc::crypto: the former one stays.
  base::Result<void> renew(internal_ca::Authority const& authority, std::vector<internal_ca::Revoked> revoked,
                           std::chrono::system_clock::time_point now);

  [[nodiscard]] std::string const& pem() const { return pem_; }
  [[nodiscard]] std::int64_t number() const { return number_; }  // rises, over restarts too
  [[nodiscard]] std::vector<internal_ca::Revoked> const& revoked() const { return revoked_; }

 private:
  std::string pem_;
  std::int64_t number_ = 0;
  std::vector<internal_ca::Revoked> revoked_;
  std::string issuer_pem_;  // of what signed it
};

// Says with each answer to a poll which list there is (HTTP header).
inline constexpr char const* revocations_header = "Privateer-Revocations";

// What is to be noted of a certificate before it is handed out. errc::crypto.
base::Result<Issued> issued_of(std::string const& certificate_pem, std::string const& name);

}  // namespace members

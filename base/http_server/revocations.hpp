// Which client certificates are revoked, by a certificate revocation list (RFC 5280, section 5) in a file that somebody
// else replaces: Privateer's agent writes the internal authority's beside ca.crt.
//
// - A number decides alone: the authority draws them at random, so that none is another issuer's.
// - The list is believed as the file of accepted authorities beside it is; who wrote it has verified it.
// - Its `nextUpdate` refuses nobody: a list that gets old misses those who were revoked since, and an authority that is
//   away must not lock everybody out.
// - A file that is missing, or no list, leaves what was read last; nothing was read: nobody is taken for revoked. Both
//   are said in the log, and by failure().
//
// Threads: one owner. The file is looked at when asked, which is one call of stat while it is the same.
#pragma once

#include "base/result/result.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace net {

// The serial numbers of a list in PEM form, lower-case hex without leading zeros. errc::certificate.
base::Result<std::set<std::string>> parse_revocations(std::string_view pem);

class Revocations {
 public:
  explicit Revocations(std::string file);

  [[nodiscard]] bool contains(std::string const& serial);
  // Why what is known is not what the file says, or nothing is known; empty: it is.
  [[nodiscard]] std::string const& failure() const { return failure_; }

 private:
  void look();
  void read();
  void failed(std::string what);

  std::string file_;
  std::set<std::string> serials_;
  struct stat seen_ {};
  std::string failure_;
};

}  // namespace net

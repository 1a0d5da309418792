#include "mesh/members/revocation_list.hpp"

#include "mesh/internal_ca/credentials.hpp"

#include <algorithm>

namespace members {

base::Result<void> RevocationList::renew(internal_ca::Authority const& authority,
                                         std::vector<internal_ca::Revoked> revoked,
                                         std::chrono::system_clock::time_point now) {
  if (!pem_.empty() && revoked_ == revoked && issuer_pem_ == authority.issuer_pem()) {
    return {};
  }
  std::int64_t const now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  std::int64_t const now_s = now_ms / 1000;
  auto dated = revoked;
  for (auto& one : dated) {
    one.at_s = one.at_s == 0 ? now_s : one.at_s;
  }
  // Of milliseconds: several lists a second must not run ahead of what the next process begins with.
  auto const number = std::max(number_ + 1, now_ms);
  auto made = internal_ca::make_revocations(authority, dated, number, now_s);
  if (!made) {
    return made.error();
  }
  pem_ = std::move(*made);
  number_ = number;
  revoked_ = std::move(revoked);
  issuer_pem_ = authority.issuer_pem();
  return {};
}

base::Result<Issued> issued_of(std::string const& certificate_pem, std::string const& name) {
  auto serial = internal_ca::certificate_serial(certificate_pem);
  auto key = internal_ca::certificate_key_sha256(certificate_pem);
  auto const until_s = internal_ca::certificate_not_after(certificate_pem);
  if (!serial || !key || !until_s) {
    return !serial ? serial.error() : !key ? key.error() : until_s.error();
  }
  return Issued{std::move(*serial), name, std::move(*key), *until_s};
}

}  // namespace members

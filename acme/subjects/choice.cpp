#include "acme/subjects/choice.hpp"

#include <utility>

namespace acme {

int worth(vault::CertificateRow const& row, crypto::Time now) {
  if (row.not_after <= now) {
    return 0;
  }
  return row.revoked_reason ? 1 : 2;
}

CertificatesByName by_name(std::vector<vault::CertificateRow> const& certificates) {
  CertificatesByName index;
  for (vault::CertificateRow const& row : certificates) {
    index[row.subject].push_back(&row);
  }
  return index;
}

vault::CertificateRow const* newest(Wanted const& wanted, CertificatesByName const& certificates, crypto::Time now) {
  vault::CertificateRow const* best = nullptr;
  auto const found = certificates.find(wanted.name);
  if (found == certificates.end()) {
    return nullptr;
  }
  for (vault::CertificateRow const* const row : found->second) {
    if (!fits(wanted, *row)) {
      continue;
    }
    if (best == nullptr || std::pair(worth(*best, now), best->sequence) < std::pair(worth(*row, now), row->sequence)) {
      best = row;
    }
  }
  return best;
}

vault::CertificateRow const* newest(Wanted const& wanted, std::vector<vault::CertificateRow> const& certificates,
                                    crypto::Time now) {
  return newest(wanted, by_name(certificates), now);
}

}  // namespace acme

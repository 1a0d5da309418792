#include "acme/fleet/readiness.hpp"

#include <algorithm>

namespace acme {
namespace {

// Adds the edges that serve a certificate which is valid for this name.
void add_edges(Wanted const& wanted, TenantFacts const& facts,
               std::vector<vault::Acknowledgment> const& acknowledgments, crypto::Time now,
               std::set<std::string>& edges) {
  for (vault::CertificateRow const& row : facts.certificates) {
    if (row.not_after <= now || !fits(wanted, row)) {
      continue;
    }
    for (vault::Acknowledgment const& one : acknowledgments) {
      if (one.subject_id == row.subject_id && one.fingerprint == row.fingerprint) {
        edges.insert(one.edge);
      }
    }
  }
}

}  // namespace

std::optional<std::vector<std::string>> ready_edges(TenantFacts const& facts,
                                                    std::vector<vault::Acknowledgment> const& acknowledgments,
                                                    crypto::Time now) {
  std::set<std::string> edges;
  for (Wanted::Kind const kind : {Wanted::Kind::own, Wanted::Kind::former}) {
    for (Wanted const& one : facts.wanted) {
      if (one.kind == kind) {
        add_edges(one, facts, acknowledgments, now, edges);
      }
    }
    if (!edges.empty()) {
      return std::vector<std::string>(edges.begin(), edges.end());
    }
  }
  return std::nullopt;
}

}  // namespace acme

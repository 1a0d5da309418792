#include "acme/fleet/readiness.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace acme {
namespace {

using Edges = std::set<std::string>;
// Of a subject: who acknowledged which of its certificates.
using Heard = std::map<std::int64_t, std::vector<vault::Acknowledgment const*>>;

Heard by_subject(std::vector<vault::Acknowledgment> const& acknowledgments) {
  Heard heard;
  for (vault::Acknowledgment const& one : acknowledgments) {
    heard[one.subject_id].push_back(&one);
  }
  return heard;
}

// Adds the edges that serve a certificate which is as good for this name as the one that is chosen. What is revoked
// counts until half of those that serve the name have something better: they are not left for the first that took it.
void add_edges(Wanted const& wanted, CertificatesByName const& certificates, Heard const& heard, crypto::Time now,
               Edges& edges) {
  vault::CertificateRow const* const chosen = newest(wanted, certificates, now);
  if (chosen == nullptr) {
    return;
  }
  Edges as_good;
  Edges all;
  for (vault::CertificateRow const* const row : certificates.at(wanted.name)) {
    auto const of_subject = heard.find(row->subject_id);
    if (worth(*row, now) == 0 || of_subject == heard.end() || !fits(wanted, *row)) {
      continue;
    }
    for (vault::Acknowledgment const* const one : of_subject->second) {
      if (one->fingerprint == row->fingerprint) {
        all.insert(one->edge);
        if (worth(*row, now) == worth(*chosen, now)) {
          as_good.insert(one->edge);
        }
      }
    }
  }
  edges.merge(2 * as_good.size() >= all.size() ? as_good : all);
}

// Leaves out those that lack a domain's certificate which the others have.
Edges without_laggards(Edges edges, TenantFacts const& facts, CertificatesByName const& certificates,
                       Heard const& heard, crypto::Time now) {
  std::size_t const least = (edges.size() + 1) / 2;
  for (Wanted const& one : facts.wanted) {
    if (one.kind != Wanted::Kind::domain) {
      continue;
    }
    Edges serving;
    add_edges(one, certificates, heard, now, serving);
    Edges both;
    std::ranges::set_intersection(edges, serving, std::inserter(both, both.end()));
    if (both.size() >= least) {
      edges = std::move(both);
    }
  }
  return edges;
}

}  // namespace

std::optional<std::vector<std::string>> ready_edges(TenantFacts const& facts,
                                                    std::vector<vault::Acknowledgment> const& acknowledgments,
                                                    crypto::Time now) {
  CertificatesByName const certificates = by_name(facts.certificates);
  Heard const heard = by_subject(acknowledgments);
  Edges edges;
  for (Wanted::Kind const kind : {Wanted::Kind::own, Wanted::Kind::former}) {
    for (Wanted const& one : facts.wanted) {
      if (one.kind == kind) {
        add_edges(one, certificates, heard, now, edges);
      }
    }
    if (!edges.empty()) {
      edges = without_laggards(std::move(edges), facts, certificates, heard, now);
      return std::vector<std::string>(edges.begin(), edges.end());
    }
  }
  return std::nullopt;
}

}  // namespace acme

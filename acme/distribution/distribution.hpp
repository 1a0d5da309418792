// Certificates to the edges, and the edges' proof back into DNS.
//
//   edge --GET list (long poll), GET bundle--> here --acknowledgment--> vault --> Store::set_ready --> DNS answers
//
// Each subject has a bundle of its own: the tenant's name, a former label, a domain. An edge is told of them only when
// one of the tenant's pools holds an endpoint with the name in its client certificate; nobody else gets the key. What
// each edge shall serve is acme/fleet's, kept up to date by following.hpp; metadata alone is in memory, chain and key
// are read from the vault when an edge fetches them.
//
//   GET  /v1/edge/bundles?since=N&wait_ms=M {"sequence":N,"bundles":[{"id","tenant","names","fingerprint","sequence"}]}
//   GET  /v1/edge/bundles?since=N&wait_ms=M&delta=1&applied=N
//                                           {"sequence":N,"complete":false,"bundles":[changed],"gone":[ids]}
//   GET  /v1/edge/bundles/{id}              the same item with "chain_pem" and "key_pem"
//   POST /v1/edge/acknowledgments           {"id","fingerprint","sequence"} -> 204; 409 when it is expired or another
//   GET  /v1/certificates                   administrators: {"certificates":[...],"next":K}, no keys; ?limit= and
//   ?cursor=
//
// The list's "sequence" is a digest of the list, the same after a restart: the long poll answers when it differs from
// `since`, or after wait_ms (at most 60,000). A change wakes the edges whose lists it moves and no others. A bundle's
// "sequence" rises with each certificate.
//
// With `delta=1` the answer has what changed since `since`. When that is not known (any more), or is too much, it is
// {"sequence","complete":true,"bundles":[...],"gone":[],"next":K}: a page of the whole list, of at most 2,000 bundles;
// a bundle that goes as soon as no site answers with it says "leaving":true. While there is "next",
// `&after=K` gives the next page, at once; the list's sequence is the first page's, so that what changes while pages
// are read comes by the next delta; `&reread=1` with that asks for it even when the list is again what it was.
// `applied` is the sequence of the last list that the edge applied wholly (without delta: `since`): what it dropped by
// that is no longer taken for served. Without `delta` a list of more than 10,000 bundles is refused with 400.
//
// Threads: belongs to the control loop; must outlive the HTTP server whose router it serves.
#pragma once

#include "acme/distribution/following.hpp"
#include "acme/vault/vault.hpp"
#include "base/http/http.hpp"
#include "base/net/task.hpp"
#include "dns-backend/store/store.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace acme {

class Distribution {
 public:
  // `is_admin` decides who may list all certificates. `everywhere`: the revision that every site in service has
  // acknowledged.
  Distribution(net::asio::any_io_executor executor, store::Store& store, vault::Vault& vault,
               std::function<bool(net::HttpRequest const&)> is_admin, std::function<store::Revision()> everywhere);
  Distribution(Distribution const&) = delete;
  Distribution& operator=(Distribution const&) = delete;

  void add_routes(net::Router& router);
  // The store was written, or a site acknowledged a revision.
  void poke() { following_.poke(); }
  // Certificates of this tenant were stored, revoked or went away.
  void poke(std::int64_t tenant_id) { following_.poke(tenant_id); }
  // Keeps lists and readiness up to date; spawn it once.
  net::Task<void> run() { return following_.run(); }
  void stop();
  [[nodiscard]] Following& following() { return following_; }

 private:
  net::Task<net::HttpResponse> list(net::HttpRequest request);
  net::Task<net::HttpResponse> bundle(net::HttpRequest request);
  net::Task<net::HttpResponse> acknowledge(net::HttpRequest request);
  net::Task<net::HttpResponse> certificates(net::HttpRequest request);
  // Notified when the edge's list changed; given to whoever waits.
  [[nodiscard]] std::shared_ptr<net::Signal> signal_of(std::string const& edge);
  void wake(Fleet::Edges const& edges);

  net::asio::any_io_executor executor_;
  vault::Vault& vault_;
  std::function<bool(net::HttpRequest const&)> is_admin_;
  std::map<std::string, std::weak_ptr<net::Signal>> waiting_;  // by edge
  std::set<std::pair<std::int64_t, std::int64_t>> damaged_;    // certificates whose keys were said to be
  bool stopped_ = false;
  Following following_;
};

}  // namespace acme

// Certificates to the edges, and the edges' proof back into DNS.
//
//   edge --GET list (long poll), GET bundle--> here --acknowledgment--> vault --> Store::set_ready --> DNS answers
//
// Each subject has a bundle of its own: the tenant's name, a former label, a domain. An edge is told of them only when
// one of the tenant's pools holds an endpoint with the name in its client certificate; nobody else gets the key. From
// the first acknowledgment of a tenant's own name on, DNS names only edges which acknowledged a certificate that is
// valid for it; before it, readiness restricts nothing; and a set that would become empty because certificates expired
// stays as it was (a lookup must not lose its answer to a lapse here). Former labels and domains restrict nothing.
//
//   GET  /v1/edge/bundles?since=N&wait_ms=M {"sequence":N,"bundles":[{"id","tenant","names","fingerprint","sequence"}]}
//   GET  /v1/edge/bundles/{id}                the same item with "chain_pem" and "key_pem"
//   POST /v1/edge/acknowledgments             {"id","fingerprint","sequence"} -> 204; 409 when it is not the subject's
//   GET  /v1/certificates                     administrators: {"certificates":[...]}, no keys
//
// The list's "sequence" is a digest of the list: the long poll answers when it differs from `since`, or after wait_ms
// (at most 60,000). A bundle's "sequence" rises with each certificate.
//
// Threads: belongs to the control loop; must outlive the HTTP server whose router it serves.
#pragma once

#include "acme/subjects/subjects.hpp"
#include "acme/vault/vault.hpp"
#include "base/http/http.hpp"
#include "base/net/task.hpp"
#include "dns-backend/store/store.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace acme {

// What one edge shall serve: pure data, made of tenants, pools and certificates.
struct EdgeBundle {
  std::string id;                  // "tenant-7" of its own name, "tenant-7-12" of its subject 12
  std::string tenant;              // label: the present one, of a former name that one
  std::vector<std::string> names;  // that it is served for
  vault::CertificateRow row;
};
struct EdgeView {
  std::map<std::string, std::vector<EdgeBundle>> by_edge;  // certificate name of the edge -> its bundles, by id
};
[[nodiscard]] EdgeView make_view(std::vector<Wanted> const& wanted, std::vector<store::Tenant> const& tenants,
                                 std::vector<store::PoolRow> const& pools,
                                 std::vector<vault::CertificateRow> const& certificates);
// A bundle that an edge shall serve no longer, and the revision of the store that says so.
struct Leaving {
  std::string edge;
  EdgeBundle bundle;
  store::Revision since = 0;
};
// DNS goes first: what `before` had and `now` has not stays with its edge until every site in service acknowledged
// (`everywhere`) the revision that took it away. `leaving` is carried from one view to the next.
void hold_back(EdgeView const& before, EdgeView& now, store::Revision revision, store::Revision everywhere,
               std::vector<Leaving>& leaving);
// The digest that is the list's sequence: 1 ... 2^52.
[[nodiscard]] std::int64_t digest_of(std::vector<EdgeBundle> const& bundles);
// tenant id -> edges which acknowledged the current certificate of the tenant's own name, or a former one of it that is
// still valid (clients verify it as well, and a renewal must not empty the answers down to its first edge). Tenants
// without any acknowledgment of it are absent.
[[nodiscard]] std::map<std::int64_t, std::vector<std::string>> ready_edges(
    std::vector<Wanted> const& wanted, std::vector<vault::Acknowledgment> const& acknowledgments,
    std::vector<vault::CertificateRow> const& certificates, crypto::Time now);

class Distribution {
 public:
  // `is_admin` decides who may list all certificates. `everywhere`: the revision that every site in service has
  // acknowledged.
  Distribution(net::asio::any_io_executor executor, store::Store& store, vault::Vault& vault,
               std::function<bool(net::HttpRequest const&)> is_admin, std::function<store::Revision()> everywhere);
  Distribution(Distribution const&) = delete;
  Distribution& operator=(Distribution const&) = delete;

  void add_routes(net::Router& router);
  // Tenants, pools or certificates may have changed: waiting edges look again.
  void poke();
  // A site acknowledged a revision: what was held back for it may leave.
  void poke_leaving();
  // Brings Store's readiness in line with the acknowledgments, at start and as certificates lapse; spawn it once.
  net::Task<void> run();
  void stop();

 private:
  net::Task<net::HttpResponse> list(net::HttpRequest request);
  net::Task<net::HttpResponse> bundle(net::HttpRequest request);
  net::Task<net::HttpResponse> acknowledge(net::HttpRequest request);
  net::Task<net::HttpResponse> certificates(net::HttpRequest request);
  net::Task<base::Result<std::vector<Wanted>>> wanted();
  net::Task<base::Result<std::shared_ptr<EdgeView const>>> view();
  net::Task<base::Result<void>> make_view_anew();
  net::Task<base::Result<std::vector<EdgeBundle>>> bundles_of(std::string edge);
  net::Task<base::Result<void>> reconcile();

  store::Store& store_;
  vault::Vault& vault_;
  std::function<bool(net::HttpRequest const&)> is_admin_;
  std::function<store::Revision()> everywhere_;
  net::Signal changed_;
  net::Signal stopping_;
  bool stopped_ = false;
  std::uint64_t generation_ = 0;       // raised by poke
  std::uint64_t view_generation_ = 0;  // which the cached view was made for
  store::Revision view_revision_ = -1;
  std::uint64_t view_begun_ = 0;
  std::shared_ptr<EdgeView const> view_;
  // One call makes it for all who ask meanwhile; kept by whoever waits, since a handler may end after this object.
  struct Making {
    explicit Making(net::asio::any_io_executor executor) : done(std::move(executor)) {}
    bool now = false;
    std::uint64_t begun = 0;  // how many
    net::Signal done;
  };
  std::shared_ptr<Making> making_;
  std::vector<Leaving> leaving_;
  std::map<std::int64_t, std::vector<std::string>> ready_;  // what set_ready was told last
};

}  // namespace acme

// Certificates to the edges, and the edges' proof back into DNS.
//
//   edge --GET list (long poll), GET bundle--> here --acknowledgment--> vault --> Store::set_ready --> DNS answers
//
// An edge is told of a tenant only when one of the tenant's pools holds an endpoint with the name in its client
// certificate; nobody else gets the key. From a tenant's first acknowledgment on, DNS names only edges which
// acknowledged a certificate that is valid for the tenant's present names; before it, readiness restricts nothing; and
// a set that would become empty because certificates expired stays as it was (a lookup must not lose its answer to a
// lapse here).
//
//   GET  /v1/edge/bundles?since=N&wait_ms=M {"sequence":N,"bundles":[{"id","tenant","names","fingerprint","sequence"}]}
//   GET  /v1/edge/bundles/{id}                the same item with "chain_pem" and "key_pem"
//   POST /v1/edge/acknowledgments             {"id","fingerprint","sequence"} -> 204; 409 when it is not the tenant's
//   GET  /v1/certificates                     administrators: {"certificates":[...]}, no keys
//
// The list's "sequence" is a digest of the list: the long poll answers when it differs from `since`, or after wait_ms
// (at most 60,000). A bundle's "sequence" rises with each certificate.
//
// Threads: belongs to the control loop; must outlive the HTTP server whose router it serves.
#pragma once

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
  std::string id;      // "tenant-7"; "tenant-7-old" while the former label "old" answers beside the present one
  std::string tenant;  // label
  vault::CertificateRow row;
  bool former = false;  // of a former label: it restricts no answer
};
struct EdgeView {
  std::map<std::string, std::vector<EdgeBundle>> by_edge;  // certificate name of the edge -> its bundles, by id
};
[[nodiscard]] EdgeView make_view(std::vector<store::Tenant> const& tenants, std::vector<store::PoolRow> const& pools,
                                 std::vector<vault::CertificateRow> const& certificates);
// The digest that is the list's sequence: 1 ... 2^52.
[[nodiscard]] std::int64_t digest_of(std::vector<EdgeBundle> const& bundles);
// tenant id -> edges which acknowledged the current certificate, or a former one for the same names that is still valid
// (clients verify it as well, and a renewal must not empty the answers down to its first edge). Tenants without any
// acknowledgment are absent. `certificates` come newest last.
[[nodiscard]] std::map<std::int64_t, std::vector<std::string>> ready_edges(
    std::vector<vault::Acknowledgment> const& acknowledgments, std::vector<vault::CertificateRow> const& certificates,
    crypto::Time now);

class Distribution {
 public:
  // `is_admin` decides who may list all certificates.
  Distribution(net::asio::any_io_executor executor, store::Store& store, vault::Vault& vault,
               std::function<bool(net::HttpRequest const&)> is_admin);
  Distribution(Distribution const&) = delete;
  Distribution& operator=(Distribution const&) = delete;

  void add_routes(net::Router& router);
  // Tenants, pools or certificates may have changed: waiting edges look again.
  void poke();
  // Brings Store's readiness in line with the acknowledgments, at start and as certificates lapse; spawn it once.
  net::Task<void> run();
  void stop();

 private:
  net::Task<net::HttpResponse> list(net::HttpRequest request);
  net::Task<net::HttpResponse> bundle(net::HttpRequest request);
  net::Task<net::HttpResponse> acknowledge(net::HttpRequest request);
  net::Task<net::HttpResponse> certificates(net::HttpRequest request);
  net::Task<base::Result<std::shared_ptr<EdgeView const>>> view();
  net::Task<base::Result<std::vector<EdgeBundle>>> bundles_of(std::string edge);
  net::Task<base::Result<void>> reconcile();

  store::Store& store_;
  vault::Vault& vault_;
  std::function<bool(net::HttpRequest const&)> is_admin_;
  net::Signal changed_;
  net::Signal stopping_;
  bool stopped_ = false;
  std::uint64_t generation_ = 0;       // raised by poke
  std::uint64_t view_generation_ = 0;  // which the cached view was made for
  store::Revision view_revision_ = -1;
  std::shared_ptr<EdgeView const> view_;
  std::map<std::int64_t, std::vector<std::string>> ready_;  // what set_ready was told last
};

}  // namespace acme

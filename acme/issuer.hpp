// Wanted: a certificate (apex and wildcard) for every active tenant. Observed: the certificates in the vault. The
// difference becomes orders, at most 8 at a time (a CA's own limit in tests, politeness elsewhere).
//
//   tenants, certificates, attempts -> choose() -> choose_authority() -> order machine -> Authority (CA) and Dns01
//   (sites)
//                                                                                     -> Vault -> edges
//
// Rows of tenants that are gone are removed with their keys; a failed look at the tenants changes nothing. Failures
// wait as acme/schedule says, and survive restarts. An order that was begun is continued with its own key and CSR, at
// its own CA. CAs are asked when they would like a certificate to be renewed (RFC 9773); no answer delays a renewal.
//
// Threads: belongs to the control loop of the primary. Destroy it after the loop stopped.
#pragma once

#include "acme/authority/authority.hpp"
#include "acme/gate/dns01.hpp"
#include "acme/schedule/failover.hpp"
#include "acme/schedule/renewal.hpp"
#include "acme/vault/vault.hpp"
#include "base/net/task.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/store/store.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace acme {

struct IssuerSettings {
  std::vector<AuthoritySettings> authorities;  // at least one, in the order of preference
  double renew_fraction = 0;                   // of the lifetime; 0: 2/3, or 1/2 below 10 days
  std::chrono::milliseconds first_retry{60000};
  std::size_t orders_max = 8;
  protocol::OrderLimits order;
  GateSettings gate;
};

struct TenantStatus {
  std::int64_t tenant_id = 0;
  std::string tenant;              // label
  std::string state;               // "waiting", "ordering", "valid", "renewing", "failed", "expired"
  std::vector<std::string> names;  // wanted
  std::string fingerprint;         // of the present certificate; empty without one
  std::string authority;           // directory URL of the CA that issued it; empty: not known
  std::int64_t not_after_ms = 0;
  std::int64_t renew_at_ms = 0;      // 0 without a certificate
  std::string renew_why;             // "lifetime", or "suggested by the CA" with its explanation's URL when it gave one
  std::string last_error;            // empty after a success
  std::int64_t next_attempt_ms = 0;  // 0 while an order is in flight
};

struct AuthorityStatus {
  std::string directory_url;
  std::string account_url;            // empty: not registered, or not looked for since the start
  std::string state;                  // "asked", "resting", "trying" (one order, after a rest)
  unsigned failures = 0;              // in a row that were the CA's own
  std::string last_error;             // of the last failure that was the CA's own; empty after an answer
  std::int64_t resting_until_ms = 0;  // 0: it is asked
};

// The names of a tenant's certificate: its apex and its wildcard, A-labels without a final dot, sorted. Empty when the
// tenant's names are not host names.
[[nodiscard]] std::vector<std::string> wanted_names(store::Tenant const& tenant);

// Who owns a tenant's challenge values in the store.
[[nodiscard]] std::string challenge_owner(std::int64_t tenant_id);

class Issuer {
 public:
  // `vault` must be open. `sites` as in Dns01.
  Issuer(net::asio::any_io_executor executor, store::Store& store, vault::Vault& vault, process::Metrics& metrics,
         IssuerSettings settings, std::function<std::vector<Site>()> sites);
  ~Issuer();
  Issuer(Issuer const&) = delete;
  Issuer& operator=(Issuer const&) = delete;

  // Rounds until stop(); spawn it once. Orders in flight end on their own.
  net::Task<void> run();
  void stop();
  // Tenants may have changed: the next round comes at once.
  void poke();
  // A site acknowledged a revision.
  void poke_gate() { dns01_.poke(); }
  // Called after each stored certificate and after rows of a tenant went away (the distribution wakes its edges).
  void on_change(std::function<void()> listener) { changed_ = std::move(listener); }

  [[nodiscard]] std::vector<TenantStatus> status() const;
  [[nodiscard]] std::vector<AuthorityStatus> authorities() const;  // in the order of preference

 private:
  struct Subject {
    std::string label;
    std::vector<std::string> names;
    std::optional<vault::CertificateRow> certificate;
  };
  // What a CA said of one certificate's renewal, if it did, and when it is asked again.
  struct Opinion {
    std::optional<Suggestion> suggestion;
    Time ask_again;
  };
  struct Questions {
    std::vector<vault::CertificateRow> due;  // whose CAs are asked now
    Time next;                               // when to look again
  };
  using Attempts = std::map<std::pair<std::int64_t, std::string>, vault::Attempt>;  // by tenant and directory ("": all)
  // A tenant's place among the orders in flight, kept until its coroutine ends in whatever way.
  struct Flight {
    Flight(std::shared_ptr<std::set<std::int64_t>> set, std::int64_t tenant)
        : places(std::move(set)), tenant_id(tenant) {
      places->insert(tenant_id);
    }
    ~Flight() { places->erase(tenant_id); }
    Flight(Flight const&) = delete;
    Flight& operator=(Flight const&) = delete;
    std::shared_ptr<std::set<std::int64_t>> places;
    std::int64_t tenant_id;
  };

  net::Task<base::Result<Round>> round();
  net::Task<base::Result<void>> observe();
  net::Task<base::Result<void>> load_kept();
  net::Task<base::Result<void>> remove_leftovers(std::set<std::int64_t> gone);
  net::Task<void> issue(std::int64_t tenant_id, std::size_t authority, std::shared_ptr<Flight> flight);
  net::Task<base::Result<vault::OrderRow>> prepare(std::int64_t tenant_id, std::vector<std::string> names,
                                                   std::string directory_url);
  net::Task<base::Result<protocol::Outcome>> order(std::int64_t tenant_id, Subject subject, Authority& authority);
  [[nodiscard]] std::string caa_refusal_of(std::vector<std::string> const& names, protocol::Directory const& places,
                                           Authority& authority) const;
  net::Task<protocol::Event> perform(protocol::Action action, vault::OrderRow row, Authority& authority);
  net::Task<protocol::Event> post(protocol::Post post, Authority& authority);
  net::Task<void> conclude(std::int64_t tenant_id, Authority& authority, base::Result<protocol::Outcome> result);
  net::Task<void> book_failure(std::int64_t tenant_id, Authority& authority, protocol::Outcome outcome);
  net::Task<void> follow_suggestions();
  net::Task<void> ask(vault::CertificateRow certificate);
  [[nodiscard]] Questions questions(Time now) const;
  [[nodiscard]] Choice authority_for(std::int64_t tenant_id, Time now) const;
  [[nodiscard]] Authority* issued_by(vault::CertificateRow const& certificate) const;
  [[nodiscard]] Time due(vault::CertificateRow const& certificate) const;
  [[nodiscard]] vault::Attempt const* last_attempt(std::int64_t tenant_id) const;
  [[nodiscard]] std::string state_of(std::int64_t tenant_id, Subject const& subject, Time now) const;
  [[nodiscard]] TenantStatus status_of(std::int64_t tenant_id, Subject const& subject, Time now) const;
  void show_metrics();

  net::asio::any_io_executor executor_;
  store::Store& store_;
  vault::Vault& vault_;
  process::Metrics& metrics_;
  IssuerSettings settings_;
  Dns01 dns01_;
  net::Signal wake_;
  bool poked_ = false;
  bool stopped_ = false;
  std::function<void()> changed_;
  std::vector<std::unique_ptr<Authority>> authorities_;
  std::map<std::int64_t, Subject> subjects_;
  Attempts attempts_;                         // failures since the last success
  std::map<std::int64_t, Opinion> opinions_;  // by the certificate's sequence
  net::Signal ask_wake_;
  bool kept_loaded_ = false;  // attempts_ and opinions_
  std::shared_ptr<std::set<std::int64_t>> in_flight_;
};

}  // namespace acme

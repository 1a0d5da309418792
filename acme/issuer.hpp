// Wanted: a certificate for every subject, that is for each active tenant's name (with its wildcard), for what it was
// called before a rename while that is answered, and for each of its domains. Observed: the certificates in the vault.
// The difference becomes orders, at most 8 at a time (a CA's own limit in tests, politeness elsewhere).
//
//   Wishes (acme/subjects), certificates -> Planner (which now, at which CA) -> Ordering: CA, gate, vault -> edges
//
// A round costs what changed and what is due, not what there is. Of several Navigators on one store the holder of the
// vault's lease issues; the others wait, and what a former holder still writes is refused by the fence.
//
// Rows of subjects that are gone are removed with their keys, once every site in service has the revision that says so;
// a failed look at the tenants changes nothing. Failures wait as acme/schedule says, each subject's by itself, and
// survive restarts. An order that was begun is continued with
// its own key and CSR, at its own CA. CAs are asked when they would like a certificate to be renewed (RFC 9773); no
// answer delays a renewal.
//
// Threads: belongs to the control loop of the primary. Destroy it after the loop stopped.
#pragma once

#include "acme/alarms/alarms.hpp"
#include "acme/authority/authority.hpp"
#include "acme/dropped_orders/dropped_orders.hpp"
#include "acme/gate/dns01.hpp"
#include "acme/measures/measures.hpp"
#include "acme/ordering/ordering.hpp"
#include "acme/revocations/revocations.hpp"
#include "acme/schedule/planner.hpp"
#include "acme/schedule/renewal.hpp"
#include "acme/status/attempts.hpp"
#include "acme/status/status.hpp"
#include "acme/subjects/choice.hpp"
#include "acme/subjects/names.hpp"
#include "acme/subjects/subjects.hpp"
#include "acme/upload/upload.hpp"
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
#include <utility>
#include <vector>

namespace acme {

struct IssuerSettings {
  std::vector<AuthoritySettings> authorities;  // at least one, in the order of preference
  double renew_fraction = 0;                   // of the lifetime; 0: 2/3, or 1/2 below 10 days
  std::chrono::milliseconds first_retry{60000};
  std::chrono::milliseconds first_certificate_within{3600000};  // a name that has none then raises an alarm
  std::size_t orders_max = 8;
  protocol::OrderLimits order;
  GateSettings gate;
  std::string holder = "navigator";  // of the lease; one name for each place where a Navigator runs
  std::chrono::milliseconds lease{15000};
  std::optional<AuthoritySettings> staging;  // where rehearsals go; never asked otherwise
  std::vector<std::string> public_suffixes;  // below which each name is a registered domain of its own
  std::string challenge_zone;                // below which tenants' domains delegate their challenges; empty: none
  Look look;                                 // at a domain, right before its order; empty: none is looked at
  CaaLook caa_look;                          // for CAA records that are not ours; empty: those are the CA's to look up
  bool publish_caa = false;                  // tenants' names say by CAA records that these CAs alone may issue
};

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
  // After stop(): the CAs' answers to orders that are being placed were written down; or the deadline is over.
  net::Task<void> settle(std::chrono::milliseconds deadline);
  // Tenants may have changed: the next round comes at once.
  void poke();
  // A site acknowledged a revision.
  void poke_gate();
  // Called with the tenant whose certificate was stored or revoked, or whose rows went away (for the distribution).
  void on_change(std::function<void(std::int64_t tenant_id)> listener) { changed_ = std::move(listener); }

  [[nodiscard]] std::vector<SubjectStatus> status() const;
  // Of one tenant, by name; costs no more than what he has.
  [[nodiscard]] std::vector<SubjectStatus> status_of(std::int64_t tenant_id) const;
  [[nodiscard]] std::vector<AuthorityStatus> authorities() const;  // in the order of preference
  [[nodiscard]] IssuerStatus issuer_status() const;
  [[nodiscard]] std::vector<PendingRevocation> revocations() const { return revocations_.list(); }  // not told yet
  // What a domain must delegate below its name, one for each way in which a CA is proved to, the preferred first; a
  // label that is made of an account which is not there yet is missing.
  [[nodiscard]] std::vector<std::string> challenge_labels() const;
  // The subject of a label (present or former) or of any name of its certificate, with or without final dot; nothing:
  // none.
  [[nodiscard]] std::optional<std::int64_t> find(std::string name) const;
  net::Task<base::Result<Explanation>> explain(std::int64_t subject_id);

  // --- what administrators order ---
  // Tries again now, whatever it is parked for; with a certificate that is good, replaces it before its time.
  void order_now(std::int64_t subject_id);
  // Writes the wish down, tells the CA (until it took it, acme/revocations), and orders the replacement at once.
  // `reason` as in RFC 5280 section 5.3.1. vault::errc::not_found without a certificate.
  net::Task<base::Result<void>> revoke(std::int64_t subject_id, std::int64_t reason);
  // Another key for the account at this CA, when no order is under way there; waits for those at most a minute. Empty:
  // the first CA. errc of Authority::change_key; vault::errc::not_found: no such CA.
  net::Task<base::Result<void>> change_account_key(std::string directory_url);
  // An order at the staging CA from beginning to end, by the same sites; neither order nor certificate is kept.
  // protocol::errc::refused when no staging CA is configured.
  net::Task<base::Result<protocol::Outcome>> rehearse(std::int64_t subject_id);
  // --- what tenants bring: issuer_uploads.cpp ---
  // Looks it through and serves it from now on; with `fallback` one of our own is ordered before it ends, as if it had
  // been. All problems, when there are any; then nothing was stored. vault::errc::not_found: the tenant has no such
  // name; fenced: another Navigator issues; protocol::errc::unavailable: an order or another upload for the name is
  // under way.
  net::Task<base::Result<base::Problems>> take_upload(std::int64_t tenant_id, std::string name, upload::Upload upload,
                                                      bool fallback);
  // What was issued before is served again, or ordered. vault::errc::not_found: there is none.
  net::Task<base::Result<void>> remove_upload(std::int64_t tenant_id, std::string name);
  // Of one name of the tenant; nothing: he has no such name.
  [[nodiscard]] std::optional<SubjectStatus> status_of(std::int64_t tenant_id, std::string const& name) const;

  // Agrees to the CA's changed terms of service, and tries what they held back.
  net::Task<base::Result<void>> agree_to_terms(std::string directory_url);

 private:
  struct Subject {
    vault::SubjectRow row;
    Wanted wanted;
    std::optional<vault::CertificateRow> certificate;
    bool wanted_anew = false;  // an administrator's word
    bool ordered = false;      // and he waits for it
    Time ask_at{};             // its place in questions_, at the CA that issued the certificate
  };
  // What a CA said of one certificate's renewal, if it did, and when it is asked again.
  struct Opinion {
    std::optional<Suggestion> suggestion;
    Time ask_again;
  };
  using Index = std::set<std::pair<Time, std::int64_t>>;

  // --- rounds: issuer.cpp ---
  net::Task<void> keep_lease();
  [[nodiscard]] bool leads() const { return lease_.mine && crypto::wall_now() < lease_.until; }
  net::Task<base::Result<Plan>> round();
  net::Task<base::Result<void>> observe();
  net::Task<base::Result<void>> load();
  net::Task<base::Result<void>> load_kept();
  net::Task<base::Result<void>> settle_proofs();
  net::Task<base::Result<void>> take(News news);
  net::Task<base::Result<void>> take_in(vault::SubjectRow row, Wanted wanted, bool anew);
  void leave(News const& news);
  net::Task<base::Result<void>> remove_leftovers();
  net::Task<void> save_limits();
  void forget(std::int64_t subject_id);
  void replace(std::int64_t subject_id, bool ordered);
  [[nodiscard]] Subject const* subject_of(std::int64_t tenant_id, std::string const& name) const;
  void tell(std::int64_t tenant_id) const;
  void hold(std::int64_t subject_id, std::optional<vault::CertificateRow> certificate);
  void want(std::int64_t subject_id);
  void raise_alarms(Time now);
  void show_metrics(Time now);

  // --- orders: issuer_order.cpp ---
  net::Task<void> issue(std::int64_t subject_id, std::size_t authority);
  [[nodiscard]] static Job job_of(Subject const& subject);
  void stored(vault::CertificateRow row);
  net::Task<void> announce();
  net::Task<void> conclude(std::int64_t subject_id, std::size_t authority, protocol::Outcome outcome);
  net::Task<void> book(std::int64_t subject_id, std::size_t authority, protocol::Outcome outcome,
                       std::optional<Parked> parked);

  // --- renewal: issuer_renewal.cpp ---
  net::Task<void> follow_suggestions(std::size_t place);
  net::Task<void> ask(vault::CertificateRow certificate);
  void ask_at(std::int64_t subject_id, std::optional<Time> at);
  [[nodiscard]] std::optional<std::size_t> issued_by(vault::CertificateRow const& certificate) const;
  [[nodiscard]] Time due(vault::CertificateRow const& certificate) const;
  [[nodiscard]] Holding holding_of(Subject const& subject, Time now) const;

  // --- status and orders of people: issuer_status.cpp, issuer_commands.cpp ---
  [[nodiscard]] std::string state_of(std::int64_t subject_id, Subject const& subject, Time now) const;
  [[nodiscard]] SubjectStatus status_of(std::int64_t subject_id, Subject const& subject, Time now) const;
  [[nodiscard]] std::optional<std::size_t> place_of(std::string const& directory_url) const;
  [[nodiscard]] Authority* authority_of(std::string const& directory_url) const;  // nullptr: not in the settings
  net::Task<base::Result<void>> change_key_at(std::size_t place);

  net::asio::any_io_executor executor_;
  store::Store& store_;
  vault::Vault& vault_;
  Measures measures_;
  IssuerSettings settings_;
  Dns01 dns01_;
  Ordering ordering_;
  Wishes wishes_;
  net::Signal wake_;
  net::Signal lease_wake_;
  bool poked_ = false;
  bool stopped_ = false;
  std::function<void(std::int64_t)> changed_;
  std::vector<std::unique_ptr<Authority>> authorities_;
  std::unique_ptr<Authority> staging_;
  std::set<std::size_t> unusable_;  // CAs whose account's key does not open, since the last load
  std::optional<Planner> planner_;
  vault::Lease lease_;
  bool loaded_ = false;                                                // everything below, since the lease is held
  std::map<std::pair<std::int64_t, std::string>, std::int64_t> rows_;  // of the vault: tenant and name -> subject
  std::map<std::int64_t, Time> since_;                                 // of the same, when each was wanted first
  std::map<std::int64_t, std::vector<vault::CertificateRow>> read_;    // by subject, between a load and its first news
  std::map<std::int64_t, Subject> subjects_;
  Names names_;
  struct Gone {
    vault::SubjectRow row;
    store::Revision since = 0;  // that every site must have first: DNS goes before certificate and key
  };
  std::map<std::int64_t, Gone> gone_;            // whose rows are to be removed
  std::map<std::int64_t, std::size_t> flights_;  // subject -> CA
  // Subjects for which a tenant's certificate is being stored; shared with requests that outlive this.
  std::shared_ptr<std::set<std::int64_t>> uploading_ = std::make_shared<std::set<std::int64_t>>();
  std::set<std::pair<std::int64_t, std::string>> begun_;  // subjects with an order of an earlier process, and its CA
  Attempts attempts_;                                     // failures since the last success
  std::map<std::int64_t, Opinion> opinions_;              // by the certificate's sequence
  std::vector<Index> questions_;                          // by CA: when it is asked about whose renewal
  Index expiries_;
  Alarms alarms_;
  Revocations revocations_;       // the CA is still to be told
  DroppedOrders dropped_orders_;  // and of these
  Time announce_at_{};            // the next look whether every CA is in the CAA records
  net::Signal ask_wake_;
};

}  // namespace acme

// The rows of schema.cpp as values: accounts, orders, attempts, certificates with their sealed keys, acknowledgments,
// the lease of the one who issues.
//
// Everything but accounts and limits belongs to a subject: one name of one tenant that has a certificate of its own
// (the tenant's name, one of before a rename, a domain). Keys are unsealed only in the calls whose names say so; lists
// never carry them. A subject keeps its present certificate and the former ones that are still valid (edges may serve
// them for a while); older rows go away when one is added.
//
// Threads: coroutines for the control loop; the work runs on the store thread. Failures are those of database::errc and
// keyring::errc::sealed, and errc::fenced.
#pragma once

#include "acme/crypto/certificate.hpp"
#include "acme/keyring/keyring.hpp"
#include "acme/vault/errc.hpp"
#include "acme/vault/rows/rows.hpp"
#include "base/net/task.hpp"
#include "base/store_thread/store_thread.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vault {

class Vault {
 public:
  explicit Vault(database::StoreThread& thread) : thread_(thread) {}
  Vault(Vault const&) = delete;
  Vault& operator=(Vault const&) = delete;

  // Must succeed before everything else: loads the master key and makes it when no sealed row needs a former one. What
  // an older program sealed by the master key itself is sealed anew by data keys.
  net::Task<base::Result<void>> open(keyring::MasterFiles files);

  // The account of this CA; its key is made and stored at the first call, before it is ever used.
  net::Task<base::Result<Account>> account(std::string directory_url);
  net::Task<base::Result<void>> set_account_url(std::string directory_url, std::string account_url);

  // Stores the next key beside the present one; end_key_change() puts it in its place, or drops it.
  net::Task<base::Result<void>> begin_key_change(std::string directory_url, std::string key_pem);
  net::Task<base::Result<void>> end_key_change(std::string directory_url, bool taken);

  // --- keys that seal (acme/keyring) ---
  // A fresh data key for a tenant (0: the accounts), everything of it sealed anew; how many texts that were.
  net::Task<base::Result<std::int64_t>> renew_data_key(std::int64_t owner);
  net::Task<base::Result<void>> rotate_master_key();
  net::Task<base::Result<keyring::KeyRingState>> key_state();

  // --- subjects ---
  net::Task<base::Result<std::vector<SubjectRow>>> subjects();
  // Their rows, made where there is none; ids of the argument are ignored, the answer has its order. `own` of each says
  // whether what was kept for the tenant without a name is this one's.
  net::Task<base::Result<std::vector<SubjectRow>>> ensure_subjects(std::vector<SubjectRow> wanted,
                                                                   std::vector<bool> own);
  // With everything of it, keys included; with a tenant's last one its data key goes too.
  net::Task<base::Result<void>> forget_subject(std::int64_t subject_id);

  // --- orders under way, one for each subject and CA: orders.cpp ---
  net::Task<base::Result<void>> save_order(OrderRow order);
  net::Task<base::Result<std::optional<OrderRow>>> find_order(std::int64_t subject_id, std::string directory_url);
  net::Task<base::Result<void>> set_order_url(std::int64_t subject_id, std::string directory_url,
                                              std::string order_url);
  net::Task<base::Result<void>> delete_order(std::int64_t subject_id, std::string directory_url);
  net::Task<base::Result<std::set<std::pair<std::int64_t, std::string>>>> ordering();  // subject and directory of each
  // Those that a certificate from elsewhere, an order for other names or the subject's end made needless.
  net::Task<base::Result<std::vector<DroppedOrder>>> dropped_orders();
  // Whether it is still to be told: CAs may give an order that was dropped to whoever asks for its names again.
  net::Task<base::Result<bool>> is_dropped(DroppedOrder order);
  net::Task<base::Result<void>> forget_dropped(DroppedOrder order);

  net::Task<base::Result<std::vector<Attempt>>> attempts();
  net::Task<base::Result<void>> save_attempt(Attempt attempt);

  // Idempotent: the same fingerprint again gives the sequence it has. Clears the subject's attempts, and its orders at
  // whatever CA. Of `row` count what its source says: directory_url, uploaded, fallback. errc::not_found: no such
  // subject.
  net::Task<base::Result<std::int64_t>> add_certificate(CertificateRow row, crypto::Certificate certificate,
                                                        std::string chain_pem, std::string key_pem, Time now);
  // Those the tenant brought; how many there were.
  net::Task<base::Result<std::int64_t>> remove_uploads(std::int64_t subject_id);
  // Newest last.
  net::Task<base::Result<std::vector<CertificateRow>>> certificates();
  net::Task<base::Result<std::vector<CertificateRow>>> certificates(std::int64_t subject_id);
  // The newest of the subject, or that of `sequence`, with its key; errc::not_found.
  net::Task<base::Result<Bundle>> unsealed_bundle(std::int64_t subject_id, std::int64_t sequence = 0);

  net::Task<base::Result<std::vector<SuggestionRow>>> suggestions();
  // Of a certificate that is gone meanwhile: nothing happens.
  net::Task<base::Result<void>> save_suggestion(SuggestionRow row);

  // --- what edges serve: edges.cpp ---
  // Of these tenants; one without certificates and acknowledgments is absent.
  net::Task<base::Result<std::map<std::int64_t, Standing>>> standing(std::set<std::int64_t> tenants);
  net::Task<base::Result<std::set<std::int64_t>>> tenants();  // that have subjects, gone ones too
  net::Task<base::Result<std::vector<Acknowledgment>>> acknowledgments();
  // The edge does not serve these subjects any more.
  net::Task<base::Result<void>> drop_acknowledgments(std::string edge, std::vector<std::int64_t> subjects);
  // errc::stale unless the subject has that certificate and it is still valid. An older sequence never replaces a newer
  // one.
  net::Task<base::Result<void>> acknowledge(Acknowledgment acknowledgment, Time now);

  // --- who issues ---
  // Takes the lease when it is free, run out or this holder's own, and keeps it afterwards. From the first success on,
  // every write of an order, attempt, account, certificate or bucket through this object is refused with errc::fenced
  // once another holder took the lease, whatever this process believes.
  net::Task<base::Result<Lease>> hold_lease(std::string holder, std::chrono::milliseconds duration, Time now);
  net::Task<base::Result<void>> release_lease();

  // --- what happened ---
  net::Task<base::Result<void>> add_event(Event event);
  net::Task<base::Result<std::vector<Event>>> events(std::int64_t subject_id);        // newest first
  net::Task<base::Result<void>> save_buckets(std::vector<Bucket> buckets, Time now);  // those full by then go
  net::Task<base::Result<std::vector<Bucket>>> buckets();

  // --- revocation ---
  // The intent first; without `at` it is still to be told to the CA. errc::not_found.
  net::Task<base::Result<void>> mark_revoked(std::int64_t sequence, std::int64_t reason, std::optional<Time> at);
  net::Task<base::Result<std::string>> chain(std::int64_t sequence);  // PEM; errc::not_found

 private:
  using Body = std::function<base::Result<void>(database::Transaction&)>;
  // `body` behind a look at the fence, in one transaction.
  [[nodiscard]] std::function<base::Result<std::int64_t>(database::Database&)> fenced(Body body) const;

  net::Task<base::Result<std::optional<Account>>> find_account(std::string directory_url);

  database::StoreThread& thread_;
  keyring::KeyRing keys_;  // of the store thread
  std::string holder_;
  std::optional<std::int64_t> fence_;  // of the lease this object took last
};

}  // namespace vault

// The rows of schema.cpp as values: accounts, orders, attempts, certificates with their sealed keys, acknowledgments.
//
// Keys are unsealed only in the calls whose names say so; lists never carry them. A tenant keeps its present
// certificate and the former ones that are still valid (edges may serve them for a while); older rows go away when one
// is added.
//
// Threads: coroutines for the control loop; the work runs on the store thread. Failures are those of database::errc and
// errc::sealed.
#pragma once

#include "acme/crypto/certificate.hpp"
#include "acme/vault/seal.hpp"
#include "base/net/task.hpp"
#include "base/store_thread/store_thread.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vault {

using crypto::Time;

struct CertificateRow {
  std::int64_t sequence = 0;  // rises with every stored certificate of any tenant
  std::int64_t tenant_id = 0;
  std::vector<std::string> names;  // sorted
  std::string fingerprint;
  Time not_before;
  Time not_after;
  std::string directory_url{};  // of the CA that issued it; empty: not known (stored before that was kept)
  std::string ari_id{};         // RFC 9773 section 4.1
};

struct Bundle {
  CertificateRow row;
  std::string chain_pem;
  std::string key_pem;
};

// An order that was begun; it exists from before the first request until after its TXT values are gone.
struct OrderRow {
  std::int64_t tenant_id = 0;
  std::vector<std::string> names;
  std::string directory_url;
  std::string order_url;  // empty until the CA answered newOrder
  std::string csr;        // DER
  std::string key_pem;    // sealed at rest
};

struct Attempt {
  std::int64_t tenant_id = 0;
  std::string directory_url;  // of the CA that refused; empty: holds for every CA
  unsigned failures = 0;      // in a row
  Time not_before;
  std::string detail;
};

struct Acknowledgment {
  std::int64_t tenant_id = 0;
  std::string edge;
  std::int64_t sequence = 0;
  std::string fingerprint;
};

struct Account {
  std::string key_pem;          // sealed at rest
  std::string url;              // empty: not registered yet
  std::string pending_key_pem;  // sealed at rest; of a change of key that was begun and not ended
};

// What the CA said of a certificate's renewal, and when to ask again.
struct SuggestionRow {
  std::int64_t sequence = 0;  // of the certificate
  Time start;
  Time end;
  Time at;
  std::string explanation_url;
  Time ask_again;
};

class Vault {
 public:
  explicit Vault(database::StoreThread& thread) : thread_(thread) {}
  Vault(Vault const&) = delete;
  Vault& operator=(Vault const&) = delete;

  // Must succeed before everything else: loads the master key and makes it when no sealed row needs a former one.
  net::Task<base::Result<void>> open(std::string master_key_file);

  // The account of this CA; its key is made and stored at the first call, before it is ever used.
  net::Task<base::Result<Account>> account(std::string directory_url);
  net::Task<base::Result<void>> set_account_url(std::string directory_url, std::string account_url);

  // Stores the next key beside the present one; end_key_change() puts it in its place, or drops it.
  net::Task<base::Result<void>> begin_key_change(std::string directory_url, std::string key_pem);
  net::Task<base::Result<void>> end_key_change(std::string directory_url, bool taken);

  net::Task<base::Result<void>> save_order(OrderRow order);
  net::Task<base::Result<std::optional<OrderRow>>> find_order(std::int64_t tenant_id);
  net::Task<base::Result<void>> set_order_url(std::int64_t tenant_id, std::string order_url);
  net::Task<base::Result<void>> delete_order(std::int64_t tenant_id);
  net::Task<base::Result<std::vector<std::int64_t>>> tenants_with_rows();  // of any table but the account's

  net::Task<base::Result<std::vector<Attempt>>> attempts();
  net::Task<base::Result<void>> save_attempt(Attempt attempt);

  // Idempotent: the same fingerprint again gives the sequence it has. Clears the tenant's attempts.
  net::Task<base::Result<std::int64_t>> add_certificate(std::int64_t tenant_id, std::string directory_url,
                                                        crypto::Certificate certificate, std::string chain_pem,
                                                        std::string key_pem, Time now);
  // Newest last.
  net::Task<base::Result<std::vector<CertificateRow>>> certificates();
  // The newest of the tenant, with its key; errc::not_found.
  net::Task<base::Result<Bundle>> unsealed_bundle(std::int64_t tenant_id);

  net::Task<base::Result<std::vector<SuggestionRow>>> suggestions();
  // Of a certificate that is gone meanwhile: nothing happens.
  net::Task<base::Result<void>> save_suggestion(SuggestionRow row);

  net::Task<base::Result<std::vector<Acknowledgment>>> acknowledgments();
  // errc::stale unless the tenant has that certificate and it is still valid. An older sequence never replaces a newer
  // one.
  net::Task<base::Result<void>> acknowledge(Acknowledgment acknowledgment, Time now);

  // Everything of a tenant that no longer exists, keys included.
  net::Task<base::Result<void>> forget_tenant(std::int64_t tenant_id);

 private:
  database::StoreThread& thread_;
  std::optional<Sealer> sealer_;
};

}  // namespace vault

// Talks to one CA with one account: directory, nonces, signed requests, registration (RFC 8555 sections 6, 7.1-7.3).
//
// Every answer's Replay-Nonce is kept for the next request; badNonce is retried at once with the nonce of that error,
// at most 10 times. accountDoesNotExist leads to exactly one registration and one more try of the call. A request's
// body is never sent twice on purpose, because its nonce is spent. Every call has a deadline.
//
// Threads: one client belongs to one loop; calls may overlap (registration happens once).
#pragma once

#include "acme/crypto/jws.hpp"
#include "acme/messages/messages.hpp"
#include "acme/protocol/order_machine.hpp"
#include "base/http_client/http_client.hpp"
#include "base/net/task.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace protocol {

struct ClientSettings {
  std::string directory_url;
  std::string ca_bundle;              // PEM file to trust for the CA's HTTPS; empty: the system's roots
  std::vector<std::string> contacts;  // "mailto:ops@example.org"
  std::optional<crypto::ExternalAccount> external;
  std::chrono::milliseconds deadline{30000};  // of one HTTP exchange
};

struct ClientCounters {
  std::uint64_t requests = 0;       // HTTP exchanges, nonces included
  std::uint64_t bad_nonces = 0;     // requests signed once more
  std::uint64_t registrations = 0;  // newAccount calls that gave an account
};

class Client {
 public:
  // `account_url` is what an earlier run learned, or empty: then the account is registered (or found by its key).
  Client(net::asio::any_io_executor executor, ClientSettings settings, crypto::Key account_key,
         std::string account_url);
  Client(Client const&) = delete;
  Client& operator=(Client const&) = delete;

  // Cached for six hours; fetched again after a 404.
  net::Task<base::Result<Directory>> directory();
  // The account's URL, after registration if need be. Persist it when it differs from what was given.
  net::Task<base::Result<std::string>> account();
  // A signed POST; without payload a POST-as-GET. Any HTTP status but the two that are handled here is a success.
  // Failures: those of net::HttpClient, refused (registration), no_account, bad_nonces, bad_key.
  net::Task<base::Result<Answer>> post(std::string url, std::optional<std::string> payload);

  // The window in which the CA would like this certificate to be renewed (RFC 9773); not signed. errc::unavailable
  // when the CA offers none or cannot say now.
  struct RenewalInfo {
    RenewalWindow window;
    std::string retry_after;  // of the answer, as it came
  };
  net::Task<base::Result<RenewalInfo>> renewal_info(std::string ari_id);

  // Gives the account another key (RFC 8555 section 7.3.5); its URL stays. Persist `next` before the call: after a lost
  // answer the CA knows one of the two, and find_account() tells which. Not to be called while other calls are under
  // way. refused when the CA offers no key change or says no.
  net::Task<base::Result<void>> change_key(crypto::Key next);
  // Whether the CA knows an account of `key` (onlyReturnExisting); its URL, or nothing.
  net::Task<base::Result<std::optional<std::string>>> find_account(crypto::Key key);

  // Revokes a certificate that this account ordered (RFC 8555 section 7.6). `der` is the leaf. One that is revoked
  // already is a success. refused when the CA says no, unavailable when it could not say.
  net::Task<base::Result<void>> revoke(std::string der, std::int64_t reason);
  // Says yes to the terms of service as they are now (section 7.3.3).
  net::Task<base::Result<void>> agree_to_terms();

  [[nodiscard]] std::string const& account_url() const { return account_url_; }
  // Of the directory that was fetched last; empty before.
  [[nodiscard]] std::vector<std::string> caa_identities() const {
    return directory_ ? directory_->caa_identities : std::vector<std::string>();
  }
  [[nodiscard]] std::string thumbprint() const { return key_.thumbprint(); }
  [[nodiscard]] ClientCounters counters() const { return counters_; }

 private:
  net::Task<base::Result<std::string>> take_nonce();
  net::Task<base::Result<Answer>> signed_post(std::string url, std::string payload, std::string kid);
  net::Task<base::Result<Answer>> signed_post_by(crypto::Key key, std::string url, std::string payload,
                                                 std::string kid);
  net::Task<base::Result<std::string>> register_account();
  net::Task<base::Result<Answer>> new_account(std::string url, bool only_existing);
  net::Task<base::Result<void>> change(std::string what, std::string url, std::string payload);
  void keep_nonce(net::HttpResponse const& response);

  ClientSettings settings_;
  crypto::Key key_;
  std::string account_url_;
  net::HttpClient http_;
  // Shared with the call that registers, so that a loop which is torn down may free it later than this object.
  struct Registration {
    explicit Registration(net::asio::any_io_executor executor) : ended(executor) {}
    net::Signal ended;
    bool running = false;
  };
  class Turn;
  std::shared_ptr<Registration> registration_;
  std::optional<Directory> directory_;
  std::chrono::steady_clock::time_point directory_until_;
  std::vector<std::string> nonces_;
  ClientCounters counters_;
};

}  // namespace protocol

// One CA as this platform uses it: its settings, the account, and how it has behaved.
//
// The account's key is stored before it is used. A change of key is stored in two steps, the pending key first, so that
// after a crash or a lost answer the CA is asked which of the two it knows.
//
// Threads: belongs to the control loop of the primary; it outlives the coroutines that use it.
#pragma once

#include "acme/challenge/challenge.hpp"
#include "acme/crypto/key.hpp"
#include "acme/protocol/client.hpp"
#include "acme/schedule/limits.hpp"
#include "acme/vault/vault.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace acme {

struct AuthoritySettings {
  std::string directory_url;
  std::string ca_bundle;  // PEM file for the CA's HTTPS; empty: the system's roots
  std::string contact;    // "mailto:ops@example.org", may be empty
  std::optional<crypto::ExternalAccount> external;
  std::string profile;           // ordered when the CA offers it; empty: its default
  std::string preferred_issuer;  // common name the chain shall end with; empty: the CA's first chain
  crypto::KeyType key_type = crypto::KeyType::p256;  // of certificates
  std::chrono::milliseconds call_deadline{30000};
  LimitSettings limits;                                                // its own, as far as they are known
  protocol::ChallengeKind challenge = protocol::ChallengeKind::dns01;  // how names are proved to it
  std::chrono::seconds standing_life{0};  // of a proof that stays; 0: it has no end of its own
};

class Authority {
 public:
  // `vault` must be open and outlive it.
  Authority(net::asio::any_io_executor executor, vault::Vault& vault, AuthoritySettings settings);
  Authority(Authority const&) = delete;
  Authority& operator=(Authority const&) = delete;

  // Loads or makes the account's key, settles a change of key that was interrupted, registers. Cheap once done.
  // Failures: those of Vault and Client.
  net::Task<base::Result<void>> ready();
  // Only after ready() succeeded once. Another client may take its place at any time (the account's key changed), so
  // who asks it something holds it until the answer is there.
  [[nodiscard]] std::shared_ptr<protocol::Client> client() const { return client_; }

  // As far as it is known now; empty before the first ready().
  [[nodiscard]] std::string account_url() const { return client_ == nullptr ? saved_url_ : client_->account_url(); }

  // Stores the account's URL when it changed since; were it lost, the account would be found again by its key.
  net::Task<base::Result<void>> save_account();

  // A new account key. No order may be under way at this CA; ready() waits for it. protocol::errc::refused when the CA
  // will not.
  net::Task<base::Result<void>> change_key();

  [[nodiscard]] AuthoritySettings const& settings() const { return settings_; }
  // What a proof stands at, before the name; empty: not known before the account is (dns-account-01).
  [[nodiscard]] std::string challenge_label() const {
    return protocol::challenge_label(settings_.challenge, account_url());
  }
  // Reads the account of an earlier run, so that account_url() is known; the CA is not asked.
  net::Task<base::Result<void>> recall();
  [[nodiscard]] std::string const& directory_url() const { return settings_.directory_url; }

  std::string last_error;       // of the last failure that was the CA's; empty after a success; the issuer's to write
  std::string action_required;  // where a person must go before it issues again (userActionRequired); empty: nowhere

 private:
  // One caller at a time loads, settles or changes the key. Shared with the caller whose turn it is, so that a loop
  // which is torn down may free it later than this object.
  struct Queue {
    explicit Queue(net::asio::any_io_executor executor) : ended(executor) {}
    net::Signal ended;
    bool taken = false;
    std::optional<base::Failure> failure;  // of the last turn; nothing: it went well, or was cut short
  };
  class Turn;
  using ClientPtr = std::shared_ptr<protocol::Client>;

  net::Task<base::Result<void>> load();
  net::Task<base::Result<ClientPtr>> settle(ClientPtr present, crypto::Key pending);
  net::Task<base::Result<void>> change_key_in_turn();
  net::Task<base::Result<void>> settle_refusal(ClientPtr client, crypto::Key pending, base::Failure refusal);

  net::asio::any_io_executor executor_;
  vault::Vault& vault_;
  AuthoritySettings settings_;
  std::shared_ptr<Queue> queue_;
  ClientPtr client_;
  bool settled_ = false;  // the client's key is known to be the account's
  std::string saved_url_;
};

}  // namespace acme

#include "acme/authority/authority.hpp"

#include "base/process/log.hpp"

namespace acme {
namespace {

constexpr char const* component = "acme";

protocol::ClientSettings client_settings(AuthoritySettings const& settings) {
  protocol::ClientSettings client;
  client.directory_url = settings.directory_url;
  client.ca_bundle = settings.ca_bundle;
  client.external = settings.external;
  client.deadline = settings.call_deadline;
  if (!settings.contact.empty()) {
    client.contacts.push_back(settings.contact);
  }
  return client;
}

}  // namespace

// Frees the turn whatever way it ends, cancellation included.
class Authority::Turn {
 public:
  explicit Turn(std::shared_ptr<Queue> queue) : queue_(std::move(queue)) {
    queue_->taken = true;
    queue_->failure.reset();
  }
  ~Turn() {
    queue_->taken = false;
    queue_->ended.notify();
  }
  Turn(Turn const&) = delete;
  Turn& operator=(Turn const&) = delete;

  void failed(base::Failure failure) { queue_->failure = std::move(failure); }

 private:
  std::shared_ptr<Queue> queue_;
};

Authority::Authority(net::asio::any_io_executor executor, vault::Vault& vault, AuthoritySettings settings)
    : executor_(executor),
      vault_(vault),
      settings_(std::move(settings)),
      queue_(std::make_shared<Queue>(std::move(executor))) {}

net::Task<base::Result<void>> Authority::ready() {
  bool waited = false;
  while (queue_->taken) {
    co_await queue_->ended.wait(settings_.call_deadline);
    waited = true;
  }
  if (!settled_ && waited && queue_->failure) {
    co_return *queue_->failure;  // a CA that stalls costs all that wait for it one deadline, not one each
  }
  if (!settled_) {
    Turn turn(queue_);
    auto const loaded = co_await load();
    if (!loaded) {
      turn.failed(loaded.error());
      co_return loaded;
    }
  }
  ClientPtr const client = client_;
  auto const registered = co_await client->account();
  if (!registered) {
    co_return registered.error();
  }
  co_return base::Result<void>();
}

net::Task<base::Result<void>> Authority::recall() {
  if (client_ == nullptr && saved_url_.empty()) {
    auto const account = co_await vault_.account(settings_.directory_url);
    if (!account) {
      co_return account.error();
    }
    saved_url_ = account->url;
  }
  co_return base::Result<void>();
}

net::Task<base::Result<void>> Authority::load() {
  auto account = co_await vault_.account(settings_.directory_url);
  if (!account) {
    co_return account.error();
  }
  auto key = crypto::Key::from_pem(account->key_pem);
  if (!key) {
    co_return key.error();
  }
  saved_url_ = account->url;
  auto client =
      std::make_shared<protocol::Client>(executor_, client_settings(settings_), std::move(*key), account->url);
  if (!account->pending_key_pem.empty()) {
    auto pending = crypto::Key::from_pem(account->pending_key_pem);
    if (!pending) {
      co_return pending.error();
    }
    auto settled = co_await settle(std::move(client), std::move(*pending));
    if (!settled) {
      co_return settled.error();  // the next call begins anew
    }
    client = std::move(*settled);
  }
  client_ = std::move(client);
  settled_ = true;
  co_return base::Result<void>();
}

// The CA says which of the two keys it took before we stopped.
net::Task<base::Result<Authority::ClientPtr>> Authority::settle(ClientPtr present, crypto::Key pending) {
  auto const url = co_await present->find_account(pending);
  if (!url) {
    co_return url.error();
  }
  auto const kept = co_await vault_.end_key_change(settings_.directory_url, url->has_value());
  if (!kept) {
    co_return kept.error();
  }
  process::log::info(component, "interrupted change of the account's key settled directory={} key={}",
                     settings_.directory_url, url->has_value() ? "new" : "old");
  if (!url->has_value()) {
    co_return present;
  }
  saved_url_ = **url;
  co_return std::make_shared<protocol::Client>(executor_, client_settings(settings_), std::move(pending), **url);
}

net::Task<base::Result<void>> Authority::save_account() {
  if (client_ == nullptr || client_->account_url() == saved_url_ || client_->account_url().empty()) {
    co_return base::Result<void>();
  }
  std::string const url = client_->account_url();
  auto const saved = co_await vault_.set_account_url(settings_.directory_url, url);
  if (saved) {
    saved_url_ = url;
  }
  co_return saved;
}

net::Task<base::Result<void>> Authority::change_key() {
  while (queue_->taken) {
    co_await queue_->ended.wait(settings_.call_deadline);
  }
  Turn turn(queue_);
  auto const changed = co_await change_key_in_turn();
  if (!changed) {
    turn.failed(changed.error());
  }
  co_return changed;
}

net::Task<base::Result<void>> Authority::change_key_in_turn() {
  if (!settled_) {
    auto const loaded = co_await load();
    if (!loaded) {
      co_return loaded;
    }
  }
  auto next = crypto::Key::generate();
  if (!next) {
    co_return next.error();
  }
  ClientPtr const client = client_;
  auto const registered = co_await client->account();
  if (!registered) {
    co_return registered.error();
  }
  auto const begun = co_await vault_.begin_key_change(settings_.directory_url, next->pem());
  if (!begun) {
    co_return begun;
  }
  auto const changed = co_await client->change_key(*next);
  settled_ = false;  // while nobody knows for certain whether the CA took it, ready() asks
  if (!changed && changed.error().code != protocol::errc::refused) {
    co_return changed;
  }
  if (!changed) {
    co_return co_await settle_refusal(client, std::move(*next), changed.error());
  }
  auto const ended = co_await vault_.end_key_change(settings_.directory_url, true);
  settled_ = ended.has_value();
  co_return ended;
}

// A refusal may be that of a repetition, behind a request that was done: whatever stands between us and the CA may have
// sent it twice. The pending key is the account's only one then, so it goes when the CA says that it does not know it.
net::Task<base::Result<void>> Authority::settle_refusal(ClientPtr client, crypto::Key pending, base::Failure refusal) {
  auto settled = co_await settle(client, std::move(pending));
  if (!settled) {
    process::log::warning(component, "the CA refused a change of key and does not say which it knows error=\"{}\"",
                          settled.error().what());
    co_return refusal;
  }
  settled_ = true;
  if (*settled == client) {
    co_return refusal;
  }
  client_ = std::move(*settled);
  co_return base::Result<void>();
}

}  // namespace acme

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

Authority::Authority(net::asio::any_io_executor executor, vault::Vault& vault, AuthoritySettings settings)
    : executor_(std::move(executor)), vault_(vault), settings_(std::move(settings)) {}

net::Task<base::Result<void>> Authority::ready() {
  if (client_ == nullptr) {
    auto const loaded = co_await load();
    if (!loaded) {
      co_return loaded;
    }
  }
  auto const registered = co_await client_->account();
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
  if (client_ == nullptr) {  // another order may have been faster
    saved_url_ = account->url;
    client_ = std::make_unique<protocol::Client>(executor_, client_settings(settings_), std::move(*key), account->url);
  }
  if (!account->pending_key_pem.empty()) {
    auto pending = crypto::Key::from_pem(account->pending_key_pem);
    if (!pending) {
      co_return pending.error();
    }
    auto const settled = co_await settle(std::move(*pending));
    if (!settled) {
      client_.reset();  // the next call begins anew
      co_return settled;
    }
  }
  co_return base::Result<void>();
}

// The CA says which of the two keys it took before we stopped.
net::Task<base::Result<void>> Authority::settle(crypto::Key pending) {
  auto const url = co_await client_->find_account(pending);
  if (!url) {
    co_return url.error();
  }
  auto const kept = co_await vault_.end_key_change(settings_.directory_url, url->has_value());
  if (!kept) {
    co_return kept;
  }
  process::log::info(component, "interrupted change of the account's key settled directory={} key={}",
                     settings_.directory_url, url->has_value() ? "new" : "old");
  if (url->has_value()) {
    saved_url_ = **url;
    client_ = std::make_unique<protocol::Client>(executor_, client_settings(settings_), std::move(pending), **url);
  }
  co_return base::Result<void>();
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
  auto const present = co_await ready();
  if (!present) {
    co_return present;
  }
  auto next = crypto::Key::generate();
  if (!next) {
    co_return next.error();
  }
  auto const begun = co_await vault_.begin_key_change(settings_.directory_url, next->pem());
  if (!begun) {
    co_return begun;
  }
  auto const changed = co_await client_->change_key(*next);
  if (!changed && changed.error().code != protocol::errc::refused) {
    client_.reset();  // nobody knows whether the CA took it: ready() asks
    co_return changed;
  }
  auto const ended = co_await vault_.end_key_change(settings_.directory_url, changed.has_value());
  if (!ended) {
    client_.reset();
    co_return ended;
  }
  co_return changed;
}

}  // namespace acme

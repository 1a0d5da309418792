// One order of the Issuer: performs what the order machine says, and books the outcome.
#include "acme/crypto/csr.hpp"
#include "acme/issuer.hpp"
#include "base/process/log.hpp"

#include <algorithm>

namespace acme {
namespace {

using crypto::wall_now;
using protocol::FailureClass;
using protocol::Outcome;
using std::chrono::milliseconds;

constexpr char const* component = "acme";

protocol::Event event_of(base::Result<void> const& result) {
  if (!result) {
    return protocol::Refused{result.error().what()};
  }
  return protocol::Done{};
}

// The CA was not reached, or could not be understood: which class of failure is that?
Outcome outcome_of(base::Failure const& failure) {
  Outcome outcome;
  outcome.detail = failure.what();
  outcome.keep_order = true;
  bool const refused = failure.code == protocol::errc::refused || failure.code == protocol::errc::no_account;
  outcome.failure = refused ? FailureClass::account : FailureClass::transient;
  return outcome;
}

}  // namespace

net::Task<base::Result<void>> Issuer::ensure_client() {
  if (client_ == nullptr) {
    auto account = co_await vault_.account(settings_.directory_url);
    if (!account) {
      co_return account.error();
    }
    auto key = crypto::Key::from_pem(account->key_pem);
    if (!key) {
      co_return key.error();
    }
    protocol::ClientSettings client;
    client.directory_url = settings_.directory_url;
    client.ca_bundle = settings_.ca_bundle;
    client.external = settings_.external;
    client.deadline = settings_.call_deadline;
    if (!settings_.contact.empty()) {
      client.contacts.push_back(settings_.contact);
    }
    if (client_ == nullptr) {  // another order may have been faster
      saved_account_url_ = account->url;
      client_ = std::make_unique<protocol::Client>(executor_, std::move(client), std::move(*key), account->url);
    }
  }
  auto const registered = co_await client_->account();
  if (!registered) {
    co_return registered.error();
  }
  co_return base::Result<void>();
}

net::Task<void> Issuer::issue(std::int64_t tenant_id, std::shared_ptr<Flight> flight) {
  auto const subject = subjects_.find(tenant_id);
  if (subject == subjects_.end()) {
    co_return;
  }
  std::vector<std::string> const names = subject->second.names;
  auto result = co_await order(tenant_id, names);
  // The account's URL is stored whenever it changed; were it lost, the account would be found again by its key.
  if (client_ != nullptr && client_->account_url() != saved_account_url_ && !client_->account_url().empty()) {
    std::string const url = client_->account_url();
    auto const saved = co_await vault_.set_account_url(settings_.directory_url, url);
    if (saved) {
      saved_account_url_ = url;
    }
  }
  co_await conclude(tenant_id, std::move(result));
  flight.reset();
  poke();
}

// The stored order of the tenant when it is for the same names and CA, else a new one with a new key.
net::Task<base::Result<vault::OrderRow>> Issuer::prepare(std::int64_t tenant_id, std::vector<std::string> names) {
  auto stored = co_await vault_.find_order(tenant_id);
  if (!stored) {
    co_return stored.error();
  }
  if (*stored && (*stored)->names == names && (*stored)->directory_url == settings_.directory_url) {
    co_return std::move(**stored);
  }
  if (*stored) {
    auto const swept = co_await dns01_.unpublish(challenge_owner(tenant_id));
    if (!swept) {
      co_return swept.error();
    }
  }
  auto const key = crypto::Key::generate();
  if (!key) {
    co_return key.error();
  }
  auto csr = crypto::make_csr(*key, names);
  if (!csr) {
    co_return csr.error();
  }
  vault::OrderRow row{tenant_id, std::move(names), settings_.directory_url, {}, std::move(*csr), key->pem()};
  auto const saved = co_await vault_.save_order(row);
  if (!saved) {
    co_return saved.error();
  }
  co_return row;
}

net::Task<base::Result<Outcome>> Issuer::order(std::int64_t tenant_id, std::vector<std::string> names) {
  auto const ready = co_await ensure_client();
  if (!ready) {
    co_return ready.error();
  }
  auto const places = co_await client_->directory();
  if (!places) {
    co_return places.error();
  }
  auto row = co_await prepare(tenant_id, std::move(names));
  if (!row) {
    co_return row.error();
  }
  auto key = crypto::Key::from_pem(row->key_pem);
  if (!key) {
    co_return key.error();
  }
  protocol::OrderPlan plan{row->names,        std::move(*key), row->csr, client_->thumbprint(),
                           places->new_order, row->order_url};
  protocol::OrderMachine machine(std::move(plan), settings_.order);
  protocol::Event event = protocol::Begin{};
  for (;;) {
    protocol::Action action = machine.resume(event, wall_now());
    if (auto const* const finish = std::get_if<protocol::Finish>(&action)) {
      co_return finish->outcome;
    }
    event = co_await perform(std::move(action), *row);
  }
}

net::Task<protocol::Event> Issuer::perform(protocol::Action action, vault::OrderRow row) {
  if (auto* const request = std::get_if<protocol::Post>(&action)) {
    co_return co_await post(std::move(*request));
  }
  if (auto const* const save = std::get_if<protocol::SaveOrder>(&action)) {
    co_return event_of(co_await vault_.set_order_url(row.tenant_id, save->order_url));
  }
  if (auto* const publish = std::get_if<protocol::Publish>(&action)) {
    auto const begun = std::chrono::steady_clock::now();
    auto const published = co_await dns01_.publish(challenge_owner(row.tenant_id), std::move(publish->values));
    std::chrono::duration<double> const waited = std::chrono::steady_clock::now() - begun;
    metrics_.counter("navigator_acme_gate_seconds_total", "Time spent waiting for the sites").add(waited.count());
    co_return event_of(published);
  }
  if (std::holds_alternative<protocol::Unpublish>(action)) {
    co_return event_of(co_await dns01_.unpublish(challenge_owner(row.tenant_id)));
  }
  if (auto const* const wait = std::get_if<protocol::WaitUntil>(&action)) {
    co_await net::wait_for(std::max(wait->until - wall_now(), milliseconds(0)));
    co_return protocol::Done{};
  }
  if (auto* const store = std::get_if<protocol::StoreCertificate>(&action)) {
    auto const sequence = co_await vault_.add_certificate(row.tenant_id, store->certificate,
                                                          std::move(store->chain_pem), row.key_pem, wall_now());
    if (!sequence) {
      co_return protocol::Refused{sequence.error().what()};
    }
    process::log::info(component, "certificate stored tenant_id={} names={} sequence={} fingerprint={}", row.tenant_id,
                       row.names.back(), *sequence, store->certificate.fingerprint);
    if (changed_) {
      changed_();
    }
    co_return protocol::Done{};
  }
  base::invariant_broken("an action nobody performs", __FILE__, __LINE__);
}

net::Task<protocol::Event> Issuer::post(protocol::Post request) {
  auto answer = co_await client_->post(std::move(request.url), std::move(request.payload));
  if (!answer) {
    co_return protocol::Lost{answer.error().what()};
  }
  co_return std::move(*answer);
}

net::Task<void> Issuer::conclude(std::int64_t tenant_id, base::Result<Outcome> result) {
  Outcome outcome;
  if (result) {
    outcome = std::move(*result);
  } else {
    outcome = outcome_of(result.error());
  }
  bool const good = outcome.failure == FailureClass::none;
  metrics_
      .counter("navigator_acme_orders_total", "Orders by outcome",
               {{"outcome", good ? "issued" : name(outcome.failure)}})
      .add();
  // A row that stays is continued by the next attempt, or swept when its tenant is gone.
  if (!outcome.keep_order && outcome.cleaned) {
    auto const deleted = co_await vault_.delete_order(tenant_id);
    if (!deleted) {
      process::log::warning(component, "order row stays tenant_id={} error=\"{}\"", tenant_id, deleted.error().what());
    }
  }
  if (good) {
    attempts_.erase(tenant_id);
    co_return;
  }
  vault::Attempt& attempt = attempts_[tenant_id];
  attempt.tenant_id = tenant_id;
  attempt.failures += outcome.failure == FailureClass::deferred ? 0 : 1;
  attempt.detail = std::string(name(outcome.failure)) + ": " + outcome.detail;
  attempt.not_before =
      outcome.not_before.value_or(wall_now() + pause_after(outcome.failure, attempt.failures, settings_.first_retry));
  process::log::warning(component, "no certificate tenant_id={} failures={} error=\"{}\"", tenant_id, attempt.failures,
                        attempt.detail);
  auto const saved = co_await vault_.save_attempt(attempt);
  if (!saved) {
    process::log::warning(component, "attempt not stored tenant_id={} error=\"{}\"", tenant_id, saved.error().what());
  }
}

}  // namespace acme

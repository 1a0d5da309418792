// One order of the Issuer: performs what the order machine says, and books the outcome.
#include "acme/crypto/csr.hpp"
#include "acme/gate/caa.hpp"
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

net::Task<void> Issuer::issue(std::int64_t tenant_id, std::size_t place) {
  Authority& authority = *authorities_[place];
  Outcome gone;
  gone.failure = FailureClass::deferred;
  gone.detail = "the tenant is gone";
  base::Result<Outcome> result = std::move(gone);
  if (auto const subject = subjects_.find(tenant_id); subject != subjects_.end()) {
    result = co_await order(tenant_id, subject->second, authority);
    auto const saved = co_await authority.save_account();
    if (!saved) {
      process::log::warning(component, "account not stored error=\"{}\"", saved.error().what());
    }
  }
  co_await conclude(tenant_id, place, std::move(result));
  poke();
}

// The stored order of the tenant when it is for the same names and CA, else a new one with a new key.
net::Task<base::Result<vault::OrderRow>> Issuer::prepare(std::int64_t tenant_id, std::vector<std::string> names,
                                                         std::string directory_url) {
  auto stored = co_await vault_.find_order(tenant_id);
  if (!stored) {
    co_return stored.error();
  }
  if (*stored && (*stored)->names == names && (*stored)->directory_url == directory_url) {
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
  vault::OrderRow row{tenant_id, std::move(names), std::move(directory_url), {}, std::move(*csr), key->pem()};
  auto const saved = co_await vault_.save_order(row);
  if (!saved) {
    co_return saved.error();
  }
  co_return row;
}

// CAA of our own zones only: what others say of their names is the CA's to look up.
std::string Issuer::caa_refusal_of(std::vector<std::string> const& names, protocol::Directory const& places,
                                   Authority& authority) const {
  auto const snapshot = store_.published().copy();
  CaaLookup const lookup = [&snapshot](std::string const& text) {
    std::vector<std::string> contents;
    auto const name = dns::Name::parse(text);
    auto const zone = name ? snapshot->enclosing(*name) : nullptr;
    auto const entry = zone == nullptr ? nullptr : zone->find(*name);
    if (entry != nullptr && !entry->below_cut) {
      for (dns::RRset const& rrset : entry->rrsets) {
        if (rrset.type == dns::type_caa) {
          contents.insert(contents.end(), rrset.contents.begin(), rrset.contents.end());
        }
      }
    }
    return contents;
  };
  CaaQuestion const question{places.caa_identities, authority.client().account_url(), "dns-01"};
  for (std::string const& name : names) {
    if (std::string why = caa_refusal(name, question, lookup); !why.empty()) {
      return why;
    }
  }
  return {};
}

net::Task<base::Result<Outcome>> Issuer::order(std::int64_t tenant_id, Subject subject, Authority& authority) {
  auto const ready = co_await authority.ready();
  if (!ready) {
    co_return ready.error();
  }
  auto const places = co_await authority.client().directory();
  if (!places) {
    co_return places.error();
  }
  if (std::string const forbidden = caa_refusal_of(subject.names, *places, authority); !forbidden.empty()) {
    Outcome outcome;
    outcome.failure = FailureClass::policy;
    outcome.detail = forbidden;
    outcome.keep_order = true;  // an earlier run may have begun one
    co_return outcome;
  }
  auto row = co_await prepare(tenant_id, subject.names, authority.directory_url());
  if (!row) {
    co_return row.error();
  }
  auto key = crypto::Key::from_pem(row->key_pem);
  if (!key) {
    co_return key.error();
  }
  protocol::OrderPlan plan = plan_of(*row, std::move(*key), subject, *places, authority);
  protocol::OrderMachine machine(std::move(plan), settings_.order);
  protocol::Event event = protocol::Begin{};
  for (;;) {
    protocol::Action action = machine.resume(event, wall_now());
    if (auto const* const finish = std::get_if<protocol::Finish>(&action)) {
      co_return finish->outcome;
    }
    if (!leads()) {  // whoever does continues it
      Outcome outcome;
      outcome.failure = FailureClass::deferred;
      outcome.detail = "another Navigator issues certificates now";
      outcome.keep_order = true;
      co_return outcome;
    }
    event = co_await perform(std::move(action), *row, authority);
  }
}

protocol::OrderPlan Issuer::plan_of(vault::OrderRow const& row, crypto::Key key, Subject const& subject,
                                    protocol::Directory const& places, Authority& authority) const {
  AuthoritySettings const& wishes = authority.settings();
  protocol::OrderPlan plan{row.names,         std::move(key), row.csr, authority.client().thumbprint(),
                           places.new_order, row.order_url};
  plan.preferred_issuer = wishes.preferred_issuer;
  if (places.profiles.contains(wishes.profile)) {
    plan.profile = wishes.profile;
  }
  // Only the CA that issued a certificate knows its identifier; another one would refuse the order.
  if (subject.certificate && subject.certificate->directory_url == authority.directory_url() &&
      !places.renewal_info.empty()) {
    plan.replaces = subject.certificate->ari_id;
  }
  return plan;
}

net::Task<protocol::Event> Issuer::perform(protocol::Action action, vault::OrderRow row, Authority& authority) {
  if (auto* const request = std::get_if<protocol::Post>(&action)) {
    co_return co_await post(std::move(*request), authority);
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
    co_return co_await keep(std::move(*store), std::move(row));
  }
  base::invariant_broken("an action nobody performs", __FILE__, __LINE__);
}

net::Task<protocol::Event> Issuer::keep(protocol::StoreCertificate issued, vault::OrderRow row) {
  auto const sequence = co_await vault_.add_certificate(row.tenant_id, row.directory_url, issued.certificate,
                                                        std::move(issued.chain_pem), row.key_pem, wall_now());
  if (!sequence) {
    co_return protocol::Refused{sequence.error().what()};
  }
  crypto::Certificate const& certificate = issued.certificate;
  process::log::info(component, "certificate stored tenant_id={} names={} sequence={} fingerprint={}", row.tenant_id,
                     row.names.back(), *sequence, certificate.fingerprint);
  auto const subject = subjects_.find(row.tenant_id);
  if (subject != subjects_.end() && subject->second.names == certificate.names) {
    hold(row.tenant_id,
         vault::CertificateRow{*sequence, row.tenant_id, certificate.names, certificate.fingerprint,
                               certificate.not_before, certificate.not_after, row.directory_url, certificate.ari_id});
  }
  if (changed_) {
    changed_();
  }
  co_return protocol::Done{};
}

net::Task<protocol::Event> Issuer::post(protocol::Post request, Authority& authority) {
  auto answer = co_await authority.client().post(std::move(request.url), std::move(request.payload));
  if (!answer) {
    co_return protocol::Lost{answer.error().what()};
  }
  co_return std::move(*answer);
}

net::Task<void> Issuer::conclude(std::int64_t tenant_id, std::size_t place, base::Result<Outcome> result) {
  Authority& authority = *authorities_[place];
  Outcome outcome;
  if (result) {
    outcome = std::move(*result);
  } else {
    outcome = outcome_of(result.error());
  }
  bool const good = outcome.failure == FailureClass::none;
  flights_.erase(tenant_id);
  auto const parked = planner_->ended(tenant_id, place, {outcome.failure, outcome.not_before}, wall_now());
  if (!leads()) {
    co_return;
  }
  if (good) {
    forget_attempts(tenant_id);
  }
  if (outcome.failure != FailureClass::deferred) {
    authority.last_error = outcome.failure == FailureClass::transient ? outcome.detail : std::string();
  }
  if (outcome.problem == "userActionRequired") {
    authority.last_error = outcome.detail;
    authority.action_required = outcome.instance.empty() ? "the CA's website" : outcome.instance;
    planner_->block(place, true);
  }
  metrics_
      .counter("navigator_acme_orders_total", "Orders by outcome and authority",
               {{"outcome", good ? "issued" : name(outcome.failure)}, {"authority", authority.directory_url()}})
      .add();
  if (!outcome.problem.empty()) {
    metrics_
        .counter("navigator_acme_problems_total", "Orders that failed, by the CA's own type of problem",
                 {{"type", outcome.problem}, {"authority", authority.directory_url()}})
        .add();
  }
  for (std::string const& note : outcome.notes) {
    process::log::info(component, "order tenant_id={} authority={} note=\"{}\"", tenant_id, authority.directory_url(),
                       note);
  }
  // A row that stays is continued by the next attempt, or swept when its tenant is gone.
  if (!outcome.keep_order && outcome.cleaned) {
    auto const deleted = co_await vault_.delete_order(tenant_id);
    if (!deleted) {
      process::log::warning(component, "order row stays tenant_id={} error=\"{}\"", tenant_id, deleted.error().what());
    }
  }
  co_await book(tenant_id, place, std::move(outcome), parked);
}

// What is remembered of an attempt: for the status, for `cert why`, and over restarts.
net::Task<void> Issuer::book(std::int64_t tenant_id, std::size_t place, Outcome outcome,
                             std::optional<Parked> parked) {
  std::string const& authority = authorities_[place]->directory_url();
  bool const good = outcome.failure == FailureClass::none;
  vault::Event event{tenant_id, wall_now(), authority, good ? "issued" : name(outcome.failure), outcome.detail};
  auto const added = co_await vault_.add_event(std::move(event));
  if (!added) {
    process::log::warning(component, "event not stored error=\"{}\"", added.error().what());
  }
  if (good || !parked) {
    co_return;  // without a place the tenant went away meanwhile
  }
  std::string const directory_url = parked->authority ? authority : std::string();
  vault::Attempt const attempt{tenant_id, directory_url, parked->failures, parked->until,
                               std::string(name(outcome.failure)) + ": " + outcome.detail};
  attempts_[{tenant_id, directory_url}] = attempt;
  process::log::warning(component, "no certificate tenant_id={} authority={} failures={} error=\"{}\"", tenant_id,
                        authority, attempt.failures, attempt.detail);
  auto const saved = co_await vault_.save_attempt(attempt);
  if (!saved) {
    process::log::warning(component, "attempt not stored tenant_id={} error=\"{}\"", tenant_id, saved.error().what());
  }
}

}  // namespace acme

#include "acme/ordering/ordering.hpp"

#include "acme/crypto/csr.hpp"
#include "acme/gate/caa.hpp"
#include "acme/subjects/subjects.hpp"
#include "base/process/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <memory>

namespace acme {
namespace {

using crypto::wall_now;
using protocol::FailureClass;
using protocol::Outcome;
using std::chrono::milliseconds;

constexpr char const* component = "acme";
// Of a domain that leads elsewhere: its owner must act, and dns-backend/domain_watch says when he did.
constexpr std::chrono::minutes objection_pause{10};

protocol::Event event_of(base::Result<void> const& result) {
  if (!result) {
    return protocol::Refused{result.error().what()};
  }
  return protocol::Done{};
}

std::string owner_of(Job const& job) {
  return order_owner(job.subject.tenant_id, job.subject.id);
}

std::string standing_owner_of(Job const& job, Authority const& authority) {
  return standing_owner(job.subject.tenant_id, job.subject.id, authority.directory_url());
}

Outcome not_asked(FailureClass failure, std::string detail) {
  Outcome outcome;
  outcome.failure = failure;
  outcome.detail = std::move(detail);
  outcome.keep_order = true;  // an earlier run may have begun one
  outcome.asked = false;
  return outcome;
}

// The CA was not reached, or could not be understood: which class of failure is that?
Outcome outcome_of(base::Failure const& failure) {
  Outcome outcome;
  outcome.detail = failure.what();
  if (failure.code == net::errc::certificate) {
    outcome.detail = "the CA's TLS certificate is not trusted here, see ca_bundle of this CA: " + outcome.detail;
  }
  outcome.keep_order = true;
  outcome.asked = false;
  bool const refused = failure.code == protocol::errc::refused || failure.code == protocol::errc::no_account;
  outcome.failure = refused ? FailureClass::account : FailureClass::transient;
  return outcome;
}

// Counts while it lives, whatever way that ends: also in a coroutine that the end of the loop finds, behind its
// Ordering.
class Counted {
 public:
  explicit Counted(std::shared_ptr<int> count) : count_(std::move(count)) { ++*count_; }
  ~Counted() { --*count_; }
  Counted(Counted const&) = delete;
  Counted& operator=(Counted const&) = delete;

 private:
  std::shared_ptr<int> count_;
};

protocol::OrderPlan plan_of(vault::OrderRow const& row, crypto::Key key,
                            std::optional<vault::CertificateRow> const& replaced, protocol::Directory const& places,
                            Authority& authority) {
  AuthoritySettings const& wishes = authority.settings();
  protocol::OrderPlan plan{row.names,        std::move(key), row.csr, authority.client()->thumbprint(),
                           places.new_order, row.order_url};
  plan.preferred_issuer = wishes.preferred_issuer;
  plan.challenge = wishes.challenge;
  plan.account_url = authority.account_url();
  plan.perhaps_placed = row.begun;
  plan.standing_life = wishes.standing_life;
  if (places.profiles.contains(wishes.profile)) {
    plan.profile = wishes.profile;
  }
  // Only the CA that issued a certificate knows its identifier; another one would refuse the order.
  if (replaced && replaced->directory_url == authority.directory_url() && !places.renewal_info.empty()) {
    plan.replaces = replaced->ari_id;
  }
  return plan;
}

}  // namespace

net::Task<base::Result<crypto::Key>> Ordering::make_key(crypto::KeyType type) {
  if (type == crypto::KeyType::p256 || type == crypto::KeyType::p384) {
    co_return crypto::Key::generate(type);
  }
  // Asio hands over what can be made without a value.
  using Made = std::shared_ptr<base::Result<crypto::Key>>;
  auto const make = [](crypto::KeyType wanted) -> net::Task<Made> {
    co_return std::make_shared<base::Result<crypto::Key>>(crypto::Key::generate(wanted));
  };
  Made const made = co_await net::asio::co_spawn(keys_, make(type), net::asio::use_awaitable);
  co_return std::move(*made);
}

net::Task<base::Result<Ordering::Fresh>> Ordering::fresh_order(Job const& job, AuthoritySettings const& wishes) {
  auto key = co_await make_key(wishes.key_type);
  if (!key) {
    co_return key.error();
  }
  auto csr = crypto::make_csr(*key, job.names);
  if (!csr) {
    co_return csr.error();
  }
  vault::OrderRow row{job.subject.id, job.names, wishes.directory_url, {}, std::move(*csr), key->pem()};
  co_return Fresh(std::move(row), std::move(*key));
}

// The stored order of the subject when it is for the same names and CA, else a new one with a new key.
net::Task<base::Result<vault::OrderRow>> Ordering::prepare(Job const& job, AuthoritySettings const& wishes) {
  auto stored = co_await of_.vault.find_order(job.subject.id, wishes.directory_url);
  if (!stored) {
    co_return stored.error();
  }
  if (*stored && (*stored)->names == job.names) {
    co_return std::move(**stored);
  }
  // Of another order of the subject, for other names or at another CA, values may be left.
  std::string owner = owner_of(job);
  auto const swept = co_await of_.dns01.unpublish(std::move(owner));
  if (!swept) {
    co_return swept.error();
  }
  auto fresh = co_await fresh_order(job, wishes);
  if (!fresh) {
    co_return fresh.error();
  }
  auto const saved = co_await of_.vault.save_order(fresh->first);
  if (!saved) {
    co_return saved.error();
  }
  co_return std::move(fresh->first);
}

// What zones that are not ours say, of a domain and above it, and above our own names. Our own wait for nobody's name
// servers: where those above cannot be asked, the CA decides.
net::Task<base::Result<CaaFound>> Ordering::caa_elsewhere(Job const& job, protocol::Directory const& places) const {
  if (!of_.caa_look) {
    co_return CaaFound();
  }
  if (job.domain_id != 0) {
    std::string name = job.subject.name;
    co_return co_await of_.caa_look(job.subject.tenant_id, std::move(name));
  }
  std::string above = first_elsewhere(*of_.store.published().copy(), job.subject.name);
  if (above.empty() || places.caa_identities.empty()) {
    co_return CaaFound();
  }
  std::string asked = above;
  auto found = co_await of_.caa_look(0, std::move(asked));
  if (!found) {
    process::log::warning(component, "CAA records above our zones are not known name={} error=\"{}\"", above,
                          found.error().what());
    co_return CaaFound();
  }
  co_return found;
}

std::string Ordering::caa_refusal_of(std::vector<std::string> const& names, protocol::Directory const& places,
                                     Authority& authority, CaaFound const& elsewhere) const {
  auto const snapshot = of_.store.published().copy();
  CaaLookup const lookup = [&snapshot, &elsewhere](std::string const& text) {
    auto const seen = elsewhere.find(text);
    return seen != elsewhere.end() ? seen->second : caa_contents(*snapshot, text);
  };
  CaaQuestion const question{places.caa_identities, authority.client()->account_url(),
                             protocol::name(authority.settings().challenge)};
  for (std::string const& name : names) {
    if (std::string why = caa_refusal(name, question, lookup); !why.empty()) {
      return why;
    }
  }
  return {};
}

net::Task<std::optional<Outcome>> Ordering::obstacle(Job const& job, protocol::Directory const& places,
                                                     Authority& authority) {
  if (of_.publish_caa) {  // before anybody looks at them
    CaaIssuer issuer = issuer_of(places, authority);
    auto const admitted = co_await caa_.admit(std::move(issuer));
    if (!admitted) {
      co_return not_asked(FailureClass::deferred, "not every site has the CAA records: " + admitted.error().what());
    }
  }
  if (job.domain_id != 0 && of_.look) {
    std::string name = job.subject.name;
    std::string label = authority.challenge_label();
    auto seen = co_await of_.look(job.domain_id, std::move(name), std::move(label));
    if (!seen) {
      Outcome outcome = not_asked(FailureClass::deferred, seen.error().what());
      outcome.unseen = seen.error().code != store::errc::too_many;  // that is no answer of its own
      co_return outcome;
    }
    if (!seen->objection.empty()) {
      Outcome outcome = not_asked(seen->here_only ? FailureClass::policy : FailureClass::deferred, seen->objection);
      outcome.unseen = seen->passing && !seen->here_only;
      if (!seen->passing) {
        outcome.not_before = wall_now() + objection_pause;
      }
      co_return outcome;
    }
  }
  auto const elsewhere = co_await caa_elsewhere(job, places);
  if (!elsewhere) {
    Outcome outcome = not_asked(FailureClass::deferred, "lookup_failed: " + elsewhere.error().detail);
    outcome.unseen = elsewhere.error().code != store::errc::too_many;  // that is no answer of its own
    co_return outcome;
  }
  std::string const forbidden = caa_refusal_of(job.names, places, authority, *elsewhere);
  co_return forbidden.empty() ? std::nullopt : std::optional(not_asked(FailureClass::policy, forbidden));
}

CaaIssuer Ordering::issuer_of(protocol::Directory const& places, Authority& authority) {
  return {authority.directory_url(), places.caa_identities, authority.client()->account_url(),
          protocol::name(authority.settings().challenge)};
}

net::Task<base::Result<void>> Ordering::keep_caa(std::set<std::string> directories) {
  if (!of_.publish_caa) {
    directories.clear();
  }
  co_return co_await caa_.keep(std::move(directories));
}

net::Task<base::Result<void>> Ordering::announce(Authority& authority) {
  if (!of_.publish_caa) {
    co_return base::Result<void>();
  }
  auto const ready = co_await authority.ready();
  if (!ready) {
    co_return ready;
  }
  auto const client = authority.client();
  auto const places = co_await client->directory();
  if (!places) {
    co_return places.error();
  }
  CaaIssuer issuer = issuer_of(*places, authority);
  co_return co_await caa_.admit(std::move(issuer));
}

net::Task<base::Result<void>> Ordering::sweep(std::set<std::string> standing) {
  std::set<std::string> none;
  if (auto const swept = co_await of_.dns01.sweep(rehearsal_infix, std::move(none)); !swept) {
    co_return swept;
  }
  if (auto const swept = co_await of_.dns01.sweep(standing_infix, std::move(standing)); !swept) {
    co_return swept;
  }
  auto const subjects = co_await of_.vault.ordering();
  if (!subjects) {
    co_return subjects.error();
  }
  std::set<std::string> orders;
  for (auto const& [id, directory_url] : *subjects) {
    orders.insert(std::to_string(id));
  }
  co_return co_await of_.dns01.sweep(order_infix, std::move(orders));
}

net::Task<Outcome> Ordering::place(Job job, Authority& authority, std::function<bool()> may_go_on,
                                   std::function<void()> placed, std::function<void(vault::CertificateRow)> stored) {
  auto outcome =
      co_await try_to_place(std::move(job), authority, std::move(may_go_on), std::move(placed), std::move(stored));
  auto const saved = co_await authority.save_account();
  if (!saved) {
    process::log::warning(component, "account not stored error=\"{}\"", saved.error().what());
  }
  co_return outcome ? std::move(*outcome) : outcome_of(outcome.error());
}

net::Task<base::Result<Outcome>> Ordering::try_to_place(Job job, Authority& authority, std::function<bool()> may_go_on,
                                                        std::function<void()> placed,
                                                        std::function<void(vault::CertificateRow)> stored) {
  auto const ready = co_await authority.ready();
  if (!ready) {
    co_return ready.error();
  }
  auto const client = authority.client();
  auto const places = co_await client->directory();
  if (!places) {
    co_return places.error();
  }
  auto hindered = co_await obstacle(job, *places, authority);
  if (hindered) {
    co_return std::move(*hindered);
  }
  auto row = co_await prepare(job, authority.settings());
  if (!row) {
    co_return row.error();
  }
  auto key = crypto::Key::certificate_key_from_pem(row->key_pem);
  if (!key) {
    co_return key.error();
  }
  protocol::OrderPlan plan = plan_of(*row, std::move(*key), job.certificate, *places, authority);
  protocol::OrderMachine machine(std::move(plan), of_.limits);
  protocol::Event event = protocol::Begin{};
  std::optional<Counted> placing;
  for (;;) {
    protocol::Action action = machine.resume(event, wall_now());
    if (auto const* const finish = std::get_if<protocol::Finish>(&action)) {
      co_return finish->outcome;
    }
    bool const saves = std::holds_alternative<protocol::SaveOrder>(action);
    if (!may_go_on() && !saves) {  // whoever does continues it
      Outcome outcome;
      outcome.failure = FailureClass::deferred;
      outcome.detail = "another Navigator issues certificates now";
      outcome.keep_order = true;
      outcome.asked = false;
      co_return outcome;
    }
    if (saves) {
      placed();
    }
    auto const* const request = std::get_if<protocol::Post>(&action);
    if (request != nullptr && request->url == places->new_order) {
      placing.emplace(placing_);
    } else if (!saves) {
      placing.reset();
    }
    event = co_await perform(std::move(action), *row, job, authority, stored);
  }
}

net::Task<protocol::Event> Ordering::publish(std::string owner, protocol::Publish proof, Job const& job,
                                             Authority& authority) {
  for (protocol::TxtValue& value : proof.values) {
    value.name = job.challenge_name.empty() ? value.name : job.challenge_name;
  }
  auto const begun = std::chrono::steady_clock::now();
  std::vector<Expected> beside;
  if (of_.publish_caa) {
    // Registered anew since the order began, the account has another URL.
    auto const client = authority.client();
    auto const places = co_await client->directory();
    if (!places) {
      co_return protocol::Refused{places.error().what()};
    }
    CaaIssuer const issuer = issuer_of(*places, authority);
    auto const admitted = co_await caa_.admit(issuer);
    if (!admitted) {
      co_return event_of(admitted);
    }
    beside = caa_.expected(job.subject.name, issuer);
  }
  auto task = proof.standing ? of_.dns01.keep(std::move(owner), std::move(proof.values), std::move(beside))
                             : of_.dns01.publish(std::move(owner), std::move(proof.values), std::move(beside));
  auto const published = co_await std::move(task);
  std::chrono::duration<double> const waited = std::chrono::steady_clock::now() - begun;
  of_.metrics.counter("navigator_acme_gate_seconds_total", "Time spent waiting for the sites").add(waited.count());
  co_return event_of(published);
}

net::Task<protocol::Event> Ordering::perform(protocol::Action action, vault::OrderRow row, Job const& job,
                                             Authority& authority,
                                             std::function<void(vault::CertificateRow)> const& stored) {
  if (auto* const request = std::get_if<protocol::Post>(&action)) {
    co_return co_await post(std::move(*request), authority);
  }
  if (auto const* const save = std::get_if<protocol::SaveOrder>(&action)) {
    co_return event_of(co_await of_.vault.set_order_url(row.subject_id, row.directory_url, save->order_url));
  }
  if (auto* const proof = std::get_if<protocol::Publish>(&action)) {
    std::string owner = proof->standing ? standing_owner_of(job, authority) : owner_of(job);
    co_return co_await publish(std::move(owner), std::move(*proof), job, authority);
  }
  if (std::holds_alternative<protocol::Unpublish>(action)) {
    std::string owner = owner_of(job);
    co_return event_of(co_await of_.dns01.unpublish(std::move(owner)));
  }
  if (auto const* const wait = std::get_if<protocol::WaitUntil>(&action)) {
    co_await net::wait_for(std::max(wait->until - wall_now(), milliseconds(0)));
    co_return protocol::Done{};
  }
  if (auto* const issued = std::get_if<protocol::StoreCertificate>(&action)) {
    co_return co_await keep(std::move(*issued), std::move(row), job, stored);
  }
  base::invariant_broken("an action nobody performs", __FILE__, __LINE__);
}

net::Task<protocol::Event> Ordering::keep(protocol::StoreCertificate issued, vault::OrderRow row, Job const& job,
                                          std::function<void(vault::CertificateRow)> const& stored) {
  crypto::Certificate const& certificate = issued.certificate;
  vault::CertificateRow kept{0,
                             job.subject.id,
                             job.subject.tenant_id,
                             job.subject.name,
                             certificate.names,
                             certificate.fingerprint,
                             certificate.not_before,
                             certificate.not_after,
                             row.directory_url,
                             certificate.ari_id};
  auto const sequence =
      co_await of_.vault.add_certificate(kept, certificate, std::move(issued.chain_pem), row.key_pem, wall_now());
  if (!sequence) {
    co_return protocol::Refused{sequence.error().what()};
  }
  kept.sequence = *sequence;
  process::log::info(component, "certificate stored tenant_id={} names={} sequence={} fingerprint={}", kept.tenant_id,
                     kept.names.back(), *sequence, kept.fingerprint);
  stored(std::move(kept));
  co_return protocol::Done{};
}

net::Task<protocol::Event> Ordering::post(protocol::Post request, Authority& authority) {
  auto const client = authority.client();
  auto answer = co_await client->post(std::move(request.url), std::move(request.payload));
  if (!answer) {
    co_return protocol::Lost{answer.error().what()};
  }
  co_return std::move(*answer);
}

net::Task<base::Result<Outcome>> Ordering::rehearse(Job job, Authority& authority) {
  auto fresh = co_await fresh_order(job, authority.settings());
  if (!fresh) {
    co_return fresh.error();
  }
  auto const ready = co_await authority.ready();
  if (!ready) {
    co_return ready.error();
  }
  auto outcome = co_await rehearse_at(job, std::move(fresh->first), std::move(fresh->second), authority);
  auto const saved = co_await authority.save_account();
  if (!saved) {
    process::log::warning(component, "account not stored error=\"{}\"", saved.error().what());
  }
  co_return outcome;
}

// Its TXT values have an owner of their own, so that it disturbs no order of the same subject.
net::Task<base::Result<Outcome>> Ordering::rehearse_at(Job const& job, vault::OrderRow row, crypto::Key key,
                                                       Authority& authority) {
  auto const client = authority.client();
  auto const places = co_await client->directory();
  if (!places) {
    co_return places.error();
  }
  auto hindered = co_await obstacle(job, *places, authority);
  if (hindered) {
    co_return std::move(*hindered);
  }
  std::string const owner = challenge_owner(job.subject.tenant_id, job.subject.id) + rehearsal_infix + "/now";
  protocol::OrderMachine machine(plan_of(row, std::move(key), std::nullopt, *places, authority), of_.limits);
  protocol::Event event = protocol::Begin{};
  std::function<void(vault::CertificateRow)> const nobody = [](vault::CertificateRow const&) {};
  for (;;) {
    protocol::Action action = machine.resume(event, wall_now());
    if (auto const* const finish = std::get_if<protocol::Finish>(&action)) {
      co_return finish->outcome;
    }
    if (auto* const proof = std::get_if<protocol::Publish>(&action)) {
      std::string proof_owner = proof->standing ? standing_owner_of(job, authority) : owner;
      event = co_await publish(std::move(proof_owner), std::move(*proof), job, authority);
    } else if (std::holds_alternative<protocol::Unpublish>(action)) {
      event = event_of(co_await of_.dns01.unpublish(owner));
    } else if (std::holds_alternative<protocol::Post>(action) || std::holds_alternative<protocol::WaitUntil>(action)) {
      event = co_await perform(std::move(action), row, job, authority, nobody);
    } else {
      event = protocol::Done{};
    }
  }
}

}  // namespace acme

// What administrators order of the Issuer: another try, a revocation, another account key, agreement to new terms.
#include "acme/crypto/csr.hpp"
#include "acme/issuer.hpp"
#include "base/process/log.hpp"

#include <algorithm>

namespace acme {
namespace {

using crypto::wall_now;
using std::chrono::milliseconds;

constexpr char const* component = "acme";
constexpr milliseconds flights_patience{60000};
constexpr milliseconds look_again{50};

}  // namespace

std::optional<std::size_t> Issuer::place_of(std::string const& directory_url) const {
  auto const found = std::ranges::find_if(
      authorities_, [&](auto const& authority) { return authority->directory_url() == directory_url; });
  return found == authorities_.end()
             ? std::nullopt
             : std::optional(static_cast<std::size_t>(std::distance(authorities_.begin(), found)));
}

void Issuer::order_now(std::int64_t tenant_id) {
  auto const found = subjects_.find(tenant_id);
  if (found == subjects_.end()) {
    return;
  }
  found->second.wanted_anew = true;
  want(tenant_id);
  planner_->retry(tenant_id, wall_now());
  poke();
}

net::Task<base::Result<void>> Issuer::revoke(std::int64_t tenant_id, std::int64_t reason) {
  auto const found = subjects_.find(tenant_id);
  if (found == subjects_.end() || !found->second.certificate) {
    co_return base::fail(vault::errc::not_found, "tenant " + std::to_string(tenant_id) + " has no certificate");
  }
  vault::CertificateRow row = *found->second.certificate;
  auto const marked = co_await vault_.mark_revoked(row.sequence, reason, std::nullopt);
  if (!marked) {
    co_return marked;
  }
  row.revoked_reason = reason;
  revoking_[row.sequence] = row;
  if (auto const subject = subjects_.find(tenant_id);
      subject != subjects_.end() && subject->second.certificate &&
      subject->second.certificate->sequence == row.sequence) {
    subject->second.certificate->revoked_reason = reason;
    order_now(tenant_id);
  }
  process::log::warning(component, "revoked by an administrator tenant_id={} fingerprint={} reason={}", tenant_id,
                        row.fingerprint, reason);
  poke();
  co_return base::Result<void>();
}

// One after the other; what fails stays and is told again in the next round.
net::Task<void> Issuer::tell_revocations() {
  telling_ = true;
  std::map<std::int64_t, vault::CertificateRow> const todo = revoking_;
  for (auto const& [sequence, row] : todo) {
    auto const told = co_await tell_revocation(row);
    if (told) {
      revoking_.erase(sequence);
    } else {
      process::log::warning(component, "the CA was not told of a revocation tenant_id={} error=\"{}\"", row.tenant_id,
                            told.error().what());
    }
  }
  telling_ = false;
}

net::Task<base::Result<void>> Issuer::tell_revocation(vault::CertificateRow certificate) {
  auto const place = issued_by(certificate);
  if (place) {
    Authority& authority = *authorities_[*place];
    auto const ready = co_await authority.ready();
    if (!ready) {
      co_return ready;
    }
    auto const chain = co_await vault_.chain(certificate.sequence);
    if (!chain) {
      co_return chain.error();
    }
    auto const der = crypto::leaf_der(*chain);
    if (!der) {
      co_return der.error();
    }
    auto const told = co_await authority.client().revoke(*der, *certificate.revoked_reason);
    if (!told) {
      co_return told;
    }
  }
  co_return co_await vault_.mark_revoked(certificate.sequence, *certificate.revoked_reason, wall_now());
}

net::Task<base::Result<void>> Issuer::change_account_key(std::string directory_url) {
  auto const place = directory_url.empty() ? std::optional<std::size_t>(0) : place_of(directory_url);
  if (!place || !loaded_) {
    co_return base::fail(vault::errc::not_found, directory_url + " is none of the authorities");
  }
  planner_->block(*place, true);
  auto const changed = co_await change_key_at(*place);
  if (planner_ && authorities_[*place]->action_required.empty()) {
    planner_->block(*place, false);
  }
  poke();
  co_return changed;
}

net::Task<base::Result<void>> Issuer::change_key_at(std::size_t place) {
  auto const end = std::chrono::steady_clock::now() + flights_patience;
  while (std::ranges::any_of(flights_, [place](auto const& flight) { return flight.second == place; })) {
    if (std::chrono::steady_clock::now() > end) {
      co_return base::fail(protocol::errc::unavailable, "orders are still under way at this CA; try again");
    }
    co_await net::wait_for(look_again);
  }
  co_return co_await authorities_[place]->change_key();
}

net::Task<base::Result<void>> Issuer::agree_to_terms(std::string directory_url) {
  auto const place = directory_url.empty() ? std::optional<std::size_t>(0) : place_of(directory_url);
  if (!place || !loaded_) {
    co_return base::fail(vault::errc::not_found, directory_url + " is none of the authorities");
  }
  Authority& authority = *authorities_[*place];
  auto const ready = co_await authority.ready();
  if (!ready) {
    co_return ready;
  }
  auto const agreed = co_await authority.client().agree_to_terms();
  if (!agreed) {
    co_return agreed;
  }
  authority.action_required.clear();
  authority.last_error.clear();
  planner_->block(*place, false);
  for (auto const& [key, attempt] : attempts_) {  // an administrator's word is rare enough for a walk over the failures
    if (key.second == directory_url || (directory_url.empty() && key.second == authority.directory_url())) {
      planner_->retry(attempt.tenant_id, wall_now());
    }
  }
  poke();
  co_return base::Result<void>();
}

net::Task<base::Result<protocol::Outcome>> Issuer::rehearse(std::int64_t tenant_id) {
  auto const found = subjects_.find(tenant_id);
  if (staging_ == nullptr) {
    co_return base::fail(protocol::errc::refused, "no staging CA is configured: acme.staging");
  }
  if (found == subjects_.end()) {
    co_return base::fail(vault::errc::not_found, "tenant " + std::to_string(tenant_id));
  }
  vault::OrderRow row;
  row.tenant_id = tenant_id;
  row.names = found->second.names;
  row.directory_url = staging_->directory_url();
  auto key = crypto::Key::generate();
  if (!key) {
    co_return key.error();
  }
  auto csr = crypto::make_csr(*key, row.names);
  if (!csr) {
    co_return csr.error();
  }
  row.csr = std::move(*csr);
  auto const ready = co_await staging_->ready();
  if (!ready) {
    co_return ready.error();
  }
  auto outcome = co_await rehearse_at(*staging_, std::move(row), std::move(*key));
  auto const saved = co_await staging_->save_account();
  if (!saved) {
    process::log::warning(component, "account not stored error=\"{}\"", saved.error().what());
  }
  co_return outcome;
}

// Its TXT values have an owner of their own, so that it disturbs no order of the same tenant.
net::Task<base::Result<protocol::Outcome>> Issuer::rehearse_at(Authority& authority, vault::OrderRow row,
                                                               crypto::Key key) {
  auto const places = co_await authority.client().directory();
  if (!places) {
    co_return places.error();
  }
  std::string const owner = challenge_owner(row.tenant_id) + "/rehearsal";
  protocol::OrderMachine machine(plan_of(row, std::move(key), Subject{}, *places, authority), settings_.order);
  protocol::Event event = protocol::Begin{};
  for (;;) {
    protocol::Action action = machine.resume(event, wall_now());
    if (auto const* const finish = std::get_if<protocol::Finish>(&action)) {
      co_return finish->outcome;
    }
    base::Result<void> done;
    if (auto* const publish = std::get_if<protocol::Publish>(&action)) {
      done = co_await dns01_.publish(owner, std::move(publish->values));
    } else if (std::holds_alternative<protocol::Unpublish>(action)) {
      done = co_await dns01_.unpublish(owner);
    } else if (std::holds_alternative<protocol::Post>(action) || std::holds_alternative<protocol::WaitUntil>(action)) {
      event = co_await perform(std::move(action), row, authority);
      continue;
    }
    if (done) {
      event = protocol::Done{};
    } else {
      event = protocol::Refused{done.error().what()};
    }
  }
}

}  // namespace acme

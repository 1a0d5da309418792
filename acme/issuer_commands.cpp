// What administrators order of the Issuer: another try, a revocation, another account key, agreement to new terms.
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

Authority* Issuer::authority_of(std::string const& directory_url) const {
  auto const place = place_of(directory_url);
  return place ? authorities_[*place].get() : nullptr;
}

void Issuer::order_now(std::int64_t subject_id) {
  replace(subject_id, true);
}

void Issuer::replace(std::int64_t subject_id, bool ordered) {
  auto const found = subjects_.find(subject_id);
  if (found == subjects_.end()) {
    return;
  }
  found->second.wanted_anew = true;
  found->second.ordered = ordered;
  want(subject_id);
  planner_->retry(subject_id, wall_now());
  poke();
}

net::Task<base::Result<void>> Issuer::revoke(std::int64_t subject_id, std::int64_t reason) {
  auto const found = subjects_.find(subject_id);
  if (found == subjects_.end() || !found->second.certificate) {
    co_return base::fail(vault::errc::not_found, "subject " + std::to_string(subject_id) + " has no certificate");
  }
  vault::CertificateRow row = *found->second.certificate;
  if (row.uploaded) {
    co_return base::fail(protocol::errc::refused, "the tenant brought it: revoke it at its CA, and remove it here");
  }
  auto const marked = co_await vault_.mark_revoked(row.sequence, reason, std::nullopt);
  if (!marked) {
    co_return marked;
  }
  row.revoked_reason = reason;
  revocations_.add(row);
  auto const rows = co_await vault_.certificates(subject_id);
  if (auto const subject = subjects_.find(subject_id); subject != subjects_.end() && subject->second.certificate &&
                                                       subject->second.certificate->sequence == row.sequence) {
    // Edges go back to a former one that is still good, if there is one.
    vault::CertificateRow const* const best = rows ? newest(subject->second.wanted, *rows, wall_now()) : nullptr;
    subject->second.certificate->revoked_reason = reason;
    if (best != nullptr && best->sequence != row.sequence) {
      hold(subject_id, *best);
    }
    replace(subject_id, false);
  }
  process::log::warning(component, "revoked by an administrator subject_id={} fingerprint={} reason={}", subject_id,
                        row.fingerprint, reason);
  tell(row.tenant_id);
  poke();
  co_return base::Result<void>();
}

net::Task<base::Result<void>> Issuer::change_account_key(std::string directory_url) {
  auto const place = directory_url.empty() ? std::optional<std::size_t>(0) : place_of(directory_url);
  if (!place || !loaded_) {
    co_return base::fail(vault::errc::not_found, directory_url + " is none of the authorities");
  }
  planner_->block(*place, true);
  auto const changed = co_await change_key_at(*place);
  if (planner_ && authorities_[*place]->action_required.empty() && !unusable_.contains(*place)) {
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
  auto const client = authority.client();
  auto const agreed = co_await client->agree_to_terms();
  if (!agreed) {
    co_return agreed;
  }
  authority.action_required.clear();
  authority.last_error.clear();
  planner_->block(*place, false);
  for (auto const& [key, attempt] : attempts_) {  // an administrator's word is rare enough for a walk over the failures
    if (key.second == directory_url || (directory_url.empty() && key.second == authority.directory_url())) {
      planner_->retry(attempt.subject_id, wall_now());
    }
  }
  poke();
  co_return base::Result<void>();
}

net::Task<base::Result<protocol::Outcome>> Issuer::rehearse(std::int64_t subject_id) {
  auto const found = subjects_.find(subject_id);
  if (staging_ == nullptr) {
    co_return base::fail(protocol::errc::refused, "no staging CA is configured: acme.staging");
  }
  if (found == subjects_.end()) {
    co_return base::fail(vault::errc::not_found, "subject " + std::to_string(subject_id));
  }
  Job job = job_of(found->second);
  co_return co_await ordering_.rehearse(std::move(job), *staging_);
}

}  // namespace acme

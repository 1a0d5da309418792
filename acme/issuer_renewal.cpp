// When certificates are renewed: by their lifetime, and by what their CA suggests (RFC 9773). Suggestions are asked for
// one after the other, so that a hundred thousand certificates are a trickle and not a flood.
#include "acme/issuer.hpp"
#include "base/process/log.hpp"

#include <algorithm>

namespace acme {
namespace {

using crypto::wall_now;
using std::chrono::milliseconds;

constexpr char const* component = "acme";
constexpr milliseconds look_again{60000};

}  // namespace

Authority* Issuer::issued_by(vault::CertificateRow const& certificate) const {
  auto const found = std::ranges::find_if(
      authorities_, [&](auto const& authority) { return authority->directory_url() == certificate.directory_url; });
  return found == authorities_.end() ? nullptr : found->get();
}

Time Issuer::due(vault::CertificateRow const& certificate) const {
  Time const own = renewal_due(certificate.not_before, certificate.not_after, settings_.renew_fraction,
                               static_cast<std::uint64_t>(certificate.sequence));
  auto const opinion = opinions_.find(certificate.sequence);
  return renewal_moment(own, opinion == opinions_.end() ? std::nullopt : opinion->second.suggestion,
                        certificate.not_before, certificate.not_after);
}

// One walk over the certificates for all that are due: a walk for each would grow with the square of the tenants.
Issuer::Questions Issuer::questions(Time now) const {
  Questions out{{}, now + look_again};
  for (auto const& [tenant_id, subject] : subjects_) {
    if (!subject.certificate || subject.certificate->ari_id.empty() || issued_by(*subject.certificate) == nullptr) {
      continue;
    }
    auto const opinion = opinions_.find(subject.certificate->sequence);
    Time const at = opinion == opinions_.end() ? now : opinion->second.ask_again;
    if (at <= now) {
      out.due.push_back(*subject.certificate);
    } else {
      out.next = std::min(out.next, at);
    }
  }
  return out;
}

net::Task<void> Issuer::follow_suggestions() {
  while (!stopped_) {
    Time const now = wall_now();
    Questions const asked = questions(now);
    for (std::size_t i = 0; i < asked.due.size() && !stopped_; ++i) {
      co_await ask(asked.due[i]);
    }
    if (asked.due.empty() && !stopped_) {
      co_await ask_wake_.wait(asked.next - now);
    }
  }
}

net::Task<void> Issuer::ask(vault::CertificateRow certificate) {
  auto const seed = static_cast<std::uint64_t>(certificate.sequence);
  Opinion opinion;
  if (auto const known = opinions_.find(certificate.sequence); known != opinions_.end()) {
    opinion = known->second;
  }
  Authority* const authority = issued_by(certificate);
  auto const ready = co_await authority->ready();
  if (!ready) {
    opinion.ask_again = next_question({}, wall_now(), seed);
    opinions_[certificate.sequence] = opinion;
    co_return;
  }
  auto answer = co_await authority->client().renewal_info(certificate.ari_id);
  Time const now = wall_now();
  if (!answer) {
    // What it said before holds; where it never said anything, the lifetime decides.
    opinion.ask_again = next_question({}, now, seed);
    opinions_[certificate.sequence] = opinion;
    process::log::debug(component, "no renewal suggestion authority={} error=\"{}\"", authority->directory_url(),
                        answer.error().what());
    co_return;
  }
  Suggestion const suggestion = suggestion_of(std::move(answer->window), opinion.suggestion, seed);
  bool const moved = !opinion.suggestion || opinion.suggestion->at != suggestion.at;
  opinion = Opinion{suggestion, next_question(answer->retry_after, now, seed)};
  opinions_[certificate.sequence] = opinion;
  vault::SuggestionRow const row{certificate.sequence, suggestion.window.start,           suggestion.window.end,
                                 suggestion.at,        suggestion.window.explanation_url, opinion.ask_again};
  auto const saved = co_await vault_.save_suggestion(row);
  if (!saved) {
    process::log::warning(component, "suggestion not stored error=\"{}\"", saved.error().what());
  }
  if (moved) {
    poke();
  }
}

}  // namespace acme

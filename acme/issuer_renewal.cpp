// When certificates are renewed: by their lifetime, and by what their CA suggests (RFC 9773). Suggestions are asked for
// one after the other at each CA, so that a hundred thousand certificates are a trickle and not a flood, and a CA that
// stalls holds up no other one's.
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

std::optional<std::size_t> Issuer::issued_by(vault::CertificateRow const& certificate) const {
  return place_of(certificate.directory_url);
}

Time Issuer::due(vault::CertificateRow const& certificate) const {
  Time const own = renewal_due(certificate.not_before, certificate.not_after, settings_.renew_fraction,
                               static_cast<std::uint64_t>(certificate.sequence));
  auto const opinion = opinions_.find(certificate.sequence);
  return renewal_moment(own, opinion == opinions_.end() ? std::nullopt : opinion->second.suggestion,
                        certificate.not_before, certificate.not_after);
}

// One that shall be replaced long before its time is the CA's wish or an administrator's.
Holding Issuer::holding_of(Subject const& subject, Time now) const {
  vault::CertificateRow const& certificate = *subject.certificate;
  Time const own = renewal_due(certificate.not_before, certificate.not_after, settings_.renew_fraction,
                               static_cast<std::uint64_t>(certificate.sequence));
  Holding holding;
  holding.not_before = certificate.not_before;
  holding.not_after = certificate.not_after;
  holding.due = due(certificate);
  holding.recalled = subject.wanted_anew || certificate.revoked_reason || (holding.due <= now && own > now);
  holding.ordered = subject.ordered;
  holding.authority = issued_by(certificate);
  holding.replaceable = holding.authority && opinions_.contains(certificate.sequence);
  return holding;
}

// The place of a subject's certificate among those whose CAs are asked; nothing: it is not asked about.
void Issuer::ask_at(std::int64_t subject_id, std::optional<Time> at) {
  Subject& subject = subjects_.at(subject_id);
  auto const place = subject.certificate ? issued_by(*subject.certificate) : std::nullopt;
  if (!place) {
    return;
  }
  questions_[*place].erase({subject.ask_at, subject_id});
  if (at && !subject.certificate->ari_id.empty()) {
    subject.ask_at = *at;
    questions_[*place].emplace(*at, subject_id);
    ask_wake_.notify();
  }
}

net::Task<void> Issuer::follow_suggestions(std::size_t place) {
  while (!stopped_) {
    Time const now = wall_now();
    Index const& questions = questions_[place];
    if (!leads() || questions.empty() || questions.begin()->first > now) {
      Time const next = questions.empty() ? now + look_again : std::min(questions.begin()->first, now + look_again);
      co_await ask_wake_.wait(std::max(next - now, milliseconds(1)));
      continue;
    }
    std::int64_t const subject_id = questions.begin()->second;
    vault::CertificateRow const certificate = *subjects_.at(subject_id).certificate;
    // Its place until the answer is there: whatever ends this, it is asked about again.
    ask_at(subject_id, now + look_again);
    co_await ask(certificate);
    auto const subject = subjects_.find(subject_id);
    if (subject != subjects_.end() && subject->second.certificate &&
        subject->second.certificate->sequence == certificate.sequence) {
      auto const opinion = opinions_.find(certificate.sequence);
      ask_at(subject_id, opinion == opinions_.end() ? wall_now() + look_again : opinion->second.ask_again);
    }
  }
}

net::Task<void> Issuer::ask(vault::CertificateRow certificate) {
  auto const seed = static_cast<std::uint64_t>(certificate.sequence);
  Opinion opinion;
  if (auto const known = opinions_.find(certificate.sequence); known != opinions_.end()) {
    opinion = known->second;
  }
  Authority* const authority = authorities_[*issued_by(certificate)].get();
  auto const ready = co_await authority->ready();
  if (!ready) {
    opinion.ask_again = next_question({}, wall_now(), seed);
    opinions_[certificate.sequence] = opinion;
    co_return;
  }
  auto const client = authority->client();
  auto answer = co_await client->renewal_info(certificate.ari_id);
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
  if (auto const subject = subjects_.find(certificate.subject_id);
      moved && subject != subjects_.end() && subject->second.certificate &&
      subject->second.certificate->sequence == certificate.sequence) {
    want(certificate.subject_id);
    poke();
  }
}

}  // namespace acme
